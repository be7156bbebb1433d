"""CSV bytes into records that know their place. The first step of `registry.load`.

Owns the file: its size, its encoding, its lines, its header and how a field's line and column are found. Knows
nothing of what a column means. Lines are physical lines, columns count characters from 1 to the field's first
character (its opening quote, if it has one); a byte order mark is not counted.
"""

import csv
import difflib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gateway.errors import Mistake

_MAX_RECORD_LINES = 50
"""Lines of one quoted record. Beyond it a quotation mark was left open, and must not swallow the file."""

_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FIELD = re.compile(r'"(?:[^"]|"")*(?:"|\Z)[^,]*|[^,]*')


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that a file must have and those that it may have, in any order."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


class Record(NamedTuple):
    """One row: its first physical line, its text as it stands, and its trimmed fields in the file's order.

    ``whole`` is false for a row whose fields do not fit the header; the fields before the trouble are right.
    """

    line: int
    text: str
    fields: tuple[str, ...]
    whole: bool = True


@dataclass(frozen=True)
class Table:
    """A list that was read. ``refused`` is why none of it may be used, or empty; then there are no records.

    ``names`` are what the records are called, where they have names: entries that a records system pushed.
    """

    file: str
    index: dict[str, int]
    records: tuple[Record, ...]
    mistakes: tuple[Mistake, ...]
    refused: str = ""
    names: tuple[str, ...] = ()

    def place(self, record: Record, column: str) -> tuple[int, int]:
        """Return the physical line and the column at which a field of ``record`` begins."""
        return _place(record, self.index.get(column, 0))


def read_table(path: Path, columns: Columns, *, max_bytes: int) -> Table:
    """Return the records of a CSV file with a header, UTF-8 with or without byte order mark.

    Never raises: what cannot be read is a mistake with its place. A file that is missing, too large, not text,
    changed while it was read, or whose header is wrong, is refused. A broken row costs that row alone.
    """
    read = _bytes_of(path, max_bytes)
    if isinstance(read, Mistake):
        return _refused(path, (read,))
    # Bytes that are not UTF-8 become lone surrogates, so that the field that holds them can be named.
    text = read.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    lines = list(io.StringIO(text, newline=""))
    source = _Lines(lines)
    reader = csv.reader(source, strict=True)
    header, mistakes = _header(path, source, reader, columns)
    if mistakes:
        return _refused(path, mistakes)
    records, mistakes = _records(path, source, reader, header)
    return Table(
        file=str(path),
        index={name: place for place, name in enumerate(header)},
        records=records,
        mistakes=mistakes,
    )


def unreadable_character(field: str) -> str:
    """Return what is wrong with the characters of ``field``, or an empty string."""
    found = _UNREADABLE.search(field)
    if found is None:
        return ""
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"holds the byte 0x{code - 0xDC00:02X}, which is not UTF-8"
    return f"holds the control character U+{code:04X}"


# --- the file -----------------------------------------------------------------------------------------------


def _bytes_of(path: Path, max_bytes: int) -> bytes | Mistake:
    """Return the bytes of the file, or why they cannot be had whole."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            read = stream.read(max_bytes + 1)
            after = os.fstat(stream.fileno())
    except OSError as error:
        return Mistake(
            file=file,
            what=f"cannot be read: {error.strerror or error}",
            remedy="check that the file exists and that the gateway's user may read it",
        )
    if len(read) > max_bytes:
        return Mistake(
            file=file,
            what=f"is larger than {max_bytes} octets",
            remedy="check the export, or raise registry.max_file_bytes",
        )
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        return Mistake(
            file=file,
            what="was written while it was read",
            remedy="let the export write beside it and rename when it is complete",
        )
    if read.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Mistake(file=file, line=1, column=1, what="is UTF-16", remedy='save it as "CSV UTF-8"')
    return read


def _refused(path: Path, mistakes: tuple[Mistake, ...]) -> Table:
    return Table(file=str(path), index={}, records=(), mistakes=mistakes, refused=mistakes[0].what)


class _OpenQuoteError(Exception):
    """A record has more lines than any real one: a quotation mark was left open."""


class _Lines:
    """The physical lines for `csv.reader`, which can be sent back to the line after a record's first."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.start = 0
        self.next = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.next >= len(self.lines):
            raise StopIteration
        if self.next - self.start >= _MAX_RECORD_LINES:
            raise _OpenQuoteError
        self.next += 1
        return self.lines[self.next - 1]

    def begin(self) -> None:
        """Note that the next line begins a record."""
        self.start = self.next

    def resume(self) -> None:
        """Go on with the line after the record's first, whatever was taken for its continuation."""
        self.next = self.start + 1

    @property
    def text(self) -> str:
        """The lines of the record that was read last."""
        return "".join(self.lines[self.start : self.next])


# --- the header ---------------------------------------------------------------------------------------------


def _header(
    path: Path, source: _Lines, reader: Iterator[list[str]], columns: Columns
) -> tuple[tuple[str, ...], tuple[Mistake, ...]]:
    """Return the names of the columns, or everything that is wrong with them."""
    file, known = str(path), (*columns.required, *columns.optional)
    try:
        row = next(reader)
    except (StopIteration, csv.Error, _OpenQuoteError):
        row = []
    names = tuple(name.strip().lower() for name in row)
    record = Record(line=1, text=source.text, fields=names)
    if not any(names):
        remedy = f"begin the file with the line {','.join(columns.required)}"
        return (), (Mistake(file=file, line=1, column=1, what="has no header", remedy=remedy),)
    if len(names) == 1 and re.search(r"[;\t|]", names[0]):
        what, remedy = "has one column: its fields are not separated by commas", "export it with commas"
        return (), (Mistake(file=file, line=1, column=1, what=what, remedy=remedy),)
    mistakes = []
    for place, name in enumerate(names):
        what = remedy = ""
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            what = f"unknown column {_shown(name)}"
            remedy = (
                f"did you mean {near[0]!r}?" if near else f"leave it out; the columns are {', '.join(known)}"
            )
        elif name in names[:place]:
            what, remedy = f"the column {name!r} stands twice", "leave one of the two out"
        if what:
            line, column = _place(record, place)
            mistakes.append(Mistake(file=file, line=line, column=column, what=what, remedy=remedy))
    missing = [name for name in columns.required if name not in names]
    mistakes.extend(
        Mistake(file=file, line=1, what=f"the column {name!r} is missing", remedy="add it; it may be empty")
        for name in missing
    )
    return names, tuple(mistakes)


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:40]}...")


# --- the rows -----------------------------------------------------------------------------------------------


def _records(
    path: Path, source: _Lines, reader: Iterator[list[str]], header: tuple[str, ...]
) -> tuple[tuple[Record, ...], tuple[Mistake, ...]]:
    """Return every row, and a mistake for each whose fields do not fit the header.

    A broken row that took several lines may have swallowed good ones, so reading goes on with its second line.
    """
    records: list[Record] = []
    mistakes: list[Mistake] = []
    while True:
        source.begin()
        line = source.start + 1
        try:
            fields = tuple(field.strip() for field in next(reader))
        except StopIteration:
            return tuple(records), tuple(mistakes)
        except (csv.Error, _OpenQuoteError) as error:
            mistakes.append(_broken(path, Record(line, source.lines[source.start], ()), error))
            records.append(Record(line, source.lines[source.start], (), whole=False))
            source.resume()
            continue
        if not any(fields):
            continue
        record = Record(line, source.text, fields, whole=len(fields) == len(header))
        records.append(record)
        if not record.whole:
            mistakes.append(_misfit(path, record, header))
            source.resume()


def _broken(path: Path, record: Record, error: Exception) -> Mistake:
    """Return what is wrong with a row that `csv` cannot split; the place is its first quotation mark."""
    quote = re.search(r'(?:^|,)\s*"', record.text)
    column = record.text.index('"', quote.start()) + 1 if quote else 1
    what = "a quotation mark is left open or stands alone"
    remedy = 'close it; a quotation mark inside a quoted field is written twice ("")'
    if "field larger" in str(error):
        what, remedy = "a field is longer than 131,072 characters", "shorten it"
    return Mistake(file=str(path), line=record.line, column=column, what=what, remedy=remedy)


def _misfit(path: Path, record: Record, header: tuple[str, ...]) -> Mistake:
    """Return the mistake of a row with too few or too many fields; the place is the first one amiss."""
    given, wanted = len(record.fields), len(header)
    line, column = _place(record, min(given, wanted))
    remedy = (
        "put a field that holds a comma in quotation marks"
        if given > wanted
        else f"add the missing fields, from {header[given]!r} on; empty ones need their comma"
    )
    what = f"{given} fields where the header has {wanted}"
    return Mistake(file=str(path), line=line, column=column, what=what, remedy=remedy)


def _place(record: Record, number: int) -> tuple[int, int]:
    """Return line and column of the field of that number (from 0), or of the end of the row behind the last."""
    text = record.text.rstrip("\r\n")
    at = 0
    for _ in range(number):
        found = _FIELD.match(text, at)
        at = found.end() + 1 if found else at
    at = min(at, len(text))
    breaks = list(re.finditer(r"\r\n|\n|\r", text[:at]))
    return record.line + len(breaks), at - (breaks[-1].end() if breaks else 0) + 1
