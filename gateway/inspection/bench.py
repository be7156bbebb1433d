"""Texts on the bench: each passage with its shadow and what was found in it.

Owns which text is judged (what the officer wrote now, and what only claims to be a quote) and where patterns are
in it. Refuses to know rules. Numbers of patterns from 0 up are looked for in sentences, negative ones (``~n``) in
the lines of the sign-off.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from gateway.inspection.cues import Cue
from gateway.inspection.earlier import without_sent
from gateway.inspection.matching import PatternIndex, Scan, Span
from gateway.inspection.relations.parse import Parsed
from gateway.inspection.shadow import Shadow, lines_of, shadow_of, undisguised
from gateway.model import Authored, CutReason, Doubt, Passage, PassageKind, StaffMember

SIGN_OFF_LINES: Final = 6
"""Non-blank lines at the end of a body passage in which a kiss is looked for (DOMAIN.md section 4.4)."""
QUOTES: Final = frozenset({CutReason.QUOTED, CutReason.FORWARDED})


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a pattern was found: the sentence it belongs to, and its span in a shadow of the text."""

    sentence: int
    shadow: Shadow
    span: Span

    def source(self) -> tuple[int, int]:
        """Return the span in the text itself."""
        return self.shadow.origin(self.span.start, self.span.end)


@dataclass(frozen=True)
class Text:
    """A passage on the bench. ``offset`` is where it begins in the decoded text of ``part``."""

    part: str
    kind: PassageKind
    offset: int
    shadow: Shadow
    scan: Scan
    sign_off: Scan | None = None
    lines: Shadow | None = None
    claimed_quote: bool = False
    """Marked as quoted, and only the message itself says so: what is found flags at most. A thread's subject is one."""
    disguised: bool = False
    """The second reading of a passage that is on the bench already: only what it adds is found here."""
    parses: dict[int, Parsed] = field(default_factory=dict)
    heard: list[Mapping[int, tuple[Cue, ...]]] = field(default_factory=list)
    """The cues by sentence, once they were asked for."""
    signed: dict[int, dict[int, list[Hit]]] = field(default_factory=dict)

    @cached_property
    def present(self) -> frozenset[int]:
        """Return the numbers of all patterns that may be here: every one that is, and some that are not."""
        if self.sign_off is None:
            return self.scan.present
        return self.scan.present.union(~number for number in self.sign_off.present)

    def cheapest_first(self, patterns: frozenset[int]) -> list[int]:
        """Return those of ``patterns`` that may be here: expressions, and then phrases, for which words are tokenised."""
        return sorted(patterns & self.present, key=self.scan.is_phrase)

    def sentences(self, pattern: int) -> Collection[int]:
        """Return the sentences that hold a pattern; located when first asked for."""
        return self.scan.places(pattern) if pattern >= 0 else self._signed(pattern)

    def near(self, pattern: int) -> Collection[int]:
        """Return the sentences that hold a pattern, and perhaps some that do not; cheaper than `sentences`."""
        return self.scan.near(pattern) if pattern >= 0 else self._signed(pattern)

    def hits(self, pattern: int, sentence: int) -> list[Hit]:
        """Return the places of a pattern in a sentence, in order; located when first asked for."""
        if pattern < 0:
            return self._signed(pattern).get(sentence, [])
        return [Hit(sentence, self.shadow, span) for span in self.scan.spans(pattern, sentence)]

    def _signed(self, pattern: int) -> dict[int, list[Hit]]:
        """Return the places of a pattern of the sign-off, each under the sentence that its line ends in."""
        if pattern in self.signed or self.sign_off is None or self.lines is None:
            return self.signed.get(pattern, {})
        hits = self.signed[pattern] = {}
        begins = [begin for begin, _ in self.shadow.spans]
        for line, spans in self.sign_off.places(~pattern).items():
            sentence = max(bisect_right(begins, self.lines.spans[line][1] - 1) - 1, 0)
            hits.setdefault(sentence, []).extend(Hit(sentence, self.lines, span) for span in spans)
        return hits


def texts_of(
    authored: Authored,
    sentences: PatternIndex,
    sign_off: PatternIndex,
    officer: StaffMember | None,
    *,
    sent: frozenset[str] = frozenset(),
    contacts: frozenset[str] = frozenset(),
) -> tuple[Text, ...]:
    """Return everything that is judged: own passages in order, quotes that are only claimed, second readings.

    ``sent`` are lines that went to these contacts before, ``contacts`` every registered address of theirs.
    """
    beside = any(passage.kind is PassageKind.BODY and passage.text.strip() for passage in authored.passages)
    own = [_text(passage, sentences, sign_off, beside=beside) for passage in authored.passages]
    texts = (*own, *_claimed_quotes(authored, sentences, names_of(officer), sent, contacts, beside=beside))
    return (*texts, *_disguised(texts, sentences))


def _disguised(texts: tuple[Text, ...], sentences: PatternIndex) -> Iterator[Text]:
    """Yield the second reading of each text that holds words in disguise."""
    for text in texts:
        shadow = undisguised(text.shadow)
        if shadow is not None:
            scan = sentences.scan(shadow)
            yield Text(
                text.part,
                text.kind,
                text.offset,
                shadow,
                scan,
                claimed_quote=text.claimed_quote,
                disguised=True,
            )


def _text(passage: Passage, sentences: PatternIndex, sign_off: PatternIndex, *, beside: bool) -> Text:
    """Return an own passage on the bench.

    A subject behind "Re:" in an answer is the thread's, likelier the contact's words than the officer's: what is found in it flags
    at most, where there are words ``beside`` it.
    """
    part, kind, offset = passage.part, passage.kind, passage.start
    shadow = shadow_of(passage.text)
    if kind is not PassageKind.BODY or sign_off.is_empty:
        of_thread = beside and kind is PassageKind.SUBJECT and passage.uncertain
        return Text(part, kind, offset, shadow, sentences.scan(shadow), claimed_quote=of_thread)
    lines = lines_of(passage.text, SIGN_OFF_LINES)
    return Text(part, kind, offset, shadow, sentences.scan(shadow), sign_off.scan(lines), lines)


def _claimed_quotes(
    authored: Authored,
    sentences: PatternIndex,
    own: frozenset[str],
    sent: frozenset[str],
    contacts: frozenset[str],
    *,
    beside: bool,
) -> Iterator[Text]:
    """Yield quotes that only the message itself vouches for (DECISIONS 14).

    A quote is believed when something introduces it *and* the mail answers another, nothing speaks against the
    introduction, and the officer is not said to have written it; inside another quote his words are old ones. Lines
    that we sent ourselves (``sent``) are believed whatever surrounds them: they were judged then. All else is judged:
    typing behind a ``>``, under an invented "On Monday she wrote:" or in an attached mail is an evasion. What is found
    then flags at most, unless the mail is nothing but the quote: then it is taken as own words.
    """
    answers = bool(authored.headers.in_reply_to or authored.headers.references)
    for cut in authored.cuts:
        if cut.reason not in QUOTES:
            continue
        known = cut.speaker.lower() in contacts  # a second address of the same person
        believed = (
            cut.attributed and answers and not (set(cut.doubts) - ({Doubt.STRANGER} if known else set()))
        )
        if not believed or (is_said_by(cut.speaker, own) and not cut.inner):
            shadow = shadow_of(without_sent(cut.text, sent))
            scan = sentences.scan(shadow)
            flags_at_most = Doubt.ALONE not in cut.doubts and (beside or cut.attributed or answers)
            yield Text(cut.part, PassageKind.BODY, cut.start, shadow, scan, claimed_quote=flags_at_most)


def names_of(officer: StaffMember | None) -> frozenset[str]:
    """Return what a quote may call the officer: address, aliases and name in lower case."""
    if officer is None:
        return frozenset()
    return frozenset({each.lower() for each in (officer.email, *officer.aliases, officer.name)} - {""})


def is_said_by(speaker: str, names: frozenset[str]) -> bool:
    """Return whether a quote's ``speaker`` is one of ``names``, which are in lower case."""
    return any(name in speaker.lower() for name in names)
