"""Patterns -> where they are in a text, from the cheap to the dear.

Owns the compiled forms: RE2 for expressions, spaCy's PhraseMatcher for phrases. Refuses to know rules and
conditions: it is handed numbered patterns and answers with spans.

RE2 is linear in the text, so that a rule author cannot stall the mail. RE2's own filter first says, sentence by
sentence, which expressions may be there, by the literals they cannot do without; `Scan.spans` locates one in one
sentence when a rule that may still fire asks for it. One set of all expressions, the obvious way, is fast only on
text it has seen: its automaton grows with every new text (measured on 507 patterns of our rules and new 2 KB mail:
15.8 ms for the set, 0.6 ms for the filter). The filter answers nothing when it runs out of memory; a word that is
in every text and a pattern for it tell that silence from absence, and all expressions are then tried. Expressions
without any literal are searched for in the whole text at once, when asked for.

Patterns see the shadow text. ``^`` and ``$`` are the ends of a sentence, and no match crosses one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
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
        order = tuple(self.regexes)
        hits = self._filter_of(order).Match(_WITNESS, potential=True) or ()
        self.bare = frozenset(order[hit] for hit in hits if hit < len(order))
        """Expressions without any literal: no filter can rule them out anywhere, so ours does without them."""
        self._order = tuple(number for number in order if number not in self.bare)
        self._filter = self._filter_of(self._order)
        words = [(number, pattern) for number, pattern in enumerate(patterns) if pattern.kind in _WORDS]
        self.phrases = PhraseIndex(words) if words else None
        self.is_empty = not patterns

    def scan(self, shadow: Shadow) -> "Scan":
        """Return what is in ``shadow``: which patterns may be in which sentence, and where they are when asked."""
        return Scan(self, shadow)

    def candidates(self, sentence: bytes) -> Sequence[int]:
        """Return the expressions that may be in a sentence, bare ones apart; all when the filter failed."""
        if not self._order:
            return ()
        return possible(self._filter.Match(b"%b\n%b" % (sentence, _WITNESS), potential=True), self._order)

    def _filter_of(self, numbers: Iterable[int]) -> Any:
        """Return RE2's filter over some expressions, the witness last."""
        compiled = re2.Filter()
        for number in numbers:
            compiled.Add(self.regexes[number].pattern, _options())
        compiled.Add(_WITNESS, _options())
        compiled.Compile()
        return compiled


def possible(hits: Sequence[int] | None, order: Sequence[int]) -> Sequence[int]:
    """Return the expressions of ``order`` that the filter's answer lets be there.

    The last position is the witness. Where it is missing the filter failed, and every expression may be there.
    """
    if hits is None or len(order) not in hits:
        return order
    return [order[hit] for hit in hits if hit < len(order)]


class Scan:
    """One text and the patterns in it.

    ``sentences`` errs towards more: it names every sentence that holds a pattern, and some that do not.
    """

    def __init__(self, index: PatternIndex, shadow: Shadow) -> None:
        """Find out what may be in which sentence; nothing is located yet."""
        self._index = index
        self._shadow = shadow
        self._raw = [sentence.encode() for sentence in shadow.text.split("\n")] if shadow.text else []
        self._located: dict[tuple[int, int], list[Span]] = {}
        self._where: dict[int, list[int]] = {}
        self._in = [set(index.candidates(raw)) for raw in self._raw]
        for sentence, numbers in index.phrases.candidates(shadow) if index.phrases is not None else ():
            self._in[sentence] |= numbers
        for sentence, within in enumerate(self._in):
            for number in within:
                self._where.setdefault(number, []).append(sentence)

    @cached_property
    def present(self) -> frozenset[int]:
        """Return the numbers of all patterns that may be in the text."""
        return frozenset(self._where) | self.bare

    @property
    def bare(self) -> frozenset[int]:
        """Return the patterns that nothing rules out beforehand."""
        return self._index.bare if self._raw else frozenset()

    def within(self, sentence: int) -> AbstractSet[int]:
        """Return the patterns that may be in a sentence, bare ones apart."""
        return self._in[sentence]

    def sentences(self, number: int) -> Sequence[int]:
        """Return the sentences that may hold a pattern."""
        if number in self._index.bare and number not in self._where:
            self._where[number] = self._locate_bare(number)
        return self._where.get(number, ())

    def spans(self, number: int, sentence: int) -> Sequence[Span]:
        """Return every place of a pattern in a sentence, in order; located when first asked for."""
        if number in self._index.bare and number not in self._where:
            self._where[number] = self._locate_bare(number)
        spans = self._located.get((number, sentence))
        if spans is None:
            spans = self._located[number, sentence] = self._locate(number, sentence)
        return spans

    def holds(self, number: int) -> bool:
        """Return whether a pattern is in the text."""
        return any(self.spans(number, sentence) for sentence in self.sentences(number))

    def _locate(self, number: int, sentence: int) -> list[Span]:
        """Return every place of a pattern in a sentence; phrases are located all at once."""
        if number in self._index.bare:
            return []
        if number in self._index.regexes:
            return self._spans(self._index.regexes[number], sentence)
        if self._index.phrases is None or number not in self._in[sentence]:
            return []
        phrases = self._index.phrases.find(self._shadow, sentence)
        self._located.update(
            ((each, sentence), phrases.get(each, []))
            for each in self._index.phrases.numbers & self._in[sentence]
        )
        return phrases.get(number, [])

    @cached_property
    def _whole(self) -> tuple[bytes, list[int]]:
        """Return the whole text in octets, and where its sentences begin in it."""
        lengths = accumulate((len(raw) + 1 for raw in self._raw), initial=0)
        return b"\n".join(self._raw), list(lengths)

    def _locate_bare(self, number: int) -> list[int]:
        """Locate a bare expression in the whole text in one go, and return the sentences that hold it."""
        compiled = self._index.regexes[number]
        raw, starts = self._whole
        ascii_only = len(raw) == len(self._shadow.text)
        found: dict[int, list[Span]] = {}
        for match in compiled.finditer(raw):
            start, end = match.span()
            if b"\n" in raw[start:end]:
                found = {sentence: self._spans(compiled, sentence) for sentence in range(len(self._raw))}
                break
            sentence = bisect_right(starts, start) - 1
            if ascii_only:
                found.setdefault(sentence, []).append(Span(start, end))
            elif sentence not in found:
                found[sentence] = self._spans(compiled, sentence)
        self._located.update(((number, sentence), spans) for sentence, spans in found.items())
        return sorted(sentence for sentence, spans in found.items() if spans)

    def _spans(self, compiled: Any, sentence: int) -> list[Span]:
        raw, start = self._raw[sentence], self._shadow.starts[sentence]
        found = (match.span() for match in compiled.finditer(raw))
        if len(raw) == self._shadow.end(sentence) - start:
            return [Span(start + first, start + last) for first, last in found if first < last]
        return [
            Span(start + len(raw[:first].decode()), start + len(raw[:last].decode()))
            for first, last in found
            if first < last
        ]


class PhraseIndex:
    """Phrases by canonical key and by form: spaCy's PhraseMatcher behind a gate.

    Tokenising a text costs more than everything else together, and hardly any sentence holds all words of any
    phrase. The keys of a chunk between spaces are kept from one message to the next, since spaCy's tokeniser works
    chunk by chunk; so the gate loses nothing, and only a sentence in which a rule that may still fire asks for a
    phrase is tokenised.
    """

    def __init__(self, phrases: Sequence[tuple[int, PatternLike]]) -> None:
        """Compile numbered phrases."""
        from spacy.matcher import PhraseMatcher

        words = lexicon.tokenizer()
        self._matchers: dict[str, Any] = {
            "lemma": PhraseMatcher(words.vocab, attr="NORM"),
            "form": PhraseMatcher(words.vocab, attr="LOWER"),
        }
        self.numbers = frozenset(number for number, _ in phrases)
        self._by_anchor: dict[str, list[tuple[frozenset[str], int]]] = {}
        signs: set[str] = set()
        for number, pattern in phrases:
            text = fold(pattern.text)
            self._matchers[pattern.kind].add(str(number), [words(text)])
            keys = frozenset().union(*map(lexicon.keys_of, text.split()))
            signs |= {key for key in keys if not _has_letters(key)}
            self._by_anchor.setdefault(max(keys, key=_rarity), []).append((keys, number))
        self._signs = tuple(signs)
        self._dull: set[str] = set()

    def find(self, shadow: Shadow, sentence: int) -> dict[int, list[Span]]:
        """Return the places in one sentence of every phrase by its number; phrases not found are left out."""
        found: dict[int, list[Span]] = {}
        start = shadow.starts[sentence]
        doc = lexicon.tokenizer()(shadow.sentence(sentence))
        for matcher in self._matchers.values():
            for key, first, last in sorted(matcher(doc), key=_by_place):
                begin, end = start + doc[first].idx, start + doc[last - 1].idx + len(doc[last - 1])
                found.setdefault(int(doc.vocab.strings[key]), []).append(Span(begin, end))
        return found

    def candidates(self, shadow: Shadow) -> Iterator[tuple[int, set[int]]]:
        """Yield the sentences that hold all words of some phrase, in order, each with those phrases."""
        near: dict[int, set[str]] = {}
        for chunk in set(shadow.text.split()) - self._dull:
            anchors = self._keys_of(chunk) & self._by_anchor.keys()
            for at in _places(shadow.text, chunk) if anchors else self._remember(chunk):
                near.setdefault(shadow.sentence_at(at), set()).update(anchors)
        for sentence in sorted(near):
            keys = frozenset().union(*map(self._keys_of, shadow.sentence(sentence).split()))
            phrases = (phrase for anchor in near[sentence] for phrase in self._by_anchor[anchor])
            held = {number for words, number in phrases if words <= keys}
            if held:
                yield sentence, held

    def _keys_of(self, chunk: str) -> frozenset[str]:
        """Return the keys of ``chunk`` that a phrase may ask for, and perhaps more.

        Numbers and signs, which are new in every mail, are not worth the tokeniser: its tokens are pieces of the
        chunk, and without letters a piece is its own key.
        """
        if chunk[0].isalpha() or _has_letters(chunk):
            return lexicon.keys_of(chunk)
        return frozenset(sign for sign in self._signs if sign in chunk)

    def _remember(self, chunk: str) -> tuple[int, ...]:
        """Remember that ``chunk`` carries no word of interest, as nearly all do; bounded. Return no places."""
        if len(self._dull) >= lexicon.CHUNKS_KEPT:
            self._dull.clear()
        self._dull.add(chunk)
        return ()


def _has_letters(text: str) -> bool:
    """Return whether ``text`` holds a letter, or a character beyond ASCII that might be read as one."""
    return not text.isascii() or text.upper() != text.lower()


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
