"""Patterns -> where they are in a text, from the cheap to the dear.

Owns the compiled forms: RE2 for expressions, spaCy's PhraseMatcher for phrases. Refuses to know rules and
conditions: it is handed numbered patterns and answers with spans.

RE2 is linear in the text, so that a rule author cannot stall the mail. RE2's own filter first says which expressions
may be there at all, by the literals they cannot do without; `Scan.spans` locates one when a rule that may still
fire asks for it. One set of all expressions, the obvious way, is fast only on text it has seen: gaps such as
``.{0,40}`` make its automaton grow with every new text (measured on 507 patterns of our rules and new 2 KB mail:
15.8 ms for the set, 0.6 ms for the filter). The filter answers nothing when it runs out of memory; a word that is
in every text and a pattern for it tell that silence from absence, and all expressions are then tried.

Patterns see the shadow text. ``^`` and ``$`` are the ends of a sentence, and no match crosses one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import re2

from gateway.inspection import lexicon
from gateway.inspection.shadow import Shadow, fold, fold_point

MAX_MEMORY: Final = 67_108_864
"""Octets RE2 may use for one expression; it starts its automaton anew when they are used up."""
MAX_PROGRAM: Final = 20_000
"""RE2 instructions of one pattern: counted repetitions of long classes are what exceeds it."""
_WITNESS: Final = b"wvqxzkjwitness"
"""Put behind every text for the filter."""
_WORDS: Final = frozenset({"lemma", "form"})
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
    if kind in _WORDS:
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
    """All patterns of an engine, compiled. ``scan`` numbers them as they were given."""

    def __init__(self, patterns: Sequence[PatternLike]) -> None:
        """Compile ``patterns``; raises ``re2.error`` for one that `pattern_problem` would name."""
        options = _options()
        self.regexes = {
            number: re2.compile(_regex(pattern.kind, pattern.text), options)
            for number, pattern in enumerate(patterns)
            if pattern.kind not in _WORDS
        }
        self._order = tuple(self.regexes)
        self._filter = re2.Filter()
        for compiled in self.regexes.values():
            self._filter.Add(compiled.pattern, options)
        self._filter.Add(_WITNESS, options)
        self._filter.Compile()
        words = [(number, pattern) for number, pattern in enumerate(patterns) if pattern.kind in _WORDS]
        self.phrases = PhraseIndex(words) if words else None
        self.is_empty = not patterns

    def scan(self, shadow: Shadow) -> "Scan":
        """Return what is in ``shadow``: which patterns may be at once, where each of them is when asked."""
        if not shadow.text:
            return Scan(self, shadow, b"", frozenset(), {})
        raw = shadow.text.encode()
        located = self.phrases.find(shadow) if self.phrases is not None else {}
        return Scan(self, shadow, raw, frozenset(self._candidates(raw)) | located.keys(), located)

    def _candidates(self, raw: bytes) -> Sequence[int]:
        hits = self._filter.Match(b"%b\n%b" % (raw, _WITNESS), potential=True)
        return possible(hits, self._order)


def possible(hits: Sequence[int] | None, order: Sequence[int]) -> Sequence[int]:
    """Return the expressions of ``order`` that the filter's answer lets be there.

    The last position is the witness. Where it is missing the filter failed, and every expression may be there.
    """
    if hits is None or len(order) not in hits:
        return order
    return [order[hit] for hit in hits if hit < len(order)]


class Scan:
    """One text and the patterns in it. ``present`` names all that may be there, and some that are not."""

    def __init__(
        self,
        index: PatternIndex,
        shadow: Shadow,
        raw: bytes,
        present: frozenset[int],
        located: dict[int, list[Span]],
    ) -> None:
        """Keep the text; ``located`` are the phrases, which are found and located in one go."""
        self.present = present
        self._index = index
        self._shadow = shadow
        self._raw = raw
        self._located = located
        self._decode: list[int] | None = None

    def spans(self, number: int) -> list[Span]:
        """Return every place of one pattern, in order; located when first asked for."""
        if number not in self.present:
            return []
        if number not in self._located:
            self._located[number] = [
                self._span(start, end) for start, end in _occurrences(self._index.regexes[number], self._raw)
            ]
        return self._located[number]

    def _span(self, start: int, end: int) -> Span:
        if len(self._raw) == len(self._shadow.text):
            return Span(start, end)
        if self._decode is None:
            self._decode = _characters(self._shadow.text)
        return Span(self._decode[start], self._decode[end])


class PhraseIndex:
    """Phrases by canonical key and by form: spaCy's PhraseMatcher behind a gate.

    Tokenising a text costs more than everything else together, and hardly any sentence holds all words of any
    phrase. The keys of a chunk between spaces are kept from one message to the next, since spaCy's tokeniser works
    chunk by chunk; so the gate loses nothing, and only sentences that may hold a phrase are tokenised.
    """

    def __init__(self, phrases: Sequence[tuple[int, PatternLike]]) -> None:
        """Compile numbered phrases."""
        from spacy.matcher import PhraseMatcher

        words = lexicon.tokenizer()
        self._matchers: dict[str, Any] = {
            "lemma": PhraseMatcher(words.vocab, attr="NORM"),
            "form": PhraseMatcher(words.vocab, attr="LOWER"),
        }
        self._by_anchor: dict[str, list[frozenset[str]]] = {}
        for number, pattern in phrases:
            text = fold(pattern.text)
            self._matchers[pattern.kind].add(str(number), [words(text)])
            keys = _keys_in(text)
            self._by_anchor.setdefault(max(keys, key=_rarity), []).append(keys)
        self._dull: set[str] = set()

    def find(self, shadow: Shadow) -> dict[int, list[Span]]:
        """Return the places of every phrase in ``shadow``; phrases not found are left out."""
        found: dict[int, list[Span]] = {}
        words = lexicon.tokenizer()
        for start in self._sentences(shadow):
            doc = words(shadow.sentence(shadow.sentence_at(start)))
            for matcher in self._matchers.values():
                for key, first, last in sorted(matcher(doc), key=_by_place):
                    begin, end = start + doc[first].idx, start + doc[last - 1].idx + len(doc[last - 1])
                    found.setdefault(int(doc.vocab.strings[key]), []).append(Span(begin, end))
        return found

    def _sentences(self, shadow: Shadow) -> Iterator[int]:
        """Yield where the sentences begin that hold all words of some phrase, in order."""
        near: dict[int, set[str]] = {}
        for chunk in set(shadow.text.split()) - self._dull:
            anchors = lexicon.keys_of(chunk) & self._by_anchor.keys()
            for at in _places(shadow.text, chunk) if anchors else self._remember(chunk):
                near.setdefault(shadow.sentence_at(at), set()).update(anchors)
        for number in sorted(near):
            keys = _keys_in(shadow.sentence(number))
            if any(phrase <= keys for anchor in near[number] for phrase in self._by_anchor[anchor]):
                yield shadow.starts[number]

    def _remember(self, chunk: str) -> tuple[int, ...]:
        """Remember that ``chunk`` carries no word of interest, as nearly all do; bounded. Return no places."""
        if len(self._dull) >= lexicon.CHUNKS_KEPT:
            self._dull.clear()
        self._dull.add(chunk)
        return ()


def _keys_in(text: str) -> frozenset[str]:
    return frozenset().union(*map(lexicon.keys_of, text.split()))


def _places(text: str, chunk: str) -> Iterator[int]:
    at = text.find(chunk)
    while at >= 0:
        yield at
        at = text.find(chunk, at + len(chunk))


def _rarity(key: str) -> tuple[bool, int, str]:
    """Return what sorts the least common word of a phrase last: longer words are rarer."""
    return key not in lexicon.common_words(), len(key), key


def _by_place(match: tuple[int, int, int]) -> tuple[int, int]:
    return match[1], match[2]


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
