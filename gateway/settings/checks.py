"""What a value must be beyond its type, and which settings belong together.

Pure but for looking at the files that settings name. Each check yields a `Fault`; the loader knows where the
guilty setting was written.
"""

import ipaddress
import os
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from gateway.model import Role
from gateway.settings.alerting import HealthSettings, WebhookSettings
from gateway.settings.declared import (
    ConsoleSettings,
    NextHopSettings,
    NoticeSettings,
    OidcSettings,
    RegistrySettings,
    Settings,
    SmtpSettings,
    StoreSettings,
)
from gateway.settings.delivering import OutboxSettings
from gateway.settings.sources import others_may_read

NEXT_HOP_SCHEMES = ("smtp", "smtp+starttls", "smtps")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SHORTEST_TOKEN = 24
_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql+psycopg://"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the setting at ``path`` (and which element of it), and what to do.

    ``beside`` is the other setting when two do not fit; one of them may stand at its default.
    """

    path: tuple[str, ...]
    what: str
    remedy: str
    element: str | int | None = None
    beside: tuple[str, ...] = ()


def faults(settings: Settings) -> Iterator[Fault]:
    """Yield everything wrong with ``settings`` that a single type cannot tell."""
    yield from _smtp(settings.smtp)
    yield from _next_hop(settings.next_hop)
    yield from _store(settings.store)
    yield from _registry(settings.registry)
    yield from _notices(settings.notices)
    yield from _outbox(settings.outbox, settings.next_hop)
    yield from _health(settings.health)
    yield from _console(settings.console)
    yield from _oidc(settings.console.oidc)
    yield from _pictures(settings.inspection.picture_models)


def listen_address(text: str) -> tuple[str, int]:
    """Return host and port of ``127.0.0.1:2525``, ``[::1]:2525`` or ``relay.example:25``; ValueError otherwise.

    Port 0 lets the system choose. IPv6 stands in brackets, or nobody could tell its last group from a port.
    """
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s\[\]:/]+)):(\d{1,5})", text, re.ASCII)
    if match is None or int(match[3]) > 65_535:
        raise ValueError("is not an address and a port")
    if match[1] is not None:
        ipaddress.IPv6Address(match[1])
    elif not is_host(match[2]):
        raise ValueError("is not an address and a port")
    return match[1] or match[2], int(match[3])


def is_host(text: str) -> bool:
    """Return whether ``text`` is an IP address or a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _is_domain(text)
    return True


def _is_domain(text: str) -> bool:
    all_digits = text.replace(".", "").isdecimal()
    return len(text) <= 253 and _DOMAIN.fullmatch(text) is not None and not all_digits


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at) and re.fullmatch(r"[^\s@<>\"(),:;\\\[\]]{1,64}", local) is not None and _is_domain(domain)


def _split(url: str) -> SplitResult | None:
    """Return the parts of ``url``, or None when it is no URL or its port is no port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _listen(path: tuple[str, ...], text: str) -> Iterator[Fault]:
    try:
        listen_address(text)
    except ValueError:
        remedy = "write address:port, such as 127.0.0.1:2525 or [::1]:2525"
        yield Fault(path, f"{'.'.join(path)} cannot be {text!r}", remedy)


def _smtp(smtp: SmtpSettings) -> Iterator[Fault]:
    yield from _listen(("smtp", "listen"), smtp.listen)
    yield from _hostname(("smtp", "hostname"), smtp.hostname)
    if not smtp.allow_from:
        yield Fault(
            ("smtp", "allow_from"), "nobody may relay", "name the networks of the force's mail servers"
        )
    for index, text in enumerate(smtp.allow_from):
        yield from _network(index, text)
    if smtp.max_header_bytes > smtp.max_message_bytes:
        what = "smtp.max_header_bytes is larger than smtp.max_message_bytes"
        yield Fault(
            ("smtp", "max_header_bytes"),
            what,
            f"write at most {smtp.max_message_bytes}",
            beside=("smtp", "max_message_bytes"),
        )
    tls = smtp.tls
    if tls.cert is not None and tls.key is None:
        yield Fault(("smtp", "tls", "cert"), "a certificate without its key", "set smtp.tls.key as well")
    if tls.key is not None and tls.cert is None:
        yield Fault(("smtp", "tls", "key"), "a key without its certificate", "set smtp.tls.cert as well")
    if tls.required and tls.cert is None:
        what = "TLS is required, and there is no certificate to offer it with"
        yield Fault(("smtp", "tls", "required"), what, "set smtp.tls.cert and smtp.tls.key")
    yield from _file(("smtp", "tls", "cert"), tls.cert)
    yield from _file(("smtp", "tls", "key"), tls.key, secret=True)


def _network(index: int, text: str) -> Iterator[Fault]:
    path = ("smtp", "allow_from")
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        yield Fault(path, f"{text!r} is not a network", "write one such as 10.1.0.0/16 or 10.1.2.3", index)
        return
    if network.prefixlen == 0:
        yield Fault(path, f"{text} lets the whole world relay", "name the force's own mail servers", index)
    elif "/" in text and ipaddress.ip_interface(text).ip != network.network_address:
        yield Fault(
            path,
            f"{text} is an address inside {network}",
            f"write {network}, or {text.split('/', maxsplit=1)[0]}",
            index,
        )


def _hostname(path: tuple[str, ...], text: str) -> Iterator[Fault]:
    if text and not _is_domain(text):
        what = f"{'.'.join(path)} cannot be {text!r}"
        yield Fault(path, what, "write a host name such as relay.force.example, or leave it out")


def _file(path: tuple[str, ...], file: Path | None, *, secret: bool = False) -> Iterator[Fault]:
    """Yield what keeps ``file`` from being read, or lets everybody read it although it is secret."""
    if file is None:
        return
    name = ".".join(path)
    if not file.is_file():
        yield Fault(path, f"{name} is {file}, which is not a file", "name a file that is there")
    elif not os.access(file, os.R_OK):
        yield Fault(
            path, f"{name} is {file}, which this account may not read", "give this account the right to"
        )
    elif secret and others_may_read(file):
        yield Fault(path, f"{name} is {file}, which everybody may read", f"run chmod o-rwx {file}")


def _pictures(models: Path | None) -> Iterator[Fault]:
    """Yield what keeps words in pictures from being read although the settings ask for it."""
    path = ("inspection", "picture_models")
    if models is None:
        return
    if not (models / "eng.traineddata").is_file():
        remedy = "install tesseract-ocr-eng, or name the folder that has eng.traineddata"
        yield Fault(path, f"inspection.picture_models is {models}, which has no English model", remedy)
    if find_spec("tesserocr") is None or find_spec("PIL") is None:
        remedy = "run pip install 'victim-contact-gateway[ocr]', or leave the setting out"
        yield Fault(
            path, "inspection.picture_models asks for words in pictures without the extra ocr", remedy
        )


def _next_hop(next_hop: NextHopSettings) -> Iterator[Fault]:
    path = ("next_hop", "url")
    remedy = (
        "write smtp://, smtp+starttls:// or smtps:// with host and port, such as smtp://mx.force.example:25"
    )
    parts = _split(next_hop.url)
    if parts is None or parts.scheme not in NEXT_HOP_SCHEMES or not is_host(parts.hostname or ""):
        yield Fault(path, "next_hop.url does not say where the smarthost is", remedy)
    elif "@" in parts.netloc:
        yield Fault(
            path, "next_hop.url holds a name or password", "use next_hop.user and next_hop.password_file"
        )
    elif parts.path not in {"", "/"} or parts.query or parts.fragment:
        yield Fault(path, "next_hop.url goes on after the port", remedy)
    elif not parts.port:
        yield Fault(path, "next_hop.url names no port", remedy)
    yield from _hostname(("next_hop", "hostname"), next_hop.hostname)
    yield from _file(("next_hop", "ca_file"), next_hop.ca_file)
    yield from _file(("next_hop", "password_file"), next_hop.password_file, secret=True)
    has_password = bool(next_hop.password) or next_hop.password_file is not None
    if next_hop.password and next_hop.password_file is not None:
        what = "both next_hop.password and next_hop.password_file are set"
        yield Fault(("next_hop", "password_file"), what, "keep one of them")
    if next_hop.user and not has_password:
        yield Fault(("next_hop", "user"), "a name without a password", "set next_hop.password_file")
    if has_password and not next_hop.user:
        which = "password" if next_hop.password else "password_file"
        yield Fault(("next_hop", which), "a password without a name", "set next_hop.user")


def _store(store: StoreSettings) -> Iterator[Fault]:
    path = ("store", "url")
    remedy = f"write {_SQLITE}var/gateway.db or {_POSTGRESQL}user@host/database"
    if store.url.startswith(_SQLITE):
        if store.url.removeprefix(_SQLITE).split("?")[0].rpartition("/")[2] in {"", ":memory:"}:
            yield Fault(path, "the store would be forgotten when the process ends", remedy)
    elif not store.url.startswith(_POSTGRESQL) or _split(store.url) is None:
        yield Fault(path, "store.url names no database that the gateway knows", remedy)
    if others_may_read(store.key_file):
        what = f"store.key_file is {store.key_file}, which everybody may read"
        yield Fault(("store", "key_file"), what, f"run chmod o-rwx {store.key_file}")


def _registry(registry: RegistrySettings) -> Iterator[Fault]:
    lists = {"domains": (), "plus_tag_domains": ("*",), "dotless_domains": ()}
    for name, also in lists.items():
        for index, domain in enumerate(getattr(registry, name)):
            if domain not in also and not _is_domain(domain):
                what = f"{domain!r} in registry.{name} is not a domain"
                yield Fault(("registry", name), what, "write one such as force.example", index)


def _notices(notices: NoticeSettings) -> Iterator[Fault]:
    remedy = "write one such as boundary-gateway@force.example"
    if not _is_address(notices.sender):
        yield Fault(("notices", "from"), f"{notices.sender!r} is not an address", remedy)
    for index, text in enumerate(notices.urgent_to):
        if not _is_address(text):
            yield Fault(("notices", "urgent_to"), f"{text!r} is not an address", remedy, index)
    parts = _split(notices.url)
    if notices.url and (
        parts is None or parts.scheme not in {"http", "https"} or not is_host(parts.hostname or "")
    ):
        what = "notices.url is not the address of a page"
        yield Fault(("notices", "url"), what, "write one such as https://gateway.force.example/")
    try:
        fields = {
            field for _, field, _, _ in string.Formatter().parse(notices.return_text) if field is not None
        }
    except ValueError:
        fields = {"a brace without its partner"}
    for field in sorted(fields - {"id", "held_at"}):
        what = f"notices.return_text has {{{field}}}, which nothing fills in"
        yield Fault(("notices", "return_text"), what, "use {id} and {held_at}; write {{ for a brace")
    yield from _webhook(notices.webhook)


def _webhook(webhook: WebhookSettings) -> Iterator[Fault]:
    path = ("notices", "webhook")
    for name, value, file in (
        ("url", webhook.url, webhook.url_file),
        ("token", webhook.token, webhook.token_file),
    ):
        if value and file is not None:
            what = f"both notices.webhook.{name} and notices.webhook.{name}_file are set"
            yield Fault((*path, f"{name}_file"), what, "keep one of them")
        yield from _file((*path, f"{name}_file"), file, secret=True)
    yield from _file((*path, "ca_file"), webhook.ca_file)
    parts = _split(webhook.url)
    if webhook.url and not _is_safe(parts):
        what = "notices.webhook.url is not an address with HTTPS"
        yield Fault((*path, "url"), what, "write one such as https://on-call.force.example/hook")


def _is_safe(parts: SplitResult | None) -> bool:
    """Return whether what is sent to an address cannot be read on the way: HTTPS, or this very machine."""
    if parts is None or not is_host(parts.hostname or "") or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def _outbox(outbox: OutboxSettings, next_hop: NextHopSettings) -> Iterator[Fault]:
    if outbox.lease_s <= next_hop.data_timeout_s:
        what = f"outbox.lease_s is not longer than next_hop.data_timeout_s ({next_hop.data_timeout_s:g})"
        yield Fault(
            ("outbox", "lease_s"),
            what,
            "write more, or two processes may send the same message",
            beside=("next_hop", "data_timeout_s"),
        )
    if outbox.max_retry_s < outbox.first_retry_s:
        what = f"outbox.max_retry_s is shorter than outbox.first_retry_s ({outbox.first_retry_s:g})"
        yield Fault(
            ("outbox", "max_retry_s"), what, "write at least that", beside=("outbox", "first_retry_s")
        )


def _health(health: HealthSettings) -> Iterator[Fault]:
    path = ("health", "listen")
    if not health.listen:
        return
    yield from _listen(path, health.listen)
    if not _is_loopback(_host(health.listen)):
        what = "health.listen can be reached from other hosts, and nobody is asked who they are"
        yield Fault(path, what, "write 127.0.0.1 or [::1] with a port; an agent on this machine passes it on")


def _console(console: ConsoleSettings) -> Iterator[Fault]:
    yield from _listen(("console", "listen"), console.listen)
    yield from _console_address(console)
    for index, text in enumerate(console.proxies):
        if not _is_network(text):
            yield Fault(
                ("console", "proxies"), f"{text!r} is not an address", "write one such as 10.1.2.3", index
            )
    if console.timezone not in available_timezones():
        yield Fault(
            ("console", "timezone"),
            f"{console.timezone!r} is not a time zone",
            "write one such as Europe/London",
        )
    if console.max_wait_s < console.first_wait_s:
        what = f"console.max_wait_s is shorter than console.first_wait_s ({console.first_wait_s:g})"
        yield Fault(
            ("console", "max_wait_s"), what, "write at least that", beside=("console", "first_wait_s")
        )
    if not console.local_accounts and not console.oidc.issuer:
        what = "nobody can sign in: console.local_accounts is off and there is no console.oidc.issuer"
        yield Fault(("console", "local_accounts"), what, "name the directory, or leave local accounts on")


def _console_address(console: ConsoleSettings) -> Iterator[Fault]:
    """Yield what keeps people from reaching the console safely."""
    tls, path = console.tls, ("console", "tls")
    if tls.cert is not None and tls.key is None:
        yield Fault((*path, "cert"), "a certificate without its key", "set console.tls.key as well")
    if tls.key is not None and tls.cert is None:
        yield Fault((*path, "key"), "a key without its certificate", "set console.tls.cert as well")
    yield from _file((*path, "cert"), tls.cert)
    yield from _file((*path, "key"), tls.key, secret=True)
    parts = _split(console.url)
    remedy = "write one such as https://gateway.force.example, without a path"
    if console.url and not _is_site(parts):
        yield Fault(("console", "url"), "console.url is not the address of a site", remedy)
    elif (
        console.url
        and parts is not None
        and parts.scheme == "http"
        and not _is_loopback(parts.hostname or "")
    ):
        what = (
            "console.url is without HTTPS: passwords would be read on the way, and browsers keep no session"
        )
        yield Fault(("console", "url"), what, "write https:// and have a proxy or console.tls speak it")
    if not console.url and tls.cert is None and not _is_loopback(_host(console.listen)):
        what = "console.listen can be reached from other hosts, and nothing says that they use HTTPS"
        yield Fault(("console", "listen"), what, "set console.tls, or console.url of the proxy before it")
    yield from _metrics(console)


def _metrics(console: ConsoleSettings) -> Iterator[Fault]:
    path = ("console", "metrics_token_file")
    if console.metrics_token and console.metrics_token_file is not None:
        what = "both console.metrics_token and console.metrics_token_file are set"
        yield Fault(path, what, "keep one of them")
    yield from _file(path, console.metrics_token_file, secret=True)
    if 0 < len(console.metrics_token) < _SHORTEST_TOKEN:
        what = f"console.metrics_token has fewer than {_SHORTEST_TOKEN} characters and could be guessed"
        yield Fault(("console", "metrics_token"), what, "make one with `openssl rand -hex 24`")


def _oidc(oidc: OidcSettings) -> Iterator[Fault]:
    path = ("console", "oidc")
    if oidc.issuer:
        parts = _split(oidc.issuer)
        loopback = parts is not None and parts.scheme == "http" and _is_loopback(parts.hostname or "")
        if parts is None or not is_host(parts.hostname or "") or not (parts.scheme == "https" or loopback):
            remedy = "write one such as https://login.force.example/tenant"
            yield Fault((*path, "issuer"), "console.oidc.issuer is not an address with HTTPS", remedy)
        if not oidc.client_id:
            yield Fault((*path, "issuer"), "a directory without a client", "set console.oidc.client_id")
    if oidc.client_secret and oidc.client_secret_file is not None:
        what = "both console.oidc.client_secret and console.oidc.client_secret_file are set"
        yield Fault((*path, "client_secret_file"), what, "keep one of them")
    yield from _file((*path, "client_secret_file"), oidc.client_secret_file, secret=True)
    yield from _file((*path, "ca_file"), oidc.ca_file)
    for said, role in oidc.roles.items():
        if role not in set(Role):
            yield Fault((*path, "roles"), f"{role!r} is not a role", f"write one of {', '.join(Role)}", said)
    if oidc.roles_claim and not oidc.roles:
        what = "console.oidc.roles_claim names a claim, and nothing it may say gives a role"
        yield Fault((*path, "roles_claim"), what, "set console.oidc.roles")
    if "openid" not in oidc.scopes:
        yield Fault((*path, "scopes"), "without the scope openid there is no sign-in", "add openid")


def _is_site(parts: SplitResult | None) -> bool:
    """Return whether an address names a site and nothing in it."""
    if parts is None or parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        return False
    return is_host(parts.hostname or "") and parts.path in {"", "/"} and not (parts.query or parts.fragment)


def _host(listen: str) -> str:
    try:
        return listen_address(listen)[0]
    except ValueError:
        return "localhost"  # told already


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
