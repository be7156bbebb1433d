"""Word pieces are those that the pretrained weights were trained with, each with its place."""

import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model.small_model import PIECES

from gateway.inspection.wordpiece import Vocabulary

OURS = Vocabulary(PIECES)


def is_settled(char):
    """Whether the class of a character is as it was in Unicode 3.2: of later ones, two tables know different things."""
    return unicodedata.ucd_3_2_0.category(char) == unicodedata.category(char) != "Cn"


MAIL = st.text(
    alphabet=st.one_of(
        st.sampled_from("abcdefg xyz XYZ 019.,;'\"-!?@#£$%^&*()_+=[]{}\n\t"),
        st.sampled_from("éèüßøİŁſﬁÅ中国かñ“”’–…\u00a0\u200b\u00ad\u0301\u202e😘♥½²ªﷺ\ufffd\x00\x07"),
        st.characters(codec="utf-8").filter(is_settled),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def theirs():
    """The reference: the `tokenizers` package with the same vocabulary."""
    tokenizers = pytest.importorskip("tokenizers", reason="extra dev")
    model = tokenizers.models.WordPiece(
        {piece: number for number, piece in enumerate(PIECES)},
        unk_token="[UNK]",
        max_input_chars_per_word=100,
    )
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return tokenizer


@settings(max_examples=400, deadline=None)
@given(text=MAIL)
def test_pieces_are_those_of_the_reference(theirs, text):
    """What the encoder reads is what its weights were trained with, character by character."""
    assert [piece.number for piece in OURS.pieces(text)] == theirs.encode(text).ids


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for your statement on Monday.",
        "You looked lovely, on Friday… it's £5",
        "LOVELY café naïve",
        "a" * 100,
        "a" * 101,
        "texting texted",
        "",
        " \t\n",
        "中国 you",
        "😘😘 x",
    ],
)
def test_plain_cases_agree_and_lie_where_they_stand(theirs, text):
    """Each piece covers the characters that it came from."""
    found = OURS.pieces(text)
    expected = theirs.encode(text)
    assert [piece.number for piece in found] == expected.ids
    assert [(piece.start, piece.end) for piece in found] == [tuple(span) for span in expected.offsets]


@given(text=MAIL)
def test_pieces_are_in_order_and_inside(text):
    """No piece lies outside its sentence or before the one that it follows."""
    found = OURS.pieces(text)
    assert all(0 <= piece.start < piece.end <= len(text) for piece in found)
    assert all(one.start <= other.start for one, other in itertools.pairwise(found))


def test_words_are_remembered_within_bounds():
    """Odd mail with ever new words cannot fill the memory."""
    vocabulary = Vocabulary(PIECES)
    for start in range(0, 120_000, 1000):
        vocabulary.pieces(" ".join(f"w{number}" for number in range(start, start + 1000)))
    assert len(vocabulary._known) <= 50_000
    assert vocabulary.pieces("w5") == Vocabulary(PIECES).pieces("w5")
