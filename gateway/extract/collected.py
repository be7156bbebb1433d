"""What has been read of a message so far: decoded texts, passages, cuts, what could not be read, and what is left.

Owns the budget of characters, the offsets, and the order in which things come out. Refuses to know MIME and quotes:
`reading` and `parting` say what is what. Part of *extract*.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from gateway.extract.alternatives import Follower, Reference
from gateway.extract.decoding import Note, is_garbage
from gateway.extract.language import ENGLISH, languages
from gateway.extract.quotes import Label
from gateway.model import (
    Authored,
    Cut,
    CutReason,
    Headers,
    Limits,
    Passage,
    PassageKind,
    Unreadable,
    UnreadableReason,
)

_REPEATED = Label(CutReason.REPEATED)
_SHARE_OF_OTHERS = 8
"""One letter among so many that may be decoded. A second reading costs what the first does, and says little new."""
_SAYS_SOMETHING = re.compile(r"\w")


class Collected:
    """The texts of a message by part name, and what was found in them."""

    def __init__(self, limits: Limits) -> None:
        """Collect within ``limits``."""
        self.limits = limits
        self.left = limits.max_decoded_chars
        """Characters that may still be decoded."""
        self.left_for_others = limits.max_decoded_chars // _SHARE_OF_OTHERS
        """As many of them for second readings, all of them together."""
        self.texts: dict[str, str] = {}
        self.passages: list[Passage] = []
        self.cuts: list[Cut] = []
        self.unreadable: list[Unreadable] = []

    def take(self, part: str, text: str) -> str:
        """Keep ``text`` as the decoded text of ``part``, as far as the budget goes, and return that much of it."""
        self.texts[part] = text = self.within_budget(part, text)
        return text

    def within_budget(self, part: str, text: str) -> str:
        """Return as much of ``text`` as may still be decoded, and take it off the budget."""
        if len(text) > self.left:
            text = text[: max(self.left, 0)]
            self.note_over_budget(part)
        self.left -= len(text)
        return text

    def fresh(self, part: str) -> str:
        """Return a name for another reading of ``part`` that is not taken: ``body~2``, ``body~3``."""
        number = 2
        while f"{part}~{number}" in self.texts:
            number += 1
        return f"{part}~{number}"

    def passage(
        self,
        part: str,
        kind: PassageKind,
        start: int,
        end: int,
        *,
        uncertain: bool = False,
        hidden: bool = False,
    ) -> None:
        """Keep what stands at ``start`` to ``end`` of ``part``, without white space around it, as the sender's words."""
        start, end = _trimmed(self.texts[part], start, end)
        if start < end:
            text = self.texts[part][start:end]
            self.passages.append(
                Passage(
                    part=part, kind=kind, text=text, start=start, end=end, uncertain=uncertain, hidden=hidden
                )
            )

    def cut(self, part: str, start: int, end: int, label: Label) -> None:
        """Set aside what stands at ``start`` to ``end`` of ``part`` for the reason ``label`` gives."""
        start, end = _trimmed(self.texts[part], start, end)
        if start < end and label.reason is not None:
            self.cuts.append(
                Cut(
                    part=part,
                    text=self.texts[part][start:end],
                    start=start,
                    end=end,
                    reason=label.reason,
                    speaker=label.speaker,
                    attributed=label.attributed,
                    doubts=label.doubts,
                    inner=label.inner,
                )
            )

    def note(
        self, part: str, reason: UnreadableReason, detail: str, sha256: str = "", media: str = ""
    ) -> None:
        """Name something that was not read, or not read for certain."""
        self.unreadable.append(
            Unreadable(part=part, reason=reason, detail=detail, sha256=sha256, media=media[:80])
        )

    def note_from(self, part: str, note: Note | None) -> None:
        """Name what decoding found, if anything."""
        if note:
            self.note(part, note.reason, note.detail)

    def note_over_budget(self, part: str) -> None:
        """Say that there is more text than may be decoded."""
        limit = self.limits.max_decoded_chars
        self.note(part, UnreadableReason.SIZE, f"more than {limit} characters of text; the rest was not read")

    def undo(self, texts: dict[str, str], passages: int, cuts: int) -> None:
        """Forget what was read since there were these texts and so many passages and cuts: it says nothing new.

        A text that was there may have grown: a second look into a file adds to what the first one found.
        """
        self.texts.clear()
        self.texts.update(texts)
        del self.passages[passages:]
        del self.cuts[cuts:]

    def brings(self, known: Reference, read: Callable[[], None], *, cuts: bool = False) -> bool:
        """Call ``read``, which reads something in a second way, and keep what ``known`` does not say.

        Return whether any of it is the officer's. What says nothing new leaves no trace. ``cuts``: words of others that
        are new are kept too; two alternatives need not quote alike.
        """
        before = dict(self.texts), len(self.passages), len(self.cuts)
        left = self.left
        self.left = at_most = min(left, self.left_for_others)
        read()
        used = at_most - self.left
        self.left, self.left_for_others = left - used, self.left_for_others - used
        first = before[1]
        self._drop_garbage(first)
        is_new = self.set_aside(first, known)
        if not (is_new or (cuts and self._cuts_say_more(before[2], known))):
            self.undo(*before)
        return is_new

    def _cuts_say_more(self, first: int, known: Reference) -> bool:
        follower = Follower(known)
        cuts = (cut for cut in self.cuts[first:] if cut.reason is not CutReason.REPEATED)
        return any(not said for cut in cuts for _, said in follower.repeats(cut.text, cut.start))

    def _drop_garbage(self, first: int) -> None:
        """Set aside what came of decoding a text the wrong way: it gives no other text, but none."""
        read = self.passages[first:]
        self.passages[first:] = [passage for passage in read if not is_garbage(passage.text)]
        for passage in read:
            if is_garbage(passage.text):
                self.cut(passage.part, passage.start, passage.end, _REPEATED)

    def set_aside(self, first: int, reference: Reference) -> bool:
        """Set aside what the passages from number ``first`` on repeat of ``reference``; return whether words remain."""
        mine = self.passages[first:]
        del self.passages[first:]
        if reference.says([passage.text for passage in mine]):
            for passage in mine:
                self.cut(passage.part, passage.start, passage.end, _REPEATED)
            return False
        follower = Follower(reference)
        for passage in mine:
            self._keep_new(passage, follower.repeats(passage.text, passage.start))
        return any(_SAYS_SOMETHING.search(passage.text) for passage in self.passages[first:])

    def _keep_new(self, passage: Passage, lines: list[tuple[tuple[int, int], bool]]) -> None:
        for is_known, run in groupby(lines, key=lambda line: line[1]):
            spans = [span for span, _ in run]
            start, end = spans[0][0], spans[-1][1]
            if is_known:
                self.cut(passage.part, start, end, _REPEATED)
            else:
                self.passage(
                    passage.part, passage.kind, start, end, uncertain=passage.uncertain, hidden=passage.hidden
                )

    def within_lines(self, part: str, text: str) -> str:
        """Return as many lines of ``text`` as are judged of a message, so that no more need be looked at."""
        lines = text.split("\n", self.limits.max_lines)
        if len(lines) <= self.limits.max_lines:
            return text
        self._note_lines(part)
        return "\n".join(lines[: self.limits.max_lines])

    def _note_lines(self, part: str) -> None:
        detail = f"more than {self.limits.max_lines} lines; the rest was not read"
        self.note(part, UnreadableReason.SIZE, detail)

    def authored(self, headers: Headers) -> Authored:
        """Return all of it, in reading order, with passages parted where their language changes."""
        order = {part: place for place, part in enumerate(self.texts)}

        def place(piece: Passage | Cut) -> tuple[int, int]:
            return order[piece.part], piece.start

        pieces = (piece for passage in self.passages for piece in _by_language(passage))
        passages = tuple(self._few_lines(sorted(pieces, key=place)))
        return Authored(
            headers=headers,
            passages=passages,
            cuts=tuple(sorted(self.cuts, key=place)),
            unreadable=tuple(dict.fromkeys(self.unreadable)),
        )

    def _few_lines(self, passages: Sequence[Passage]) -> Iterator[Passage]:
        """Yield as many lines as are judged, and name the parts of which some are left out."""
        left = self.limits.max_lines
        for passage in passages:
            lines = passage.text.split("\n", max(left, 0))
            if len(lines) > left:
                self._note_lines(passage.part)
                text = "\n".join(lines[: max(left, 0)]).rstrip()
                if text:
                    yield replace(passage, text=text, end=passage.start + len(text))
            else:
                yield passage
            left -= len(lines)


def _by_language(passage: Passage) -> Sequence[Passage]:
    """Return ``passage`` with its language, in pieces where there are several."""
    runs = languages(passage.text)
    if not runs:
        return [passage]
    size = len(passage.text)
    if len(runs) == 1 and runs[0][2] == ENGLISH:
        return [_piece(passage, 0, size, ENGLISH)]
    pieces = []
    position = 0
    for start, end, code in [*runs, (size, size, "")]:
        for begin, stop, language in ((position, start, ""), (start, end, code)):
            left, right = _trimmed(passage.text, begin, stop)
            if left < right:
                pieces.append(_piece(passage, left, right, language))
        position = end
    return pieces


def _piece(passage: Passage, start: int, end: int, language: str) -> Passage:
    return Passage(
        part=passage.part,
        kind=passage.kind,
        text=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
        uncertain=passage.uncertain,
        hidden=passage.hidden,
        language=language,
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return ``start`` and ``end`` without white space at either side."""
    stripped = text[start:end].lstrip()
    start = end - len(stripped)
    return start, start + len(stripped.rstrip())
