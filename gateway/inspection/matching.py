"""Patterns -> where they are in a text, from the cheap to the dear.

Owns the compiled forms: RE2 for expressions, spaCy's PhraseMatcher for phrases. Refuses to know rules and
conditions: it is handed numbered patterns and answers with spans.

RE2 is linear in the text, so that a rule author cannot stall the mail, but hundreds of expressions are too many to
try on every text. One pass over the text first finds the words and pieces of words that expressions cannot do
without (`literals`), each expression waiting for the rarest that it needs: Aho-Corasick for the pieces, a set for
whole words. So the cost of a rule whose words are not there is near nothing (docs/decisions/0007). What may be there
is located in the whole text when a rule that may still fire asks for it.

Patterns see the shadow text. ``^`` and ``$`` are the ends of a sentence, and no match crosses one.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from itertools import accumulate, islice
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol

import re2
from ahocorasick_rs import AhoCorasick, Implementation

from gateway.inspection import lexicon
from gateway.inspection.literals import EDGE, Every, Literals, Need, need_of, strings_of
from gateway.inspection.shadow import Shadow, fold, fold_point

MAX_MEMORY: Final = 67_108_864
"""Octets RE2 may use for one expression; it starts its automaton anew when they are used up."""
MAX_PROGRAM: Final = 20_000
"""RE2 instructions of one pattern: counted repetitions of long classes are what exceeds it."""
MAX_SEPARATE: Final = 12
"""Sentences that are searched for an expression one by one; more of them are searched in one go with all others."""
MAX_BY_CHUNK: Final = 20_000
"""Characters of a text that is searched for whole words chunk by chunk; a longer one is searched once for each word."""
MAX_SAMPLE: Final = 1500
"""Texts that are enough to tell rare words from common ones."""
_BATCH: Final = 250
_WORD: Final = re.compile(r"\w+", re.ASCII)
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


class Span(NamedTuple):
    """Where a pattern was found, in characters of the shadow text."""

    start: int
    end: int


Places = Mapping[int, Sequence[Span]]
"""Where a pattern was found, in order, under the numbers of the sentences that hold it."""


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


def _folded(text: str) -> str:
    """Return an expression as the shadow would hold its letters."""
    return "".join(map(_fold_char, text))


@lru_cache(maxsize=1000)
def _fold_char(char: str) -> str:
    return char if char.isspace() else fold_point(ord(char))


def _regex(kind: str, text: str) -> bytes:
    return f"{'(?mi)' if kind == 'regex' else '(?m)'}(?:{_folded(text)})".encode()


class PatternIndex:
    """All patterns of an engine, compiled, under the numbers of their order.

    ``sample`` is text like that which will be read. What is rare in it is what an expression waits for: it decides
    what is cheap, and never what is found.
    """

    def __init__(self, patterns: Sequence[PatternLike], sample: Sequence[str] = ()) -> None:
        """Compile ``patterns``; raises ``re2.error`` for one that `pattern_problem` would name."""
        words = [(number, pattern) for number, pattern in enumerate(patterns) if pattern.kind in _WORDS]
        self.phrases = PhraseIndex(words)
        expressions = {
            number: pattern for number, pattern in enumerate(patterns) if pattern.kind not in _WORDS
        }
        options = _options()
        self.regexes: dict[int, Any] = {
            number: re2.compile(_regex(pattern.kind, pattern.text), options)
            for number, pattern in expressions.items()
        }
        texts = [fold(text) for text in islice(dict.fromkeys(sample), MAX_SAMPLE)]
        self.literals = _rarest({number: pattern.text for number, pattern in expressions.items()}, texts)
        """For each expression that is not bare, the strings of which one must be there."""
        self.bare = frozenset(expressions.keys() - self.literals.keys())
        """Expressions for which no text can be ruled out beforehand."""
        self.lookout = Lookout(self.literals, self.phrases.keys)
        self.is_empty = not patterns
        self._met = Counter(number for text in texts for number in self.present(self.lookout.met(text)))

    def scan(self, shadow: Shadow) -> "Scan":
        """Return what is in ``shadow``: which patterns may be there, and where they are when asked."""
        return Scan(self, shadow)

    def present(self, met: AbstractSet[str]) -> frozenset[int]:
        """Return the patterns that may be in a text in which ``met`` was: every one that is, and some that are not."""
        return self.bare.union(self.lookout.owners(met), self.phrases.present(met))

    def commonness(self, number: int) -> int:
        """Return in how many texts of the sample a pattern may be."""
        return self._met[number]


def _rarest(expressions: Mapping[int, str], texts: Sequence[str]) -> dict[int, frozenset[str]]:
    """Return for each expression the strings to look for: those that it needs and that are met least often.

    Some at a time: all that might be looked for is much more than what is chosen.
    """
    rarest: dict[int, frozenset[str]] = {}
    rest = iter(expressions.items())
    while batch := dict(islice(rest, _BATCH)):
        read = ((number, need_of(_folded(text))) for number, text in batch.items())
        needs = {number: need for number, need in read if need is not None}
        lookout = Lookout({number: set(strings_of(need)) for number, need in needs.items()}, frozenset())
        met = Counter(string for text in texts for string in lookout.met(text))
        rarest |= {number: _cheapest(need, met)[1] for number, need in needs.items()}
    return rarest


def _cheapest(need: Need, met: Counter[str]) -> tuple[float, frozenset[str]]:
    """Return the strings that are the cheapest way to look for ``need``, and in how many texts they will be met.

    What was in none will be met all the same, the sooner the shorter it is.
    """
    if isinstance(need, Literals):
        return sum(met[each] + 2.0 ** -len(each) for each in need.strings), need.strings
    ways = [_cheapest(each, met) for each in need.needs]
    if isinstance(need, Every):
        return min(ways, key=itemgetter(0))
    return sum(cost for cost, _ in ways), frozenset().union(*(strings for _, strings in ways))


class Lookout:
    """Finds in one pass which of many strings and words a text holds, and who waits for them.

    Whole words and the keys of phrases depend on the chunk between spaces alone, so what a chunk holds is kept from
    one message to the next. Other strings are found by Aho-Corasick.
    """

    def __init__(self, waiting: Mapping[int, Collection[str]], keys: frozenset[str]) -> None:
        """Take the strings of each owner, and the keys that phrases ask for."""
        owners: dict[str, list[int]] = {}
        for owner, strings in waiting.items():
            for string in strings:
                owners.setdefault(string, []).append(owner)
        self._owners = {string: tuple(own) for string, own in owners.items()}
        self._words = frozenset(string for string in owners if string[0] == EDGE)
        pieces = [string for string in owners if string[0] != EDGE]
        self._pieces = (
            AhoCorasick(pieces, store_patterns=True, implementation=Implementation.ContiguousNFA)
            if pieces
            else None
        )
        self._keys = keys
        self._signs = tuple(key for key in keys if not _has_letters(key))
        self._chunks: dict[str, frozenset[str]] = {}
        self._idle: set[str] = set()
        """Chunks that hold nothing that is looked for: most of what is written."""

    def met(self, text: str) -> set[str]:
        """Return the strings and keys that are in a folded text."""
        return self.pieces(text.lower()).union(self.words(text))

    def pieces(self, text: str) -> set[str]:
        """Return the strings that are in a folded text in lower case, whole words apart."""
        if self._pieces is None:
            return set()
        return set(self._pieces.find_matches_as_strings(text, overlapping=True))

    def words(self, text: str) -> dict[str, list[str]]:
        """Return the whole words and the keys that are in a folded text, each with the chunks that hold it."""
        held: dict[str, list[str]] = {}
        for chunk in set(text.split()) - self._idle:
            words = self._chunks.get(chunk)
            if words is None:
                words = self._remember(chunk)
            for word in words:
                held.setdefault(word, []).append(chunk)
        return held

    def owners(self, met: AbstractSet[str]) -> set[int]:
        """Return those who wait for something of ``met``."""
        return {owner for string in met & self._owners.keys() for owner in self._owners[string]}

    def _remember(self, chunk: str) -> frozenset[str]:
        """Return what ``chunk`` holds, and keep it. All is dropped when hostile mail has filled the memory."""
        if len(self._chunks) + len(self._idle) >= lexicon.CHUNKS_KEPT:
            self._chunks.clear()
            self._idle.clear()
        words = (f"{EDGE}{word}{EDGE}" for word in _WORD.findall(chunk.lower()))
        held = self._words.intersection(words) | (self._keys & self._keys_of(chunk))
        if held:
            self._chunks[chunk] = held
        else:
            self._idle.add(chunk)
        return held

    def _keys_of(self, chunk: str) -> frozenset[str]:
        """Return the keys of ``chunk`` that a phrase may ask for, and perhaps more.

        Numbers and signs, which are new in every mail, are not worth the tokeniser: its tokens are pieces of the
        chunk, and without letters a piece is its own key.
        """
        if not self._keys or chunk[0].isalpha() or _has_letters(chunk):
            return lexicon.keys_of(chunk) if self._keys else self._keys
        return frozenset(sign for sign in self._signs if sign in chunk)


class Scan:
    """One text and the patterns in it. Each is located when first asked for, where it is asked for."""

    def __init__(self, index: PatternIndex, shadow: Shadow) -> None:
        """Find out what may be in the text; nothing is located yet."""
        self._lower = shadow.text.lower()
        self._words = index.lookout.words(shadow.text)
        self._met = index.lookout.pieces(self._lower).union(self._words)
        self.present = index.present(self._met) if shadow.text else frozenset()
        """The patterns that may be in the text."""
        self._index = index
        self._shadow = shadow
        self._located: dict[int, Places] = {}
        self._spans: dict[tuple[int, int], Sequence[Span]] = {}
        self._phrases: dict[int, dict[int, list[Span]]] = {}
        self._with_word: dict[str, set[int]] = {}
        self._with_piece: dict[str, set[int]] = {}

    def places(self, number: int) -> Places:
        """Return every place of a pattern, in order, under the numbers of the sentences that hold it."""
        places = self._located.get(number)
        if places is None:
            places = self._located[number] = self._locate(number) if number in self.present else {}
        return places

    def spans(self, number: int, sentence: int) -> Sequence[Span]:
        """Return every place of a pattern in one sentence, in order; no other sentence is searched for it."""
        if number not in self.present:
            return ()
        if number in self._located:
            return self._located[number].get(sentence, ())
        spans = self._spans.get((number, sentence))
        if spans is None:
            spans = self._spans[number, sentence] = self._within(number, sentence)
        return spans

    def is_phrase(self, number: int) -> bool:
        """Return whether a pattern is a phrase."""
        return number in self._index.phrases.words

    def near(self, number: int) -> Collection[int]:
        """Return the sentences that hold a pattern, and perhaps some that do not."""
        if number in self._located or number not in self.present:
            return self.places(number)
        near = self._waited_for(number)
        return self.places(number) if near is None else near

    def _locate(self, number: int) -> Places:
        near = self._waited_for(number)
        if near is None:
            places = self._in_one_go(self._index.regexes[number])
            if places is not None:
                return places
            near = range(len(self._shadow.starts))
        found = ((sentence, self._within(number, sentence)) for sentence in near)
        return {sentence: spans for sentence, spans in found if spans}

    def _waited_for(self, number: int) -> Sequence[int] | None:
        """Return the sentences that hold what a pattern waits for, or None if they are too many to look at each."""
        if self.is_phrase(number):
            return self._with_words(number)
        if number in self._index.bare or len(self._lower) != len(self._shadow.text):
            return None
        near: set[int] = set()
        for string in self._index.literals[number] & self._met:
            near |= self._with_string(string)
            if len(near) > MAX_SEPARATE:
                return None
        return sorted(near)

    def _with_string(self, string: str) -> set[int]:
        """Return the sentences that hold what expressions wait for, or more of them than are looked at each.

        A whole word is looked for in the chunks that hold it: in the text, "hi" would be met in every "this". In a long
        text that would be dearer than a few sentences searched in vain.
        """
        if (
            string[0] == EDGE
            and len(self._lower) <= MAX_BY_CHUNK
            and len(self._words[string]) <= MAX_SEPARATE
        ):
            return self._holding(string)
        near = self._with_piece.get(string)
        if near is None:
            near = self._with_piece[string] = set()
            piece = string.strip(EDGE)
            at = self._lower.find(piece)
            while at >= 0 and len(near) <= MAX_SEPARATE:
                sentence = self._shadow.sentence_at(at)
                near.add(sentence)
                at = self._lower.find(piece, self._shadow.end(sentence))
        return near

    def _within(self, number: int, sentence: int) -> Sequence[Span]:
        """Look for a pattern in one sentence; phrases are looked for all at once, where all words of one are."""
        compiled = self._index.regexes.get(number)
        if compiled is not None:
            found = (match.span() for match in compiled.finditer(self._raw[sentence]))
            return self._stretches(sentence, ((first, last) for first, last in found if first < last))
        if sentence not in self._phrases:
            if sentence not in self._with_words(number):
                return ()
            self._phrases[sentence] = self._index.phrases.find(self._shadow, sentence)
        return self._phrases[sentence].get(number, ())

    def _with_words(self, number: int) -> Sequence[int]:
        """Return the sentences that hold all words of a phrase."""
        return sorted(set[int].intersection(*map(self._holding, self._index.phrases.words[number])))

    def _holding(self, word: str) -> set[int]:
        """Return the sentences that hold a word of phrases."""
        holding = self._with_word.get(word)
        if holding is None:
            holding = self._with_word[word] = set()
            for chunk in self._words.get(word, ()):
                at = self._spaced.find(f" {chunk} ")
                while at >= 0:
                    sentence = self._shadow.sentence_at(at)
                    holding.add(sentence)
                    at = self._spaced.find(f" {chunk} ", self._shadow.end(sentence))
        return holding

    @cached_property
    def _spaced(self) -> str:
        """Return the text with a space before and behind each chunk: a chunk's space stands where it begins."""
        return f" {self._shadow.text} ".replace("\n", " ")

    @cached_property
    def _raw(self) -> list[bytes]:
        """Return the sentences in octets, as RE2 wants them."""
        return self._shadow.text.encode().split(b"\n")

    def _in_one_go(self, compiled: Any) -> Places | None:
        """Look for an expression in the whole text; return None where a match would cross the end of a sentence."""
        raw, starts = self._whole
        found: dict[int, list[tuple[int, int]]] = {}
        for match in compiled.finditer(raw):
            first, last = match.span()
            sentence = bisect_right(starts, first) - 1
            if last >= starts[sentence + 1]:
                return None
            if first < last:
                found.setdefault(sentence, []).append((first - starts[sentence], last - starts[sentence]))
        return {sentence: self._stretches(sentence, octets) for sentence, octets in found.items()}

    @cached_property
    def _whole(self) -> tuple[bytes, list[int]]:
        """Return the text in octets, and where its sentences begin, with one more behind the last."""
        return b"\n".join(self._raw), list(accumulate((len(raw) + 1 for raw in self._raw), initial=0))

    def _stretches(self, sentence: int, found: Iterable[tuple[int, int]]) -> list[Span]:
        """Return stretches of a sentence's octets, in their order, as characters of the shadow."""
        raw, place = self._raw[sentence], self._shadow.starts[sentence]
        if raw.isascii():
            return [Span(place + first, place + last) for first, last in found]
        spans = []
        at = 0
        for first, last in found:  # from one to the next: from the start each time would be quadratic
            start = place + len(raw[at:first].decode())
            place, at = start + len(raw[first:last].decode()), last
            spans.append(Span(start, place))
        return spans


class PhraseIndex:
    """Phrases by canonical key and by form: spaCy's PhraseMatcher behind a gate.

    Tokenising a text costs more than everything else together, and hardly any sentence holds all words of any phrase.
    spaCy's tokeniser works chunk by chunk, so that the keys of chunks lose nothing, and only a sentence in which a rule
    that may still fire asks for a phrase is tokenised.
    """

    def __init__(self, phrases: Sequence[tuple[int, PatternLike]]) -> None:
        """Compile numbered phrases."""
        from spacy.matcher import PhraseMatcher

        words = lexicon.tokenizer()
        self._matchers: dict[str, Any] = {
            "lemma": PhraseMatcher(words.vocab, attr="NORM"),
            "form": PhraseMatcher(words.vocab, attr="LOWER"),
        }
        self.words: dict[int, frozenset[str]] = {}
        """The keys of the words of each phrase."""
        self._by_rarest: dict[str, list[int]] = {}
        for number, pattern in phrases:
            text = fold(pattern.text)
            self._matchers[pattern.kind].add(str(number), [words(text)])
            keys = frozenset().union(*map(lexicon.keys_of, text.split()))
            self.words[number] = keys
            self._by_rarest.setdefault(max(keys, key=_rarity), []).append(number)
        self.keys = frozenset().union(*self.words.values())
        """The keys of the words of all phrases."""

    def present(self, met: AbstractSet[str]) -> set[int]:
        """Return the phrases all of whose words are in ``met``."""
        rarest = met & self._by_rarest.keys()
        return {number for key in rarest for number in self._by_rarest[key] if self.words[number] <= met}

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


def _has_letters(text: str) -> bool:
    """Return whether ``text`` holds a letter, or a character beyond ASCII that might be read as one."""
    return not text.isascii() or text.upper() != text.lower()


def _rarity(key: str) -> tuple[bool, int, str]:
    """Return what sorts the least common word of a phrase last: longer words are rarer."""
    return key not in lexicon.common_words(), len(key), key


def _by_place(match: tuple[int, int, int]) -> tuple[int, int]:
    return match[1], match[2]
