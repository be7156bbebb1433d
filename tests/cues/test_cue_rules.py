"""A language cue in a rule: from where it counts, what it quotes, and what policy makes of how sure it is."""

from textwrap import dedent

import pytest
from inspection.rule_texts import AT, POLICY, bundle, complaints, engine, judge, rule

from gateway.inspection import load, rules_of
from gateway.inspection.lint import examples
from gateway.inspection.schema import ExampleEntry
from gateway.model import Attribution, History

CUE = "cue: {cue: romantic-advance}"
LOVE = "I love you and I can't wait for Monday."
LOW = POLICY + "cues: {default: {flag: 0.6}}\n"
MAYBE = "Fancy a drink one evening?"


def found(text, match=CUE, *, more="", policy=POLICY, history=None, language=True):
    made = load(
        bundle(policy=policy, advance__drink=rule(match, more=more)), language=language, with_encoder=False
    )
    return judge(made, text, history=history)


def test_a_cue_makes_a_rule_fire_on_its_own_words():
    """The finding quotes the words of the cue, and says why, how surely and by which layer."""
    (finding,) = found(f"Your hearing is on Monday. {LOVE}").findings
    assert finding.text == "I love you"
    assert "says what the officer feels for the reader (0.90, relations)" in finding.why
    assert finding.probability == 0.9
    assert not finding.softened


def test_a_cue_below_hold_is_softened():
    """What is likely and not sure flags at most: policy says from where a cue counts in full."""
    (finding,) = found(MAYBE, policy=LOW).findings
    assert finding.softened
    policy = POLICY + "cues: {default: {flag: 0.6, hold: 0.6}}\n"
    (finding,) = found(MAYBE, policy=policy).findings
    assert not finding.softened


def test_policy_says_from_where_a_cue_counts():
    """A category of its own stands above the default."""
    assert found(MAYBE, policy=POLICY + "cues: {default: {flag: 0.9, hold: 0.9}}\n").findings == ()
    own = "cues: {default: {flag: 0.9, hold: 0.9}, romantic-advance: {flag: 0.6}}\n"
    assert found(MAYBE, policy=POLICY + own).findings


def test_a_rule_may_ask_for_less():
    """A rule's own ``min`` is its author's word: beside other conditions a faint cue is enough, and softens nothing."""
    policy = POLICY + "cues: {default: {flag: 0.9, hold: 0.9}}\n"
    match = "drink: {phrase: drink}\ncue: {cue: romantic-advance, min: 0.4}"
    (finding,) = found(MAYBE, match, more="when: drink and cue", policy=policy).findings
    assert not finding.softened


def test_a_case_term_lets_a_sure_cue_flag():
    """A case anchor in the same sentence turns hold into flag, never into pass."""
    (finding,) = found("I love you and your statement is ready to sign.").findings
    assert finding.softened


def test_a_weak_cue_is_remembered():
    """What is too weak for a finding is one bit for the pair; what was found needs none of its own."""
    policy = POLICY + "cues: {default: {flag: 0.9, hold: 0.9}}\n"
    assert found(MAYBE, policy=policy).weak == ("romantic-advance",)
    assert found("Your hearing is on Monday.", policy=policy).weak == ()


def test_somebody_elses_words_leave_no_trace():
    """A weak cue counts for the pair only in the officer's own words."""
    policy = POLICY + "cues: {default: {flag: 0.95, hold: 0.95}}\n"
    assert found('He wrote: "I love you." Is that right?', policy=policy).weak == ()


def test_weak_cues_of_earlier_mail_add_up():
    """After an earlier weak cue of the same category, less is enough; of another, it is not."""
    assert not found(MAYBE).findings
    assert found(MAYBE, history=History(weak=("romantic-advance",))).findings
    assert not found(MAYBE, history=History(weak=("secrecy",))).findings


def test_two_weak_cues_in_one_mail_add_up():
    """What one sentence only hints at, two sentences say; one sentence is no company for itself."""
    assert not found(f"Your hearing is on Monday. {MAYBE}").findings
    (finding,) = found(f"I could pop round on my own to yours. {MAYBE}").findings
    assert finding.text == "Fancy a drink"
    assert finding.softened


def test_somebody_elses_words_keep_no_company():
    """What the offender wrote does not make the officer's own words worse."""
    assert not found(f'In his message he wrote: "I will pop round on my own to yours." {MAYBE}').findings


def test_without_the_language_engine_there_are_no_cues():
    """A cue is a judgement on a parse; without one the rules' own words remain."""
    off = found(LOVE, language=False)
    assert (off.findings, off.weak) == ((), ())


def test_quoted_words_are_information_only():
    """The offender's words in quotation marks, introduced as such, give no points."""
    (finding,) = found('He wrote: "I love you." Is that right?').findings
    assert finding.attribution is Attribution.QUOTED
    assert finding.points == 0


def test_a_quote_of_earlier_mail_gives_no_cue():
    """What the contact wrote is context, never the officer's words."""
    message = ExampleEntry(body="Thank you, noted.", quoted="I love you and I want to see you.")
    assert found(message).findings == ()


def test_an_exception_takes_a_cue_away():
    """An exception's words cannot make the rule fire by a cue either."""
    exception = dedent("""\
        exceptions:
          - {name: card, phrase: i love you, owner: Team, reason: For a test, expires: 2030-01-01}
        """)
    assert found(LOVE, more=exception).findings == ()


def test_a_cue_beside_and_anywhere():
    """``within`` means for a cue what it means for words."""
    match = "word: {phrase: hearing}\ncue: {cue: romantic-advance, within: %s}"
    text = "I love you. The weather is fine. Your hearing is on Monday."
    assert found(text, match % "message", more="when: word and cue").findings
    assert not found(text, match % "neighbours", more="when: word and cue").findings
    assert found(
        "I love you. Your hearing is on Monday.", match % "neighbours", more="when: word and cue"
    ).findings


def test_a_cue_never_silences():
    """How sure a model is may soften a finding, never take it away."""
    (mistake,) = complaints(
        advance__drink=rule("word: {phrase: drink}\n" + CUE, more="when: word and not cue")
    )
    assert "stands under not, and it is a language cue" in mistake.what
    made = engine(
        language=True,
        advance__drink=rule("word: {phrase: monday}\n" + CUE, more="when: word\nsoftened_by: cue"),
    )
    assert judge(made, LOVE).findings[0].softened


def test_names_of_cues_are_known():
    """A slip in the name of a cue is refused with the nearest name."""
    (mistake,) = complaints(advance__drink=rule("cue: {cue: romantic-advances}"))
    assert "did you mean 'romantic-advance'?" in mistake.remedy


@pytest.mark.parametrize(
    "text",
    [
        "default: {flag: 0.95, hold: 0.9}",
        "default: {weak: 0}",
        "romance: {flag: 0.5}",
        "default: {flags: 0.5}",
    ],
)
def test_thresholds_that_make_no_sense_are_refused(text):
    """Thresholds rise from weak to hold, lie between 0 and 1, and belong to a category there is."""
    assert complaints(policy=POLICY + f"cues: {{{text}}}\n", advance__drink=rule(CUE))


def test_examples_of_cues_are_tried_only_where_there_are_cues():
    """With the language engine off the examples of such a rule say nothing, and are left out."""
    text = rule(CUE, examples=f'{{hit: ["{LOVE}"], miss: ["Your hearing is on Monday."]}}')
    rules = rules_of(bundle(advance__drink=text))
    tried = [
        list(examples(rules, engine(language=on, drafts=True, advance__drink=text), AT))
        for on in (True, False)
    ]
    assert [[each.ok for each in outcomes] for outcomes in tried] == [[True, True], []]
