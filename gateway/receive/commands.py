"""The arguments of MAIL, RCPT and EHLO: from the characters after the verb to a value, or a refusal. Pure.

Only what was offered at EHLO is accepted: a parameter that is unknown, or belongs to an extension we do not offer
(DSN, AUTH, CHUNKING), is 555 as RFC 5321 section 4.1.1.11 asks, so that the sender learns that it would be lost.
"""

import re
from dataclasses import dataclass

from gateway.model import Capabilities, MailCommand
from gateway.receive import paths
from gateway.receive.replies import Rejected

_SIZE_HEADROOM = 2048
"""Our Received line makes the message longer on its way to the smarthost."""

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([^\x00-\x20=\x7f]+))?")
_SIZE = re.compile(r"[0-9]{1,20}")
_HELO_NAME = re.compile(r"[A-Za-z0-9._:\[\]\-]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one client was offered at EHLO; at HELO nothing but a size limit."""

    extended: bool
    max_message_bytes: int
    eight_bit_mime: bool
    smtputf8: bool


def offer(capabilities: Capabilities, *, extended: bool, max_message_bytes: int) -> Offer:
    """Return what to offer: no more than the smarthost does, and room for our Received line in its SIZE.

    A SIZE of 0 is no limit (RFC 1870 section 4); ours is never 0.
    """
    limit = max_message_bytes
    if capabilities.size:
        limit = max(1, min(limit, capabilities.size - _SIZE_HEADROOM))
    return Offer(
        extended=extended,
        max_message_bytes=limit,
        eight_bit_mime=extended and capabilities.eight_bit_mime,
        smtputf8=extended and capabilities.smtputf8,
    )


def mail(argument: str, offered: Offer) -> MailCommand:
    """Return MAIL's ``argument`` (``FROM:<path> parameters``) as a command. Raises `Rejected`."""
    if argument[:5].upper() != "FROM:":
        raise Rejected(501, "5.5.4 Syntax: MAIL FROM:<address>")
    path, parameters = paths.split_path(argument[5:])
    command = _with_parameters(path, parameters, offered) if parameters else MailCommand(reverse_path=path)
    _check_ascii(argument, smtputf8=command.smtputf8)
    paths.reverse_path(path)
    return command


def rcpt(argument: str, offered: Offer, *, smtputf8: bool) -> str:
    """Return the path of RCPT's ``argument`` (``TO:<path>``). Raises `Rejected`."""
    if argument[:3].upper() != "TO:":
        raise Rejected(501, "5.5.4 Syntax: RCPT TO:<address>")
    path, parameters = paths.split_path(argument[3:])
    for name in _parameters(parameters, offered):
        raise Rejected(555, f"5.5.4 Parameter {name} is not supported")
    _check_ascii(argument, smtputf8=smtputf8)
    paths.forward_path(path)
    return path


def is_helo_name(argument: str) -> bool:
    """Return whether ``argument`` will do as a client's name: the characters of domains and literals.

    Clients call themselves many things that are no domain (underscores, bare addresses). The name is not trusted,
    but it is written into our Received line, so nothing may stand in it that means something there.
    """
    return _HELO_NAME.fullmatch(argument) is not None


def _with_parameters(path: str, text: str, offered: Offer) -> MailCommand:
    """Return the command with the parameters that were offered. Raises `Rejected` for all others."""
    given = _parameters(text, offered)
    size = given.pop("SIZE", None)
    body = given.pop("BODY", "").upper() if offered.eight_bit_mime else ""
    smtputf8 = given.pop("SMTPUTF8", None) if offered.smtputf8 else None
    for name in given:
        raise Rejected(555, f"5.5.4 Parameter {name} is not supported")
    if body not in {"", "7BIT", "8BITMIME"}:
        raise Rejected(555, "5.5.4 BODY may be 7BIT or 8BITMIME")
    if smtputf8:
        raise Rejected(501, "5.5.4 SMTPUTF8 takes no value")
    return MailCommand(
        reverse_path=path, body=body, smtputf8=smtputf8 is not None, size=_declared_size(size, offered)
    )


def _parameters(text: str, offered: Offer) -> dict[str, str]:
    """Return names in upper case with their values, empty for none. Raises `Rejected` (501, after HELO 555)."""
    given: dict[str, str] = {}
    for word in text.split():
        found = _PARAMETER.fullmatch(word)
        if found is None:
            raise Rejected(501, "5.5.4 Bad parameter syntax")
        name = found[1].upper()
        if not offered.extended:
            raise Rejected(555, f"5.5.4 Parameter {name} is not supported after HELO")
        if name in given:
            raise Rejected(501, f"5.5.4 Parameter {name} is given twice")
        given[name] = found[2] or ""
    if "BODY" in given and not given["BODY"]:
        raise Rejected(501, "5.5.4 BODY needs a value")
    return given


def _declared_size(value: str | None, offered: Offer) -> int | None:
    """Return the declared size. Raises `Rejected` when it is no number (501) or over the limit (552)."""
    if value is None:
        return None
    if not _SIZE.fullmatch(value):
        raise Rejected(501, "5.5.4 SIZE needs a number of octets")
    size = int(value)
    if size > offered.max_message_bytes:
        raise Rejected(552, f"5.3.4 Message exceeds {offered.max_message_bytes} octets")
    return size


def _check_ascii(argument: str, *, smtputf8: bool) -> None:
    """Raise `Rejected` (553 5.6.7, RFC 6531 section 3.5) for characters beyond ASCII without SMTPUTF8."""
    if not smtputf8 and not argument.isascii():
        raise Rejected(553, "5.6.7 An address beyond ASCII needs SMTPUTF8")
