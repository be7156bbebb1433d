"""How the two layers of cues meet in one sentence, and what a cheap gate leaves out."""

from dataclasses import dataclass, field

import pytest

from gateway.inspection.cues import CATEGORIES, SUSPECTED, UNPARSED, Layer, cues_of
from gateway.inspection.relations import parse
from gateway.inspection.shadow import shadow_of


@dataclass(frozen=True)
class Reading:
    categories: tuple[float, ...]
    words: tuple[int, int] = (0, 0)
    crossing: float = 0.0

    @property
    def best(self):
        probability = max(self.categories)
        return CATEGORIES[self.categories.index(probability)], probability


@dataclass
class Encoder:
    """Gives every sentence with a certain word the same probability of one category."""

    word: str
    category: str
    probability: float
    words: tuple[int, int] = (0, 0)
    crossing: float = 0.0
    """How surely that sentence crosses at all."""
    asked: list[str] = field(default_factory=list)

    def read(self, sentences):
        self.asked += sentences
        return [
            Reading(
                tuple(
                    self.probability if self.word in sentence and each == self.category else 0.0
                    for each in CATEGORIES
                ),
                self.words,
                self.crossing if self.word in sentence else 0.0,
            )
            for sentence in sentences
        ]


def sentences_of(shadow):
    return [shadow.sentence(number) for number in range(len(shadow.starts))]


def heard(text, encoder=None, *, parser=None):
    shadow = shadow_of(text)
    readings = encoder.read(sentences_of(shadow)) if encoder is not None else ()
    found = cues_of(shadow, parser or (lambda number: parse.parse(shadow.sentence(number))), readings)
    return [(cue, shadow.text[cue.start : cue.end]) for cues in found.values() for cue in cues]


def test_the_surest_layer_counts():
    """Of one category in one sentence the surer layer is told, once."""
    text = "I love you."
    ((cue, words),) = heard(text, Encoder("love", "romantic-advance", 0.95, (2, 10)))
    assert (cue.layer, cue.probability, words) == (Layer.ENCODER, 0.95, "love you")
    ((cue, words),) = heard(text, Encoder("love", "romantic-advance", 0.4))
    assert (cue.layer, words) == (Layer.RELATIONS, "I love you")


def test_that_it_crosses_is_surer_than_which_line():
    """A sentence that surely crosses some line is a cue of the line that it crosses likeliest, as surely."""
    text = "I sit here by the kettle."
    ((cue, _),) = heard(text, Encoder("kettle", "emotional-intimacy", 0.1, crossing=0.9))
    assert (cue.category, cue.probability) == ("emotional-intimacy", 0.9)
    ((cue, _),) = heard(text, Encoder("kettle", "emotional-intimacy", 0.9, crossing=0.6))
    assert cue.probability == 0.9


def test_layers_find_what_the_other_does_not():
    """Two categories in one sentence are two cues."""
    found = heard("I love you.", Encoder("love", "secrecy", 0.7))
    assert {cue.category for cue, _ in found} == {"romantic-advance", "secrecy"}


def test_without_a_place_the_whole_sentence_is_quoted():
    """A model that cannot say where still says which sentence."""
    ((_, words),) = heard("Put the kettle on.", Encoder("kettle", "off-duty-contact", 0.7))
    assert words == "Put the kettle on."


@pytest.mark.parametrize(
    "text",
    [
        "I can't accept your kind invitation.",
        "I won't be able to give you my personal number, thank you for the invitation.",
        "I am unable to accept the invitation.",
        "I have to say no to the invitation.",
        "There is no need to send a picture with the invitation.",
        "You needn't include any pictures of yourself with the invitation.",
        "You don't have to send pictures of yourself with the invitation.",
    ],
)
def test_a_refusal_lowers_the_encoder(text):
    """The officer who declines an advance, or spares the reader something, is not making one."""
    ((cue, _),) = heard(text, Encoder("invitation", "romantic-advance", 0.8))
    assert cue.probability == pytest.approx(0.24)


@pytest.mark.parametrize(
    "text",
    [
        "We are always here for your invitation.",
        "I can't stop thinking about your invitation.",
        "No need to tell anyone about the invitation.",
        "You can't say no to my invitation.",
        "You have to send me a picture of the invitation.",
    ],
)
def test_what_is_no_refusal_lowers_nothing(text):
    """Neither the team's voice nor any other denial makes the encoder less sure."""
    found = [
        cue
        for cue, _ in heard(text, Encoder("invitation", "romantic-advance", 0.8))
        if cue.layer is Layer.ENCODER
    ]
    assert [cue.probability for cue in found] == [0.8]


def test_a_case_term_marks_the_cue():
    """A case term lowers nothing: it is told, and lets the finding flag at most."""
    ((cue, _),) = heard("Sign the statement and put the kettle on.", Encoder("kettle", "secrecy", 0.9))
    assert (cue.probability, cue.anchored) == (0.9, True)


def test_only_suspected_sentences_are_parsed():
    """A sentence without the words of a frame, and which the encoder does not suspect, costs no parse."""
    parsed = []
    text = "Your hearing is listed for Monday. Please bring the letter. Thank you for your patience."
    assert heard(text, Encoder("letter", "secrecy", SUSPECTED - 0.01), parser=parsed.append) == []
    assert parsed == []


def test_who_pads_a_message_does_not_pass():
    """Where no parse is to be had any more, a frame's words are worth a flag."""
    ((cue, words),) = heard("I love you very much.", parser=lambda number: None)
    assert (cue.probability, words) == (UNPARSED, "I love you very much.")


def test_a_cue_says_why():
    """A supervisor reads what it does, how surely, and which layer says so."""
    ((cue, _),) = heard("I love you.")
    assert cue.told == "It says what the officer feels for the reader (0.90, relations)."


def test_spans_lie_in_their_own_sentence():
    """The place of a cue is a place in the whole text, however many sentences stand before it."""
    found = heard("Good morning. Your hearing is on Monday. I miss you so much.")
    assert [words for _, words in found] == ["I miss you"]


def test_the_encoder_reads_so_many_sentences_of_a_message():
    """A very long text costs the encoder no more than its bound; frames read the rest."""
    encoder = Encoder("kettle", "secrecy", 0.9)
    shadow = shadow_of("Put the kettle on. I love you. Put the kettle on. I love you.")
    readings = encoder.read(sentences_of(shadow)[:1])
    found = cues_of(shadow, lambda number: parse.parse(shadow.sentence(number)), readings)
    assert len(encoder.asked) == 1
    assert {number: [cue.layer for cue in cues] for number, cues in found.items()} == {
        0: [Layer.ENCODER], 1: [Layer.RELATIONS], 3: [Layer.RELATIONS]
    }  # fmt: skip
