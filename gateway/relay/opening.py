"""From an address to a connection that is ready for MAIL: connect, banner, EHLO, TLS, sign-in.

Owns the settings of the next hop as far as they say how to get there. TLS that was asked for is required, never
opportunistic. Whatever fails raises `Lost`, or `Misconfigured` where a person has to change something.
"""

import asyncio
import math
import os
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from gateway.errors import Mistake, Mistakes
from gateway.model import Capabilities, Reply
from gateway.relay.wire import Connection, Lost, Misconfigured
from gateway.settings import NextHopSettings


class Security(StrEnum):
    """How the connection is protected, by the scheme of ``next_hop.url``."""

    PLAIN = "smtp"
    STARTTLS = "smtp+starttls"
    TLS = "smtps"


_PORTS = {Security.PLAIN: 25, Security.STARTTLS: 587, Security.TLS: 465}
_EHLO_NAME = re.compile(r"[A-Za-z0-9_.-]+|\[[A-Za-z0-9:.]+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """Where the smarthost is and how we present ourselves there."""

    security: Security
    host: str
    port: int
    context: ssl.SSLContext | None
    hostname: str
    user: str
    password: str
    timeout_s: float


def next_hop(settings: NextHopSettings, hostname: str) -> NextHop:
    """Return the next hop that ``settings`` describe. Raises `Mistakes` with everything that is wrong."""
    mistakes: list[Mistake] = []
    security, host, port = _address(settings.url, mistakes)
    name = settings.hostname or hostname
    if _EHLO_NAME.fullmatch(name) is None:
        mistakes.append(
            _mistake(
                "hostname", f"{name!r} is no name for EHLO", "give a host name or an address in brackets"
            )
        )
    context = None if security is Security.PLAIN else _tls_context(settings, mistakes)
    password = _password(settings, mistakes)
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return NextHop(
        security=security,
        host=host,
        port=port,
        context=context,
        hostname=name,
        user=settings.user,
        password=password,
        timeout_s=settings.connect_timeout_s,
    )


def _address(url: str, mistakes: list[Mistake]) -> tuple[Security, str, int]:
    try:
        parts = urlsplit(url)
        security, host, port = Security(parts.scheme), parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        mistakes.append(
            _mistake("url", f"{url!r}: {error}", "write smtp://host:port, or smtp+starttls, or smtps")
        )
        return Security.PLAIN, "", 0
    if not host or parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        mistakes.append(
            _mistake(
                "url", "it must be scheme, host and port", "name and password go in user and password_file"
            )
        )
    return security, host, port or _PORTS[security]


def _tls_context(settings: NextHopSettings, mistakes: list[Mistake]) -> ssl.SSLContext:
    """Return a client context: TLS 1.2 or later, the name checked unless ``verify`` is off."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        mistakes.append(
            _mistake("ca_file", f"{settings.ca_file}: {error}", "give a readable PEM file of CA certificates")
        )
        context = ssl.create_default_context()
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _password(settings: NextHopSettings, mistakes: list[Mistake]) -> str:
    if settings.password_file is None:
        return settings.password
    try:
        return settings.password_file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        mistakes.append(_mistake("password_file", str(error), "make it a text file that the relay may read"))
        return ""


def _mistake(setting: str, what: str, remedy: str) -> Mistake:
    return Mistake(file=f"next_hop.{setting}", what=what, remedy=remedy)


async def addresses_of(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses that ``host`` stands for, each once, in the resolver's order. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class Way:
    """The way to one next hop: the addresses behind its name, and which of them to try first."""

    def __init__(
        self, hop: NextHop, resolve: Callable[[str, int], Awaitable[tuple[str, ...]]] = addresses_of
    ) -> None:
        self._hop = hop
        self._resolve = resolve
        self._failed_at: dict[str, float] = {}

    async def open(self) -> Connection:
        """Return a connection that has said EHLO, negotiated TLS and signed in as the hop says. Raises `Lost`.

        Each address is tried until one serves (RFC 5321 section 5.1): one that drops packets has its share of the
        time to connect and no more, and whichever failed last comes last next time. `Misconfigured` is for a person
        to mend; another address would only hide it.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._hop.timeout_s
        try:
            async with asyncio.timeout_at(ends_at) as patience:
                addresses = await self._addresses()
                for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
                    try:
                        connection = await self._open(address, connect_s=(ends_at - loop.time()) / left)
                    except Misconfigured:
                        raise
                    except (Lost, asyncio.CancelledError) as error:
                        # A client that left meanwhile is no fault of the address.
                        if isinstance(error, Lost) or patience.expired():
                            self._failed_at[address] = loop.time()
                        if left == 1 or not isinstance(error, Lost):
                            raise
                    else:
                        self._failed_at.pop(address, None)
                        return connection
        except (TimeoutError, OSError) as error:
            raise _in_our_words(error, self._hop) from error
        raise Lost(f"{self._hop.host}: the name has no address")

    async def _addresses(self) -> list[str]:
        """Return the addresses of the hop, the one that failed last at the end."""
        addresses = await self._resolve(self._hop.host, self._hop.port)
        self._failed_at = {each: at for each, at in self._failed_at.items() if each in addresses}
        return sorted(addresses, key=lambda each: self._failed_at.get(each, -math.inf))

    async def _open(self, address: str, *, connect_s: float) -> Connection:
        """Return a connection to ``address`` that is ready for MAIL. Raises `Lost`."""
        hop, loop = self._hop, asyncio.get_running_loop()
        connection = Connection()
        try:
            implicit = hop.context if hop.security is Security.TLS else None
            async with asyncio.timeout(connect_s):
                await loop.create_connection(
                    lambda: connection,
                    address,
                    hop.port,
                    ssl=implicit,
                    server_hostname=hop.host if implicit else None,
                )
            await _introduce(connection, hop)
        except BaseException as error:
            connection.abort()
            raised = _in_our_words(error, hop)
            if raised is error:
                raise
            raise raised from error
        return connection


def _in_our_words(error: BaseException, hop: NextHop) -> BaseException:
    """Return what to raise for ``error``: `Lost` or `Misconfigured` for trouble of the network, else itself."""
    where = f"{hop.host} port {hop.port}"
    match error:
        case Lost():
            return type(error)(f"{where}: {error}")
        case TimeoutError():
            return Lost(f"{where}: not ready for mail within {hop.timeout_s:g} s")
        case ssl.SSLCertVerificationError():
            return Misconfigured(f"{where}: its certificate does not verify: {error.verify_message}")
        case ssl.SSLError():
            return Misconfigured(f"{where}: TLS could not be negotiated: {error.reason or error}")
        case OSError():  # of a connect that failed asyncio's text says the address again, and not why
            number = error.errno or 0  # below nothing: the resolver's, which says itself what is wrong
            says = os.strerror(number) if number > 0 else error.strerror
            return Lost(f"{where}: {says or error}")
        case _:
            return error


async def _introduce(connection: Connection, hop: NextHop) -> None:
    """Go from the fresh connection to the point where MAIL may be said."""
    _expect(await connection.reply(hop.timeout_s, "the connection"), 220, "the connection")
    extensions = await _ehlo(connection, hop)
    if hop.security is Security.STARTTLS and hop.context is not None:
        if "STARTTLS" not in extensions:
            raise Misconfigured("it does not offer STARTTLS, which next_hop.url demands")
        reply = await connection.command(b"STARTTLS\r\n", hop.timeout_s, "STARTTLS")
        _expect(reply, 220, "STARTTLS")
        await connection.start_tls(hop.context, hop.host)
        extensions = await _ehlo(connection, hop)
    if hop.user:
        await _sign_in(connection, hop, extensions.get("AUTH", "").upper().split())
    connection.pipelining = "PIPELINING" in extensions
    connection.capabilities = Capabilities(
        size=_size(extensions.get("SIZE")),
        eight_bit_mime="8BITMIME" in extensions,
        smtputf8="SMTPUTF8" in extensions,
    )


async def _ehlo(connection: Connection, hop: NextHop) -> dict[str, str]:
    """Say EHLO and return keyword -> parameters, keywords in capitals (RFC 5321 section 4.1.1.1)."""
    line = f"EHLO {hop.hostname}\r\n".encode("ascii")
    reply = await connection.command(line, hop.timeout_s, "EHLO")
    _expect(reply, 250, "EHLO")
    extensions: dict[str, str] = {}
    for text in reply.lines[1:]:
        keyword, _, parameters = text.replace("AUTH=", "AUTH ", 1).partition(" ")
        extensions[keyword.upper()] = f"{extensions.get(keyword.upper(), '')} {parameters}".strip()
    return extensions


def _size(parameter: str | None) -> int | None:
    """Return the limit that SIZE gives (RFC 1870: up to 20 digits): 0 for none or one that makes no sense."""
    if parameter is None:
        return None
    return int(parameter) if re.fullmatch(r"[0-9]{1,20}", parameter) else 0


async def _sign_in(connection: Connection, hop: NextHop, mechanisms: list[str]) -> None:
    """AUTH PLAIN (RFC 4616) or LOGIN. The password leaves this machine only under TLS."""
    if hop.security is Security.PLAIN and not connection.is_loopback:
        raise Misconfigured(
            "next_hop.user is set, but a password is sent only under TLS; use smtp+starttls://"
        )
    user, password = hop.user.encode("utf-8"), hop.password.encode("utf-8")
    if "PLAIN" in mechanisms:
        secret = b64encode(b"\0" + user + b"\0" + password)
        answers = [b"AUTH PLAIN " + secret]
    elif "LOGIN" in mechanisms:
        answers = [b"AUTH LOGIN", b64encode(user), b64encode(password)]
    else:
        raise Misconfigured(f"it offers AUTH {' '.join(mechanisms) or 'not at all'}; we know PLAIN and LOGIN")
    for answer in answers[:-1]:
        _expect(await connection.command(answer + b"\r\n", hop.timeout_s, "AUTH"), 334, "AUTH")
    _expect(await connection.command(answers[-1] + b"\r\n", hop.timeout_s, "AUTH"), 235, "AUTH")


def _expect(reply: Reply, code: int, verb: str) -> None:
    """Raise unless ``reply`` has ``code``: 5xx here is our misconfiguration, all else may pass by itself."""
    if reply.code == code:
        return
    trouble = f"it answered {verb} with {reply}"
    raise Misconfigured(trouble) if reply.is_permanent else Lost(trouble)
