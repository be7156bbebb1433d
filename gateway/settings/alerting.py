"""The settings of the webhook: docs/decisions/0025 says what it tells, and what it does not."""

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
