"""Octets to characters: transfer encodings (RFC 2045 section 6) and charsets.

Owns what a damaged or mislabelled text still says. Refuses to know MIME structure and what the words mean. Stands
in *extract* between `mime`, which finds the octets of a part, and the readers of text. Every function is total and
linear. Each returns the text and a note; an empty note means that nobody could read it otherwise.

Charsets are taken from a closed list: Python's codec registry also holds ``zlib``, ``idna`` and ``unicode_escape``,
which a mail must not be able to call.
"""

import binascii
import re
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import lru_cache

from gateway.model import UnreadableReason

_IDENTITY = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit"})
_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/=]+")
_QP_BROKEN = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_NAMES = re.compile(
    r"(?:utf_8|utf_16|utf_16_le|utf_16_be|utf_32|utf_32_le|utf_32_be|utf_7|ascii|latin_1|cp\d{3,4}|iso8859_\d{1,2}"
    r"|koi8_[rtu]|mac_(?:roman|latin2|greek|cyrillic|turkish|iceland)|shift_jis\w*|euc_\w+|iso2022_\w+|gb2312|gbk"
    r"|gb18030|big5|big5hkscs|hz|johab|tis_620|hp_roman8|ptcp154)\Z"
)
_MORE_ALIASES = {
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_7": "utf_7",
    "iso_8859_8_i": "iso8859_8",
    "x_gbk": "gbk",
}
_WESTERN = frozenset({"ascii", "latin_1"})
_UNSURE = {
    "utf_7": "UTF-7: some mail programs show it decoded, others as it stands",
    "utf_16": "UTF-16 without a byte order mark",
    "utf_32": "UTF-32 without a byte order mark",
}
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


@dataclass(frozen=True, slots=True)
class Note:
    """Why something was read only in part, or could be read otherwise."""

    reason: UnreadableReason
    detail: str


def octets(data: bytes, encoding: str) -> tuple[bytes, Note | None]:
    """Return ``data`` with its Content-Transfer-Encoding undone, as far as it goes."""
    if encoding in _IDENTITY:
        return data, None
    if encoding == "base64":
        return _from_base64(data)
    if encoding == "quoted-printable":
        damaged = _QP_BROKEN.search(data) is not None
        return binascii.a2b_qp(data), _damaged("quoted-printable") if damaged else None
    if encoding in {"x-uuencode", "uuencode", "x-uue"}:
        return _from_uuencode(data)
    detail = f'unknown transfer encoding "{encoding[:40]}"; read as it stands'
    return data, Note(UnreadableReason.ENCODING, detail)


def _damaged(encoding: str) -> Note:
    return Note(UnreadableReason.ENCODING, f"damaged {encoding}; what could be decoded was read")


def _from_base64(data: bytes) -> tuple[bytes, Note | None]:
    try:
        return binascii.a2b_base64(data.translate(None, b" \t\r\n"), strict_mode=True), None
    except binascii.Error:
        return loose_base64(data), _damaged("base64")


def loose_base64(data: bytes) -> bytes:
    """Return every octet that damaged base64 still holds: rubbish is skipped, and padding ends only its own group.

    `binascii` stops at the first padding, some mail programs do not, so that text could stand behind it.
    """
    groups = []
    for group in _BASE64_JUNK.sub(b"", data).split(b"="):
        whole = group[:-1] if len(group) % 4 == 1 else group
        if whole:
            groups.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(groups)


def _from_uuencode(data: bytes) -> tuple[bytes, Note | None]:
    decoded, damaged = [], False
    for line in data.splitlines():
        if line.startswith((b"begin ", b"end", b"`")) or not line.strip():
            continue
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            damaged = True
    return b"".join(decoded), _damaged("uuencode") if damaged else None


def characters(data: bytes, charset: str) -> tuple[str, Note | None]:
    """Return ``data`` as text with LF line ends, and a note where the charset had to be guessed or is ambiguous.

    ASCII and Latin-1 are read as Windows-1252, as mail programs do. A wrong or unknown charset is tried as UTF-8,
    then as Windows-1252; only a guess that lost characters is noted. NUL is dropped and noted: programs disagree.
    """
    if not charset and data.isascii() and b"\r" not in data and b"\x00" not in data:
        return data.decode("ascii"), None
    text, note = _in_charset(data, charset)
    if "\x00" in text:
        text = text.replace("\x00", "")
        note = note or Note(UnreadableReason.MALFORMED, "NUL characters; they were left out")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, note


def _in_charset(data: bytes, charset: str) -> tuple[str, Note | None]:
    codec = _codec(charset)
    if codec in _WESTERN or not codec:
        if data.isascii() and b"\x00" not in data:
            return data.decode("ascii"), None
        text, note = _guessed(data)
        if charset and not codec:
            note = note or Note(
                UnreadableReason.CHARSET, f'unknown charset "{charset[:40]}"; the charset was guessed'
            )
        return text, note
    if codec in _UNSURE and not data.startswith(_MARKS):
        return _unsure(data, codec)
    try:
        return data.decode(codec), None
    except UnicodeError:
        return _guessed(data, codec)


@lru_cache(maxsize=128)
def _codec(charset: str) -> str:
    """Return Python's name of ``charset`` if it is on the list, else an empty string."""
    name = re.sub(r"[^a-z0-9]+", "_", charset.strip().lower()[:64]).strip("_")
    name = re.sub(r"^(?:x_|cs)?(?:windows|win|cp)_?(?=\d{3,4}\Z)", "cp", name)
    name = _MORE_ALIASES.get(name, aliases.get(name, name))
    return name if _NAMES.match(name) and (name in _KNOWN) else ""


_KNOWN = frozenset(aliases.values()) | {
    "utf_8", "utf_16", "utf_32", "utf_7", "ascii", "latin_1", "cp850", "cp437", "cp1252", "koi8_u", "koi8_t",
    "cp856", "cp874", "cp720", "cp737", "cp875", "cp1006",
}  # fmt: skip


def _guessed(data: bytes, declared: str = "") -> tuple[str, Note | None]:
    """Return the most likely reading of octets whose label is wrong or missing."""
    if not declared and _looks_like_utf_16(data):
        return _unsure(data, "utf_16")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeError:
        pass
    lossy = data.decode("utf-8", "replace")
    if declared in {"", "utf_8"} and not any("\x7f" < character != "\ufffd" for character in lossy):
        try:
            return data.decode("cp1252"), None
        except UnicodeError:
            pass
    best = lossy if declared == "utf_8" else data.decode(declared or "cp1252", "replace")
    return best, Note(UnreadableReason.CHARSET, "some characters could not be read in any likely charset")


def _looks_like_utf_16(data: bytes) -> bool:
    sample = data[:512]
    return data.startswith(_MARKS) or sample.count(0) * 3 > len(sample) > 4


def _unsure(data: bytes, codec: str) -> tuple[str, Note | None]:
    """Return the likelier byte order of UTF-16 or UTF-32 without a mark, or UTF-7 decoded; always with a note."""
    if codec == "utf_7":
        # Python's decoder lets half a surrogate pair through, which no text that is sent on or stored may hold.
        text = data.decode("utf-7", "replace").encode("utf-16-le", "surrogatepass")
        return text.decode("utf-16-le", "replace"), Note(UnreadableReason.CHARSET, _UNSURE[codec])
    sample = data[:4096]
    name = codec
    if not data.startswith(_MARKS):
        little = (
            sample[1::2].count(0) >= sample[0::2].count(0) if codec == "utf_16" else sample[:1] != b"\x00"
        )
        name = f"{codec}_{'le' if little else 'be'}"
    return data.decode(name, "replace"), Note(UnreadableReason.CHARSET, _UNSURE[codec])
