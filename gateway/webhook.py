"""The webhook: one POST to the force's on-call system for an urgent hold, and what its answer means for the outbox.

Stands beside `relay`: the outbox owns the row, the lease and when to try again; this module owns the HTTP. Knows nothing
of the message: what is sent was written by `notices`. Follows no redirect, which could lead the token elsewhere.
"""

import ssl
from pathlib import Path

import httpx2

from gateway.model import Reply
from gateway.settings import WebhookSettings

_TRY_AGAIN = frozenset({408, 425, 429})
"""Client errors that mean *later*, not *never* (RFC 9110, 8470, 6585)."""
_NOT_SET = Reply(code=554, lines=("notices.webhook.url is not set any more",))


class Webhook:
    """Calls the address in the settings."""

    def __init__(self, settings: WebhookSettings) -> None:
        """Take the settings; nothing is opened."""
        self._settings = settings

    async def post(self, body: bytes) -> Reply:
        """Send ``body`` as JSON and return the answer as the outbox reads one: 250 taken, 451 later, 554 never.

        Never raises for what the other side does. The answer's body is not read.
        """
        settings = self._settings
        if not settings.url:
            return _NOT_SET
        headers = {"Content-Type": "application/json", "User-Agent": "boundary-gateway"}
        if settings.token:
            headers["Authorization"] = f"Bearer {settings.token}"
        try:
            async with (
                httpx2.AsyncClient(
                    timeout=settings.timeout_s, follow_redirects=False, verify=_trusted(settings.ca_file)
                ) as client,
                client.stream("POST", settings.url, content=body, headers=headers) as answer,
            ):
                return _reply(answer.status_code)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as trouble:
            return Reply(code=451, lines=(f"{settings.host} does not answer: {type(trouble).__name__}",))


def _reply(status: int) -> Reply:
    said = (f"HTTP {status}",)
    if 200 <= status < 300:
        return Reply(code=250, lines=said)
    if 500 <= status < 600 or status in _TRY_AGAIN:
        return Reply(code=451, lines=said)
    return Reply(code=554, lines=said)


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
