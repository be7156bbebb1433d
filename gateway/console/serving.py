"""The console as a process: the socket, HTTPS, and uvicorn round the application.

uvicorn writes no access log of its own (a query may name a person) and believes no proxy but those in
``console.proxies``. Ends at SIGTERM or SIGINT, leaving open pages a moment to finish.
"""

import signal
import socket
import ssl

import structlog
import uvicorn

from gateway import __version__
from gateway.console.app import application
from gateway.console.desk import Desk
from gateway.errors import Mistake, Mistakes
from gateway.settings import ConsoleSettings, listen_address

log = structlog.get_logger("gateway.console")

_GRACE_S = 5
_MAX_HEAD_BYTES = 32_768


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
            http="h11",
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_GRACE_S,
        )
        config.load()
        config.ssl = _tls(console)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, _ended)
        log.info("console:ready", port=sock.getsockname()[1], version=__version__, address=desk.origin)
        uvicorn.Server(config).run(sockets=[sock])
        log.info("console:stopped")


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
