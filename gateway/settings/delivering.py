"""The settings of the outbox: when what was approved is tried again, and for how long what went out is kept."""

from gateway.settings.section import Section, setting


class OutboxSettings(Section):
    """Delivery of what was approved."""

    poll_s: float = setting(1.0, "How often the outbox is looked at.", unit="s", gt=0)
    lease_s: float = setting(
        900.0,
        "How long one process may work on a delivery.",
        unit="s",
        why="longer than next_hop.data_timeout_s",
        gt=0,
    )
    first_retry_s: float = setting(
        30.0, "Wait after the first failed try; doubles each time.", unit="s", gt=0
    )
    max_retry_s: float = setting(3600.0, "Longest wait between tries.", unit="s", gt=0)
    max_tries: int = setting(
        60, "Temporary failures after which a delivery is shown as failed and waits for a person.", ge=1
    )
    kept_days: float = setting(
        90.0,
        "How long a notice to reviewers or a call of the webhook is kept once it was delivered, and a digest that failed. "
        "Releases and returns are kept for good.",
        unit="days",
        why="a quarter, to look up who was told; the audit log says so for ever",
        ge=1,
    )
