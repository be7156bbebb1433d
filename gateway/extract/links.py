"""The words that a link's target carries: where it leads, and what it writes for the reader who follows it.

Owns the reading of ``href`` and of ``data:`` addresses. Refuses to follow one. Used by `markup`.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_plus

_LONGEST: Final = 8_000
"""Characters of a target that are read; longer ones are data."""
_LONGEST_DATA: Final = 4_000_000
_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_JOINERS: Final = re.compile(r"(?<=[^\W_])[-_+](?=[^\W_])")
_PARTING: Final = re.compile(r"[/?&;#=]+")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_NUMBER: Final = re.compile(r"\+?\d[\d ()-]{6,}")
_CALLS: Final = frozenset(
    {"tel", "sms", "smsto", "facetime", "facetime-audio", "callto", "whatsapp", "signal", "skype"}
)
_WITHOUT_WORDS: Final = frozenset({"javascript", "vbscript", "cid", "mid", "file", "about", "blob"})
_TAGS: Final = re.compile(r"<[^>]*>?")


@dataclass(frozen=True, slots=True)
class Data:
    """What a ``data:`` address holds."""

    media: str
    octets: bytes


def target_words(target: str) -> str:
    """Return what ``target`` says to a reader, decoded, or nothing where it is an address and no more. Never raises.

    Of mailto the subject and body that it fills in (RFC 6068), of telephone links the number, of web addresses host,
    path and query where they hold two words or a telephone number.
    """
    target = target.strip()[:_LONGEST]
    found = _SCHEME.match(target)
    scheme = found[1].lower() if found else ""
    rest = target[found.end() :] if found else target
    if scheme in _WITHOUT_WORDS or not rest or target.startswith("#"):
        return ""
    if scheme == "data":
        data = data_of(target)
        return words_of_markup(data) if data is not None and data.media.startswith("text/") else ""
    if scheme == "mailto":
        address, _, fields = rest.partition("?")
        return "\n\n".join(filter(None, (unquote(address), *_values(fields))))
    if scheme in _CALLS:
        return "\n\n".join(filter(None, (unquote(rest.partition("?")[0]), *_values(rest.partition("?")[2]))))
    return _web_words(rest)


def _values(fields: str) -> list[str]:
    return [
        unquote(field.partition("=")[2]).strip() for field in re.split(r"&(?:amp;)?", fields) if "=" in field
    ]


def _web_words(rest: str) -> str:
    host, _, path = rest.lstrip("/").partition("/")
    host, asked, query = host.partition("?")
    told = _PARTING.sub(" / ", _JOINERS.sub(" ", unquote_plus(unquote(f"{path}{asked}{query}")))).strip(" /")
    if len(_WORD.findall(told)) < 2 and not _NUMBER.search(told):
        return ""
    return f"{host} / {told}"


def data_of(address: str) -> Data | None:
    """Return what a ``data:`` address holds (RFC 2397), or None for another address and for damaged data."""
    if address[:5].lower() != "data:" or len(address) > _LONGEST_DATA:
        return None
    head, comma, body = address[5:].partition(",")
    if not comma:
        return None
    media, *marks = (mark.strip().lower() for mark in head.split(";"))
    octets = unquote(body).encode("utf-8", "replace")
    if "base64" in marks:
        try:
            octets = base64.b64decode(re.sub(rb"[^A-Za-z0-9+/]", b"", octets) + b"===", validate=False)
        except binascii.Error:
            return None
    return Data(media or "text/plain", octets)


def words_of_markup(data: Data) -> str:
    """Return the words of text or markup that a ``data:`` address holds, tags apart."""
    return " ".join(_TAGS.sub(" ", data.octets.decode("utf-8", "replace")).split())
