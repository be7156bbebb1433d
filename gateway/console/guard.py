"""What stands before every page: which hosts are answered, and what every answer carries.

An ASGI middleware. A request that names another host (a poisoned link, DNS rebinding) gets 421 and nothing of ours.
Headers that a page set itself stay: a page may ask for a stricter policy, or for one of its own in a frame. Nobody is
waited for longer than ``console.browser_s``: who sends a form letter by letter, or does not take an answer, holds neither
memory nor one of the places of open pages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console.desk import Desk
from gateway.console.forms import FormRefused

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

log = structlog.get_logger("gateway.console")
T = TypeVar("T")


class _TooSlow(Exception):
    """The browser neither sends nor takes anything."""


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        """Answer for ``desk.hosts`` only."""
        self._app = app
        self._hosts = desk.hosts
        self._patience_s = desk.settings.console.browser_s
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
            await self._soon(lambda: send(message))

        if _host_of(scope["headers"]) not in self._hosts:
            refusal = PlainTextResponse("This console has another address.\n", status_code=421)
            await refusal(scope, receive, dressed)
            return
        try:
            await self._app(scope, self._patiently(receive), dressed)
        except* _TooSlow:
            log.info("browser:too-slow", path=scope["path"])

    def _patiently(self, receive: Receive) -> Receive:
        """Return ``receive``, which raises `FormRefused` where the rest of a request does not come."""
        is_whole = False

        async def read() -> Message:
            nonlocal is_whole
            if is_whole:  # all that may still come is that the browser goes away
                return await receive()
            try:
                message = await self._soon(receive)
            except _TooSlow:
                raise FormRefused(408, "Too slow", "The rest of it did not come. Send it again.") from None
            if message["type"] == "http.disconnect":
                raise FormRefused(400, "Not whole", "The browser went away before the form was whole.")
            is_whole = not message.get("more_body", False)
            return message

        return read

    async def _soon(self, step: Callable[[], Awaitable[T]]) -> T:
        """Return what ``step`` comes to; raises `_TooSlow` when the browser keeps it waiting."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await step()
        except TimeoutError:
            raise _TooSlow from None


def _host_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the host a request names; an empty string when it names none, or two."""
    named = [value for name, value in headers if name == b"host"]
    return named[0].decode("latin-1").lower() if len(named) == 1 else ""
