"""Rules over conduct: what each condition means, how it joins words, and patterns over findings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rule_texts import POLICY, engine, rule

from gateway.inspection.examples import stage
from gateway.inspection.rules import Rule
from gateway.inspection.schema import ExampleEntry
from gateway.model import ClaimedSender, EarlierFinding, History, RuleStatus

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
WITH_CONDUCT = POLICY.replace(
    "\ncategories:", "\ncategories:\n  conduct: {hold_from: never}\n  patterns: {hold_from: never}"
)


def made(match, *, more="", policy=WITH_CONDUCT, rule_id="conduct.x", **files):
    name = rule_id.replace(".", "__").replace("-", "_")
    return engine(policy=policy, **{name: rule(match, rule_id=rule_id, more=more)}, **files)


def found(match, facts=None, *, more="", policy=WITH_CONDUCT, rule_id="conduct.x", change=None, **words):
    """Return what one rule finds in an example with ``facts``; ``change`` alters the staged message."""
    one = made(match, more=more, policy=policy, rule_id=rule_id)
    example = ExampleEntry.model_validate({"body": "See below.", "conduct": facts or {}} | words)
    staged = stage(example, one._rules[0].rule, NOON)
    staged = change(staged) if change else staged
    return one.judge(staged.authored, staged.parties, staged.history, staged.at).findings


CASES = [
    # the condition, facts of which it is true, facts of which it is not
    ("sent_outside: '06:00-22:00'", {"sent_at": "2026-03-04 05:59"}, {"sent_at": "2026-03-04 06:00"}),
    ("sent_outside: '06:00-22:00'", {"sent_at": "2026-07-04 22:00"}, {"sent_at": "2026-07-04 21:59"}),
    ("sent_on: [saturday, sunday]", {"sent_at": "2026-03-07 00:00"}, {"sent_at": "2026-03-06 23:59"}),
    ("messages_to_contact: {more_than: 2, within: 24h}", {"sent": ["1h", "23h"]}, {"sent": ["1h", "24h"]}),
    ("unanswered: {more_than: 2, within: 21d}", {"sent": ["1d", "20d"]}, {"sent": ["1d", "21d"]}),
    ("unanswered: {more_than: 2, within: 21d}", {"sent": ["1d", "2d"], "received": ["3d"]}, {"sent": ["2d", "4d"], "received": ["1d"]}),
    ("first_message: true", {}, {"sent": ["80d"]}),
    ("first_message: false", {"sent": ["80d"]}, {}),
    ("case: closed", {"case": "closed", "closed_ago": "15d"}, {"case": "closed", "closed_ago": "14d"}),
    ("case: closed", {"case": "closed"}, {"case": "open"}),
    ("case: open", {"case": "open"}, {"case": "closed"}),
    ("assigned: false", {"assigned": False}, {"assigned": True}),
    ("assigned: true", {"assigned": True}, {"assigned": False}),
    ("copied_to: private-address", {"copied_to": "private-address"}, {"copied_to": "unregistered-address"}),
    ("copied_to: unregistered-address", {"copied_to": "unregistered-address"}, {"copied_to": "private-address"}),
    ("earlier_refusal: true", {"refused": True}, {}),
    ("earlier_refusal: false", {}, {"refused": True}),
    ("contact: [vulnerable, child]", {"contact": "child"}, {"contact": "no-email-consent"}),
    ("contact: do-not-contact", {"contact": "do-not-contact"}, {}),
    ("assigned: false, case: closed", {"assigned": False, "case": "closed"}, {"assigned": False}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "true_of", "false_of"), CASES)
def test_condition(asked, true_of, false_of):
    """Each condition is true exactly to its edge, and of all its keys together; it quotes no words."""
    match = f"it: {{conduct: {{{asked}}}}}"
    (finding,) = found(match, true_of)
    assert (finding.category, finding.part, finding.start, finding.text) == ("conduct", None, None, None)
    assert finding.points == 4
    assert found(match, false_of) == ()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ({"body": "Your case 42/1807/26 goes on."}, True),
        ({"subject": "Ref 42-1807-26"}, True),
        ({"body": "42 1807 26."}, True),
        ({"body": "Your case 142/1807/26 goes on."}, False),
        ({"body": "Room 42, at 1807 hours, on the 26th."}, False),
        ({"subject": "42/1807", "body": "26"}, False),
        ({"body": "Nothing.", "quoted": "What of 42/1807/26?"}, False),
    ],
)
def test_case_reference_is_looked_for_in_the_new_words(words, named):
    """The registry's own reference, however its parts are joined, in what the officer wrote now."""
    assert bool(found("it: {conduct: {case_reference: true}}", **words)) is named
    assert bool(found("it: {conduct: {case_reference: false}}", **words)) is not named


def test_no_reference_can_be_missing_where_there_is_none():
    """A registry without references makes neither condition true."""

    def without(staged):
        (match,) = staged.parties.contacts
        (contact,) = match.contacts
        bare = replace(contact, cases=tuple(replace(case, case_ref="") for case in contact.cases))
        return replace(staged, parties=replace(staged.parties, contacts=(replace(match, contacts=(bare,)),)))

    for asked in ("true", "false"):
        assert found(f"it: {{conduct: {{case_reference: {asked}}}}}", change=without) == ()


@pytest.mark.parametrize(
    ("now", "thread", "dropped"),
    [
        ((), "<1@force.example>", True),
        (("isva@support.example",), "<1@force.example>", True),
        (("isva@support.example", "SGT@force.example"), "<1@force.example>", False),
        ((), "", False),
    ],
)
def test_dropped_copy(now, thread, dropped):
    """Whoever was copied in the thread and is not now counts; in another thread nobody is missed."""
    headers = {"cc": now, "in_reply_to": thread}
    facts = {"copied": ["isva@support.example", "sgt@force.example"]}

    def elsewhere(staged):
        sent = tuple(
            replace(mail, traits=replace(mail.traits, thread="another")) for mail in staged.history.sent
        )
        return replace(staged, history=replace(staged.history, sent=sent))

    match = "it: {conduct: {dropped_copy: true}}"
    change = None if thread else elsewhere
    assert bool(found(match, facts, headers=headers, change=change)) is dropped


def test_only_the_officers_own_mail_counts():
    """What colleagues sent, and what went to other people, is no burst of the officer's."""

    def by_others(staged):
        sent = staged.history.sent
        others = (replace(sent[0], own=False), replace(sent[1], contact="somebody"))
        return replace(staged, history=History(sent=others))

    match = "it: {conduct: {messages_to_contact: {more_than: 1, within: 1d}}}"
    assert found(match, {"sent": ["1h", "2h"]})
    assert not found(match, {"sent": ["1h", "2h"]}, change=by_others)


def test_answering_ones_own_mail_is_no_answer():
    """A chain of replies to one's own mail stays unanswered; the same mail answered twice is one answer."""
    match = "it: {conduct: {unanswered: {more_than: 2, within: 21d}}}"
    facts = {"sent": ["1d", "2d"]}
    assert found(match, facts, headers={"in_reply_to": "<hers@mail.example>"}) == ()

    def chained(staged):
        last, first = staged.history.sent
        own = replace(last, traits=replace(last.traits, answers=first.traits.message))
        return replace(staged, history=History(sent=(own, first)))

    assert found(match, facts, change=chained)

    def twice(staged):
        last, first = staged.history.sent
        hers = replace(first.traits, answers="hers")
        pair = (replace(last, traits=replace(last.traits, answers="hers")), replace(first, traits=hers))
        return replace(staged, history=History(sent=pair))

    assert found(match, facts, change=twice), "an old mail that is answered again is no new one"


def test_conduct_joins_words():
    """A rule of words and conduct fires on the words, and only where the conduct is so."""
    match = "night: {conduct: {sent_outside: '06:00-22:00'}}\nkiss: {phrase: sleep well}"
    late, early = {"sent_at": "2026-03-04 23:30"}, {"sent_at": "2026-03-04 12:30"}
    words = {"body": "All done. Sleep well."}
    (finding,) = found(match, late, more="when: night and kiss", **words)
    assert finding.text == "Sleep well"
    assert found(match, early, more="when: night and kiss", **words) == ()
    assert found(match, late, more="when: night and kiss") == ()
    (by_day,) = found(match, early, more="when: not night and kiss", **words)
    assert by_day.text == "Sleep well"


def test_words_that_must_not_be_there_are_looked_for_everywhere():
    """A wordless rule is silenced by a word in any sentence of its scope, and softened likewise."""
    match = "night: {conduct: {sent_outside: '06:00-22:00'}}\nform: {phrase: statement}"
    late = {"sent_at": "2026-03-04 23:30"}
    words = {"body": "Hello. Your statement is ready. Bye."}
    assert found(match, late, more="when: night and not form", **words) == ()
    (without,) = found(match, late, more="when: night and not form")
    assert without.text is None
    (softened,) = found(match, late, more="softened_by: form", **words)
    assert softened.softened
    assert "flags at most" in softened.why


def test_either_words_or_conduct():
    """Joined by or, words are quoted where they are; conduct alone gives a finding without any."""
    match = "night: {conduct: {sent_outside: '06:00-22:00'}}\nkiss: {phrase: sleep well}"
    late = {"sent_at": "2026-03-04 23:30"}
    more = "when: night or kiss"
    assert [one.text for one in found(match, late, more=more, body="Sleep well.")] == ["Sleep well"]
    assert [one.text for one in found(match, late, more=more)] == [None]
    assert found(match, {}, more=more) == ()


def test_a_notification_has_no_conduct():
    """Mail that only claims to be from a listed sender has none; one other claim, and it has."""
    policy = WITH_CONDUCT + "notification_senders: [no-reply@force.example, '@notices.example']\n"
    match = "it: {conduct: {assigned: false}}"
    facts = {"assigned": False}
    for sender, silent in [
        ("No-Reply@force.example", True),
        ("x@notices.example", True),
        ("dc@force.example", False),
    ]:
        assert (found(match, facts, policy=policy, headers={"from": sender}) == ()) is silent

    def also_from_an_officer(staged):
        claims = (
            *staged.parties.claimed,
            ClaimedSender(source="mail-from", address="dc@force.example", staff_id=None),
        )
        return replace(staged, parties=replace(staged.parties, claimed=claims))

    headers = {"from": "no-reply@force.example"}
    assert found(match, facts, policy=policy, headers=headers, change=also_from_an_officer)


def test_hours_are_those_of_policy_s_zone():
    """22:30 in London is 17:30 in New York."""
    match, facts = "it: {conduct: {sent_outside: '06:00-22:00'}}", {"sent_at": "2026-03-04 22:30"}
    assert found(match, facts)
    assert found(match, facts, policy=f"{WITH_CONDUCT}timezone: America/New_York\n") == ()


def test_a_trial_of_conduct_has_no_points():
    """A wordless finding of a rule on trial is told without points."""
    shadow = rule("it: {conduct: {assigned: true}}", rule_id="conduct.x").replace("enforce", "shadow", 1)
    engine_ = engine(policy=WITH_CONDUCT, conduct__x=shadow)
    staged = stage("Hello.", engine_._rules[0].rule, NOON)
    (finding,) = engine_.judge(staged.authored, staged.parties, staged.history, staged.at).findings
    assert (finding.status, finding.points) == (RuleStatus.SHADOW, 0)


# --- patterns -----------------------------------------------------------------------------------------------


def pattern(more="distinct: contact\nat_least: 2\nwithin: 365d", of="[advance]", status="enforce"):
    text = rule("x: {phrase: x}", rule_id="patterns.again").replace(
        "status: enforce", f"kind: pattern\nstatus: {status}"
    )
    return text[: text.index("match:")] + f"of: {of}\n{more}\n"


def earlier(days, *contacts, rule_id="advance.drink", message=""):
    return EarlierFinding(
        at=NOON - timedelta(days=days), message=message or f"m{days}", contacts=contacts or ("other",),
        rule=rule_id, category=rule_id.partition(".")[0],
    )  # fmt: skip


def patterns(*before, body="Fancy a drink?", pattern_text="", status="enforce"):
    """Return the findings of the pattern, given earlier ones."""
    drink = rule("invite: {phrase: fancy a drink}").replace("status: enforce", f"status: {status}")
    both = engine(policy=WITH_CONDUCT, advance__drink=drink, patterns__again=pattern_text or pattern())
    ordinary: Rule = both._rules[0].rule
    staged = stage(body, ordinary, NOON)
    found_ = both.judge(staged.authored, staged.parties, History(found=before), NOON).findings
    return [finding for finding in found_ if finding.category == "patterns"]


def test_the_same_with_another_contact_is_a_pattern():
    """One earlier finding with somebody else, by category or by rule; the finding has counts and no words."""
    (finding,) = patterns(earlier(30))
    assert finding.text is None
    assert "2 messages to 2 contacts in 365 days" in finding.why
    assert patterns(earlier(30), pattern_text=pattern(of="[advance.drink]"))


def test_what_is_no_pattern():
    """The same contact, too long ago, another category, a clean message, a rule on trial: none."""
    assert not patterns(earlier(30, "example"))
    assert not patterns(earlier(365))
    assert not patterns(earlier(30, rule_id="warmth.kiss"))
    assert not patterns(earlier(30), body="Your statement is ready.")
    assert not patterns(earlier(30), status="shadow")


def test_distinct_messages():
    """Counted by message, the same contact again is enough, and one message with two findings is one."""
    by_message = pattern("distinct: message\nat_least: 3\nwithin: 365d")
    assert patterns(earlier(1, "example"), earlier(2, "example"), pattern_text=by_message)
    two = (earlier(1, "example", message="m"), earlier(2, "example", rule_id="advance.walk", message="m"))
    assert not patterns(*two, pattern_text=by_message)


def test_people_who_share_a_mailbox_are_one_contact():
    """A couple who were only ever written to together count once; written to apart, twice."""
    three = pattern("distinct: contact\nat_least: 3\nwithin: 365d")
    assert not patterns(earlier(1, "a", "b"), pattern_text=three)
    assert patterns(earlier(1, "a", "b"), earlier(2, "a"), pattern_text=three)


def test_a_pattern_on_trial_has_no_points():
    """A shadow pattern is told, without points."""
    (finding,) = patterns(earlier(3), pattern_text=pattern(status="shadow"))
    assert (finding.status, finding.points) == (RuleStatus.SHADOW, 0)


def test_a_refusal_is_remembered_where_a_rule_asks_for_it():
    """Whether the contact said no in the quote is told to the ledger once any rule asks for earlier refusals."""
    refusals = "list: refusals\nowner: a\nreason: b\nphrases: [leave me alone]\n"
    example = ExampleEntry(body="Noted.", quoted="Please leave me alone.")
    for asked, told in [("earlier_refusal: true", True), ("assigned: true", False)]:
        one = made(f"it: {{conduct: {{{asked}}}}}", lists__refusals=refusals)
        staged = stage(example, one._rules[0].rule, NOON)
        assert one.judge(staged.authored, staged.parties, staged.history, staged.at).refused is told
        bare = stage("Noted.", one._rules[0].rule, NOON)
        assert one.judge(bare.authored, bare.parties, bare.history, bare.at).refused is False


def test_a_weak_cue_is_told_inside_a_finding_only():
    """What was too weak for a finding earlier stands in the words of one now, and makes none."""
    match = "it: {conduct: {assigned: true}}"

    def weak(staged):
        return replace(staged, history=History(weak=("conduct",)))

    (finding,) = found(match, change=weak)
    assert "a weak sign of the same" in finding.why
    assert "weak sign" not in found(match)[0].why
    assert found("it: {conduct: {assigned: false}}", change=weak) == ()
