"""The officer's own words with the findings marked in them. Pure: passages and findings to pieces of text.

A piece says which findings stand on it, by their number on the page; overlapping findings are cut into pieces that
each have all of theirs. Nothing is escaped here: the templates do that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from gateway.model import Authored, Cut, CutReason, Finding, Passage, PassageKind, Severity

_SHOWN_WHOLE = 20_000
"""Characters of one passage that are shown from its beginning; the rest is named, but for what was found in it."""
_SHOWN_IN_ALL = 300_000
"""Characters of all passages, and of all that was set aside, that are shown so: a page that a telephone can still open."""
_ROUND = 300
"""Characters shown on either side of a finding that stands further on."""
_LONGEST = 2_000
"""Characters of one finding that are marked further on."""
_MARKED = 200
"""Findings that are marked; the list beside the message names them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text, the numbers of the findings on it (none: plain), and how grave the gravest is."""

    text: str
    numbers: tuple[int, ...] = ()
    severity: Severity | None = None
    starts: tuple[int, ...] = ()
    """Findings that begin here: where the page jumps to."""
    skipped: int = 0
    """Characters left out before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One passage, cut into pieces. ``left_out`` counts characters past what is shown."""

    passage: Passage
    pieces: tuple[Piece, ...]
    left_out: int

    @property
    def is_marked(self) -> bool:
        """True when a finding stands on it."""
        return any(piece.numbers for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message as it is shown: what was written now, by where it stands, and what was set aside."""

    subject: tuple[Block, ...]
    body: tuple[Block, ...]
    files: tuple[Block, ...]
    quoted: tuple[Cut, ...]
    aside: tuple[Cut, ...]


_SUBJECT = frozenset({PassageKind.SUBJECT, PassageKind.HEADER})
_FILES = frozenset({PassageKind.ATTACHMENT, PassageKind.ATTACHMENT_NAME, PassageKind.CALENDAR})
_QUOTED = frozenset({CutReason.QUOTED, CutReason.FORWARDED})


def words(authored: Authored, findings: Iterable[Finding]) -> Words:
    """Return the message as it is shown; findings are numbered from 1 in their order.

    However long the message is, what is shown of it is bounded, and every finding but the last of very many is in it.
    """
    numbered = tuple(enumerate(findings, start=1))[:_MARKED]
    blocks, left = [], _SHOWN_IN_ALL
    for passage in authored.passages:
        whole = min(_SHOWN_WHOLE, left)
        left -= min(whole, len(passage.text))
        blocks.append(_block(passage, numbered, whole))
    cuts, left = [], _SHOWN_IN_ALL
    for cut in authored.cuts:
        shown = cut.text[: min(_SHOWN_WHOLE, left)]
        left -= len(shown)
        if shown or not cut.text:
            cuts.append(replace(cut, text=shown))
    return Words(
        subject=tuple(one for one in blocks if one.passage.kind in _SUBJECT),
        body=tuple(one for one in blocks if one.passage.kind not in _SUBJECT | _FILES),
        files=tuple(one for one in blocks if one.passage.kind in _FILES),
        quoted=tuple(cut for cut in cuts if cut.reason in _QUOTED),
        aside=tuple(cut for cut in cuts if cut.reason not in _QUOTED),
    )


def _block(passage: Passage, numbered: tuple[tuple[int, Finding], ...], whole: int) -> Block:
    spans = [
        (
            number,
            one.severity,
            max(0, one.start - passage.start),
            min(len(passage.text), one.end - passage.start),
        )
        for number, one in numbered
        if one.part == passage.part and one.start is not None and one.end is not None
    ]
    spans = [span for span in spans if span[2] < span[3]]
    pieces, skipped, at = [], 0, 0
    for begin, end in _windows(len(passage.text), spans, whole):
        here = list(_pieces(passage.text, spans, begin, end))
        if begin > at and here:
            here[0] = replace(here[0], skipped=begin - at)
        skipped += begin - at
        pieces += here
        at = end
    left_out = skipped + len(passage.text) - at
    return Block(passage=passage, pieces=tuple(pieces), left_out=left_out)


def _windows(
    length: int, spans: list[tuple[int, Severity, int, int]], whole: int
) -> Iterator[tuple[int, int]]:
    """Yield what is shown of a text, from where to where: its beginning, and what stands round each finding."""
    wanted = [(0, min(length, whole))]
    for _, _, start, end in spans:
        if end > whole:
            wanted.append((max(0, start - _ROUND), min(length, end + _ROUND, start + _LONGEST)))
    begin, stop = 0, 0
    for first, last in sorted(wanted):
        if first > stop:
            if stop > begin:
                yield begin, stop
            begin = first
        stop = max(stop, last)
    if stop > begin:
        yield begin, stop


def _pieces(text: str, spans: list[tuple[int, Severity, int, int]], begin: int, end: int) -> Iterator[Piece]:
    """Yield ``text`` from ``begin`` to ``end``, cut at every edge of a span."""
    inside = [span for span in spans if span[2] < end and begin < span[3]]
    edges = {begin, end, *(edge for span in inside for edge in span[2:] if begin < edge < end)}
    gravity = tuple(Severity)
    for first, last in pairwise(sorted(edges)):
        on = [span for span in inside if span[2] <= first and last <= span[3]]
        yield Piece(
            text=text[first:last],
            numbers=tuple(span[0] for span in on),
            severity=max((span[1] for span in on), key=gravity.index, default=None),
            starts=tuple(span[0] for span in on if span[2] == first),
        )
