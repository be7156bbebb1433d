"""Finding patterns: words by lemma and form, expressions by RE2, in any text, and never past a sentence."""

import re
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inspection import lexicon
from gateway.inspection.matching import MAX_SEPARATE, PatternIndex, pattern_problem
from gateway.inspection.rules import Pattern
from gateway.inspection.shadow import shadow_of


def found(text, *patterns):
    """Return, for each pattern, the pieces of the source it was found at."""
    shadow = shadow_of(text)
    scan = PatternIndex(patterns).scan(shadow)
    pieces = [
        [text[slice(*shadow.origin(span.start, span.end))] for span in spans(scan, number)]
        for number in range(len(patterns))
    ]
    return pieces[0] if len(pieces) == 1 else pieces


def spans(scan, number):
    """Return the places of a pattern, sentence by sentence, the sentences in order."""
    return [span for _, each in sorted(scan.places(number).items()) for span in each]


def lemma(text):
    return Pattern("lemma", text)


def form(text):
    return Pattern("form", text)


def regex(text):
    return Pattern("regex", text)


@pytest.mark.parametrize(
    ("phrase", "text", "piece"),
    [
        ("fancy a drink", "I fancied a drink", "fancied a drink"),
        ("fancy a drink", "Fancy  a\ndrink?", "Fancy  a\ndrink"),
        ("take you out", "taking you out", "taking you out"),
        ("take you out", "I took u out", "took u out"),
        ("you are lovely", "you\u2019re lovely", "you\u2019re lovely"),
        ("you are lovely", "youre lovely", "youre lovely"),
        ("you are lovely", "u r lovely", None),
        ("I am single", "Im single", "Im single"),
        ("I am single", "i'm single", "i'm single"),
        ("do not tell", "dont tell", "dont tell"),
        ("do not tell", "don't tell", "don't tell"),
        ("text me", "texting me", "texting me"),
        ("whatsapp me", "WhatsApped me", "WhatsApped me"),
        ("date", "dates", "dates"),
        ("snog", "snogged", "snogged"),
        ("one evening", "one even", None),
        ("meet up", "we are meeting up", "meeting up"),
        ("cafe", "caf\u00e9s", "caf\u00e9s"),
        ("fancy a drink", "fan\u200bcy a dri\u00adnk", "fan\u200bcy a dri\u00adnk"),
        ("fancy a drink", "fancy a soft drink", None),
        ("fancy a drink", "fancy. A drink", None),
        ("see you", "see u.", "see u."),
    ],
)
def test_phrase_by_lemma(phrase, text, piece):
    """A phrase meets every form of its words, contractions and text speak, and nothing across a sentence's end."""
    assert found(text, lemma(phrase)) == ([piece] if piece else [])


def test_phrase_by_form():
    """By form a phrase is found as it stands, in any case."""
    assert found("Fancy a DRINK", form("fancy a drink")) == ["Fancy a DRINK"]
    assert found("fancied a drink", form("fancy a drink")) == []


def test_overlapping_phrases_are_all_found():
    """One phrase inside another: both are found."""
    assert found("grab a drink with me", lemma("grab a drink"), lemma("drink with me")) == [
        ["grab a drink"],
        ["drink with me"],
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (r"\bjust us\b", "Just  us, just us", ["Just  us", "just us"]),
        (r"drink.{0,20}work", "a drink after\nwork", ["drink after\nwork"]),
        (r"drink.{0,20}work", "a drink.\nWork starts", []),
        (r"drink\s\S{0,9}", "a drink.\n\ndrink up", ["drink up"]),
        (r"^fancy", "Hi.\n\nFancy a drink", ["Fancy"]),
        (r"drink$", "a drink\n\nand another drink", ["drink", "drink"]),
        (r"you're", "you\u2019re", ["you\u2019re"]),
        ("caf\u00e9", "cafe", ["cafe"]),
        ("\U0001f618", "night \U0001f618\U0001f3fd", ["\U0001f618"]),
        ("[\u2764\ufe0f]", "love \u2764\ufe0f you", ["\u2764"]),
        (r"\w+ing", "texting \u00e9 dating", ["texting", "dating"]),
    ],
)
def test_expression(pattern, text, pieces):
    """An expression sees one sentence, folded and on one line; ^ and $ are its ends."""
    assert found(text, regex(pattern)) == pieces


def test_case_matters_only_when_asked():
    """Expressions ignore case by default."""
    assert found("PC Hunn", regex("pc hunn")) == ["PC Hunn"]
    assert found("PC Hunn", Pattern("regex-exact", "pc hunn")) == []


def test_match_across_sentences_does_not_hide_one_inside():
    r"""An expression with \s that first meets a sentence's end is still found where it lies inside one."""
    assert found("call me.\n\nme you me", regex(r"me\W+(?:me|you)")) == ["me you"]


def test_expressions_without_any_literal():
    """An expression that any text may hold is looked for everywhere; its matches cross no sentence's end."""
    bare = regex(r"\b[a-c]\W{1,3}[a-c]\b")
    assert PatternIndex([bare]).bare == {0}
    assert found("a b. c\n\na-c here", bare) == ["a b", "a-c"]
    assert found("x a.\n\nb y. a b \u00e9", bare) == ["a b"]
    assert found("caf\u00e9 a b, a c", bare) == ["a b", "a c"]
    assert found("nothing", bare) == []
    scan = PatternIndex([bare]).scan(shadow_of("a b!\n\nhello."))
    assert scan.spans(0, 1) == []
    assert len(scan.spans(0, 0)) == 1


def test_one_sentence_or_all_give_the_same():
    """What is asked for in one sentence, and then in all, is one and the same; numbers not there are nowhere."""
    scan = PatternIndex([regex("drink"), lemma("drink"), regex("walk")]).scan(
        shadow_of("a drink. so. drink.")
    )
    for number in (0, 1):
        first = scan.spans(number, 2)
        assert len(first) == 1
        assert scan.places(number) == {0: scan.spans(number, 0), 2: first}
        assert not scan.spans(number, 1)
    assert not scan.spans(2, 0)
    assert not scan.places(2)


@pytest.mark.parametrize("count", [MAX_SEPARATE, MAX_SEPARATE + 1, 3 * MAX_SEPARATE])
@pytest.mark.parametrize("odd", ["", "\u0130stanbul \U0001f44d"])
def test_few_sentences_and_many(count, odd):
    """An expression is found in few sentences, in many, and where lower case has another length."""
    text = "".join(f"Number {number}{odd}: fancy a drink.\n\nNothing here.\n\n" for number in range(count))
    assert found(text, regex(r"fancy\W+a \w+")) == ["fancy a drink"] * count
    assert found(text, regex(r"drink\W+\w+|drink")) == ["drink"] * count


def test_where_a_pattern_may_be():
    """The sentences that may hold a pattern include those that do, in few sentences, in many, and in odd letters."""
    for text in (
        "Well. I am. A drink. Fancy it.",
        "I drank. " * 40 + "a drink, a\u2019drink. Drink!",
        "\u0130 a drink. So. a",
    ):
        scan = PatternIndex([lemma("a drink"), regex(r"a\W+drink"), regex(r"\ba\b"), regex("[xyz]{2}")]).scan(
            shadow_of(text)
        )
        for number in range(4):
            near = set(scan.near(number))
            assert near >= scan.places(number).keys()
            assert set(scan.near(number)) == scan.places(number).keys(), "what was located is known"


@pytest.mark.parametrize("pattern", [regex("fancy a drink"), regex(r"\ba\W+b\b"), lemma("fancy a drink")])
def test_what_may_be_there_and_what_is(pattern):
    """A text holds a pattern only where it was located: words in another order are not it."""
    index = PatternIndex([pattern])
    assert index.scan(shadow_of("Well. I fancy a drink, a b.")).places(0)
    assert not index.scan(shadow_of("A drink? Nothing fancy. b a drink fancy, I say.")).places(0)


def test_a_phrase_is_looked_for_when_asked_for():
    """All words of a phrase in one sentence, in the wrong order, may be the phrase, and hold no place of it."""
    scan = PatternIndex([lemma("fancy a drink"), lemma("drink")]).scan(shadow_of("a drink fancied. so."))
    assert scan.present == {0, 1}
    assert not scan.places(0)
    assert len(scan.places(1)[0]) == 1


def test_nothing_to_look_for_and_nothing_to_look_in():
    """An empty index finds nothing, and an empty text holds nothing."""
    assert PatternIndex([]).scan(shadow_of("a drink")).present == frozenset()
    empty = PatternIndex([regex("drink"), lemma("drink"), regex("[ab]{2}")]).scan(shadow_of(" \n"))
    assert empty.present == frozenset()
    assert not empty.places(2)


def test_what_is_rare_in_the_sample_is_waited_for():
    """Of what an expression needs, the words that mail is full of are not what it waits for."""
    expression = regex(r"\b(?:you|your)\b.{0,30}\bgorgeous\b")
    by_words = PatternIndex([expression], ["gorgeous", "gorgeous, gorgeous"])
    by_charm = PatternIndex([expression], ["Thank you for your letter.", "You may call."])
    assert by_words.scan(shadow_of("gorgeous")).present == frozenset()
    assert by_charm.scan(shadow_of("you")).present == frozenset()
    for index in (by_words, by_charm):
        assert index.scan(shadow_of("you are gorgeous")).places(0)
    assert by_words.commonness(0) == 0


def test_whole_words_only():
    """A word that must stand alone is not met inside another."""
    index = PatternIndex([regex(r"\bus\b"), regex(r"us")])
    assert index.scan(shadow_of("must")).present == {1}
    assert index.scan(shadow_of("Us!")).present == {0, 1}


words = st.lists(
    st.sampled_from(
        [
            "drink",
            "drank",
            "you",
            "u",
            "you're",
            "youre",
            "fancied",
            "fancy",
            "a",
            "A.",
            "I'm",
            "im",
            "texting",
            "e.g.",
            "don't",
            "(hello)",
            "2nite",
            "x",
            "❤",
            "re:",
            "/",
            "...",
            "Mr.",
            "9.30am",
            "meet-up",
        ]
    ),
    max_size=20,
)
PHRASES = ["fancy a drink", "you are", "drink", "text you", "tonight", "do not", "I am", "meet - up"]


@given(words, st.sampled_from([" ", "\n", "  ", " \n\n"]))
def test_the_gate_loses_nothing(chunks, gap):
    """Only sentences that may hold a phrase are tokenised; whole texts give the same phrases (spaCy's own matcher)."""
    from spacy.matcher import PhraseMatcher

    tokenizer = lexicon.tokenizer()
    matcher = PhraseMatcher(tokenizer.vocab, attr="NORM")
    for number, phrase in enumerate(PHRASES):
        matcher.add(str(number), [tokenizer(phrase)])
    shadow = shadow_of(gap.join(chunks))
    expected = set()
    for number, start in enumerate(shadow.starts):
        doc = tokenizer(shadow.sentence(number))
        for key, first, last in matcher(doc):
            end = doc[last - 1].idx + len(doc[last - 1])
            expected.add((int(doc.vocab.strings[key]), start + doc[first].idx, start + end))
    scan = PatternIndex([lemma(phrase) for phrase in PHRASES]).scan(shadow)
    got = {(number, span.start, span.end) for number in range(len(PHRASES)) for span in spans(scan, number)}
    assert got == expected


EXPRESSIONS = [r"\byou\b", r"a.{0,3}b", r"^a", r"b$", r"[ab]{2,4}", r"a\s?b", r"(?:ab|ba)+", r"\d{2}"]


@given(st.text(st.sampled_from("abAB 12.\n\u00e9\u2019\U0001f44d"), max_size=60))
def test_expressions_agree_with_a_plain_search(text):
    """Filter, octets and offsets change nothing: each expression is found where `re` finds it, sentence by sentence."""
    shadow = shadow_of(text)
    scan = PatternIndex([regex(each) for each in EXPRESSIONS]).scan(shadow)
    for number, expression in enumerate(EXPRESSIONS):
        expected = [
            (start + match.start(), start + match.end())
            for position, start in enumerate(shadow.starts)
            for match in re.finditer(expression, shadow.sentence(position), re.IGNORECASE | re.ASCII)
        ]
        assert [(span.start, span.end) for span in spans(scan, number)] == expected


@given(st.text(max_size=30))
def test_any_pattern_is_taken_or_refused(text):
    """Whatever an author writes as an expression, it is compiled or named; nothing is raised."""
    problem = pattern_problem("regex", text)
    if problem is None:
        PatternIndex([regex(text)]).scan(shadow_of("a drink after work"))
    else:
        assert all(problem)


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=15))
def test_a_key_is_its_own_key(word):
    """Whatever the word, its key is found again by every spelling in another case."""
    assert lexicon.canonical(word) == lexicon.canonical(word.lower())


def test_memory_of_chunks_is_bounded():
    """What is remembered of the words of a message is bounded too, and forgetting loses nothing."""
    index = PatternIndex([lemma("fancy a drink"), regex(r"\bdrink\b")])
    text = " ".join(
        "".join(letters) for letters in islice(product("abcdefghijk", repeat=5), lexicon.CHUNKS_KEPT + 10)
    )
    index.scan(shadow_of(text))
    assert len(index.lookout._chunks) <= lexicon.CHUNKS_KEPT
    assert index.scan(shadow_of(f"{text} fancied a drink")).present == {0, 1}


def test_cache_of_words_is_bounded():
    """Hostile mail cannot fill the memory with words that never return."""
    for letters in islice(product("abcdefghijk", repeat=5), lexicon.CHUNKS_KEPT + 10):
        lexicon.keys_of("".join(letters))
    assert len(lexicon._chunk_keys) <= lexicon.CHUNKS_KEPT
