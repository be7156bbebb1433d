"""Rich Text Format (specification 1.9.1): control words and groups to text, in one pass.

Owns the tokens of RTF, its destinations, its charsets, and the HTML that Outlook wraps in it (MS-OXRTFEX). Refuses
to know fonts and layout. Used for attachments and for the bodies of Outlook messages.

Why not striprtf: it keeps nothing of what is hidden, of the properties and of embedded objects
(docs/decisions/0014).
"""

import re
from typing import Final, NamedTuple

from gateway.extract.attachments import objects
from gateway.extract.attachments.contents import Collector, File, below
from gateway.extract.attachments.markup_files import say_html
from gateway.model import UnreadableReason

_TOKEN: Final = re.compile(
    rb"(?P<text>[^\\{}\r\n]+)|\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})?[ ]?|\\'(?P<hex>[0-9A-Fa-f]{2})"
    rb"|\\(?P<symbol>[^A-Za-z\r\n])|(?P<open>\{)|(?P<close>\})|\\?[\r\n]+|\\"
)
_SKIPPED: Final = frozenset(
    b"fonttbl colortbl stylesheet listtable listoverridetable revtbl rsidtbl themedata colorschememapping"
    b" datastore latentstyles xmlnstbl filetbl generator pgdsctbl mmathPr panose pnseclvl wgrffmtfilter"
    b" blipuid blipupi passwordhash listpicture nonshppict objclass objname fontemb fontfile falt".split()
)
_PROPERTIES: Final = frozenset(
    b"title subject author operator keywords comment doccomm hlinkbase manager company category userprops propname"
    b" staticval".split()
)
_HIDDEN_PLACES: Final = frozenset(
    b"fldinst datafield formfield bkmkstart bkmkend docvar xe tc shpinst".split()
)
_PLACES: Final = {
    b"annotation": "comments", b"atnauthor": "-", b"atnid": "-", b"atrfstart": "-", b"atrfend": "-", b"atndate": "-",
    b"atnref": "-", b"shptxt": "text boxes", b"shprslt": "other destinations", b"footnote": "notes", b"fonttbl": "fonts",
}  # fmt: skip
_BREAKS: Final = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"page": "\n", b"sect": "\n", b"tab": "\t", b"cell": "\t",
    b"nestcell": "\t", b"nestrow": "\n", b"emdash": "\u2014", b"endash": "\u2013", b"lquote": "\u2018",
    b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022", b"emspace": " ",
    b"enspace": " ", b"softline": "\n", b"column": "\n",
}  # fmt: skip
_CHARSETS: Final = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
_PAGES: Final = frozenset({*_CHARSETS.values(), "cp850", "cp852", "cp866", "cp1361", "utf_8"})
_DOCUMENT_CHARSETS: Final = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}
_UTF_8_PAGE: Final = 65001
_MAX_GROUPS: Final = 100_000
_NO_HEX: Final = re.compile(rb"[^0-9A-Fa-f]")


class _State(NamedTuple):
    """What holds inside a group; inner groups inherit it."""

    place: str = ""
    """The flow that text goes to: empty for the text, ``hidden``, ``comments``, ``header``; ``-`` for none."""
    charset: str = ""
    fallback: int = 1
    """How many characters after a Unicode character stand for it in old programs."""
    hidden: bool = False
    html: bool = True
    """In RTF that wraps HTML: this is part of the HTML."""
    is_tag: bool = False


def read(file: File, found: Collector) -> None:
    """Say what ``file`` says; raises `TooMuchError` past the limits of ``found``.

    A file that wraps HTML is read twice: Word shows the text around it, Outlook unwraps it.
    """
    reader = _Reader(file.data, found)
    try:
        reader.run()
    finally:
        reader.say(file)
    if reader.wraps_html:
        text, _ = body(file.data, found)
        say_html(text, below(file.path, "html"), found)


def body(data: bytes, found: Collector) -> tuple[str, bool]:
    """Return the text of an Outlook message's RTF body, and whether that is the HTML it wraps."""
    reader = _Reader(data, found, unwrap=True)
    reader.run()
    return reader.text(""), reader.wraps_html


class _Reader:
    """One pass over one file."""

    def __init__(self, data: bytes, found: Collector, *, unwrap: bool = False) -> None:
        self._data = data
        self._found = found
        self._unwrap = unwrap
        self._flows: dict[str, list[str]] = {"": []}
        self._properties: dict[str, list[str]] = {}
        self._pending = bytearray()
        self._state = _State()
        self._stack: list[_State] = []
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._default = "cp1252"
        self._skip = 0
        self._starred = False
        self._fresh = False
        self._objects: list[tuple[str, bytearray]] = []
        self._high = ""
        self.wraps_html = False
        self.overruns = False
        """Binary data in it is said to be longer than the file."""

    def run(self) -> None:
        """Read to the end of the data."""
        position, size = 0, len(self._data)
        match = _TOKEN.match
        while position < size:
            token = match(self._data, position)
            if token is None:  # cannot be: a backslash alone is a token
                break
            self._found.step()
            position = token.end()
            kind = token.lastgroup
            if kind == "text":
                self._text(token["text"])
            elif kind in {"word", "number"}:
                number = int(token["number"]) if token["number"] else None
                position = self._word(token["word"], number, position)
            elif kind == "hex":
                self._text(bytes((int(token["hex"], 16),)), single=True)
            elif kind == "symbol":
                self._symbol(token["symbol"])
            else:
                self._brace(kind)
        self._flush()

    # --- groups ---

    def _brace(self, kind: str | None) -> None:
        if self._pending:
            self._flush()
        if kind == "open":
            self._open()
        elif kind == "close":
            self._close()

    def _open(self) -> None:
        if len(self._stack) < _MAX_GROUPS:
            self._stack.append(self._state)
        self._fresh, self._starred, self._skip = True, False, 0

    def _close(self) -> None:
        if self._stack:
            self._state = self._stack.pop()
        self._fresh = self._starred = False
        self._skip = 0

    def _go(self, place: str) -> None:
        self._state = self._state._replace(place=place)

    # --- text ---

    def _text(self, octets: bytes, *, single: bool = False) -> None:
        self._fresh = False
        place = self._state.place
        if place == "-":
            return
        if place == "object":
            self._objects[-1][1].extend(octets)
            return
        if self._skip:
            if single:
                self._skip -= 1
                return
            octets, self._skip = octets[self._skip :], max(self._skip - len(octets), 0)
        self._pending += octets

    def _flush(self) -> None:
        if self._pending:
            charset = self._state.charset or self._default
            text = self._pending.decode(charset, "replace")
            self._pending.clear()
            self._write(text)

    def _write(self, text: str) -> None:
        state = self._state
        if state.place in {"-", "object"}:
            return
        place = state.place
        unwrapping = self.wraps_html and self._unwrap
        if unwrapping and not (state.html or state.is_tag):
            return
        if state.hidden and not place and not unwrapping:
            place = "hidden"
        if place.startswith("="):
            self._properties.setdefault(place[1:], []).append(text)
        else:
            self._flows.setdefault(place, []).append(text)

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._starred = True
            return
        self._fresh = False
        if symbol in b"\\{}":
            self._text(symbol)
        elif symbol == b"~":
            self._text(b" ")
        elif symbol == b"_":
            self._text(b"-")

    # --- control words ---

    def _word(self, word: bytes, number: int | None, position: int) -> int:
        """Obey a control word; return where to go on."""
        if word == b"bin":
            count = max(number or 0, 0)
            if position + count > len(self._data):  # to some programs the rest is text
                self.overruns = True
                return position
            if self._state.place == "object":
                self._objects[-1][1].extend(self._data[position : position + count].hex().encode())
            return position + count
        if word == b"u" and number is not None:
            self._flush()
            self._unicode(number & 0xFFFF)
            return position
        if self._skip and word in _BREAKS:
            self._skip -= 1
            return position
        if self._pending:
            self._flush()
        if self._fresh or self._starred:
            self._fresh = False
            if self._destination(word):
                self._starred = False
                return position
        if word in _BREAKS:
            self._write(_BREAKS[word])
        else:
            self._formatted(word, number)
        return position

    def _unicode(self, unit: int) -> None:
        """Write one UTF-16 unit; half of a pair waits for the other."""
        self._skip = self._state.fallback
        if 0xD800 <= unit < 0xDC00:
            self._high = chr(unit)
            return
        text = (self._high if 0xDC00 <= unit < 0xE000 else "") + chr(unit)
        self._high = ""
        self._write(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))

    def _destination(self, word: bytes) -> bool:
        """Return whether ``word`` opens a destination of its own, and send its text there."""
        if self._state.place in {"-", "object"} and word != b"objdata":
            return False
        place = _place_of(word)
        if word in {b"pict", b"objdata"}:
            self._objects.append((word.decode(), bytearray()))
            self._go("object")
        elif word in {b"htmltag", b"mhtmltag"} and self.wraps_html and self._unwrap:
            self._state = self._state._replace(is_tag=True, place="" if word == b"htmltag" else "-")
        elif place:
            self._go(place)
        elif not self._starred:
            return False
        elif word != b"shppict":
            self._go("other destinations")
        return True

    def _formatted(self, word: bytes, number: int | None) -> None:
        """Follow what changes how characters are read or whether they are seen."""
        state = self._state
        if word in {b"v", b"deleted"}:
            self._state = state._replace(hidden=number != 0)
        elif word == b"plain":
            self._state = state._replace(hidden=False)
        elif word == b"uc" and number is not None:
            self._state = state._replace(fallback=min(max(number, 0), 16))
        elif word == b"fromhtml":
            self.wraps_html = number != 0
        elif word == b"htmlrtf":
            self._state = state._replace(html=number == 0)
        else:
            self._encoded(word, number)

    def _encoded(self, word: bytes, number: int | None) -> None:
        """Follow the charset of the document and of its fonts."""
        if word in _DOCUMENT_CHARSETS:
            self._default = _DOCUMENT_CHARSETS[word]
        elif number is None:
            return
        elif word == b"ansicpg":
            page = "utf_8" if number == _UTF_8_PAGE else f"cp{number}"
            self._default = page if page in _PAGES else self._default
        elif word == b"f" and self._state.place == "fonts":
            self._font = number
        elif word == b"f" and self._fonts:
            self._state = self._state._replace(charset=self._fonts.get(number, ""))
        elif word == b"fcharset" and self._state.place == "fonts":
            self._fonts[self._font] = _CHARSETS.get(number, "")

    # --- what came of it ---

    def text(self, place: str) -> str:
        """Return the text of one flow."""
        return "".join(self._flows.get(place, ()))

    def say(self, file: File) -> None:
        """Hand over the text, the properties and the embedded objects."""
        found = self._found
        found.say(file.path, self.text(""))
        if self.overruns:
            detail = "binary data that is said to be longer than the file; it was read as text"
            found.refuse(file.path, UnreadableReason.MALFORMED, detail)
        for place in self._flows:
            if place not in {"", "fonts"}:
                hidden = place in {"hidden", "fields", "other destinations"}
                found.say(below(file.path, place), self.text(place), hidden=hidden)
        for name, texts in self._properties.items():
            found.say(f"{below(file.path, 'info')}:{name}", "".join(texts), hidden=True)
        for number, (kind, digits) in enumerate(self._objects, 1):
            even = _NO_HEX.sub(b"", bytes(digits))
            data = bytes.fromhex(even[: len(even) // 2 * 2].decode("ascii"))
            path = below(file.path, f"{'picture' if kind == 'pict' else 'object'}{number}")
            inner = File(data, path, "", depth=file.depth + 1)
            if kind == "pict":
                found.wait(inner)
            else:
                objects.embedded(inner, found)


def _place_of(word: bytes) -> str:
    """Return where the text of a destination goes, or nothing for a word that is none."""
    if word in _PLACES:
        return _PLACES[word]
    if word in _SKIPPED:
        return "-"
    if word in _PROPERTIES:
        return f"={word.decode()}"
    if word in _HIDDEN_PLACES:
        return "fields"
    is_margin = word.startswith((b"header", b"footer")) and len(word) <= len(b"headerl")
    return "headers and footers" if is_margin else ""
