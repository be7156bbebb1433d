"""The officer's own words with the findings marked in them. Pure: passages and findings to pieces of text.

A piece says which findings stand on it, by their number on the page; overlapping findings are cut into pieces that
each have all of theirs. Nothing is escaped here: the templates do that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from gateway.model import Authored, Cut, CutReason, Finding, Passage, PassageKind, Severity

_SHOWN_WHOLE = 20_000
"""Characters of one passage that are shown; the rest is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text, the numbers of the findings on it (none: plain), and how grave the gravest is."""

    text: str
    numbers: tuple[int, ...] = ()
    severity: Severity | None = None
    starts: tuple[int, ...] = ()
    """Findings that begin here: where the page jumps to."""


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
    """Return the message as it is shown; findings are numbered from 1 in their order."""
    numbered = tuple(enumerate(findings, start=1))
    blocks = tuple(_block(passage, numbered) for passage in authored.passages)
    return Words(
        subject=tuple(one for one in blocks if one.passage.kind in _SUBJECT),
        body=tuple(one for one in blocks if one.passage.kind not in _SUBJECT | _FILES),
        files=tuple(one for one in blocks if one.passage.kind in _FILES),
        quoted=tuple(cut for cut in authored.cuts if cut.reason in _QUOTED),
        aside=tuple(cut for cut in authored.cuts if cut.reason not in _QUOTED),
    )


def _block(passage: Passage, numbered: tuple[tuple[int, Finding], ...]) -> Block:
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
    shown = max([_SHOWN_WHOLE, *(end for *_, end in spans)])
    text = passage.text[:shown]
    return Block(passage=passage, pieces=tuple(_pieces(text, spans)), left_out=len(passage.text) - len(text))


def _pieces(text: str, spans: list[tuple[int, Severity, int, int]]) -> Iterator[Piece]:
    """Yield ``text`` cut at every edge of a span."""
    edges = sorted({0, len(text), *(edge for _, _, start, end in spans for edge in (start, end))})
    gravity = tuple(Severity)
    for begin, stop in pairwise(edges):
        on = [span for span in spans if span[2] <= begin and stop <= span[3]]
        yield Piece(
            text=text[begin:stop],
            numbers=tuple(span[0] for span in on),
            severity=max((span[1] for span in on), key=gravity.index, default=None),
            starts=tuple(span[0] for span in on if span[2] == begin),
        )
