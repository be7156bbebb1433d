"""Listening, and ending: the server object that `serve` returns.

It owns the socket, the certificate and the desk. It opens no connection of its own and asks no name server.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from pathlib import Path

import structlog

from gateway.errors import Mistake, Mistakes
from gateway.receive.admission import Connections, InFlight, Networks
from gateway.receive.conductor import Conductor
from gateway.receive.desk import Desk
from gateway.receive.session import Session
from gateway.settings import SmtpSettings, SmtpTls, listen_address

log = structlog.get_logger("gateway.receive")

_BACKLOG = 1024
_LAST_WORDS_S = 10.0
"""How long connections that were ended by force may take to be gone: longer than `connection._LINGER_S`."""


class Server:
    """A listening relay front. Made by `serve`."""

    def __init__(self, desk: Desk, listener: asyncio.Server) -> None:
        self._desk = desk
        self._listener = listener
        self.sockets: tuple[socket.socket, ...] = tuple(listener.sockets)
        self.port: int = self.sockets[0].getsockname()[1]

    @property
    def connections(self) -> int:
        """How many clients are connected, or have left with something still under way."""
        return len(self._desk.guests)

    def renew_certificate(self) -> None:
        """Read the certificate files again; connections begun from now on get the new one.

        Raises `Mistakes`, and the pair in force stays. It is always replaced as a whole: OpenSSL would install a
        certificate in a context that serves before it finds that the key beside it is another's.
        """
        self._desk.tls_context = tls_context(self._desk.settings.tls)

    async def close(self, drain_s: float) -> None:
        """Stop listening, let messages in DATA finish for ``drain_s`` seconds, and end all connections with 421.

        A message whose answer is not out by then was not accepted: its sender keeps it.
        """
        self._listener.close()
        self._desk.draining = True
        for guest in tuple(self._desk.guests):
            guest.drain()
        if not await self._is_empty_within(drain_s):
            log.warning("server:drain-timed-out", connections=self.connections)
            for guest in tuple(self._desk.guests):
                guest.kill()
            await self._is_empty_within(_LAST_WORDS_S)
        # From Python 3.12 on this waits for connections too.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._listener.wait_closed()

    async def _is_empty_within(self, seconds: float) -> bool:
        """Return whether everybody has left, waiting at most ``seconds`` for it."""
        try:
            async with asyncio.timeout(seconds):
                await self._desk.empty.wait()
        except TimeoutError:
            return not self._desk.guests
        return True


async def serve(
    conductor: Conductor,
    settings: SmtpSettings,
    *,
    reuse_port: bool = False,
    sock: socket.socket | None = None,
) -> Server:
    """Return a server that listens on ``settings.listen`` (or ``sock``) and gives each client's mail to ``conductor``.

    With ``reuse_port`` several processes may listen on one port; limits then hold for each of them. Raises
    `Mistakes` when the address cannot be listened on or the certificate cannot be used.
    """
    # aiosmtpd logs each connection there at INFO; what is worth logging we log ourselves.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    desk = Desk(
        conductor=conductor,
        settings=settings,
        hostname=settings.hostname or socket.gethostname(),
        tls_context=tls_context(settings.tls),
        networks=Networks(settings.allow_from),
        connections=Connections(settings),
        in_flight=InFlight(settings),
    )
    desk.empty.set()
    loop = asyncio.get_running_loop()

    def session() -> Session:
        return Session(desk)

    if sock is not None:
        return Server(desk, await loop.create_server(session, sock=sock, backlog=_BACKLOG))
    host, port = listen_address(settings.listen)
    try:
        listener = await loop.create_server(
            session, host, port, backlog=_BACKLOG, reuse_port=reuse_port or None
        )
    except OSError as error:
        raise Mistakes((_listen_mistake(settings.listen, error),)) from error
    return Server(desk, listener)


def _listen_mistake(listen: str, error: OSError) -> Mistake:
    return Mistake(
        file="smtp.listen",
        what=f"cannot listen on {listen}: {error.strerror or error}",
        remedy="choose a free address of this machine, and a port this user may open",
    )


def tls_context(tls: SmtpTls) -> ssl.SSLContext | None:
    """Return the context for STARTTLS, TLS 1.2 at least, or None without a certificate. Raises `Mistakes`."""
    if tls.cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # Without a password function OpenSSL would ask at the terminal, and serve would hang.
        context.load_cert_chain(tls.cert, tls.key, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise Mistakes((_certificate_mistake(tls.cert, tls.key, error),)) from error
    return context


def _certificate_mistake(cert: Path, key: Path | None, error: Exception) -> Mistake:
    files = f"{cert} and {key}" if key is not None else str(cert)
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return Mistake(
        file="smtp.tls",
        what=f"the certificate in {files} cannot be used: {reason}",
        remedy="give a PEM chain and its own key, without a password, readable by this user",
    )
