"""Octets to characters: transfer encodings (RFC 2045 section 6) and charsets.

Owns what a damaged or mislabelled text still says. Refuses to know MIME structure and what the words mean. Stands
in *extract* between `mime`, which finds the octets of a part, and the readers of text. Every function is total and
linear. `octets` and `characters` return the likeliest reading and a note; no note means that nobody could read it
otherwise. Where there is a note, `other_octets` and `other_characters` give what other programs make of it.

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
_QP_ESCAPE = re.compile(rb"=(?:([0-9A-Fa-f]{2})|[ \t]*\r?\n)")
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
    "unicode": "utf_16",
    "ucs_2": "utf_16",
    "iso_10646_ucs_2": "utf_16",
    "x_sjis": "shift_jis",
    "x_euc_jp": "euc_jp",
}
_WIDER = {
    "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932", "iso8859_9": "cp1254",
    "iso8859_11": "cp874", "tis_620": "cp874",
}  # fmt: skip
"""Charsets that are read as the larger one they became (Encoding Standard, section 4.2)."""
_WESTERN = frozenset({"ascii", "latin_1"})
_UNSURE = {
    "utf_7": "UTF-7: some mail programs show it decoded, others as it stands",
    "utf_16": "UTF-16 without a byte order mark",
    "utf_32": "UTF-32 without a byte order mark",
}
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_STRANGE = frozenset({"cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140", "hz"})
"""EBCDIC and HZ: few programs know them, and the others show the octets as ASCII."""
_ESCAPES = re.compile(rb"\x1b(?:\$[\w()@]|\([BJI])")
_OVERLONG = re.compile(rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}")
_META = re.compile(
    rb"<(?:meta\b[^>]{0,300}?charset|\?xml\b[^>]{0,100}?encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})",
    re.IGNORECASE,
)
_META_WITHIN = 4096
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/=]+\s*")
_ALL_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4}|\s)*+(?:[A-Za-z0-9+/]{2,3}={0,2})?\s*+")
_MAX_SPACE = 0.05
"""Share of white space in base64 that is any; what has more reads like words, and some programs show it as it stands."""
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_MAX_UNSEEN = 0.1
_ODD = re.compile(rb"[\r\x00\x1b]")
"""What ASCII may hold that is not read as it stands."""
_SYMBOLS = re.compile(
    r"[\xa1-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u02c6\u02dc\u2013-\u203a\u20ac\u2122+<>|\\^~={}\[\]`$#*]"
)
_MAX_SYMBOLS = 0.25
"""Words have fewer: octets that were decoded the wrong way, and read as Windows-1252, have more."""


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


def other_octets(data: bytes, encoding: str) -> tuple[bytes, ...]:
    """Return what other programs decode of ``data`` than `octets` does; for damaged or unknown encodings only."""
    if encoding == "base64":
        found = _other_base64(data)
    elif encoding == "quoted-printable":
        found = [_QP_ESCAPE.sub(lambda escape: bytes.fromhex((escape[1] or b"").decode()), data)]
    elif encoding in _IDENTITY:
        found = []
    else:
        found = [loose_base64(data)] if _ALL_BASE64.fullmatch(data) else []
        found += [binascii.a2b_qp(data)] if _QP_ESCAPE.search(data) else []
    known = octets(data, encoding)[0]
    return tuple(dict.fromkeys(each for each in found if each != known))


def _other_base64(data: bytes) -> list[bytes]:
    """Return other readings: padding ignored, the URL alphabet, lines with rubbish left out, as it stands."""
    found = []
    bare = _BASE64_JUNK.sub(b"", data)
    if b"=" in bare.rstrip(b"="):
        found.append(loose_base64(bare.replace(b"=", b"")))
    if b"-" in data or b"_" in data:
        found.append(loose_base64(data.replace(b"-", b"+").replace(b"_", b"/")))
    rubbish = len(b"".join(data.split())) - len(bare)
    if rubbish:
        lines = data.splitlines(keepends=True)
        found.append(loose_base64(b"".join(line for line in lines if _BASE64_LINE.fullmatch(line))))
    if len(data.split()) > 1 + _MAX_SPACE * len(data):
        found.append(data)
    return found


_UU_FRAME = re.compile(rb"begin [0-7]{3,4} [\w.-]{1,64}\.\w{1,5}|end|`|")
"""The lines around uuencoded data that say nothing to anybody but a file name, and empty ones."""


def _from_uuencode(data: bytes) -> tuple[bytes, Note | None]:
    decoded, damaged = [], False
    for line in data.splitlines():
        if _UU_FRAME.fullmatch(line.strip()):
            continue
        if line.startswith((b"begin", b"end", b"`")):
            # Words where the frame should be: who does not decode shows them.
            damaged = True
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
    if not charset and data.isascii() and not _ODD.search(data):
        return data.decode("ascii"), None
    text, note = _in_charset(data, charset)
    if "\x00" in text:
        text = text.replace("\x00", "")
        note = note or Note(UnreadableReason.MALFORMED, "NUL characters; they were left out")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, note


def other_characters(data: bytes, charset: str) -> tuple[str, ...]:
    """Return what other programs make of ``data`` than `characters` does; only where that has a note."""
    codec = _codec(charset)
    found = []
    if codec in _UNSURE or codec in _STRANGE or data.startswith(_MARKS):
        plain = data.replace(b"\0", b"")
        found.append(_guessed(plain, "utf_8")[0])
    if _ESCAPES.search(data):
        found += [data.decode("iso2022_jp_2", "ignore"), data.decode("iso2022_kr", "ignore")]
    if _OVERLONG.search(data):
        found.append(_OVERLONG.sub(_shortened, data).decode("utf-8", "replace"))
    known = characters(data, charset)[0]
    tidy = (text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n") for text in found)
    return tuple(dict.fromkeys(text for text in tidy if text != known))


def is_garbage(text: str) -> bool:
    """Return whether ``text`` is what comes of decoding a text the wrong way: hardly words, and nobody reads it."""
    unseen, symbols = len(_UNSEEN.findall(text)), len(_SYMBOLS.findall(text))
    return unseen > _MAX_UNSEEN * len(text) or symbols > _MAX_SYMBOLS * len(text)


def _shortened(overlong: re.Match[bytes]) -> bytes:
    """Return the octets of a character that was spelled with more of them than UTF-8 allows (RFC 3629 section 3)."""
    head, *rest = overlong[0]
    code = head & (0x1F if head < 0xE0 else 0x0F if head < 0xF0 else 0x07)
    for octet in rest:
        code = code << 6 | octet & 0x3F
    return chr(code).encode("utf-8", "replace")


def charset_in_html(data: bytes) -> str:
    """Return the charset that an HTML text itself names, or nothing."""
    found = _META.search(data, 0, _META_WITHIN)
    return found[1].decode("ascii", "replace") if found else ""


def same_charset(first: str, second: str) -> bool:
    """Return whether two names stand for one charset, or the one for a part of the other."""
    codecs = {"cp1252" if codec in _WESTERN else codec for codec in (_codec(first), _codec(second))}
    return len(codecs) == 1


def _in_charset(data: bytes, charset: str) -> tuple[str, Note | None]:
    codec = _codec(charset)
    contradicted = _contradicted(data, codec)
    if contradicted:
        return contradicted
    if codec in _WESTERN or not codec:
        return _western(data, "" if codec else charset)
    if codec in _STRANGE:
        detail = f"{charset[:40]}, which few programs know; others show other words"
        return data.decode(codec, "replace"), _doubtful(detail)
    if codec in _UNSURE and not data.startswith(_MARKS):
        return _unsure(data, codec)
    try:
        return data.decode(codec), None
    except UnicodeError:
        return _guessed(data, codec)


def _western(data: bytes, unknown: str) -> tuple[str, Note | None]:
    """Return the guess for octets without a charset, with a Western one, or with one nobody knows."""
    if data.isascii() and b"\x00" not in data:
        return data.decode("ascii"), None
    text, note = _guessed(data)
    if unknown:
        note = note or _doubtful(f'unknown charset "{unknown[:40]}"; the charset was guessed')
    return text, note


def _contradicted(data: bytes, codec: str) -> tuple[str, Note] | None:
    """Return the guess for octets that say themselves that they are in another charset; None where they do not."""
    if b"\x1b" in data and not codec.startswith("iso2022") and _ESCAPES.search(data):
        return _guessed(data)[0], _doubtful("escapes of ISO-2022, which some programs follow")
    if data.startswith(_MARKS[:2]) and data[2:].isascii() and b"\0" not in data:
        return data.decode("utf-16", "replace"), _doubtful("a byte order mark of UTF-16 before ASCII")
    if data.startswith(_MARKS[:2]) and codec and not codec.startswith("utf_16"):
        return _guessed(data)[0], _doubtful("a byte order mark of UTF-16, and another charset")
    return None


def _doubtful(detail: str) -> Note:
    return Note(UnreadableReason.CHARSET, detail)


@lru_cache(maxsize=128)
def _codec(charset: str) -> str:
    """Return Python's name of ``charset`` if it is on the list, else an empty string."""
    name = re.sub(r"[^a-z0-9]+", "_", charset.strip().lower()[:64]).strip("_")
    name = re.sub(r"^(?:x_|cs)?(?:windows|win|cp)_?(?=\d{3,4}\Z)", "cp", name)
    name = _MORE_ALIASES.get(name, aliases.get(name, name))
    if name not in _KNOWN and name.startswith("x_"):
        name = aliases.get(name[2:], name[2:])
    name = _WIDER.get(name, name)
    return name if _NAMES.match(name) and (name in _KNOWN) else ""


_KNOWN = frozenset(aliases.values()) | {
    "utf_8", "utf_16", "utf_32", "utf_7", "ascii", "latin_1", "cp850", "cp437", "cp1252", "koi8_u", "koi8_t",
    "cp856", "cp874", "cp720", "cp737", "cp875", "cp1006",
}  # fmt: skip


def _guessed(data: bytes, declared: str = "") -> tuple[str, Note | None]:
    """Return the most likely reading of octets whose label is wrong or missing."""
    if not declared and _looks_like_utf_16(data):
        return _marked(data) or _unsure(data, "utf_16")
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeError:
        pass
    lossy = data.decode("utf-8", "replace")
    if declared in {"", "utf_8"} and not any("\x7f" < character != "\ufffd" for character in lossy):
        try:
            note = (
                _doubtful("UTF-8 spelled too long, which some programs read")
                if _OVERLONG.search(data)
                else None
            )
            return data.decode("cp1252"), note
        except UnicodeError:
            pass
    best = lossy if declared == "utf_8" else data.decode(declared or "cp1252", "replace")
    return best, _doubtful("some characters could not be read in any likely charset")


def _marked(data: bytes) -> tuple[str, Note | None] | None:
    """Return UTF-16 with a byte order mark, which leaves no doubt; None without one."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        return data.decode("utf-16"), None
    except UnicodeError:
        return None


def _looks_like_utf_16(data: bytes) -> bool:
    sample = data[:512]
    return data.startswith(_MARKS) or sample.count(0) * 3 > len(sample) > 4


def _unsure(data: bytes, codec: str) -> tuple[str, Note | None]:
    """Return the likelier byte order of UTF-16 or UTF-32 without a mark, or UTF-7 decoded; always with a note."""
    if codec == "utf_7":
        # Python's decoder lets half a surrogate pair through, which no text that is sent on or stored may hold.
        text = data.decode("utf-7", "replace").encode("utf-16-le", "surrogatepass")
        return text.decode("utf-16-le", "replace"), _doubtful(_UNSURE[codec])
    sample = data[:4096]
    name = codec
    if not data.startswith(_MARKS):
        little = (
            sample[1::2].count(0) >= sample[0::2].count(0) if codec == "utf_16" else sample[:1] != b"\x00"
        )
        name = f"{codec}_{'le' if little else 'be'}"
    return data.decode(name, "replace"), _doubtful(_UNSURE[codec])
