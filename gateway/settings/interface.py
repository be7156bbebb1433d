"""The settings of the HTTP API: docs/decisions/0034 says why they are as they are."""

from gateway.settings.section import Section, setting


class ApiSettings(Section):
    """The HTTP API for other systems, on the console's address: pushing contacts and staff, reading items' states."""

    enabled: bool = setting(False, "Whether there is an API at all; tokens come from `gateway tokens add`.")
    max_body_bytes: int = setting(
        67_108_864,
        "Largest push of a whole set.",
        unit="octets",
        why="200,000 entries of 300 octets; it is held in memory, one whole set at a time",
        ge=1024,
        le=1_073_741_824,
    )
    max_entry_bytes: int = setting(
        65_536,
        "Largest push of one entry.",
        unit="octets",
        why="a long safe-contact note and thirty officers, many times",
        ge=1024,
        le=16_777_216,
    )
    body_s: float = setting(
        120.0,
        "Time for the body of a push to arrive.",
        unit="s",
        why="the largest push over ten megabits a second",
        gt=0,
        le=3600,
    )
    per_minute: int = setting(
        120,
        "Requests a minute of one token, in the long run; twice as many may come at once.",
        unit="requests a minute",
        why="a records system that pushes each change of a busy force makes a few a minute",
        ge=1,
        le=60_000,
    )
    refused_per_minute: int = setting(
        20,
        "Requests a minute without a token that opens anything, from one address.",
        unit="requests a minute",
        why="a wrong token is a slip; more of them would fill log and audit log",
        ge=1,
        le=60_000,
    )
    page_rows: int = setting(500, "Most items whose states one answer holds.", unit="items", ge=1, le=10_000)
