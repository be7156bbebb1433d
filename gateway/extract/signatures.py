"""Signature blocks and disclaimers at the end of what the sender wrote.

Owns the recognition of ``-- ``, of force signature blocks (rank, collar number, telephone, unit, address), of the
line a telephone adds ("Sent from my iPhone"), and the cutting of disclaimers. Refuses to know quotes: it is given
lines that are the sender's own. Stands in *extract* after `quotes`.

The sign-off ("Kind regards") and the name under it stay: a kiss stands there. Below a signature mark only what looks
like a signature is cut; a sentence, a kiss or a private number with words around it is the sender's, wherever it
stands.
"""

import re
from collections.abc import Sequence
from enum import IntEnum

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
    r"^(?:(?:T|A)/|(?:Acting|Temporary|Trainee|Student)\s+)?(?:PC|DC|PS(?=\s+\d{3})|DS|DI|DCI|DSupt|Insp|Sgt|PCSO|TDC|SOIT|SOLO|FLO|OIC|STO|VLO"
    r"|Police\s+(?:Constable|Sergeant|Community|Staff|Officer|Inspector)|Detective\b.*|(?:Chief\s+)?(?:Constable|Sergeant|Inspector"
    r"|Superintendent)|(?:Civilian\s+|Lead\s+)?Investigat(?:or|ing Officer|ions? Officer)"
    r"|(?:Witness|Victim|Family|Sexual|Domestic|Safeguarding|Exhibits|Disclosure|Neighbourhood|Response)\b.{0,40}\b(?:Officer|Advisor"
    r"|Adviser|Liaison|Care|Manager|Coordinator|Investigator))\b"
)
_LABELLED = re.compile(
    r"^(?:t|tel|telephone|phone|ph|m|mob|mobile|cell|dd|d|direct(?:\s+(?:line|dial))?|ext(?:n|ension)?|fax|f|office|switchboard|w|web|website"
    r"|e|email|e-mail|twitter|facebook|address|non-emergency|emergency|collar|collar\s+n\w*|warrant\s+n\w*|shoulder\s+n\w*|base|station)\s*"
    r"(?:[:.|]|(?=[+(\d]))\s*\S",
    re.IGNORECASE,
)
_NUMBER_ONLY = re.compile(r"^[\d\s()+./|x-]*\d{3}[\d\s()+./|-]*(?:ext?\.?\s*\d+)?[\s|]*$", re.IGNORECASE)
_POINTER = re.compile(r"^[<\[(]*(?:mailto:)?(?:\S+@\S+\.\S+|https?://\S+|www\.\S+|@\w+)[>\])]*(?:\s*<\S+>)?$")
_REACHES = re.compile(r"\S@\S|https?://|www\.|\d{3}[\d\s().-]{3,}\d")
"""A line with an address or a number in it: under a signature mark that is enough."""
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b")
_PLACE = re.compile(
    r"\b(?:Constabulary|Police|CID|PPU|MASH|RASSO|Headquarters|HQ|Unit|Team|Department|Dept|Directorate|Command|Hub|Division|Service"
    r"|Investigations?|Station|House|Street|Road|Lane|Avenue|Way|Square|Partnership|Neighbourhood)\b"
)
_PICTURE = re.compile(r"^(?:\[(?:cid|image)[^\]]*\]|<image\d+\.\w+>)+$")
_CONTACT_LINE = re.compile(
    rf"{_LABELLED.pattern}|{_NUMBER_ONLY.pattern}|{_POINTER.pattern}|{_PICTURE.pattern}", re.IGNORECASE
)
_RULE = re.compile(r"^[-_=*~|.\s]{3,}$")
_TELEPHONE = re.compile(
    r"^(?:Sent from (?:my|Outlook|Mail|Yahoo|Samsung|a|the)\b.{0,60}|Get Outlook for\b.{0,80}|Sent (?:with|via)\b.{0,60})$",
    re.IGNORECASE,
)


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
            end = disclaimer_end(text, start, limit, wording)
        if end > start:
            pieces.append((start, end, DISCLAIMER))
            covered = end
        left = text[end : line.end].strip()
        if left or not line.text:
            rest.append(line if end == line.start else Line(end, end, line.end, left, mark=line.mark))
    return pieces, rest


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
    if _kind(line) is not _Kind.WORDS or _SIGN_OFF.match(line.text):
        return False
    return _speaks(line.text) or line.text[-1] in "?!" or not _REACHES.search(line.text)


def _block(lines: Sequence[Line], filled: Sequence[int]) -> list[int]:
    """Return the lines of a force signature block at the end: under a sign-off, or clear enough without one."""
    tail = filled[-_LONGEST_BLOCK:]
    first = len(tail)
    while first and not _SIGN_OFF.match(lines[tail[first - 1]].text):
        first -= 1
    if first:
        if first < len(tail) and not _CONTACT_LINE.match(lines[tail[first]].text):
            first += 1  # the name
        return _unmistakable([(index, _kind(lines[index])) for index in tail[first:]], contacts=1)
    found: list[tuple[int, _Kind]] = []
    for index in reversed(tail):
        kind = _kind(lines[index])
        if kind is _Kind.WORDS:
            break
        found.insert(0, (index, kind))
    if found and found[0][1] is _Kind.SHORT:
        del found[0]  # the name
    return _unmistakable(found, contacts=2)


def _unmistakable(found: Sequence[tuple[int, _Kind]], *, contacts: int) -> list[int]:
    """Return the lines that look like a signature, if one of them can be nothing else."""
    kinds = [kind for _, kind in found]
    if _Kind.FORCE not in kinds or sum(kind >= _Kind.CONTACT for kind in kinds) < contacts:
        return []
    return [index for index, kind in found if kind is not _Kind.WORDS]


def _kind(line: Line) -> _Kind:
    text = line.text
    if len(text) > _LONGEST_LINE or _speaks(text):
        return _Kind.WORDS
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
    if _POSTCODE.search(text):
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
