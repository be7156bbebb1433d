r"""The grammar of MAIL and RCPT: RFC 5321 section 4.1.2 and RFC 6531 section 3.3, strictly, and no more. Pure.

A path is judged, never rebuilt: what stood between the angle brackets goes on character by character, so that what
is inspected and what the smarthost gets cannot differ. What is not in the grammar is refused with the reason.
Percent-hacks and bang paths (``a%b@c``, ``a!b@c``) are plain local parts and stay what they are; source routes
(``<@a:b@c>``) would be read differently by different servers and are refused.
"""

import ipaddress
import re

import idna

from gateway.receive.replies import Rejected

MAX_LOCAL_OCTETS = 64
"""RFC 5321 section 4.5.3.1.1."""
MAX_DOMAIN_OCTETS = 255
"""Section 4.5.3.1.2."""
MAX_PATH_OCTETS = 254
"""Section 4.5.3.1.3 allows 256 with the brackets."""

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
# RFC 6531 says any character beyond ASCII; controls, line separators and surrogates would be read as something else.
_BEYOND = "\u00a0-\u2027\u202a-\ud7ff\ue000-\U0010ffff"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"

_LOCAL_PART = re.compile(
    rf"[{_ATEXT}{_BEYOND}]+(?:\.[{_ATEXT}{_BEYOND}]+)*"
    rf'|"(?:[\x20\x21\x23-\x5b\x5d-\x7e{_BEYOND}]|\\[\x20-\x7e])*"'
)
_ASCII_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ASCII_LABEL = re.compile(_LABEL)
_PLAIN = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*@{_LABEL}(?:\.{_LABEL})*")
"""The everyday path in one match; whatever it does not match is looked at part by part."""
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}")
_GENERAL_LITERAL = re.compile(r"[A-Za-z0-9\-]*[A-Za-z0-9]:[\x21-\x5a\x5e-\x7e]+")
# The closing bracket is the first one outside a quoted string.
_BRACKETED = re.compile(r'<((?:[^<>"]|"(?:[^"\\]|\\.)*")*)>(?: +([^ ].*))?')


def split_path(argument: str) -> tuple[str, str]:
    """Return the text between the brackets that begin ``argument``, and the parameters behind them.

    Spaces before the bracket are let pass, since much software sends them. Raises `Rejected` (501) when there are
    no brackets or something else stands behind them.
    """
    text = argument.lstrip(" ")
    found = _BRACKETED.fullmatch(text)
    if found is not None:
        return found[1], found[2] or ""
    if not text.startswith("<"):
        raise Rejected(501, "5.5.4 The address must stand in angle brackets")
    raise Rejected(
        501, "5.5.4 The angle brackets must hold one address and be followed by a space or nothing"
    )


def reverse_path(path: str) -> None:
    """Check the sender's ``path``; empty is the null sender. Raises `Rejected`, 501 or 553 with 5.1.7."""
    if path and not _PLAIN.fullmatch(path):
        _check_mailbox(path, "5.1.7", "sender")
    elif len(path) > MAX_LOCAL_OCTETS:
        _check_lengths(path, "5.1.7")


def forward_path(path: str) -> None:
    """Check a recipient's ``path``. Raises `Rejected`, 501 or 553 with 5.1.3.

    ``postmaster`` needs no domain, in any case of letters (RFC 5321 section 4.5.1).
    """
    if not _PLAIN.fullmatch(path):
        if path.lower() != "postmaster":
            _check_mailbox(path, "5.1.3", "recipient")
    elif len(path) > MAX_LOCAL_OCTETS:
        _check_lengths(path, "5.1.3")


def _check_mailbox(path: str, status: str, who: str) -> None:
    """Raise `Rejected` unless ``path`` is a mailbox: a local part, ``@``, and a domain or an address literal."""
    if path.startswith("@"):
        raise Rejected(553, f"{status} Source routes are not accepted")
    local = _LOCAL_PART.match(path)
    if local is None or path[local.end() : local.end() + 1] != "@":
        raise Rejected(501, f"{status} Bad {who} address syntax")
    domain = path[local.end() + 1 :]
    if not (_is_literal(domain) if domain.startswith("[") else _is_domain(domain)):
        raise Rejected(501, f"{status} Bad {who} address syntax: domain")
    _check_lengths(path, status)


def _check_lengths(path: str, status: str) -> None:
    """Raise `Rejected` if ``path`` or a part of it has more octets than RFC 5321 section 4.5.3.1 allows."""
    local, _, domain = path.rpartition("@")
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise Rejected(501, f"{status} Local part longer than {MAX_LOCAL_OCTETS} octets")
    if len(domain.encode()) > MAX_DOMAIN_OCTETS or len(path.encode()) > MAX_PATH_OCTETS:
        raise Rejected(501, f"{status} Path too long")


def _is_domain(text: str) -> bool:
    """Return whether ``text`` is a domain of letter-digit-hyphen labels and U-labels (RFC 6531 section 3.3)."""
    if text.isascii():
        return _ASCII_DOMAIN.fullmatch(text) is not None
    return all(_is_label(label) for label in text.split("."))


def _is_label(label: str) -> bool:
    """Return whether ``label`` is one label. UTS 46 mapping must not make several of it (U+3002 is a dot there)."""
    if label.isascii():
        return _ASCII_LABEL.fullmatch(label) is not None
    try:
        return b"." not in idna.encode(label, uts46=True)
    except idna.IDNAError:
        return False


def _is_literal(text: str) -> bool:
    """Return whether ``text`` is an address literal (RFC 5321 section 4.1.3).

    IPv4 numbers with leading zeros are refused although the grammar has them: some read them as octal.
    """
    if not text.endswith("]"):
        return False
    inner = text[1:-1]
    if _IPV4.fullmatch(inner):
        return True
    if inner[:5].upper() == "IPV6:":
        return _is_ipv6(inner[5:])
    # An IPv6 address without its tag fits the general form by accident, and would be read as what it is not.
    return _GENERAL_LITERAL.fullmatch(inner) is not None and not _is_ipv6(inner)


def _is_ipv6(text: str) -> bool:
    """Return whether ``text`` is an IPv6 address without a zone."""
    try:
        return ipaddress.IPv6Address(text).scope_id is None
    except ValueError:
        return False
