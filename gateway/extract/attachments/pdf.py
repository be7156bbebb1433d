"""PDF files (ISO 32000): text, annotations, form fields, properties, scripts, bookmarks, files inside, pictures.

Owns the use of PDFium, the only native parser that meets mail here; it runs in the worker, whose limits of memory
and time end what it does not (docs/decisions/0014). Refuses to judge what a picture shows: a page that is a picture
is named, or read by `pictures` where the gateway reads pictures. Called by `opening`.

Text is taken from the page's content whether or not it would be seen: in layers that are switched off, outside the
page, in white.
"""

import ctypes
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from gateway.extract.attachments import markup_files, pictures
from gateway.extract.attachments.contents import Collector, DamagedError, File, TooMuchError, below
from gateway.model import UnreadableReason

_STREAM: Final = re.compile(rb"stream\r?\n")
_PROPERTIES: Final = ("Title", "Author", "Subject", "Keywords")
_WORDS: Final = (b"Contents", b"RC", b"Subj", b"V", b"DV", b"TU")
"""Of an annotation: its text, its rich text, its subject; value, default and tooltip of a field."""
_PASSWORD, _SECURITY = 4, 5
_IMAGE, _PATH, _FORM = 3, 2, 5
_STEPS_A_PAGE: Final = 100
_STEPS_A_STRING: Final = 2
"""For each operator that shows a text: PDFium takes 400 octets and four microseconds for it before anybody can ask."""
_SHOWS: Final = (b"Tj", b"TJ")
_FLAT: Final = 0
_MAX_STRING: Final = 1_000_000
_MAX_BOOKMARKS: Final = 10_000
_RENDERED_WIDTH: Final = 1600
"""Pixels across a page that is given to `pictures`: 190 to the inch on A4, enough for print of 8 points."""


def _pdfium() -> Any:
    """Return PDFium's functions, initialised once in a process."""
    from pypdfium2 import raw

    if not _started:
        raw.FPDF_InitLibrary()
        _started.append(True)
    return raw


_started: list[bool] = []


def warm_up() -> None:
    """Load PDFium into this process."""
    _pdfium()


def read(file: File, found: Collector) -> None:
    """Say what a PDF says; raises `DamagedError`, or `TooMuchError` past the limits of ``found``."""
    _measure(file.data, found)
    raw = _pdfium()
    start = max(file.data[:1024].find(b"%PDF-"), 0)
    data = file.data[start:]
    document = raw.FPDF_LoadMemDocument64(data, len(data), None)
    if not document:
        if raw.FPDF_GetLastError() in {_PASSWORD, _SECURITY}:
            found.refuse(file.path, UnreadableReason.ENCRYPTED, "a PDF file that needs a password", file.data)
            return
        raise DamagedError("PDFium cannot open it")
    try:
        _Document(raw, document, file, found).read()
    finally:
        raw.FPDF_CloseDocument(document)


def _measure(data: bytes, found: Collector) -> None:
    """Unpack every stream once, to no use but to know how much it holds: PDFium has no such limit."""
    left = found.limits.max_attachment_bytes
    found.step(_STEPS_A_STRING * sum(map(data.count, _SHOWS)))
    for match in _STREAM.finditer(data):
        found.step()
        content = memoryview(data)[match.end() :]
        for _ in range(2):  # a stream may be packed twice
            if content[:1] not in {b"\x78", b"\x58", b"\x48", b"\x68"}:
                break
            try:
                unpacked = zlib.decompressobj().decompress(content, left + 1)
            except zlib.error:
                break
            found.step(_STEPS_A_STRING * sum(map(unpacked.count, _SHOWS)))
            content = memoryview(unpacked)
            left -= len(content)
            if left < 0:
                allowed = found.limits.max_attachment_bytes
                raise TooMuchError(f"a PDF with more than {allowed} octets when unpacked; it was not opened")


class _Document:
    """One open PDF."""

    def __init__(self, raw: Any, document: Any, file: File, found: Collector) -> None:
        self._raw = raw
        self._document = document
        self._file = file
        self._found = found
        self._pages: list[str] = []
        self._added: list[str] = []
        self._notes: list[str] = []
        self._links: list[str] = []

    def read(self) -> None:
        """Say everything, page by page and then what stands beside them."""
        pages = self._raw.FPDF_GetPageCount(self._document)
        if not pages:
            detail = "a PDF file in which PDFium finds no page"
            self._found.refuse(self._file.path, UnreadableReason.ATTACHMENT_NOT_READ, detail, self._file.data)
        try:
            for number in range(pages):
                self._found.step(_STEPS_A_PAGE)
                self._page(number)
        finally:
            self._say()
        self._properties()
        self._bookmarks()
        self._scripts()
        self._files()

    def _say(self) -> None:
        path, found = self._file.path, self._found
        found.say(path, "\n".join(self._pages))
        found.say(below(path, "annotations"), "\n".join(dict.fromkeys(self._notes)))
        found.say(below(path, "drawn annotations"), "\n".join(self._added))
        found.say(below(path, "links"), "\n".join(dict.fromkeys(self._links)), hidden=True)

    # --- pages ---

    @contextmanager
    def _opened(self, number: int) -> Iterator[Any]:
        page = self._raw.FPDF_LoadPage(self._document, number)
        try:
            yield page
        finally:
            if page:
                self._raw.FPDF_ClosePage(page)

    def _page(self, number: int) -> None:
        with self._opened(number) as page:
            if not page:
                place = below(self._file.path, f"page {number + 1}")
                self._found.refuse(
                    place, UnreadableReason.ATTACHMENT_NOT_READ, "a page that PDFium cannot read"
                )
                return
            text = self._text(page)
            self._pages.append(text)
            annotated = self._annotations(page)
            self._pictures(page, number, has_text=bool(text.strip()))
            if annotated:
                self._raw.FPDFPage_Flatten(page, _FLAT)
        if annotated:
            self._drawn(number, text)

    def _drawn(self, number: int, before: str) -> None:
        """Keep the text that annotations draw on the page, and that their properties do not say."""
        with self._opened(number) as page:
            if page:
                known = {line.strip() for line in (before, *self._notes) for line in line.split("\n")}
                lines = self._text(page).split("\n")
                self._added.extend(line for line in lines if line.strip() and line.strip() not in known)

    def _text(self, page: Any) -> str:
        raw = self._raw
        text_page = raw.FPDFText_LoadPage(page)
        if not text_page:
            return ""
        try:
            count = raw.FPDFText_CountChars(text_page)
            if count <= 0:
                return ""
            count = min(count, self._found.limits.max_decoded_chars)
            buffer = (ctypes.c_ushort * (2 * count + 1))()
            written = raw.FPDFText_GetText(text_page, 0, count, buffer)
            text = bytes(memoryview(buffer).cast("B")[: max(written - 1, 0) * 2]).decode(
                "utf-16-le", "replace"
            )
            return text.replace("\r\n", "\n").replace("\ufffe", "").replace("\x02", "")
        finally:
            raw.FPDFText_ClosePage(text_page)

    def _annotations(self, page: Any) -> bool:
        """Keep what the annotations of a page say; return whether there are any that draw."""
        raw = self._raw
        drawn = False
        for index in range(raw.FPDFPage_GetAnnotCount(page)):
            self._found.step()
            note = raw.FPDFPage_GetAnnot(page, index)
            if not note:
                continue
            kind = raw.FPDFAnnot_GetSubtype(note)
            drawn = drawn or kind not in {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP}
            self._notes.extend(self._words_of(note))
            if kind == raw.FPDF_ANNOT_LINK:
                self._links.append(self._target(raw.FPDFAnnot_GetLink(note)))
            elif kind == raw.FPDF_ANNOT_FILEATTACHMENT:
                self._inner(raw.FPDFAnnot_GetFileAttachment(note))
            raw.FPDFPage_CloseAnnot(note)
        return drawn

    def _words_of(self, note: Any) -> Iterator[str]:
        get = self._raw.FPDFAnnot_GetStringValue
        for key in _WORDS:
            text = self._string(lambda *rest, k=key: get(note, k, *rest))
            if text:
                yield text

    def _target(self, link: Any) -> str:
        raw = self._raw
        action = raw.FPDFLink_GetAction(link) if link else None
        if not action:
            return ""
        size = min(raw.FPDFAction_GetURIPath(self._document, action, None, 0), _MAX_STRING)
        buffer = ctypes.create_string_buffer(size + 1)
        raw.FPDFAction_GetURIPath(self._document, action, buffer, size)
        return buffer.value.decode("utf-8", "replace")

    # --- pictures ---

    def _pictures(self, page: Any, number: int, *, has_text: bool) -> None:
        """Name the pictures of a page, or have the page read as one."""
        pixels = drawn = 0
        for kind, each in self._objects(page):
            if kind == _IMAGE:
                width, height = ctypes.c_uint(), ctypes.c_uint()
                self._raw.FPDFImageObj_GetImagePixelSize(each, width, height)
                pixels += width.value * height.value
            drawn += kind in {_IMAGE, _PATH}
        if not drawn or (has_text and not pixels):
            return
        place = below(self._file.path, f"page {number + 1}")
        if has_text and pixels <= self._found.limits.small_picture_pixels:
            self._found.refuse(
                place, UnreadableReason.SMALL_PICTURE, f"small pictures, {pixels} pixels in all"
            )
        elif self._found.limits.picture_models:
            pictures.read_rendered(*self._rendered(page), place, self._found)
        else:
            what = (
                "a picture on a page of text"
                if has_text
                else "a page without text: a picture, or drawn letters"
            )
            self._found.refuse(place, UnreadableReason.PICTURE, what)

    def _objects(self, page: Any) -> Iterator[tuple[int, Any]]:
        """Yield the objects of a page, those inside forms too; at most as many as may be spent."""
        raw = self._raw
        waiting: list[tuple[int, Callable[[int], Any]]] = [
            (raw.FPDFPage_CountObjects(page), lambda index: raw.FPDFPage_GetObject(page, index))
        ]
        while waiting:
            count, get = waiting.pop()
            for index in range(max(count, 0)):
                self._found.step()
                each = get(index)
                kind = raw.FPDFPageObj_GetType(each) if each else 0
                if kind == _FORM:
                    waiting.append((raw.FPDFFormObj_CountObjects(each), _getter(raw, each)))
                else:
                    yield kind, each

    def _rendered(self, page: Any) -> tuple[bytes, int, int]:
        """Return a page as grey pixels, with width and height."""
        raw = self._raw
        width_pt, height_pt = raw.FPDF_GetPageWidthF(page), raw.FPDF_GetPageHeightF(page)
        width = _RENDERED_WIDTH
        height = max(1, min(int(width * height_pt / max(width_pt, 1.0)), 4 * width))
        bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_Gray, None, 0)
        if not bitmap:
            raise DamagedError("a page that PDFium cannot draw")
        try:
            raw.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
            raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, raw.FPDF_ANNOT)
            stride = raw.FPDFBitmap_GetStride(bitmap)
            pixels = ctypes.string_at(raw.FPDFBitmap_GetBuffer(bitmap), stride * height)
        finally:
            raw.FPDFBitmap_Destroy(bitmap)
        rows = (pixels[row * stride : row * stride + width] for row in range(height))
        return b"".join(rows), width, height

    # --- beside the pages ---

    def _properties(self) -> None:
        for key in _PROPERTIES:
            text = self._string(
                lambda *rest, k=key: self._raw.FPDF_GetMetaText(self._document, k.encode(), *rest)
            )
            self._found.say(f"{below(self._file.path, 'info')}:{key.lower()}", text, hidden=True)

    def _bookmarks(self) -> None:
        raw, titles, seen = self._raw, list[str](), set[int]()
        waiting = [raw.FPDFBookmark_GetFirstChild(self._document, None)]
        while waiting and len(seen) < _MAX_BOOKMARKS:
            mark = waiting.pop()
            address = ctypes.cast(mark, ctypes.c_void_p).value if mark else None
            if address is None or address in seen:
                continue
            seen.add(address)
            self._found.step()
            titles.append(self._string(lambda *rest, m=mark: raw.FPDFBookmark_GetTitle(m, *rest)))
            waiting += [
                raw.FPDFBookmark_GetNextSibling(self._document, mark),
                raw.FPDFBookmark_GetFirstChild(self._document, mark),
            ]
        self._found.say(below(self._file.path, "bookmarks"), "\n".join(filter(None, titles)))

    def _scripts(self) -> None:
        raw, scripts = self._raw, list[str]()
        for index in range(min(max(raw.FPDFDoc_GetJavaScriptActionCount(self._document), 0), 1000)):
            self._found.step()
            action = raw.FPDFDoc_GetJavaScriptAction(self._document, index)
            if action:
                scripts.append(
                    self._string(lambda *rest, a=action: raw.FPDFJavaScriptAction_GetScript(a, *rest))
                )
                raw.FPDFDoc_CloseJavaScriptAction(action)
        if scripts:
            place = below(self._file.path, "scripts")
            self._found.say(place, "\n".join(scripts), hidden=True)
            self._found.refuse(place, UnreadableReason.MACROS, "scripts: a program inside the document")
        for index in range(min(max(raw.FPDF_GetXFAPacketCount(self._document), 0), 100)):
            packet = self._buffered(
                lambda *rest, i=index: raw.FPDF_GetXFAPacketContent(self._document, i, *rest)
            )
            if packet.lstrip().startswith(b"<"):
                place = below(self._file.path, f"form {index + 1}")
                markup_files.read_xml(File(packet, place, "", depth=self._file.depth), self._found)

    def _files(self) -> None:
        raw = self._raw
        for index in range(max(raw.FPDFDoc_GetAttachmentCount(self._document), 0)):
            self._found.step()
            self._inner(raw.FPDFDoc_GetAttachment(self._document, index))

    def _inner(self, attachment: Any) -> None:
        """Let a file inside be read later."""
        if not attachment:
            return
        name = self._string(lambda *rest: self._raw.FPDFAttachment_GetName(attachment, *rest))
        data = self._buffered(lambda *rest: self._raw.FPDFAttachment_GetFile(attachment, *rest))
        place = below(self._file.path, name)
        if data:
            self._found.wait(File(data, place, name, depth=self._file.depth + 1), named=True)

    # --- PDFium's ways to give strings ---

    def _string(self, get: Callable[..., int]) -> str:
        """Return a UTF-16 string from a function that takes a buffer and its length in octets."""
        size = get(None, 0)
        if not 2 < size <= _MAX_STRING:
            return ""
        buffer = (ctypes.c_ushort * (size // 2 + 1))()
        get(buffer, size)
        return bytes(buffer)[: size - 2].decode("utf-16-le", "replace").rstrip("\x00")

    def _buffered(self, get: Callable[..., int]) -> bytes:
        """Return octets from a function that takes a buffer, its length, and where to put the length."""
        size = ctypes.c_ulong()
        if not get(None, 0, size) or not size.value:
            return b""
        self._found.unpacked(size.value)
        buffer = ctypes.create_string_buffer(size.value)
        get(buffer, size.value, size)
        return buffer.raw[: size.value]


def _getter(raw: Any, form: Any) -> Callable[[int], Any]:
    return lambda index: raw.FPDFFormObj_GetObject(form, index)
