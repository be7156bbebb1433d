"""One text taken apart: its lines and what is hidden in it to passages and cuts.

Owns the order of quotes, doubts, signatures and disclaimers over one decoded text. Refuses to know where the text came
from. Stands in *extract* between the readers of text and `collected`; `reading` calls it for each text of a message.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass

from gateway.extract.collected import Collected
from gateway.extract.disclaimers import Wording
from gateway.extract.doubts import doubted
from gateway.extract.layout import with_marks
from gateway.extract.markup import Aside, Rendered
from gateway.extract.quotes import OWN, UNSURE, Label, labelled, undone
from gateway.extract.signatures import has_words, joined, pieces_of
from gateway.model import CutReason, Headers, PassageKind

_MAX_LINES = 50_000
"""Lines of one text that are looked at for quotes; what follows stays, marked uncertain."""
_REPLIES = r"re|aw|sv|vs|antw|odp|res|rif|ymateb|atb|automatic reply|auto-reply|autoreply|out of office|ateb awtomatig|accepted|declined|tentative"
_FORWARDS = r"fw|fwd|wg|tr|vb|rv|enc|doorst|ymlaen|yml|anfon ymlaen"
_PREFIX_END = r"\s*(?:\[\d+\]|\(\d+\))?\s*:"
_REPLY_PREFIX = re.compile(rf"(?:\s*(?:{_REPLIES}|{_FORWARDS}){_PREFIX_END})+\s*", re.IGNORECASE)
_FORWARD_PREFIX = re.compile(
    rf"\s*(?:(?:{_REPLIES}){_PREFIX_END}\s*)*(?:{_FORWARDS}){_PREFIX_END}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What the message around a text says that matters for its quotes."""

    headers: Headers
    wording: Wording

    @property
    def is_reply(self) -> bool:
        """True when the mail answers another."""
        return bool(self.headers.in_reply_to or self.headers.references)

    @property
    def is_forward(self) -> bool:
        """True when the subject says that it passes another on."""
        return _FORWARD_PREFIX.match(self.headers.subject) is not None


def own_subject_from(subject: str) -> int:
    """Return where the sender's words begin in a subject, behind "Re:" and its like; 0 without one."""
    prefix = _REPLY_PREFIX.match(subject)
    return prefix.end() if prefix else 0


def part_text(
    out: Collected, part: str, view: Rendered, frame: Frame, *, uncertain: bool = False
) -> list[Label]:
    """Take the lines of ``part`` apart: own words, quotes, signature, disclaimer. Return what each line is."""
    lines, rest = with_marks(view.lines[:_MAX_LINES], view.text), view.lines[_MAX_LINES:]
    labels = labelled(lines, reply_headers=frame.is_reply, forward=frame.is_forward)
    labels = doubted(labels, frame.headers)
    pieces = pieces_of(view.text, lines, labels, frame.wording)
    if any(label.reason is CutReason.QUOTED for label in labels) and not has_words(view.text, pieces):
        labels = undone(labels)
        pieces = pieces_of(view.text, lines, labels, frame.wording)
    if rest:
        pieces.append((rest[0].begin, rest[-1].end, UNSURE))
    for start, end, label in joined(pieces):
        if label.reason is None:
            out.passage(part, PassageKind.BODY, start, end, uncertain=uncertain or label.uncertain)
        else:
            out.cut(part, start, end, label)
    return labels


def whole_text(
    out: Collected, part: str, view: Rendered, kind: PassageKind, *, uncertain: bool = False
) -> None:
    """Take all of ``part`` as the sender's words, as in a file, where nothing is a quote."""
    visible = view.lines[-1].end if view.lines else 0
    out.passage(part, kind, 0, visible, uncertain=uncertain)
    part_asides(out, part, view, [OWN] * len(view.lines), uncertain=uncertain)


def part_asides(
    out: Collected, part: str, view: Rendered, labels: list[Label], *, uncertain: bool = False
) -> None:
    """Take hidden and alternative text: it is what the line is that it stood in. Neighbours are taken together."""
    begins = [line.begin for line in view.lines]
    taken: list[tuple[int, int, bool, PassageKind, Label]] = []
    for aside in view.asides:
        label = _label_at(aside, begins, labels)
        if taken and taken[-1][2:] == (aside.hidden, aside.kind, label):
            taken[-1] = (taken[-1][0], aside.end, aside.hidden, aside.kind, label)
        else:
            taken.append((aside.start, aside.end, aside.hidden, aside.kind, label))
    for start, end, hidden, kind, label in taken:
        if label.reason is None:
            out.passage(part, kind, start, end, uncertain=uncertain or label.uncertain, hidden=hidden)
        else:
            out.cut(part, start, end, label)


def _label_at(aside: Aside, begins: list[int], labels: list[Label]) -> Label:
    """Return what the line is that ``aside`` stood in. Inside a quote block it may also stand at the end of a line."""
    places = (aside.at, aside.at - 1) if aside.claimed else (aside.at,)
    lines = (bisect_right(begins, place) - 1 for place in places)
    found = [labels[line] if 0 <= line < len(labels) else OWN for line in lines]
    return next((label for label in found if label.reason is not None), found[0])
