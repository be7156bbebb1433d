"""Where the encoder may doubt a rule: what a rule finds in a sentence that reads proper informs, and does not act."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from cues.test_layers import Encoder
from inspection.rule_texts import POLICY, bundle, rule

from gateway import inspection
from gateway.inspection.hearing import Doubted, Hearing
from gateway.inspection.relations.parse import parse
from gateway.inspection.shadow import shadow_of
from gateway.model import PassageKind, Severity, Sign

TEXT = (
    "Your hearing is on Monday. The drink is exhibit four. The usher shows people where to wait, and the court has a room for "
    "families on the first floor, which may be full until noon."
)
MONDAY, DRINK = 0, 1
REST = TEXT.partition("four. ")[2]


@pytest.fixture(scope="module")
def high():
    (loaded,) = inspection.rules_of(bundle(advance__drink=rule("drink: {phrase: drink}"))).rules
    return replace(loaded, severity=Severity.HIGH, id="secrecy.drink")


def text_of(words=TEXT, *, disguised=False, kind=PassageKind.BODY, part="body"):
    return SimpleNamespace(
        part=part, kind=kind, offset=0, shadow=shadow_of(words), disguised=disguised, claimed_quote=False, heard=[]
    )  # fmt: skip


def hearing(
    encoder, *texts, below=0.05, surely=0.0, weak=(), is_grave=False, parser=lambda text, number: None
):
    policy = replace(inspection.policy_of(bundle(policy=POLICY)), doubt=below, doubt_surely=surely)
    return Hearing(texts, policy, weak, parser, encoder, is_grave=is_grave)


def doubted(asked, encoder, *, text=None, sentences=(DRINK,), **given):
    text = text or text_of()
    return hearing(encoder, text, **given).doubts(asked, text, sentences)


def doubts(*args, **given):
    """How surely the surest sentence crosses where the finding informs; None where it acts."""
    found = doubted(*args, **given)
    return found.probability if found and found.informs else None


def sure(probability, word="drink"):
    return Encoder(word, "secrecy", 0.0, crossing=probability)


def test_words_that_read_proper_are_doubted(high):
    """Below policy's `doubt` the finding informs, and says how sure the model is."""
    assert doubts(high, sure(0.02)) == 0.02
    assert doubts(high, sure(0.05)) is None
    assert doubts(high, sure(0.02), below=0.01) is None


def test_the_surest_sentence_of_a_finding_counts(high):
    """A finding whose words stand in several sentences is doubted only where all of them read proper."""
    assert doubts(high, sure(0.3), sentences=(MONDAY, DRINK)) is None


def test_without_a_model_or_a_threshold_no_rule_is_doubted(high):
    """Policy's default is 0: a rule is its author's word."""
    assert doubts(high, None) is None
    assert doubts(high, sure(0.0), below=0.0) is None


def test_a_critical_rule_flags_at_most_and_is_never_silenced(high):
    """What would hold alone is looked at by a person; what is not about a line in words acts whatever the model thinks."""
    assert doubted(replace(high, severity=Severity.CRITICAL), sure(0.0)) == Doubted(0.0, informs=False)
    assert doubted(replace(high, id="safety.drink"), sure(0.0)) is None


def test_what_stands_alone_or_is_short_is_never_doubted(high):
    """A subject, a file's name, a mail of few words, a sentence of four: they read proper whatever they say."""
    subject = text_of(kind=PassageKind.SUBJECT, part="subject")
    assert doubted(high, sure(0.0), text=subject) is None
    assert doubted(high, sure(0.0), text=text_of(kind=PassageKind.ATTACHMENT_NAME)) is None
    assert (
        doubted(high, sure(0.0), text=text_of("Your hearing is on Monday. The drink is exhibit four."))
        is None
    )
    assert (
        doubted(high, sure(0.0), text=text_of(f"Your hearing is on Monday. A drink then, just us? {REST}"))
        is not None
    )
    assert (
        doubted(high, sure(0.0), text=text_of(f"Your hearing is on Monday. Drink, just us? {REST}")) is None
    )


class Drowned(Encoder):
    """Hears the word in a sentence that is read by itself, and not among others."""

    def read(self, sentences):
        found = super().read(sentences)
        return found if len(sentences) == 1 else [replace(one, crossing=0.0) for one in found]


def test_a_short_sentence_is_read_by_itself_too(high):
    """Among the items of a case's list an advance of five words drowns."""
    alone = Drowned("drink", "secrecy", 0.0, crossing=0.9)
    assert doubted(high, alone) is None
    long = text_of(
        f"Your hearing is on Monday. The drink is exhibit four and will be shown to the jury on the second day. {REST}"
    )
    assert doubted(high, alone, text=long).informs


def test_so_many_sentences_are_read_by_themselves(high):
    """A message may have thousands of findings: what is beyond a hundred is not doubted."""
    words = " ".join(f"The drink number {number} is exhibit {number}." for number in range(150))
    encoder, text = sure(0.0), text_of(f"{words} {REST}")
    heard = hearing(encoder, text)
    found = [heard.doubts(high, text, (number,)) for number in range(150)]
    assert [one is not None for one in found] == [True] * 100 + [False] * 50
    assert len(encoder.asked) < 152 + 101


def test_nothing_is_doubted_of_whom_something_speaks_against(high):
    """A vulnerable contact, a closed case, an officer who is on no case of hers, an earlier finding."""
    assert doubted(high, sure(0.0), is_grave=True) is None


def test_said_again_it_is_not_doubted_again(high):
    """What was doubted leaves a trace of its category for the next mail to the contact."""
    text = text_of()
    heard = hearing(sure(0.0), text)
    assert heard.doubts(high, text, (DRINK,)).informs
    assert heard.weak == ("secrecy",)
    assert doubted(high, sure(0.0), weak=heard.weak) is None


def test_what_would_not_have_acted_leaves_no_trace(high):
    """Somebody else's words, and a rule on trial, make nobody's later mail worse."""
    text = text_of()
    heard = hearing(sure(0.0), text)
    assert heard.doubts(high, text, (DRINK,), leaves_trace=False).informs
    assert heard.weak == ()


def parsed(text, number):
    return parse(text.shadow.sentence(number))


def test_two_that_hear_it_outvote_the_encoder(high):
    """Where a frame hears something in the very sentence too, a person looks; it holds no more."""
    text = text_of(f"Your hearing is on Monday. I love you, have that drink with me. {REST}")
    assert doubted(high, sure(0.02), text=text, parser=parsed) == Doubted(0.02, informs=False)
    assert doubted(high, sure(0.02), text=text, parser=parsed, surely=0.01) == Doubted(0.02, informs=False)


def test_a_surer_encoder_outvotes_both(high):
    """Below `doubt_surely` the finding informs, whatever a frame hears; a critical rule still flags."""
    text = text_of(f"Your hearing is on Monday. I love you, have that drink with me. {REST}")
    given = {"text": text, "parser": parsed, "surely": 0.03}
    assert doubted(high, sure(0.02), **given) == Doubted(0.02, informs=True)
    critical = replace(high, severity=Severity.CRITICAL)
    assert doubted(critical, sure(0.02), **given) == Doubted(0.02, informs=False)


def test_in_few_words_only_a_surer_encoder_doubts(high):
    """A passage of 20 to 30 words tells the encoder less than a letter, one of fewer tells it nothing."""
    some = text_of(
        "Your hearing is on Monday. The drink is exhibit four. The usher shows people where to wait until noon comes."
    )
    assert 20 <= len(some.shadow.text.split()) < 30
    assert doubted(high, sure(0.02), text=some) is None
    assert doubted(high, sure(0.02), text=some, surely=0.02) is None
    assert doubted(high, sure(0.02), text=some, surely=0.03) == Doubted(0.02, informs=True)
    few = text_of("Your hearing is on Monday. The drink is exhibit four. The usher shows people where to go.")
    assert len(few.shadow.text.split()) < 20
    assert doubted(high, sure(0.0), text=few, surely=0.03) is None


def test_a_frame_that_the_encoder_surely_denies_keeps_no_company(high):
    """Grammar alone, in a sentence that surely reads proper, is no sign that lets a doubtful word elsewhere act."""
    text = text_of(f"The drink is exhibit four. I love you, I said to the usher. {REST}")
    given = {"text": text, "sentences": (0,), "parser": parsed}
    assert 1 in hearing(sure(0.02), text, parser=parsed).cues(text)
    assert doubted(high, sure(0.02), **given) is None
    assert doubted(high, sure(0.02), **given, surely=0.03) == Doubted(0.02, informs=True)
    assert doubted(high, sure(0.04, "love"), **given, surely=0.03) is None


def test_no_long_file_keeps_the_encoder_from_a_note(high):
    """Short texts are read before long ones."""
    log, note = text_of("Call from the desk logged. " * 3000, part="file:1"), text_of(part="file:2")
    assert hearing(sure(0.02), log, note).doubts(high, note, (DRINK,)).informs


def test_words_in_disguise_are_never_doubted(high):
    """Who disguises words has a reason that the model does not see."""
    assert doubts(high, sure(0.0), text=text_of(disguised=True)) is None


def test_company_ends_the_doubt(high):
    """Another sign in the mail, or a weak one of the same category in earlier mail, and the rule acts."""
    assert doubts(high, sure(0.0), weak=("secrecy",)) is None
    assert doubts(high, sure(0.9, "Monday")) is None


def test_no_finding_is_its_own_company(high):
    """What the frames hear weakly in the very sentence is doubted with it; heard elsewhere it is company."""
    text = text_of(f"Your hearing is on Monday. I love that drink and I love you. {REST}")
    assert doubts(high, sure(0.02), text=text) == 0.02
    assert doubts(high, sure(0.02, "Monday"), text=text, sentences=(MONDAY,)) is None


def test_what_the_model_does_not_read_is_not_doubted(high):
    """In a file of hundreds of pages the model reads the first of them; what rules find behind them acts."""
    encoder = sure(0.02)
    text = text_of("The drink is exhibit four. " * 3000)
    assert doubts(high, encoder, text=text, sentences=(0,)) == 0.02
    assert doubts(high, encoder, text=text, sentences=(2999,)) is None
    assert sum(map(len, encoder.asked)) < 2 * 41_000


def test_a_sign_is_the_surest_sentence_and_where_it_begins():
    """Two findings of one sentence have one sign; what the encoder does not read has none."""
    text = text_of()
    heard = hearing(sure(0.7), text)
    assert heard.sign(text, {MONDAY, DRINK}) == Sign(sentence=TEXT.index("The drink"), crossing=0.7)
    assert heard.sign(text, {MONDAY}) == Sign(sentence=0, crossing=0.0)
    assert hearing(None, text).sign(text, {DRINK}) is None
    assert heard.sign(text_of(), ()) is None
