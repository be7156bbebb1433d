"""Relations between people: what the parse makes of a sentence, and what stands without it."""

import pytest
from rule_texts import AT, engine, findings, judge, rule

from gateway.inspection import warm_up
from gateway.inspection.bench import texts_of
from gateway.inspection.conduct import Conduct
from gateway.inspection.cues import Layers
from gateway.inspection.examples import authored_of, parties_to
from gateway.inspection.judgement import MAX_PARSES, Judgement
from gateway.inspection.relations.named import RELATIONS
from gateway.model import History


def sure(cue, text, *, least=0.7, language=True):
    """Return whether a rule that asks for one cue fires on ``text``."""
    return bool(
        findings(f"cue: {{cue: {cue}, min: {least}}}", text, language=language, more="attribution: false")
    )


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("addressed-to-you", "You look tired."),
        ("addressed-to-you", "I heard about your mum."),
        ("i-to-you", "I would love to take you out."),
        ("i-to-you", "I miss you."),
        ("i-to-you", "You make me smile."),
        ("invitation", "Would you like to go for a walk?"),
        ("invitation", "Let me take you for dinner."),
        ("invitation", "Fancy a coffee?"),
        ("compliment-to-you", "You looked lovely on Monday."),
        ("question-to-you", "Are you seeing anyone?"),
        ("team-voice", "We are here for you."),
        ("team-voice", "The team will call you."),
        ("refusal-by-officer", "I'm afraid I can't accept your invitation."),
        ("refusal-by-officer", "It would not be appropriate for me to meet you."),
    ],
)
def test_cue_is_there(cue, text):
    """Each cue is found where a reader finds it."""
    assert sure(cue, text)


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        ("addressed-to-you", "He said you were gorgeous."),
        ("addressed-to-you", "The court sits on Monday."),
        ("i-to-you", "He told me he missed you."),
        ("i-to-you", "The suspect asked you for my name."),
        ("invitation", "He said he would like to take you out."),
        ("compliment-to-you", "He called it a lovely day when your car was hit."),
        ("question-to-you", "The hearing is on Monday, are they coming?"),
        ("team-voice", "We are here but I am here only for you."),
        ("team-voice", "I'm here for you."),
        ("team-voice", "It is my view that we agree."),
        ("refusal-by-officer", "I can't stop thinking about you."),
        ("refusal-by-officer", "I can't wait to see you."),
    ],
)
def test_cue_is_not_there(cue, text):
    """And not where it is somebody else's doing, or something else."""
    assert not sure(cue, text)


@pytest.mark.parametrize("cue", [cue for cue in RELATIONS.values() if not cue.restrains])
def test_without_the_parser_firing_cues_fire_sooner(cue):
    """With the language engine off a cue that makes rules fire is worth what its words are worth: not less likely."""
    assert cue.alone >= 0.5
    assert cue.why


def test_restraining_cues_need_no_parse():
    """A cue that holds rules back is as narrow without the parser as with it."""
    assert all(cue.judge is None for cue in RELATIONS.values() if cue.restrains)


def test_language_only_narrows():
    """What the parser rejects fires without it: a rule errs on the side of firing."""
    text = "He said you were gorgeous."
    assert sure("addressed-to-you", text, least=0.5, language=False)
    assert not sure("addressed-to-you", text, least=0.5, language=True)


def test_only_sentences_that_hang_on_a_cue_are_parsed():
    """A sentence whose rule cannot fire, or fires anyway, is not parsed: the parse is the dearest thing here."""
    parsed = []
    match = "invite: {phrase: drink}\nsure: {phrase: definitely}\ncue: {cue: i-to-you}"
    (compiled,) = (made := engine(advance__drink=rule(match, more="when: (invite and cue) or sure")))._rules
    authored = authored_of("I like you. I definitely like you. Let me buy you a drink. A drink.")
    texts = texts_of(authored, made._sentences, made._sign_off, None)
    message = Judgement(
        authored, parties_to(), History(), AT, texts=texts, layers=Layers(parsed.append, None), refusals=lambda text: False,
        conduct=Conduct(authored, parties_to(), History(), AT, made._policy),
    )  # fmt: skip
    assert len(message.findings(compiled)) == 2
    assert parsed == ["Let me buy you a drink."]


def test_praise_of_what_is_yours_is_likely():
    """What is said of the reader's eyes or smile may be praise, and is less sure than what is said of the reader."""
    assert sure("compliment-to-you", "Such gorgeous eyes of yours, your smile.", least=0.5)
    assert not sure("compliment-to-you", "Such gorgeous eyes of yours, your smile.", least=0.7)


def test_warm_up_needs_no_rules():
    """A worker is made warm before it is given rules, with or without the parser."""
    warm_up(language=False)
    warm_up()


def test_parses_are_bounded():
    """A message of thousands of candidates is judged by its words past the bound, and fires rather than not."""
    made = engine(language=True, advance__drink=rule("cue: {cue: addressed-to-you, min: 0.5}"))
    text = "He said you lied.\n\n" * (MAX_PARSES + 5)
    assert len(judge(made, text).findings) == 5


def test_cue_within_message_and_neighbours():
    """A cue may stand beside the words it belongs to."""
    match = "word: {phrase: dinner}\ncue: {cue: i-to-you, min: 0.7, within: neighbours}"
    more = "when: word and cue"
    assert findings(match, "I like you. Dinner?", language=True, more=more)
    assert not findings(match, "I like you. Ok. Dinner?", language=True, more=more)
    match = match.replace("neighbours", "message")
    assert findings(match, "I like you. Ok. Dinner?", language=True, more=more)
    assert not findings(match, "He told me he likes you. Ok. Dinner?", language=True, more=more)
