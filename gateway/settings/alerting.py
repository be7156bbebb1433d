"""How the gateway calls for help, and lets itself be watched: the webhook, and the relay's figures and health.

docs/decisions/0025 says what the webhook tells, and what it does not; 0041 who may ask how the relay is.
"""

from pathlib import Path
from urllib.parse import urlsplit

from gateway.settings.section import Section, setting


class WebhookSettings(Section):
    """A call to an on-call system for each urgent hold, through the outbox."""

    url: str = setting(
        "",
        "Address that is sent a POST for each urgent hold; empty: none. Often a secret in itself.",
        secret=True,
    )
    url_file: Path | None = setting(None, "File that holds that address.")
    token: str = setting("", "Sent as `Authorization: Bearer`; empty: no such header.", secret=True)
    token_file: Path | None = setting(None, "File that holds that token.")
    ca_file: Path | None = setting(None, "CA certificates to trust for it, PEM; none: the system's.")
    for_psd: bool = setting(
        False,
        "Whether it is called for holds too that professional standards alone may know of: if they are who reads it.",
    )
    timeout_s: float = setting(
        10.0,
        "Time for one call.",
        unit="s",
        why="what does not answer in ten seconds is tried again by the outbox",
        gt=0,
        le=120,
    )

    @property
    def host(self) -> str:
        """The host that is called: all of the address that may be shown, since its path is often a secret."""
        return urlsplit(self.url).hostname or "webhook"


class HealthSettings(Section):
    """Where a monitoring system asks the relay how it is: /metrics, /healthz and /readyz over plain HTTP."""

    listen: str = setting(
        "",
        "Loopback address and port, such as 127.0.0.1:9108; empty: none. "
        "With --workers N each relay takes the first free port from this one on.",
    )
    timeout_s: float = setting(
        5.0,
        "Time for one question, and for the store to answer it.",
        unit="s",
        why="Prometheus asks every 15 s and waits 10",
        gt=0,
        le=60,
    )
