"""Which lines the sender wrote now, and which are quoted: lines to labels.

Owns the layouts with which mail programs introduce and mark a quoted or forwarded mail: Gmail, Outlook, Apple Mail,
Thunderbird, Yahoo, Notes, and bare ``>``. Refuses to know signatures and disclaimers. Stands in *extract* after the
readers and before `signatures`.

Two errors are possible and they are not alike. A victim's words held against the officer are a false alarm; an
officer's words taken for a quote are an evasion, and quote marks are easily forged. So nothing is a quote on the
strength of its marks alone: marked lines need an introduction or reply headers, unmarked lines need both or a whole
header block. Whatever falls short stays, marked uncertain. A cut says whether it was introduced (``attributed``) and
by whom it is said to be; `inspection` compares it with mail that was really sent (docs/decisions).

Only a header block ends the sender's words for good: the programs that write one put the sender's words above it.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway.extract.layout import Line, Mark
from gateway.model import CutReason


class Label(NamedTuple):
    """What a line is: the sender's own words (no reason), or set aside."""

    reason: CutReason | None = None
    speaker: str = ""
    attributed: bool = False
    uncertain: bool = False


OWN = Label()
UNSURE = Label(uncertain=True)

_LONGEST_ATTRIBUTION = 400
_ATTRIBUTION_LINES = 4
_FULL_LINE = 60
_FIRST_CHARACTERS = frozenset("-_=*FfSsDdBbOAIQC0123456789")
_FRAGMENT_WORDS = 4

_ADDRESS = r"<?[^\s<>@\"(]+@[^\s<>@)]+>?"
_ATTRIBUTION_END = re.compile(
    r"(?:\b(?:wrote|writes|said|wrote back)\b[^:]{0,20}|[>)\]])\s*:\s*$", re.IGNORECASE
)
_DATED = re.compile(
    r"^(?:On|At|In)\b.*(?:\d{1,2}[:.]\d{2}|\d{4}|\d{1,2}/\d{1,2}|<[^<>@\s]+@).*\b(?:wrote|writes|said)\b[^:]{0,20}:$"
)
_DATE_FIRST = re.compile(r"^\d{1,4}[-/. ][\w/. -]{2,40}.*(?:\b(?:wrote|writes)\b|<[^<>@\s]+@[^<>\s]+>)\s*:$")
_ADDRESSED = re.compile(rf"^[^:]{{0,120}}{_ADDRESS}[)\]>]?\s*(?:\bwrote|\bwrites|\bsaid)\b[^:]{{0,20}}:$")
_QUOTING = re.compile(rf"^(?:Quoting|Citing)\b.{{0,160}}:$|^\* .{{0,160}}{_ADDRESS}.{{0,60}}:$")
_NAMED = re.compile(
    r"^(?:[A-Z][\w.'\u2019,-]*\s+){0,5}[A-Z][\w.'\u2019-]*(?:\s+\([^()]{1,60}\))?\s+(?:wrote|writes)\s*:$"
)
_NAME_ONLY = re.compile(r"^(?:[A-Z][\w.'\u2019-]*\s+){1,3}[A-Z][\w.'\u2019-]*\s*:$")
_MESSAGE_ID = re.compile(r"^In (?:message|article)\s*<[^<>]*>\s*,?")
_SPEAKER_ADDRESS = re.compile(r"[^\s<>@\"(:,;]+@[^\s<>@),;:\]]+")
_SPEAKER_NAME = re.compile(
    r"(?:^|[,\d]|[AP]M|GMT|BST|UTC)\s*([^,\d<>():]+?)\s*(?:<|\(|\b(?:wrote|writes|said)\b)"
)

_FIELD = re.compile(
    r"^[*_\s]*(From|Sent|Date|To|Cc|Bcc|Subject|Reply-To|Importance|Attachments|When|Where)\s*[*_]*\s*:[*_\s]*(.*)$",
    re.IGNORECASE,
)
_MAX_BLOCK_LINES = 40
_LEAST_FIELDS = 3
_MAX_BLOCKS_TRIED = 5
_DIVIDER = re.compile(
    r"(?:Original (?:Message|Appointment)|Reply Message|Forwarded message|Forwarded by\b.*)\Z", re.IGNORECASE
)
_DIVIDER_WORDS = re.compile(
    r"(?:Begin forwarded message|Forwarded message|Start of forwarded message)\s*:?\Z", re.IGNORECASE
)
_FORWARDING = re.compile(r"forwarded", re.IGNORECASE)
_FORWARDED_BY = re.compile(r"forwarded by .*\d", re.IGNORECASE)
_RULE = re.compile(r"^[_=-]{5,}$")


def labelled(lines: Sequence[Line], *, reply_headers: bool, forward: bool) -> list[Label]:
    """Return one label a line.

    ``reply_headers``: In-Reply-To or References stand in the header. ``forward``: the subject says that this is a
    forwarded mail.
    """
    return _Cutter(lines, reply_headers=reply_headers, forward=forward).labels()


class _Cutter:
    """One pass over the lines of one text."""

    def __init__(self, lines: Sequence[Line], *, reply_headers: bool, forward: bool) -> None:
        self.lines = lines
        self.reply_headers = reply_headers
        self.forward = forward
        self.result = [OWN] * len(lines)
        self.speaker = ""
        self.blocks_tried = 0
        self.introduced = False
        """An attribution was seen: later marked lines continue that quote."""
        self.reason = CutReason.QUOTED
        self.rest: Label | None = None
        """The label of everything that follows."""

    def labels(self) -> list[Label]:
        """Label every line."""
        index = 0
        while index < len(self.lines):
            if self.rest is not None:
                self.result[index] = self.rest
                index += 1
            elif self._is_marked(self.lines[index]):
                self._introduce_itself(index)
                self.result[index] = self._marked()
                index += 1
            else:
                index = self._unmarked(index)
        if any(label is not OWN for label in self.result):
            self._fill_blanks()
            self._doubt_fragments()
        return self.result

    def _is_marked(self, line: Line) -> bool:
        return bool(line.depth) or (line.indented and self.introduced)

    def _introduce_itself(self, index: int) -> None:
        """Look for a header block inside the quote marks, as Outlook with internet-style quoting writes it."""
        if self.introduced or self.blocks_tried >= _MAX_BLOCKS_TRIED or not self.lines[index].text:
            return
        self.blocks_tried += 1
        divided = _is_divider(self.lines[index].text)
        after = self._next(index + 1) if divided else index
        if after < len(self.lines) and self.lines[after].depth and self._block(after, divided=divided):
            self.introduced = True
            if divided and _FORWARDING.search(self.lines[index].text):
                self.reason = CutReason.FORWARDED

    def _marked(self) -> Label:
        if self.introduced:
            return Label(self.reason, self.speaker, attributed=True)
        return Label(CutReason.QUOTED) if self.reply_headers else UNSURE

    def _unmarked(self, index: int) -> int:
        """Label the unmarked line at ``index`` and what belongs to it; return the next line to look at."""
        line = self.lines[index]
        if not _may_introduce(line):
            return index + 1
        divider = _is_divider(line.text)
        after = self._next(index + 1) if divider or _RULE.match(line.text) else index
        if after < len(self.lines) and not self._is_marked(self.lines[after]):
            end = self._block(after, divided=divider)
            if end:
                return self._begin_block(index, end, forward=divider and bool(_FORWARDING.search(line.text)))
        if divider:
            return self._begin_divided(index, after)
        length = self._attribution(index)
        if not length and index + 1 < len(self.lines) and self.lines[index + 1].depth:
            length = int(_NAME_ONLY.match(line.text) is not None)
        return self._introduce(index, length) if length else index + 1

    def _next(self, index: int) -> int:
        while index < len(self.lines) and not self.lines[index].text:
            index += 1
        return index

    def _block(self, start: int, *, divided: bool) -> int:
        """Return where the header block that begins at ``start`` ends, or 0 when none begins there.

        Without a divider above it a block begins with From and has three fields: a list of appointments does not.
        """
        claimed = self.lines[start].mark is Mark.HEADER_BLOCK
        first = _FIELD.match(self.lines[start].text)
        if not claimed and not (first and (divided or first[1].lower() == "from")):
            return 0
        seen: dict[str, str] = {}
        end = start
        for index in range(start, min(start + _MAX_BLOCK_LINES, len(self.lines))):
            match = _FIELD.match(self.lines[index].text)
            if match is None:
                if not self.lines[index].text and seen:
                    break
                continue
            if match[1].lower() == "from" and "from" in seen:
                break
            seen.setdefault(match[1].lower(), match[2])
            end = index + 1
        dated = not {"sent", "date"}.isdisjoint(seen)
        if seen.get("from") and (dated or {"to", "subject"} <= seen.keys()) and len(seen) >= _LEAST_FIELDS:
            self.speaker = _speaker(seen["from"])
            return end
        return start + 1 if claimed else 0

    def _begin_block(self, index: int, end: int, *, forward: bool) -> int:
        """Set aside a header block and everything under it."""
        reason = CutReason.FORWARDED if forward or self.forward else CutReason.QUOTED
        label = Label(reason, self.speaker, attributed=True)
        for place in range(index, end):
            self.result[place] = label
        after = self._next(end)
        answered = any(line.text for line in self.lines[:index])
        if after < len(self.lines) and self.lines[after].depth and not answered:
            # Outlook Express: every quoted line is marked, and the answers stand between them.
            self.introduced, self.reason = True, reason
        else:
            self.rest = label
        return end

    def _begin_divided(self, index: int, after: int) -> int:
        """Set aside what follows a divider that has no header block, or only part of one, under it."""
        text = self.lines[index].text
        reason = CutReason.FORWARDED if _FORWARDING.search(text) else CutReason.QUOTED
        end = after
        while end < min(after + _LEAST_FIELDS, len(self.lines)) and _FIELD.match(self.lines[end].text):
            end += 1
        marked = self._next(end)
        if marked < len(self.lines) and self.lines[marked].depth:
            self.introduced, self.reason = True, reason
            for place in range(index, end):
                self.result[place] = Label(reason, attributed=True)
            return max(end, index + 1)
        attributed = _FORWARDED_BY.search(text) is not None
        self.rest = Label(reason, attributed=attributed) if attributed or self.reply_headers else UNSURE
        self.result[index] = self.rest
        return index + 1

    def _attribution(self, start: int) -> int:
        """Return how many lines from ``start`` are an attribution ("On ... wrote:"), or 0."""
        marked = [
            line.mark is Mark.ATTRIBUTION for line in self.lines[start : start + _ATTRIBUTION_LINES + 1]
        ]
        if marked[0] and False in marked:
            length = marked.index(False)
            joined = " ".join(line.text for line in self.lines[start : start + length])
            if joined.endswith(":") and len(joined) <= _LONGEST_ATTRIBUTION:
                return length
        joined = ""
        for count in range(1, _ATTRIBUTION_LINES + 1):
            if start + count > len(self.lines):
                break
            line = self.lines[start + count - 1]
            if not line.text or self._is_marked(line) or len(joined) > _LONGEST_ATTRIBUTION:
                break
            joined = f"{joined} {line.text}".strip()
            if _ATTRIBUTION_END.search(line.text) and _is_attribution(joined, alone=count == 1):
                return count
            if (
                count == 1
                and not joined.startswith(("On ", "At ", "In "))
                and "@" not in joined
                and not joined[:1].isdigit()
            ):
                break
        return 0

    def _introduce(self, index: int, length: int) -> int:
        """Set aside an attribution and let it speak for the quote that follows, if one does."""
        joined = " ".join(line.text for line in self.lines[index : index + length])
        after = self._next(index + length)
        follows = self.lines[after] if after < len(self.lines) else None
        if follows is None:
            return index + length
        marked = bool(follows.depth) or follows.indented
        if not marked and (_NAMED.match(joined) or not self._may_be_unmarked(index)):
            return index + length
        self.speaker, self.introduced, self.reason = _speaker(joined), True, CutReason.QUOTED
        label = Label(CutReason.QUOTED, self.speaker, attributed=True)
        if not marked:
            self.rest = label if self.reply_headers else UNSURE
            label = self.rest
        for place in range(index, index + length):
            self.result[place] = label
        return index + length

    def _may_be_unmarked(self, index: int) -> bool:
        """Return whether a quote without marks may begin here: nothing marked stands below."""
        return not any(line.depth for line in self.lines[index : index + 50])

    def _fill_blanks(self) -> None:
        """Give blank lines between two lines with one label that label."""
        last = OWN
        blanks: list[int] = []
        for index, line in enumerate(self.lines):
            if not line.text:
                blanks.append(index)
                continue
            label = self.result[index]
            if label == last:
                for blank in blanks:
                    self.result[blank] = label
            blanks.clear()
            last = label

    def _doubt_fragments(self) -> None:
        """Mark as uncertain the few words that a program wrapped out of a quoted line."""
        for index in range(1, len(self.lines) - 1):
            line, above, below = self.lines[index], self.lines[index - 1], self.lines[index + 1]
            if (
                line.depth
                or not line.text
                or self.result[index] is not OWN
                or not (above.depth and below.depth)
            ):
                continue
            if above.end - above.start >= _FULL_LINE and len(line.text.split()) <= _FRAGMENT_WORDS:
                self.result[index] = UNSURE


def _may_introduce(line: Line) -> bool:
    """Return whether ``line`` is worth a closer look: most lines are not."""
    text = line.text
    if not text or len(text) > _LONGEST_ATTRIBUTION:
        return False
    return text[-1] == ":" or text[0] in _FIRST_CHARACTERS or "@" in text or line.mark is not Mark.NONE


def _is_divider(text: str) -> bool:
    """Return whether ``text`` is a line like "-----Original Message-----", or "Begin forwarded message:"."""
    words = text.strip("-_=* \t")
    if text.lstrip("*_ \t").startswith("--") and _DIVIDER.match(words):
        return True
    return _DIVIDER_WORDS.match(words) is not None


def _is_attribution(joined: str, *, alone: bool) -> bool:
    if len(joined) <= _LONGEST_ATTRIBUTION and (
        _DATED.match(joined)
        or _DATE_FIRST.match(joined)
        or _ADDRESSED.match(joined)
        or _QUOTING.match(joined)
    ):
        return True
    return alone and _NAMED.match(joined) is not None


def _speaker(text: str) -> str:
    """Return the address that ``text`` names, else the name, else nothing."""
    text = _MESSAGE_ID.sub("", text)
    address = _SPEAKER_ADDRESS.search(text)
    if address:
        return address[0].strip("<>[]'.").removeprefix("mailto:")
    name = _SPEAKER_NAME.search(text)
    if name:
        return name[1].strip()
    return "" if text.endswith(":") else text.strip()[:120]


def undone(labels: list[Label]) -> list[Label]:
    """Return ``labels`` with every quote taken back to uncertain: for a text with no words of its own.

    Forwarded text stays set aside; a forward without a comment is ordinary.
    """
    return [UNSURE if label.reason is CutReason.QUOTED else label for label in labels]
