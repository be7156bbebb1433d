"""The dates in the lines that introduce a quote: words to days.

Owns British, American and ISO spellings, in English and Welsh. Refuses to know what a date speaks for: `doubts` and
`introductions` do. Stands in *extract* below both. What cannot be read is no date: no introduction rests on it.
"""

import re
from collections.abc import Iterator
from datetime import date

_MONTH_NAMES = """
    january february march april may june july august september october november december
    ionawr chwefror mawrth ebrill mai mehefin gorffennaf awst medi hydref tachwedd rhagfyr
"""
_MONTHS = {name[:3]: number % 12 + 1 for number, name in enumerate(_MONTH_NAMES.split())}
_DAY_FIRST = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|ain|fed|af)?[ -]([A-Za-z]{3})[a-z]*\.?,?[ -](\d{4})\b")
_MONTH_FIRST = re.compile(r"\b([A-Za-z]{3})[a-z]*\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})\b")
_YEAR_FIRST = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b")
_SHORT_YEAR = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{2})\b")

_LONGEST = 90
_MOST_PIECES = 12
_MOST_BARE = 2
"""The day, and an hour as in "7 pm"."""
_BETWEEN = re.compile(r"[\s,()]+")
_CALENDAR = frozenset(
    (
        _MONTH_NAMES
        + """
        jan feb mar apr jun jul aug sep sept oct nov dec ion chw chwe maw ebr mai meh gor gorff aws med hyd tac tach rha rhag
        monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
        dydd llun mawrth mercher iau gwener sadwrn sul llu mer gwe sad
        on at am pm a.m p.m yb yh y bore prynhawn hwyr
        gmt bst utc ist wet west cet cest eet eest est edt cst cdt mst mdt pst pdt z europe/london
        british greenwich coordinated universal central european daylight summer standard mean time
        """
    ).split()
)
_BARE = re.compile(r"\d{1,2}(?:st|nd|rd|th|af|ain|fed)?", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:19|20)\d{2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|(?:\d{4}-\d{2}-\d{2}T)?\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:\.\d{1,6})?)?(?:am|pm|z|[+-]\d{2}:?\d{2})?|\d{1,2}(?:am|pm)"
    r"|(?:gmt|utc)?[+-]\d{1,2}(?::?\d{2})?",
    re.IGNORECASE,
)
_JOINED = re.compile(r"(\d{1,2})-([A-Za-z]{3,9})-(\d{4})")


def dates_in(text: str) -> Iterator[date]:
    """Yield the dates in ``text``; of one that may be read in two ways, both."""
    for day, month, year in _DAY_FIRST.findall(text):
        yield from _date(year, _MONTHS.get(month.lower(), 0), day)
    for month, day, year in _MONTH_FIRST.findall(text):
        yield from _date(year, _MONTHS.get(month.lower(), 0), day)
    for year, month, day in _YEAR_FIRST.findall(text):
        yield from _date(year, month, day)
    for first, second, year in (*_NUMBERS.findall(text), *_SHORT_YEAR.findall(text)):
        yield from _date(year, second, first)
        yield from _date(year, first, second)


def is_date(value: str) -> bool:
    """Return whether ``value`` is a day that `dates_in` can read, with or without weekday and time, and nothing else."""
    if len(value) > _LONGEST:
        return False
    pieces = [piece for piece in _BETWEEN.split(value.strip("*_ ")) if piece]
    bare = sum(_BARE.fullmatch(piece) is not None for piece in pieces)
    fits = len(pieces) <= _MOST_PIECES and bare <= _MOST_BARE and all(_is_piece(piece) for piece in pieces)
    return fits and any(True for _ in dates_in(value))


def _is_piece(piece: str) -> bool:
    if piece.lower().rstrip(".") in _CALENDAR or _BARE.fullmatch(piece) or _NUMBER.fullmatch(piece):
        return True
    joined = _JOINED.fullmatch(piece)
    return joined is not None and joined[2].lower() in _CALENDAR


def _date(year: str, month: str | int, day: str) -> Iterator[date]:
    century = 2000 if len(year) == 2 else 0
    try:
        yield date(century + int(year), int(month), int(day))
    except ValueError:
        return
