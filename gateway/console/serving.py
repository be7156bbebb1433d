"""The console as a process: the socket, HTTPS, and uvicorn round the application.

uvicorn writes no access log of its own (a query may name a person) and believes no proxy but those in
``console.proxies``. It would wait for ever for the rest of a request's head, and for somebody to take an answer;
`_impatient` does not. Ends at SIGTERM or SIGINT, leaving open pages a moment to finish.
"""

import asyncio
import signal
import socket
import ssl
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway import __version__
from gateway.console.app import application
from gateway.console.desk import Desk
from gateway.errors import Mistake, Mistakes
from gateway.settings import ConsoleSettings, listen_address

log = structlog.get_logger("gateway.console")

_GRACE_S = 5
_MAX_HEAD_BYTES = 32_768
_KEEP_ALIVE_S = 30
_CONNECTIONS = 300
"""Connections at once beside those of open pages; one more is answered 503. A browser opens six."""


def run(desk: Desk) -> None:
    """Serve the console until a signal ends it. Raises `Mistakes` when it cannot listen or its certificate is unfit."""
    console = desk.settings.console
    with _listening(console) as sock:
        config = uvicorn.Config(
            application(desk),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(console.proxies),
            forwarded_allow_ips=list(console.proxies),
            lifespan="off",
            ws="none",
            http=_impatient(console.browser_s),
            limit_concurrency=console.max_live + _CONNECTIONS,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        config.load()
        config.ssl = _tls(console)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, _ended)
        log.info("console:ready", port=sock.getsockname()[1], version=__version__, address=desk.origin)
        uvicorn.Server(config).run(sockets=[sock])
        log.info("console:stopped")


def _impatient(patience_s: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol, which cuts a connection on which no request is under way for so long."""

    class Impatient(H11Protocol):
        _fuse: asyncio.TimerHandle | None = None
        _idle = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._light()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._fuse is not None:
                self._fuse.cancel()
            super().connection_lost(exc)

        def _light(self) -> None:
            self._fuse = self.loop.call_later(patience_s / 2, self._look)

        def _look(self) -> None:
            """Count looks at which nothing was under way: a head that does not end, or an answer nobody takes."""
            cycle: Any = self.cycle  # None before the first request, whatever uvicorn declares
            is_busy = cycle is not None and not cycle.response_complete
            self._idle = 0 if is_busy and not self.transport.is_closing() else self._idle + 1
            if self._idle > 2:
                self.transport.abort()
            else:
                self._light()

    return Impatient


def _ended(signum: int, _: object) -> None:
    """Take the signal that uvicorn sends once more when it has stopped: it is obeyed by then."""
    log.debug("console:signal", signal=signum)


def _listening(console: ConsoleSettings) -> socket.socket:
    host, port = listen_address(console.listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as problem:
        what = f"console.listen is {console.listen}, which cannot be listened on: {problem.strerror}"
        remedy = "end what listens there, or choose another address"
        raise Mistakes((Mistake(file="settings", what=what, remedy=remedy),)) from problem


def _tls(console: ConsoleSettings) -> ssl.SSLContext | None:
    if console.tls.cert is None or console.tls.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(console.tls.cert, console.tls.key)
    except (OSError, ssl.SSLError) as problem:
        what = f"console.tls.cert and console.tls.key cannot be used: {problem}"
        raise Mistakes(
            (Mistake(file=str(console.tls.cert), what=what, remedy="name a PEM chain and its own key"),)
        ) from problem
    return context
