"""Which lines the sender wrote now, and which are quoted: lines to labels.

Owns the shape of quotes: where one begins and ends, what stands between its lines, and what each line is labelled.
How programs introduce a quote is `introductions`'; whether an introduction is to be believed is `doubts`'; signatures
are `signatures`'. Stands in *extract* after the readers.

Two errors are possible and they are not alike. A victim's words held against the officer are a false alarm; an
officer's words taken for a quote are an evasion, and quote marks are easily forged. So nothing is cut as a quote
unless the mail answers another (reply headers), and marks alone make it a *claimed* quote only. Lines without marks
need a strong introduction or a whole header block. Whatever falls short stays, marked uncertain. A cut says whether
it was introduced (``attributed``) and by whom it is said to be; docs/quotes.md has the whole table.

Only a header block ends the sender's words for good: the programs that write one put the sender's words above it. Not
over marked lines: there the block introduces those, and what has no marks between and below them may be an answer.
Answers inside it are found where the sender announces them ("my comments in red below") or signs them ("[PS: ...]").
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway.extract import introductions
from gateway.extract.introductions import Divider, Strength
from gateway.extract.layout import Line, Mark
from gateway.model import CutReason, Doubt


class Label(NamedTuple):
    """What a line is: the sender's own words (no reason), or set aside."""

    reason: CutReason | None = None
    speaker: str = ""
    attributed: bool = False
    uncertain: bool = False
    introduction: str = ""
    """The words that introduce the quote, as far as `doubts` looks."""
    doubts: tuple[Doubt, ...] = ()
    inner: bool = False
    """It is an earlier mail, inside the quote above it."""


OWN = Label()
UNSURE = Label(uncertain=True)

_ATTRIBUTION_LINES = 4
_FULL_LINE = 60
_FRAGMENT_WORDS = 4
_MAX_BLOCK_LINES = 40
_LEAST_FIELDS = 3
_MAX_TRIED = 5
_MAX_LOOKS = 300
"""Lines that end like an attribution and are looked at closely; honest mail has a tenth of them, the rest stays."""
_MAX_NOTES_ROWS = 12
_LONGEST_NOTES_NAME = 80
_LOOK_BELOW = 50
_LONGEST_INTRODUCTION = 1500
_SNIPPED = re.compile(
    r"^(?:[<\[({]\s*)?(?:\.{2,40}|\u2026|-{2,40}|snip(?:ped)?|cut|lost|deleted|omitted)(?:\s*[>\])}])?$",
    re.IGNORECASE,
)
"""Something was left out between an introduction and the quote."""
_MAX_SNIPPED = 3
_END_OF_FORWARD = re.compile(
    r"^-{2,}\s*end (?:of )?(?:the )?forwarded (?:text|message|mail|e-?mail)\b", re.IGNORECASE
)
_RULE = re.compile(r"^[_=-]{5,}$")
_ESCAPED_FROM = re.compile(r"^From\s")
_ANNOUNCED = re.compile(
    r"\b(?:comments?|answers?|answered|repl(?:y|ies|ied)|respon(?:ses?|ded)|notes?|thoughts|updates?|added|see|marked|typed|put|atebion|sylwadau)\b"
    r"[^.!?\n]{0,60}\b(?:in ?-?line|in(?:to)? the (?:text|body|e-?mail) below|(?:below )?in (?:red|blue|green|bold|capitals|caps|purple|italics)"
    r"|in colour|(?:under|after|against|next to|beside|below) each|underneath each|between the lines|mewn coch)\b"
    r"|\b(?:my|the) (?:comments?|answers?|replies|responses?) (?:are )?(?:below|underneath)\b",
    re.IGNORECASE,
)
"""The sender says that the answers stand inside what is quoted."""
_SIGNED_ANSWER = re.compile(
    r"^[\[{(*<]{1,2}(?:[A-Z]{2,4}|[A-Z][\w'\u2019-]+(?:,? [A-Z][\w'\u2019-]+){1,2})(?::|[\]})>]:?)\s*\S"
)
_MAX_ESCAPES = 2
"""Each mailbox on the way may add one."""
_GREETING = re.compile(
    r"^(?:(?:dear|hi|hello|hiya|good (?:morning|afternoon|evening)|annwyl|helo|shwmae|bore da)\b[^.?!]{0,40}"
    r"|(?-i:[A-Z])[\w'\u2019-]+(?: [A-Z][\w'\u2019-]+)?,)$",
    re.IGNORECASE,
)
_LEAST_ABOVE = 2
_LONGEST_SEARCHED = 20_000


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
        self.tried = 0
        self.looks = 0
        self.fields: dict[tuple[int, bool], tuple[str, str] | None] = {}
        """The field in each line looked at, with colons and without: blocks that fail overlap, each line is read once."""
        self.senders: dict[bool, tuple[int, int]] = {}
        """Where a From was last sought, and the first line from there on that has one or was not looked at."""
        self.quote: Label | None = None
        """What an introduction made of the marked lines under it; later marked lines continue that quote."""
        self.rest: Label | None = None
        """The label of everything that follows."""
        self.unmarked = OWN
        """The label of lines without marks."""

    def labels(self) -> list[Label]:
        """Label every line."""
        index = 0
        while index < len(self.lines):
            if self.rest is not None:
                self.rest = self._speaking(index, self.rest)
                self.result[index] = self._in_rest(self.lines[index], self.rest)
                if _END_OF_FORWARD.match(self.lines[index].text):
                    self.rest = self.quote = None
                index += 1
            elif self._is_groupwise(self.lines[index]):
                index = self._introduce(index, 1, Strength.STRONG)
            elif self._is_marked(self.lines[index]):
                self.result[index] = self._marked(index)
                index += 1
            else:
                self.result[index] = self.unmarked
                index = self._unmarked(index)
        if self.rest is not None and self.rest.reason is CutReason.QUOTED:
            self._greeted_below()
        if any(label is not OWN for label in self.result):
            self._fill_blanks()
            self._doubt_fragments()
        return self.result

    # --- lines with marks ---

    def _is_marked(self, line: Line) -> bool:
        return bool(line.depth) or (line.indented and self.quote is not None)

    def _marked(self, index: int) -> Label:
        line = self.lines[index]
        if (
            self.quote is None
            and line.depth <= _MAX_ESCAPES
            and _ESCAPED_FROM.match(line.text)
            and self._is_alone(index)
        ):
            return OWN  # mbox writes ">From" for a line that begins with From
        if self.quote is None and self.tried < _MAX_TRIED and line.text:
            self.tried += 1
            self._introduce_itself(index)
        if self.quote is not None:
            return self.quote
        return Label(CutReason.QUOTED) if self.reply_headers else UNSURE

    def _is_alone(self, index: int) -> bool:
        beside = (place for place in (index - 1, index + 1) if 0 <= place < len(self.lines))
        return not any(self.lines[place].depth for place in beside)

    def _introduce_itself(self, index: int) -> None:
        """Look for the introduction inside the quote marks.

        Apple Mail on a telephone marks its attribution, Outlook with internet-style quoting its header block.
        """
        divider = introductions.divider_of(self.lines[index].text)
        after = self._next(index + 1) if divider else index
        if after >= len(self.lines) or not self.lines[after].depth:
            return
        end, speaker = self._block(after, divided=divider is not None)
        if end:
            reason = CutReason.FORWARDED if divider and divider.forward else CutReason.QUOTED
            self.quote = self._claim(reason, speaker, self._words(index, end))
            return
        length, _ = self._attribution(after)
        if length:
            words = self._words(after, after + length)
            self.quote = self._claim(CutReason.QUOTED, introductions.speaker_of(words), words)
            return
        length, speaker = self._pair(after)
        if length:
            self.quote = self._claim(CutReason.QUOTED, speaker, self._words(after, after + length))

    def _claim(self, reason: CutReason, speaker: str, introduction: str, *, attributed: bool = True) -> Label:
        """Return the label of an introduced quote: nothing is cut where the mail does not say what it answers."""
        if reason is CutReason.QUOTED and not self.reply_headers:
            return UNSURE
        return Label(reason, speaker, attributed, introduction=introduction[:_LONGEST_INTRODUCTION])

    # --- lines without marks ---

    def _unmarked(self, index: int) -> int:
        """Label the unmarked line at ``index`` and what belongs to it; return the next line to look at."""
        line = self.lines[index]
        if not introductions.may_introduce(line):
            return index + 1
        divider = introductions.divider_of(line.text)
        above = divider is not None or introductions.is_notes_line(line.text)
        after = self._next(index + 1) if above or _RULE.match(line.text) else index
        if above and after < len(self.lines) and _RULE.match(self.lines[after].text):
            after = self._next(after + 1)
        if after < len(self.lines) and not self._is_marked(self.lines[after]):
            end, speaker = self._block(after, divided=above)
            if end:
                return self._begin_block(index, end, speaker, forward=divider is not None and divider.forward)
        if introductions.is_notes_date(line.text):
            end = self._notes_table(index)
            if end:
                begin = self._notes_name(index)
                return self._begin_block(
                    begin, end, introductions.speaker_of(self.lines[begin].text), forward=False
                )
        if divider is not None:
            return self._begin_divided(index, after, divider)
        length, strength, speaker = self._introduction(index)
        return self._introduce(index, length, strength, speaker) if length else index + 1

    def _next(self, index: int) -> int:
        while index < len(self.lines) and not self.lines[index].text:
            index += 1
        return index

    def _words(self, start: int, end: int) -> str:
        return "\n".join(line.text for line in self.lines[start : min(end, start + _MAX_BLOCK_LINES)])

    def _block(self, start: int, *, divided: bool) -> tuple[int, str]:
        """Return where the header block that begins at ``start`` ends, 0 when none begins there, and its speaker.

        Without a divider above it, it begins with From and has three fields, or has all four that matter: a list of
        appointments has not. With quote marks under it three will do, From wherever it stands.
        """
        claimed = self.lines[start].mark is Mark.HEADER_BLOCK
        bare = divided and self._field(start, bare=False) is None
        first = self._field(start, bare=bare)
        if (first is None and not claimed) or not self._says_from(start, bare=bare):
            return (start + 1 if claimed else 0), ""
        seen, end = self._fields(start, bare=bare)
        whole = {"from", "date", "to", "subject"} <= seen.keys()
        enough = len(seen) >= _LEAST_FIELDS and ("date" in seen or {"to", "subject"} <= seen.keys())
        if seen.get("from") and enough:
            led = claimed or divided or (first is not None and first[0] == "from") or whole
            if led or self._is_quote_mark(self._next(end)):
                return end, introductions.speaker_of(seen["from"])
        return (start + 1 if claimed else 0), ""

    def _field(self, index: int, *, bare: bool) -> tuple[str, str] | None:
        key = (index, bare)
        if key not in self.fields:
            named = introductions.bare_field_of if bare else introductions.field_of
            self.fields[key] = named(self.lines[index].text)
        return self.fields[key]

    def _says_from(self, start: int, *, bare: bool) -> bool:
        """Return whether a block that begins at ``start`` may have a From: in a list of other fields none is sought twice."""
        looked, found = self.senders.get(bare, (start, start))
        found = max(found, start) if looked <= start else start
        end = min(start + _MAX_BLOCK_LINES, len(self.lines))
        while found < end and (self._field(found, bare=bare) or ("",))[0] != "from":
            found += 1
        self.senders[bare] = start, found
        return found < end

    def _fields(self, start: int, *, bare: bool) -> tuple[dict[str, str], int]:
        """Return the fields of a header block and where the last of them ends."""
        seen: dict[str, str] = {}
        end = start
        for index in range(start, min(start + _MAX_BLOCK_LINES, len(self.lines))):
            field = self._field(index, bare=bare)
            if field is None:
                if not self.lines[index].text and seen:
                    break
                continue
            if field[0] == "from" and "from" in seen:
                break
            seen.setdefault(*field)
            end = index + 1
        return seen, end

    def _is_quote_mark(self, index: int) -> bool:
        return index < len(self.lines) and (bool(self.lines[index].depth) or self.lines[index].indented)

    def _notes_table(self, start: int) -> int:
        """Return where the table of Lotus Notes under the date at ``start`` ends, or 0."""
        seen: set[str] = set()
        end = 0
        for index in range(start + 1, min(start + 1 + _MAX_NOTES_ROWS, len(self.lines))):
            field = introductions.notes_field_of(self.lines[index].text)
            if field is not None:
                seen.add(field[0])
                end = index + 1
        return end if {"to", "subject"} <= seen else 0

    def _notes_name(self, index: int) -> int:
        """Return where the name above the date at ``index`` stands, else ``index``."""
        for place in range(index - 1, max(index - 4, -1), -1):
            text = self.lines[place].text
            if text:
                is_name = len(text) <= _LONGEST_NOTES_NAME and ("@" in text or "/" in text)
                return place if is_name else index
        return index

    def _begin_block(self, index: int, end: int, speaker: str, *, forward: bool) -> int:
        """Set aside a header block and everything under it."""
        reason = CutReason.FORWARDED if forward or self.forward else CutReason.QUOTED
        label = self._claim(reason, speaker, self._words(index, end))
        for place in range(index, end):
            self.result[place] = label
        after = self._next(end)
        answered = any(line.text for line in self.lines[:index])
        if self._is_quote_mark(after):
            # Outlook Express, and Outlook where it is set so: every quoted line is marked, and the answers stand between
            # them. With words above the block, what has no marks may be answers too, or wrapped out of the quote.
            self.quote = label
            self.unmarked = UNSURE if answered else OWN
        else:
            self.rest = UNSURE if self._announces(index) else label
        return end

    def _announces(self, index: int) -> bool:
        """Return whether the sender's words above ``index`` say that answers stand inside the quote."""
        own = (
            line.text for line, label in zip(self.lines[:index], self.result, strict=False) if label is OWN
        )
        return _ANNOUNCED.search("\n".join(own)[:_LONGEST_SEARCHED]) is not None

    def _speaking(self, index: int, rest: Label) -> Label:
        """Return the label of an unmarked quote from ``index`` on: each header block in it has its own speaker.

        An inner block brings no doubts: who wrote to whom further back is anybody's, about anything.
        """
        line = self.lines[index]
        if rest.reason is None or not line.text or line.depth:
            return rest
        field = introductions.field_of(line.text)
        if line.mark is Mark.NONE and (field is None or field[0] != "from"):
            return rest
        end, speaker = self._block(index, divided=False)
        return Label(rest.reason, speaker, attributed=True, inner=True) if end and speaker else rest

    def _in_rest(self, line: Line, rest: Label) -> Label:
        """Return the label of a line in an unmarked quote: a signed answer in it may be the sender's."""
        return UNSURE if rest.reason is not None and _SIGNED_ANSWER.match(line.text) else rest

    def _begin_divided(self, index: int, after: int, divider: Divider) -> int:
        """Set aside what follows a divider that has no header block, or only part of one, under it."""
        length, strength = self._attribution(after) if after < len(self.lines) else (0, Strength.NONE)
        if length:
            follows = self._introduce(after, length, strength)
            self.result[index] = self.result[after]
            return follows
        reason = CutReason.FORWARDED if divider.forward else CutReason.QUOTED
        length, named = self._pair(after) if after < len(self.lines) else (0, "")
        end = after + length
        while not length and end < min(after + _LEAST_FIELDS, len(self.lines)):
            field = self._field(end, bare=False)
            if field is None:
                break
            named = introductions.speaker_of(field[1]) if field[0] == "from" else named
            end += 1
        words = self._words(index, end)
        speaker = introductions.speaker_of(words) if "@" in words else ""
        marked = self._next(end)
        if marked < len(self.lines) and self.lines[marked].depth:
            self.quote = self._claim(reason, named, words)
            for place in range(index, end):
                self.result[place] = self.quote
            return max(end, index + 1)
        if divider.signed or self.reply_headers:
            self.rest = self._claim(reason, speaker, words, attributed=divider.signed)
        else:
            self.rest = UNSURE
        self.result[index] = self.rest
        return index + 1

    def _greeted_below(self) -> None:
        """Take back what stands under a second greeting in an unmarked quote with nothing above it.

        Who answers under the quote leaves no mark: there the answer begins, as far as can be seen.
        """
        filled = [index for index, line in enumerate(self.lines) if line.text]
        if self.result[filled[0]].reason is None:
            return
        spoken = [place for place in filled if introductions.field_of(self.lines[place].text) is None]
        for place in spoken[_LEAST_ABOVE:]:
            if _GREETING.match(self.lines[place].text):
                for index in range(place, len(self.lines)):
                    self.result[index] = UNSURE
                return

    # --- attributions ---

    def _attribution(self, start: int) -> tuple[int, Strength]:
        """Return how many lines from ``start`` are an attribution ("On ... wrote:"), and what it can carry."""
        claimed = self._claimed_attribution(start)
        if claimed:
            return claimed, Strength.STRONG
        joined = ""
        depth = self.lines[start].depth
        for count in range(1, _ATTRIBUTION_LINES + 1):
            if start + count > len(self.lines):
                break
            line = self.lines[start + count - 1]
            if not line.text or line.depth != depth or len(joined) > introductions.LONGEST:
                break
            joined = f"{joined} {line.text}".strip()
            if introductions.ends_attribution(line.text) and self.looks < _MAX_LOOKS:
                self.looks += 1
                strength = introductions.attribution_strength(joined, alone=count == 1)
                if strength:
                    return count, strength
            if count == 1 and not introductions.may_go_on(joined):
                break
        return 0, Strength.NONE

    def _introduction(self, index: int) -> tuple[int, Strength, str]:
        """Return how many lines from ``index`` introduce a quote without a block, what they can carry, and a speaker."""
        length, strength = self._attribution(index)
        if length:
            return length, strength, ""
        length, speaker = self._pair(index)
        if not length and index + 1 < len(self.lines) and self.lines[index + 1].depth:
            length = int(introductions.is_name_only(self.lines[index].text))
        return length, Strength.WEAK, speaker

    def _claimed_attribution(self, start: int) -> int:
        """Return how many lines from ``start`` the mail program's own markup calls an attribution."""
        end = start
        while end < min(start + _ATTRIBUTION_LINES + 1, len(self.lines)) and (
            self.lines[end].mark is Mark.ATTRIBUTION
        ):
            end += 1
        joined = " ".join(line.text for line in self.lines[start:end])
        fits = joined.endswith(":") and len(joined) <= introductions.LONGEST
        return end - start if fits and end - start <= _ATTRIBUTION_LINES else 0

    def _pair(self, start: int) -> tuple[int, str]:
        """Return how many lines from ``start`` are a From and a Date, and who is said to speak; 0 where they are not.

        Two fields are an attribution, no header block: they explain the marked lines under them and nothing else, so
        answers between and below stay the sender's.
        """
        field = self._field(start, bare=False)
        if field is None or field[0] not in {"from", "date"}:
            return 0, ""
        texts: list[str] = []
        for line in self.lines[start : start + _ATTRIBUTION_LINES]:
            if not line.text or line.depth != self.lines[start].depth:
                break
            texts.append(line.text)
            speaker = introductions.speaker_of_pair(texts)
            if speaker is not None:
                return len(texts), speaker
        return 0, ""

    def _introduce(self, index: int, length: int, strength: Strength, speaker: str = "") -> int:
        """Set aside an attribution and let it speak for the quote that follows, if one does."""
        words = " ".join(line.text for line in self.lines[index : index + length])
        after = self._next(index + length)
        for _ in range(_MAX_SNIPPED):
            if after < len(self.lines) and _SNIPPED.match(self.lines[after].text):
                after = self._next(after + 1)
        if after >= len(self.lines):
            return index + length
        marked = self._is_quote_mark(after)
        if not marked and (strength is not Strength.STRONG or self._is_marked_below(index + length)):
            return index + length
        speaker = speaker or introductions.speaker_of(words)
        # A name without an address may be anybody's: what has no marks either is a claim, and is judged.
        label = self._claim(CutReason.QUOTED, speaker, words, attributed=marked or "@" in speaker)
        self.quote = label
        if not marked:
            self.rest = label if not self._announces(index) else UNSURE
        for place in range(index, index + length):
            self.result[place] = label
        return index + length

    def _is_groupwise(self, line: Line) -> bool:
        return bool(line.depth) and introductions.is_groupwise(line.text)

    def _is_marked_below(self, index: int) -> bool:
        """Return whether marked lines stand soon below: then a quote without marks does not begin here."""
        return any(line.depth for line in self.lines[index : index + _LOOK_BELOW])

    # --- afterwards ---

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


def undone(labels: Sequence[Label]) -> list[Label]:
    """Return the labels of a text with no words of its own: its quotes are doubted, or taken back to uncertain.

    A reply sent with nothing in it is rare, and a quote is easily typed. It stays cut only where a recipient is said to
    have written it, and then `inspection` reads it all the same. Forwarded text stays set aside; a forward without a
    comment is ordinary.
    """
    quoted = [label for label in labels if label.reason is CutReason.QUOTED]
    believable = bool(quoted) and quoted[0].attributed and "@" in quoted[0].speaker and not quoted[0].doubts
    return [
        label if label.reason is not CutReason.QUOTED else _alone(label) if believable else UNSURE
        for label in labels
    ]


def _alone(label: Label) -> Label:
    return label._replace(doubts=(*label.doubts, Doubt.ALONE)) if label.attributed else UNSURE
