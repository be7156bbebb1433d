"""Patterns -> where they are in a text, in one pass.

Owns the compiled forms: every regular expression in one RE2 set, every phrase in one spaCy PhraseMatcher a kind.
Refuses to know rules and conditions: it is handed numbered patterns and answers with spans.

RE2 is linear in the text, so that a rule author cannot stall the mail. Its set only says which patterns are in the
text; those are then located one by one. Two traps (SPEED.md section 4): a set that did not compile must never be
asked, and one that ran out of memory answers as if nothing matched. `Set.Compile` raises here, and a pattern that
is always true stands in the set, so that silence means failure and all patterns are then tried singly.

Patterns see the shadow text. ``^`` and ``$`` are the ends of a sentence, and no match crosses one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import re2

from gateway.inspection import lexicon
from gateway.inspection.shadow import Shadow, fold, fold_point

MAX_MEMORY: Final = 268_435_456
"""For one RE2 set: 3,000 patterns fail to compile in a quarter of this."""
MAX_PROGRAM: Final = 20_000
"""RE2 instructions of one pattern: counted repetitions of long classes are what exceeds it."""
_CHUNK: Final = 100_000
"""Characters tokenised at once."""
_METACHARACTERS: Final = frozenset(".^$*+?()[]{}|\\")


class PatternLike(Protocol):
    """What is looked for: see `rules.Pattern`."""

    @property
    def kind(self) -> str:
        """Return lemma, form, regex or regex-exact."""

    @property
    def text(self) -> str:
        """Return the words or the expression."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where a pattern was found, in characters of the shadow text."""

    start: int
    end: int


def pattern_problem(kind: str, text: str) -> tuple[str, str] | None:
    """Return what is wrong with a pattern and the remedy, or None. Never raises."""
    if kind in {"lemma", "form"}:
        return None if fold(text) else ("a phrase without words", "write the words, or delete it")
    for char in text:
        folded = fold_point(ord(char))
        if len(folded) > 1 or folded in _METACHARACTERS - {char}:
            return f"{char!r} stands as {folded!r} in the text that is matched", f"write {folded!r}, escaped"
    if "\\A" in text or "\\z" in text:
        return "\\A or \\z", "use ^ and $: a pattern sees one sentence"
    try:
        return _program_problem(re2.compile(_regex(kind, text), _options()))
    except re2.error as error:
        said = error.args[0] if error.args else "refused"
        detail = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        remedy = "RE2 has no look-around and no back-references: say it with several conditions and `when`"
        return f"RE2 does not take it: {detail}", remedy


def _program_problem(compiled: Any) -> tuple[str, str] | None:
    if compiled.programsize > MAX_PROGRAM:
        return "the pattern is too large for RE2", "shorten its counted repetitions"
    if compiled.search(b"") is not None:
        return "the pattern matches the empty text, so it is always true", "ask for at least one character"
    return None


def _options() -> Any:
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    return options


def _regex(kind: str, text: str) -> bytes:
    folded = "".join(char if char.isspace() else fold_point(ord(char)) for char in text)
    return f"{'(?mi)' if kind == 'regex' else '(?m)'}(?:{folded})".encode()


class PatternIndex:
    """All patterns of an engine, compiled. ``find`` numbers them as they were given."""

    def __init__(self, patterns: Sequence[PatternLike]) -> None:
        """Compile ``patterns``; raises ``re2.error`` for one that `pattern_problem` would name."""
        options = _options()
        self._regexes = [
            (number, re2.compile(_regex(pattern.kind, pattern.text), options))
            for number, pattern in enumerate(patterns)
            if pattern.kind not in {"lemma", "form"}
        ]
        self._set = re2.Set.SearchSet(options)
        for _, compiled in self._regexes:
            self._set.Add(compiled.pattern)
        self._always = self._set.Add(b"")
        self._set.Compile()
        self._phrases = _phrase_matchers(patterns)

    def find(self, shadow: Shadow) -> dict[int, list[Span]]:
        """Return every place of every pattern in ``shadow``, in order; patterns not found are left out."""
        if not shadow.text:
            return {}
        found: dict[int, list[Span]] = {}
        raw = shadow.text.encode()
        decode = None if len(raw) == len(shadow.text) else _characters(shadow.text)
        for position in self._candidates(raw):
            number, compiled = self._regexes[position]
            spans = [
                Span(start, end) if decode is None else Span(decode[start], decode[end])
                for start, end in _occurrences(compiled, raw)
            ]
            if spans:
                found[number] = spans
        for number, span in self._phrase_hits(shadow):
            found.setdefault(number, []).append(span)
        return found

    def _candidates(self, raw: bytes) -> Sequence[int]:
        hits = self._set.Match(raw)
        if hits is None:
            return range(len(self._regexes))
        return sorted(hit for hit in hits if hit != self._always)

    def _phrase_hits(self, shadow: Shadow) -> Iterator[tuple[int, Span]]:
        if not self._phrases:
            return
        words = lexicon.tokenizer()
        for begin, end in _chunks(shadow):
            doc = words(shadow.text[begin:end].replace("\n", " "))
            for matcher in self._phrases:
                for key, first, last in sorted(matcher(doc), key=_by_place):
                    start, stop = begin + doc[first].idx, begin + doc[last - 1].idx + len(doc[last - 1])
                    if "\n" not in shadow.text[start:stop]:
                        yield int(doc.vocab.strings[key]), Span(start, stop)


def _by_place(match: tuple[int, int, int]) -> tuple[int, int]:
    return match[1], match[2]


def _phrase_matchers(patterns: Sequence[PatternLike]) -> tuple[Any, ...]:
    """Return a matcher over canonical keys and one over lower-cased forms, those that have phrases."""
    from spacy.matcher import PhraseMatcher

    matchers = []
    for kind, attribute in (("lemma", "NORM"), ("form", "LOWER")):
        phrases = [
            (number, fold(pattern.text)) for number, pattern in enumerate(patterns) if pattern.kind == kind
        ]
        if not phrases:
            continue
        words = lexicon.tokenizer()
        lexicon.warm({word for _, phrase in phrases for word in phrase.split()})
        matcher = PhraseMatcher(words.vocab, attr=attribute)
        for number, phrase in phrases:
            matcher.add(str(number), [words(phrase)])
        matchers.append(matcher)
    return tuple(matchers)


def _chunks(shadow: Shadow) -> Iterator[tuple[int, int]]:
    """Yield stretches of whole sentences, none much longer than `_CHUNK`."""
    begin = 0
    for start in shadow.starts:
        if start - begin > _CHUNK:
            yield begin, start
            begin = start
    yield begin, len(shadow.text)


def _occurrences(compiled: Any, raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield the matches of one expression, none of which crosses the bound of a sentence."""
    crossing = False
    spans: list[tuple[int, int]] = []
    for match in compiled.finditer(raw):
        start, end = match.span()
        if start == end:
            continue
        if b"\n" in raw[start:end]:
            crossing = True
            break
        spans.append((start, end))
    if not crossing:
        yield from spans
        return
    at = 0
    for sentence in raw.split(b"\n"):
        for match in compiled.finditer(sentence):
            start, end = match.span()
            if start < end:
                yield at + start, at + end
        at += len(sentence) + 1


def _characters(text: str) -> list[int]:
    """Return, for each octet of the UTF-8 form of ``text`` and its end, the character it belongs to."""
    places: list[int] = []
    for index, char in enumerate(text):
        places += [index] * len(char.encode())
    places.append(len(text))
    return places
