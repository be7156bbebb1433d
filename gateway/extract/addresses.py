"""What the header block claims about people, thread and time: `Fields` to `Headers`.

Owns a bounded reading of address lists (RFC 5322 section 3.4). Refuses to judge whether an address is valid or whose
it is: `identify` does. Stands in *extract* beside `reading`. Where a field stands twice, the addresses of both are
given; mail programs show either. ``email.utils.getaddresses`` is not used: before Python 3.11.9 it can return another
address than mail programs show, and it is quadratic in nested comments.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice

from gateway.extract.fields import Fields
from gateway.extract.words import header_text
from gateway.model import Headers

_TOKEN = re.compile(
    r"""
      (?P<quoted> "(?:[^"\\]|\\.)*(?:"|\Z) )
    | (?P<angle>  <[^<>]*>? )
    | (?P<mark>   [(),;:] )
    | (?P<text>   \[[^\[\]"<(),;]*\] | \\.? | [^"<(),;:\\\[]+ | \[ )
    """,
    re.VERBOSE | re.DOTALL,
)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,998}>")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ADDRESS = re.compile(r"'?[^\s@]+@[^\s@]+'?")
_SPACE = re.compile(r"\s+")


def headers_of(fields: Fields, subject: str, most: int) -> Headers:
    """Return what ``fields`` claim. ``subject`` is the decoded subject, as the passage ``subject`` has it.

    Of one field there are ``most`` addresses and one more at most: the caller sees that there are more.
    """
    return Headers(
        from_=_addresses(fields, b"from", most),
        sender=_addresses(fields, b"sender", most),
        to=_addresses(fields, b"to", most),
        cc=_addresses(fields, b"cc", most),
        bcc=_addresses(fields, b"bcc", most),
        reply_to=_addresses(fields, b"reply-to", most),
        subject=subject,
        message_id=_text(fields, b"message-id"),
        in_reply_to=_text(fields, b"in-reply-to"),
        references=tuple(_MESSAGE_ID.findall(" ".join(_texts(fields, b"references")))),
        date=_date(_text(fields, b"date")),
    )


def _texts(fields: Fields, name: bytes) -> Iterator[str]:
    return (header_text(value)[0] for value in fields.all(name))


def _text(fields: Fields, name: bytes) -> str:
    return _SPACE.sub(" ", next(_texts(fields, name), "")).strip()


def _addresses(fields: Fields, name: bytes, most: int) -> tuple[str, ...]:
    found = (address for value in fields.all(name) for address in addresses(value.decode("utf-8", "replace")))
    return tuple(islice(dict.fromkeys(found), most + 1))


def addresses(text: str) -> tuple[str, ...]:
    """Return the bare ``local@domain`` strings of an address list, in order; whatever holds no ``@`` is left out."""
    found: list[str] = []
    words: list[str] = []
    angle = ""
    depth = 0
    for token in _TOKEN.finditer(text):
        kind, piece = token.lastgroup, token[0]
        if kind == "mark" and piece in "()":
            depth = depth + 1 if piece == "(" else max(0, depth - 1)
        elif depth:
            continue
        elif kind == "mark" and piece in ",;":
            _finish(found, words, angle)
            words, angle = [], ""
        elif kind == "mark" and piece == ":":
            words = []  # what stood before is the name of a group
        elif kind == "angle" and piece.endswith(">"):
            angle = piece[1:-1].strip()
        elif kind == "angle":
            words.append(piece[1:])  # never closed, so its commas may part addresses
            angle = ""
        else:
            words.append(piece)
    _finish(found, words, angle)
    return tuple(found)


def display_names(text: str) -> tuple[str, ...]:
    """Return what a mail program shows beside the addresses of a list: names, comments and names of groups.

    Encoded words are decoded, in quoted strings too. What is an address itself is left out.
    """
    found: list[str] = []
    words: list[str] = []
    angled = False
    for token in _TOKEN.finditer(header_text(text.encode("utf-8", "replace"))[0]):
        kind, piece = token.lastgroup, token[0]
        if kind == "angle" and piece.endswith(">"):
            angled = True
        elif kind == "mark" and piece in ",;:":
            found.append(_name(words, angled=angled))
            words, angled = [], False
        elif kind == "quoted":
            words.append(_ESCAPED.sub(r"\1", piece[1:].removesuffix('"')))
        else:
            words.append(" " if kind == "mark" else piece.removeprefix("<"))
    found.append(_name(words, angled=angled))
    return tuple(name for name in dict.fromkeys(found) if name and not _ADDRESS.fullmatch(name))


def _name(words: list[str], *, angled: bool) -> str:
    """Return the words beside one address; without angle brackets the address stands among them."""
    text = _SPACE.sub(" ", "".join(words)).strip()
    return text if angled else " ".join(word for word in text.split(" ") if not _ADDRESS.fullmatch(word))


def _finish(found: list[str], words: list[str], angle: str) -> None:
    address = angle or "".join(words).strip()
    if address.startswith("@"):  # a source route: <@a.example,@b.example:jo@c.example>
        address = address.rpartition(":")[2]
    if "=?" in address:
        address = header_text(address.encode("utf-8", "replace"))[0]
    for candidate in address.split(",") if not address.startswith('"') else [address]:
        bare = candidate if candidate.startswith('"') else _bare(candidate)
        if "@" in bare:
            found.append(bare)


def _bare(candidate: str) -> str:
    """Return the address among the words of ``candidate``; spaces beside the ``@`` are dropped (RFC 5322 obs-)."""
    words = candidate.split()
    whole = [word for word in words if "@" in word.strip("@")]
    return whole[-1] if whole else "".join(words)


def _date(text: str) -> datetime | None:
    """Return the time, aware; a time without a zone is read as UTC. None when ``text`` is not a date."""
    try:
        when = parsedate_to_datetime(text[:200])
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
