"""Signature blocks and disclaimers at the end of what the sender wrote.

Owns the recognition of ``-- ``, of force signature blocks (rank, collar number, telephone, unit, address), of the
line a telephone adds ("Sent from my iPhone"), and the cutting of disclaimers. Refuses to know quotes: it is given
lines that are the sender's own. Stands in *extract* after `quotes`.

The sign-off ("Kind regards") and the name under it stay: a kiss stands there. Below a signature mark only what looks
like a signature is cut; a sentence, a kiss or a private number with words around it is the sender's, wherever it
stands.
"""

import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import groupby
from typing import NamedTuple

from gateway.extract.disclaimers import Wording, disclaimer_end, openings
from gateway.extract.layout import Line, Mark
from gateway.extract.quotes import OWN, UNSURE, Label
from gateway.model import CutReason

SIGNATURE = Label(CutReason.SIGNATURE)
DISCLAIMER = Label(CutReason.DISCLAIMER)

Piece = tuple[int, int, Label]
"""A run of the decoded text, from and to, and what it is."""

_LONGEST_LINE = 120
_LONGEST_BLOCK = 20
_FEW_WORDS = 6
_MANY_WORDS = 12
_MAX_LOWER = 2
_MAX_RUNS = 5000
_LAST_LINES = 5
_LONGEST_MARKED = 60
_NOTICE_VOCABULARY = """
    a all always an and anonymously are at call cannot communities community contact crime day days dial duties duty early
    emergency find follow for free fri friday from here hours if immediate in information is it keeping late leave line
    making mon monday more most next night nights non non-emergency not of off on online or our out people please police
    pride protecting report rest ring safe safer sat saturday see serving shift shifts sun sunday team telephone the this
    thu thur thurs thursday to together tue tues tuesday turn until urgent us use using visit we wed wednesday week with
    working you your
"""
"""What the standing lines of a block are made of: campaigns, emergency numbers, turns of duty. No "I", no "me"."""
_SMALL = frozenset({"and", "of", "the", "for", "in", "on", "at", "to", "ext", "or", "by"})
_SIGN_OFF = re.compile(
    r"^(?:(?:many|kind|kindest|best|warm|warmest|with|my|very|all|the|again|yours|in|anticipation|once|of)\W+)*"
    r"(?:regards|rgds|wishes|thanks|thank you|sincerely|faithfully|truly|cheers|ta|take care|respectfully|best|kr|bw"
    r"|speak soon|yours|diolch|cofion(?: gorau| cynnes)?)(?:\W+(?:again|so much|in advance|for your help))?[\W]*$",
    re.IGNORECASE,
)
_FAREWELL = re.compile(r"\b(?:regards|rgds|wishes|sincerely|faithfully|truly)\b", re.IGNORECASE)
"""A sign-off that says nothing else; "Thank you" alone is an answer."""
_KISS = re.compile(
    r"(?:^|[\s,.!])[xX]{1,4}(?:[oO][xX]?)*[\s.!]*$|[\U0001F300-\U0001FAFF\u2600-\u27BF]|<3|[;:]-?[)*pPD]"
)
_SPOKEN = re.compile(
    r"\b(?:i|i['\u2019]?(?:m|d|ll|ve)|me|my|mine|myself|you|your|yours|u|ur|you['\u2019](?:re|d|ll|ve)|we|us|our|own|personal|private"
    r"|home|whats\s?app|signal|snapchat|insta(?:gram)?|telegram|any\s?time|text|single|love|darling|babe?|hun)\b",
    re.IGNORECASE,
)
_RANK = re.compile(
    r"^(?:(?:T|A)/|(?:Acting|Temporary|Trainee|Student)\s+)?(?:PC|DC|PS(?=\s+\d{3})|DS|DI|DCI|DSupt|Insp|Sgt|PCSO|SCCH|TDC|SOIT|SOLO|FLO|OIC|STO|VLO"
    r"|Police\s+(?:Constable|Sergeant|Community|Staff|Officer|Inspector)|Detective\b.*|(?:Chief\s+)?(?:Constable|Sergeant|Inspector"
    r"|Superintendent)|(?:Civilian\s+|Lead\s+)?Investigat(?:or|ing Officer|ions? Officer)|(?:Ditectif\s+)?(?:C|G)wnstabl|Rhingyll|Arolygydd"
    r"|Ditectif\b.*|Swyddog\b.{0,40}"
    r"|(?:Witness|Victim|Family|Sexual|Domestic|Safeguarding|Exhibits|Disclosure|Neighbourhood|Response)\b.{0,40}\b(?:Officer|Advisor"
    r"|Adviser|Liaison|Care|Manager|Coordinator|Investigator))\b"
)
_LABELLED = re.compile(
    r"^(?:t|tel|telephone|phone|ph|m|mob|mobile|cell|dd|d|direct(?:\s+(?:line|dial))?|ext(?:n|ension)?|est|fax|f|office|switchboard|w|web|website"
    r"|e|email|e-mail|twitter|facebook|address|non-emergency|emergency|collar|collar\s+n\w*|warrant\s+n\w*|shoulder\s+n\w*|base|station|radio"
    r"|ff\u00f4n|e-bost|ebost|gwefan|symudol|cyfeiriad)\s*"
    r"(?:[:.|]|(?=[+(\d]))\s*\S",
    re.IGNORECASE,
)
_NUMBER_ONLY = re.compile(
    r"^[\d\s()+./|x-]*\d{3}[\d\s()+./|-]*(?:(?:ext?|est)\.?\s*\d+)?(?:\s*\([^()]{1,20}\))?[\s|]*$",
    re.IGNORECASE,
)
_POINTER = re.compile(r"^[<\[(]*(?:mailto:)?(?:\S+@\S+\.\S+|https?://\S+|www\.\S+|@\w+)[>\])]*(?:\s*<\S+>)?$")
_REACHES = re.compile(r"\S@\S|https?://|www\.|\d{3}[\d\s().-]{3,}\d")
"""A line with an address or a number in it: under a signature mark that is enough."""
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b")
_PLACE = re.compile(
    r"\b(?:Constabulary|Police|Heddlu|CID|PPU|MASH|RASSO|NPT|SNT|NHPT|Headquarters|HQ|Unit(?!\s+\d)|Team|Department|Dept|Directorate"
    r"|Command|Hub|Division|Service|Investigations?|Partnership|Neighbourhood|Uned|T\u00eem|Adran|Gorsaf|Pencadlys)\b"
)
_STREET = re.compile(
    r"\b(?:Station|House|Street|Road|Lane|Avenue|Way|Square|Unit\s+\d+|PO Box|Stryd|Ffordd|Heol)\b"
)
_NOTICE_WORDS = frozenset(_NOTICE_VOCABULARY.split())
_NOTICE_NAMES = 4
_REACHED = re.compile(r"\S+@\S+|https?://\S+|www\.\S+|@\w+|\b(?:101|112|999)\b|\b0[38]\d{2}[\d ]{5,}\d")
"""Addresses, and the numbers that everybody may ring: no mobile is among them."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SEGMENTS = re.compile(r"\s*[|\u2022\u00b7\t]\s*|\s+[/\u2013]\s+")
_LAST_FILLED = 60
"""Filled lines from the end in which a block with words under it is looked for."""
_LEAST_INNER = 2
_LEAST_NOTICE = 2
_PICTURE = re.compile(r"^(?:\[(?:cid|image)[^\]]*\]|<image\d+\.\w+>)+$")
_CONTACT_LINE = re.compile(
    rf"{_LABELLED.pattern}|{_NUMBER_ONLY.pattern}|{_POINTER.pattern}|{_PICTURE.pattern}", re.IGNORECASE
)
_RULE = re.compile(r"^[-_=*~|.\s]{3,}$")
_DEVICE = (
    r"(?:iphone|ipad|ipod|android|galaxy|samsung|blackberry|huawei|pixel|windows|nokia|xperia|oneplus|motorola|moto|mobile|smartphone|phone"
    r"|tablet|device|handheld|work|note|mini|pro|max|plus|ultra|outlook|mail|yahoo|gmail|aol|proton|protonmail|bluemail|spark|k-9|email|secure|app"
    r"|app|for|on|by|the|a|an|my|fy|wireless|from|via|with|ee|o2|three|vodafone|bt|network|free|conversations|search|organi[sz]e|conquer|tutanota"
    r"|enjoy|security|10|11|and|ios|macos|mac|please|excuse|brevity|typos?|any|errors?|apologies|[a-z]?\d{1,4}[a-z]?|5g|4g)"
)
_TELEPHONE = re.compile(
    rf"^(?:Sent (?:from|with|via|using)|Get Outlook for|Anfonwyd o)\b(?:(?:<(?:https?://|www\.)[^<>\s]+>|[\s,:.;\u2122\u00ae()!-])*"
    rf"{_DEVICE}\b){{1,14}}(?:[\s<(]*(?:https?://|www\.)\S+)?[\s.!)>\u2122\u00ae]*$",
    re.IGNORECASE,
)
"""What a telephone adds. Its owner may change it, so that only devices and programs are words of it."""


def parted(text: str, lines: Sequence[Line], label: Label, wording: Wording) -> list[Piece]:
    """Return the pieces of one run of own lines: own words, signature, disclaimer, in their order.

    ``label`` is given to what stays. Blank lines belong to no piece of their own.
    """
    disclaimers, rest = _disclaimed(text, lines, wording)
    signed = _signed(rest)
    pieces = [
        (line.start, line.end, SIGNATURE if index in signed else label)
        for index, line in enumerate(rest)
        if line.text
    ]
    return sorted(pieces + disclaimers) if disclaimers else pieces


def _disclaimed(text: str, lines: Sequence[Line], wording: Wording) -> tuple[list[Piece], Sequence[Line]]:
    """Return the disclaimers among ``lines``, and the lines that are left; of a line partly cut, its rest."""
    limit = lines[-1].end
    begins = openings(text, lines[0].begin, limit, wording)
    if not begins:
        return [], lines
    pieces: list[Piece] = []
    rest: list[Line] = []
    covered = -1
    for line in lines:
        if covered >= line.end > line.start:
            continue
        end = start = max(line.start, covered)
        if start == line.begin and start in begins:
            end = _whole_lines(text, start, disclaimer_end(text, start, limit, wording), limit)
        if end > start:
            pieces.append((start, end, DISCLAIMER))
            covered = end
        left = text[end : line.end].strip()
        if left or not line.text:
            rest.append(line if end == line.start else Line(end, end, line.end, left, mark=line.mark))
    return pieces, rest


def _whole_lines(text: str, start: int, end: int, limit: int) -> int:
    """Return where a disclaimer ends that would part a standing line of the force in two: before that line."""
    begin, stop = text.rfind("\n", start, end) + 1, text.find("\n", end, limit)
    line = text[begin : stop if stop >= 0 else limit].strip()
    return begin if begin > start and end < begin + len(line) and _is_notice(line) else end


class _Kind(IntEnum):
    """How much a line looks like part of a signature block."""

    WORDS = 0
    SHORT = 1
    """Capitalised words: a name, a unit, a line of an address."""
    CONTACT = 2
    """A number, an address, a picture."""
    FORCE = 3
    """A rank, a place of work, a labelled number: only a signature has these."""


def _signed(lines: Sequence[Line]) -> set[int]:
    """Return which of ``lines`` are a signature, by their index."""
    filled = [index for index, line in enumerate(lines) if line.text]
    signed = {index for index in filled[-_LAST_LINES:] if _TELEPHONE.match(lines[index].text)}
    mark = next((place for place, index in enumerate(filled) if _is_mark(lines[index])), None)
    if mark is None:
        return signed.union(_block(lines, filled))
    dashed = lines[filled[mark]].text == "--"
    below = filled[mark : mark + _LONGEST_MARKED]
    return signed.union(
        index
        for index in below
        if (dashed or lines[index].mark is Mark.SIGNATURE)
        and (lines[index].text == "--" or not _is_spoken_below(lines[index]))
    )


def _is_mark(line: Line) -> bool:
    return line.text == "--" or line.mark is Mark.SIGNATURE


def _is_spoken_below(line: Line) -> bool:
    """Return whether a line under a signature mark is words to the reader all the same."""
    if _kind(line) is not _Kind.WORDS or _is_sign_off(line.text):
        return False
    return _speaks(line.text) or line.text[-1] in "?!" or not _REACHES.search(line.text)


def _is_sign_off(text: str) -> bool:
    """Return whether ``text`` is a sign-off, in one language or in two side by side."""
    if len(text) > _LONGEST_LINE:
        return False
    return _SIGN_OFF.match(text) is not None or all(map(_SIGN_OFF.match, _SEGMENTS.split(text)))


def _block(lines: Sequence[Line], filled: Sequence[int]) -> list[int]:
    """Return the lines of a force signature block at the end: under a sign-off, or clear enough without one.

    With words under it (a postscript, kisses) a block is found by its rank, and by all that stands around that.
    """
    tail = filled[-_LONGEST_BLOCK:]
    first = len(tail)
    while first and not _is_sign_off(lines[tail[first - 1]].text):
        first -= 1
    if first:
        if first < len(tail) and not _CONTACT_LINE.match(lines[tail[first]].text):
            first += 1  # the name
        found = _unmistakable([_judged(lines, index) for index in tail[first:]], contacts=1)
        if found:
            return found
    return [index for run in _runs_at_end(lines, filled) for index in _without_sign_off(run)]


def _runs_at_end(lines: Sequence[Line], filled: Sequence[int]) -> Iterator[Sequence["_Judged"]]:
    """Yield the runs of lines that are no words: the last one, and before it those with a rank in them."""
    recent = filled[-_LAST_FILLED:]
    last: list[_Judged] = []
    for index in reversed(recent):
        each = _judged(lines, index)
        if each.kind is _Kind.WORDS:
            break
        last.insert(0, each)
    yield last
    earlier = recent[: len(recent) - len(last)]
    if not any(_RANK.match(lines[index].text) for index in earlier):
        return
    judged = (_judged(lines, index) for index in earlier)
    for is_words, run in groupby(judged, key=lambda each: each.kind is _Kind.WORDS):
        found = tuple(run)
        if not is_words and len(found) > _LEAST_INNER and any(each.ranked for each in found):
            yield _closed(found)


def _closed(run: Sequence["_Judged"]) -> Sequence["_Judged"]:
    """Return a run without the headings at its end: they belong to the words under it."""
    last = max((place for place, each in enumerate(run) if each.kind is not _Kind.SHORT), default=-1)
    return run[: last + 1]


def _without_sign_off(run: Sequence["_Judged"]) -> list[int]:
    """Return the lines of a run that is a block by itself, without the name above it."""
    nameless = run[1:] if run and run[0].kind is _Kind.SHORT else run
    return _unmistakable(nameless, contacts=2)


class _Judged(NamedTuple):
    """What one line looks like; ``weight`` is how many numbers, addresses and places are in it."""

    place: int
    kind: _Kind
    weight: int
    ranked: bool


def _judged(lines: Sequence[Line], index: int) -> _Judged:
    kinds = _kinds(lines[index].text)
    weight = sum(kind >= _Kind.CONTACT for kind in kinds)
    return _Judged(index, _together(kinds), weight, _RANK.match(lines[index].text) is not None)


def _unmistakable(found: Sequence[_Judged], *, contacts: int) -> list[int]:
    """Return the lines that look like a signature, if one of them can be nothing else."""
    is_forces = any(each.kind is _Kind.FORCE for each in found)
    if not is_forces or sum(each.weight for each in found) < contacts:
        return []
    return [each.place for each in found if each.kind is not _Kind.WORDS]


def _kind(line: Line) -> _Kind:
    return _together(_kinds(line.text))


def _together(kinds: Sequence[_Kind]) -> _Kind:
    """Return what a line of several pieces is: words if one of them is, else the clearest."""
    return _Kind.WORDS if _Kind.WORDS in kinds else max(kinds)


def _kinds(text: str) -> list[_Kind]:
    """Return what each piece of a line is, between bars."""
    if len(text) > _LONGEST_LINE:
        return [_Kind.WORDS]
    if _is_notice(text):
        return [_Kind.SHORT]
    if _speaks(text):
        return [_Kind.WORDS]
    pieces = filter(None, _SEGMENTS.split(text))
    return [_Kind.SHORT if _is_notice(piece) else _kind_of(piece) for piece in pieces] or [_Kind.SHORT]


def _is_notice(text: str) -> bool:
    """Return whether ``text`` is a standing line of a force: nothing in it but a way to reach it and set words."""
    if len(text) > _LONGEST_LINE:
        return False
    left = _REACHED.sub(" ", text)
    words = _WORD.findall(left)
    unknown = [word for word in words if word.lower() not in _NOTICE_WORDS]
    is_duty = text.lower().startswith(("duties", "my duties", "working hours", "my working", "shift"))
    if is_duty:
        unknown = [word for word in unknown if word.lower() != "my"]
    elif left == text or len(words) < _LEAST_NOTICE:
        return False
    names = [word for word in unknown if word[0].isupper()]
    return len(names) == len(unknown) <= (0 if is_duty else _NOTICE_NAMES)


def _kind_of(text: str) -> _Kind:
    if _LABELLED.match(text):
        return _Kind.FORCE
    if _NUMBER_ONLY.match(text) or _POINTER.match(text) or _PICTURE.match(text):
        return _Kind.CONTACT
    return _kind_of_title(text)


def _kind_of_title(text: str) -> _Kind:
    """Return what a line without number or address is: a sentence has words in lower case or ends like one."""
    words = text.split()
    lower = sum(word[0].islower() and word not in _SMALL for word in words)
    if lower > _MAX_LOWER or text[-1] in ".?!" or len(words) > _MANY_WORDS:
        return _Kind.WORDS
    if _RANK.match(text) or _PLACE.search(text):
        return _Kind.FORCE
    if _POSTCODE.search(text) or _STREET.search(text):
        return _Kind.CONTACT
    return _Kind.SHORT if len(words) <= _FEW_WORDS and (not lower or _RULE.match(text)) else _Kind.WORDS


def _speaks(text: str) -> bool:
    """Return whether ``text`` is aimed at somebody, or ends in a kiss."""
    return _SPOKEN.search(text) is not None or _KISS.search(text) is not None


def pieces_of(text: str, lines: Sequence[Line], labels: Sequence[Label], wording: Wording) -> list[Piece]:
    """Return every piece of a text in order: own words without signature and disclaimer, and what is set aside."""
    pieces: list[Piece] = []
    for label, run in _runs_of(lines, labels):
        if label == OWN:
            pieces += parted(text, run, label, wording)
        else:
            start = run[0].start if label.reason is None else run[0].begin
            pieces.append((start, run[-1].end, label))
    return pieces


def _runs_of(lines: Sequence[Line], labels: Sequence[Label]) -> list[tuple[Label, list[Line]]]:
    """Return the runs of lines with one label. Past a bound nobody's mail reaches, the rest is one uncertain run."""
    runs: list[tuple[Label, list[Line]]] = []
    for line, label in zip(lines, labels, strict=True):
        if runs and (not line.text or runs[-1][0] == label or len(runs) > _MAX_RUNS):
            runs[-1][1].append(line)
        elif line.text:
            runs.append((label if len(runs) < _MAX_RUNS else UNSURE, [line]))
    return runs


def joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return ``pieces`` with neighbours of one label made one."""
    whole: list[Piece] = []
    for start, end, label in pieces:
        if whole and whole[-1][2] == label:
            whole[-1] = (whole[-1][0], end, label)
        else:
            whole.append((start, end, label))
    return whole


def has_words(text: str, pieces: Sequence[Piece]) -> bool:
    """Return whether the sender said anything of their own before the sign-off."""
    for start, end, label in pieces:
        if label != OWN:
            continue
        words = text[start:end].strip()
        if _SIGN_OFF.match(words) and _FAREWELL.search(words):
            return False
        if any(character.isalnum() or character > "\u2000" for character in words):
            return True
    return False
