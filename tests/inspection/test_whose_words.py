"""Whose words a match is (DETECTION section 3.4): marks alone never silence, and doubt fires."""

import pytest
from rule_texts import engine, findings, judge, rule

from gateway.model import Attribution, RuleStatus

MATCH = "word: {regex: '\\b(?:gorgeous|fancy a drink|take you out|in love with you)\\b'}"
OWN, REPORTED, QUOTED = Attribution.OWN, Attribution.REPORTED, Attribution.QUOTED


@pytest.fixture(scope="module", params=[False, True], ids=["words", "parsed"])
def made(request):
    return engine(language=request.param, advance__drink=rule(MATCH))


def whose(made, text):
    return [finding.attribution for finding in judge(made, text).findings]


@pytest.mark.parametrize(
    "text",
    [
        'He called you "gorgeous" in the message you showed us. Is that correct?',
        'The suspect wrote "fancy a drink?" on Monday.',
        'In your statement you say "he said I was gorgeous".',
        "In your statement it says 'gorgeous'.",
        'He wrote: "Hello. You are gorgeous. Fancy a drink?" We have kept the screenshot.',
        'The message reads:\n"Fancy a drink?"',
        'Exhibit JL/2 is the card with "gorgeous" on it.',
        'Darren texted "I want to take you out" at 9pm.',
        "He texted you \u201cgorgeous\u201d twice.",
        "Mr Reed said 'you're gorgeous, don't be shy'.",
        'You reported that an officer gave you his number, said you were "gorgeous" and asked "fancy a drink".',
        'Him saying "you are gorgeous", "fancy a drink or else" is what we call coercive control.',
        'In them he writes "hello", "let me take you out, no one has to know" and "you are gorgeous".',
        'He told me "gorgeous" was a joke.',
        'I have printed the messages. The one that reads "fancy a drink" and four others go to the CPS.',
        'Please check this from the tape: "he is here again, he shouts that you are gorgeous."',
        'I set out the two that bear on the charge. Item 31: "You are gorgeous." Item 34: "Fancy a drink?"',
        'Please confirm the lines are as he typed them:\n1. "hello my queen"\n2. "you are gorgeous"\n3. "fancy a drink"',
        'There is a card with it. It says "gorgeous, I will wait outside".',
        'Special Constable M wrote "fancy a drink then".',
        'Para 4 as I have typed it: "He walked beside me and shouted gorgeous. I said no."',
        'The page you ask about is 7. Quote "He said I was gorgeous" end quote.',
        'The typed version leaves out "gorgeous", and that matters.',
        'Those that matter most are the 14th ("saw you, gorgeous") and the 19th ("fancy a drink").',
        'She\'s sent "you are gorgeous" twice since.',
        'In the third call he is heard to say "you are gorgeous".',
        'Read before you sign: "I heard him shout that I was gorgeous." That\'s para 3.',
        'His phrase, "you are gorgeous, fancy a drink", appears in eleven other reports.',
    ],
)
def test_quoted_from_somebody_else(made, text):
    """(i) Marks and a third party's speech beside them: listed for information, without points."""
    found = judge(made, text).findings
    assert found
    assert {finding.attribution for finding in found} == {QUOTED}
    assert all(finding.status is RuleStatus.SHADOW and finding.points == 0 for finding in found)


@pytest.mark.parametrize(
    "text",
    [
        'You are "gorgeous".',
        '"Fancy a drink?"',
        "So, 'fancy a drink' as they say?",
        'I said "you are gorgeous" and I meant it.',
        'As I told you, "gorgeous".',
        'They say "gorgeous" is the word for you.',
        'My mate says "take you out" is what I should do.',
        "He got one thing right: you are gorgeous.",
        "He got one thing right, you are gorgeous",
        "The suspect called you names. You are gorgeous.",
        'The court sits on Monday. "Fancy a drink?"',
        'You said you like wine, so "fancy a drink"?',
        'The suspect said sorry but I say "you are gorgeous".',
        'The suspect wrote "hello" and I would write "gorgeous".',
        'I have three words for you: "you are gorgeous".',
        'I have a message for you: "you are gorgeous".',
        'The footage is back. You look "gorgeous" on it.',
        'Here is a list:\n1. "gorgeous"\n2. "fancy a drink"',
        'Read this: "you are gorgeous".',
        '"Gorgeous" is what I would call you. That is page 4.',
    ],
)
def test_own_words(made, text):
    """(ii) and (iv): bare marks, "I said", "they say", a mate's words, and words beside reported speech are own."""
    assert set(whose(made, text)) == {OWN}


@pytest.mark.parametrize(
    "text",
    [
        "The suspect says he was in love with you.",
        "You told us that he wanted to take you out.",
        "He said you were gorgeous.",
        "He called you gorgeous.",
    ],
)
def test_reported(made, text):
    """(iii) A third party's speech without marks flags at most."""
    (finding,) = judge(made, text).findings
    assert finding.attribution is REPORTED
    assert finding.softened
    assert finding.status is RuleStatus.ENFORCE
    assert finding.points == 4


@pytest.mark.parametrize(
    "text",
    [
        "He called you names but I think you are gorgeous.",
        "He said sorry, and I want to take you out.",
        "You said you were free on Friday so I could take you out.",
        "The suspect said nothing; let me take you out.",
    ],
)
def test_a_turn_to_the_writer_is_own(made, text):
    """Somebody else's speech earlier in the sentence does not cover what the officer says after it."""
    assert whose(made, text) == [OWN]


def test_speech_before_without_a_colon_flags():
    """One line of case talk does not silence whatever follows in marks: it flags, it is not passed over."""
    (finding,) = findings(MATCH, 'The suspect said nothing in interview. "Fancy a drink?"')
    assert finding.attribution is REPORTED
    assert finding.points == 4


@pytest.mark.parametrize(
    "text", ["He said hello and you are gorgeous.", "Darren called, and gorgeous you are."]
)
def test_after_and_it_is_own(made, text):
    """Without a parse an "and" ends what is reported; with one the sentence's shape tells."""
    assert whose(made, text) == [OWN]


def test_a_mark_is_nobodys_word():
    """A match of punctuation alone is no reported word, parsed or not."""
    match = "mark: {regex: '\\?\\?'}"
    (finding,) = findings(match, "He said you were gorgeous??", language=True)
    assert finding.attribution is OWN


def test_reported_without_a_subject():
    """A message, letter or post that says something reports it too."""
    (finding,) = findings(MATCH, "We have the message saying you were gorgeous.", language=True)
    assert finding.attribution in {OWN, REPORTED}
    (finding,) = findings(MATCH, "The message said you were gorgeous.", language=True)
    assert finding.attribution is REPORTED


def test_own_and_quoted_in_one_message():
    """Each place is judged for itself: the quoted one informs, the own one counts."""
    found = findings(MATCH, 'He called you "gorgeous". He is right, you are gorgeous.')
    assert [(finding.attribution, finding.points) for finding in found] == [(QUOTED, 0), (OWN, 4)]


def test_a_finding_is_own_if_any_of_its_matches_is():
    """A rule of two conditions, one met in marks and one outside, is the officer's own finding."""
    match = "word: {phrase: gorgeous}\nalone: {phrase: just us}"
    (finding,) = findings(
        match, 'He called you "gorgeous" and tonight it is just us.', more="when: word and alone"
    )
    assert finding.attribution is OWN


def test_apostrophes_are_no_quotation_marks():
    """Possessives and contractions open and close nothing."""
    text = (
        "The suspect's mates' car isn't ours, he said, don't worry: 'tis nothing. You're gorgeous, it's true."
    )
    assert [finding.attribution for finding in findings(MATCH, text)] == [OWN]


def test_marks_far_away_enclose_nothing():
    """A quote ends somewhere: marks a page apart are not one quote."""
    text = 'He wrote "hello. ' + "We keep the case open. " * 60 + 'You are gorgeous."'
    assert [finding.attribution for finding in findings(MATCH, text)] == [OWN]
