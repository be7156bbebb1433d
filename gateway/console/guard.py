"""What stands before every page: which hosts are answered, and what every answer carries.

An ASGI middleware. A request that names another host (a poisoned link, DNS rebinding) gets 421 and nothing of ours.
Headers that a page set itself stay: a page may ask for a stricter policy, or for one of its own in a frame.
"""

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.desk import Desk

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing but our own files; no inline script or style, no frame round us, no form to anywhere else."""

# Not no-referrer: with it Chromium names the origin of our own forms as null, which is what a foreign form looks like.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
_HSTS = "max-age=31536000"


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        """Answer for ``desk.hosts`` only."""
        self._app = app
        self._hosts = desk.hosts
        self._headers = HEADERS | ({"Strict-Transport-Security": _HSTS} if desk.is_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if _host_of(scope["headers"]) not in self._hosts:
            refusal = PlainTextResponse("This console has another address.\n", status_code=421)
            await refusal(scope, receive, dressed)
            return
        await self._app(scope, receive, dressed)


def _host_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the host a request names; an empty string when it names none, or two."""
    named = [value for name, value in headers if name == b"host"]
    return named[0].decode("latin-1").lower() if len(named) == 1 else ""
