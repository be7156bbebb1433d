"""Decisions: what asks for an action, the strongest of it, and whose copy waits."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
from cases import AT, CONTACT, OFFICER, case, contact, defect, finding, parties, policy, verdict
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import (
    Action,
    Attribution,
    Authored,
    CaseStatus,
    CategoryPolicy,
    Combinations,
    ContactRole,
    History,
    Mode,
    PartyPolicy,
    Passage,
    PassageKind,
    RuleStatus,
    Severity,
    Sign,
    UnreadableReason,
)

PASS, FLAG, HOLD = Action.PASS, Action.FLAG, Action.HOLD


def test_nothing_found_passes():
    """A message to a contact with nothing in it passes, to everybody, for no reason."""
    made = verdict()
    assert (made.action, made.proposed, made.because, made.held, made.sent) == (
        PASS,
        PASS,
        (),
        (),
        (CONTACT,),
    )
    assert made.in_scope


@pytest.mark.parametrize(
    ("category", "severity", "action"),
    [
        ("advance", "low", HOLD),
        ("looks", "medium", FLAG),
        ("looks", "high", HOLD),
        ("looks", "critical", HOLD),
        ("kiss", "critical", FLAG),
        ("warmth", "low", FLAG),
        ("unheard-of", "low", HOLD),
    ],
)
def test_category_alone(category, severity, action):
    """Every finding flags; policy says from which severity a category holds; an unnamed category holds."""
    made = verdict(finding(category, severity, 1))
    assert made.action is action
    assert f"category:{category}" in made.because


BESIDE_WORDS = policy(
    categories=policy().categories
    | {"conduct": CategoryPolicy(hold_from=None), "patterns": CategoryPolicy(hold_from=None, psd=True)}
)


@pytest.mark.parametrize("category", ["conduct", "patterns"])
def test_without_words_nothing_holds(category):
    """Conduct and patterns flag, whatever their points and company, until something in the words is found."""
    company = {
        "parties": parties(contact(case(officers=(), status=CaseStatus.CLOSED), vulnerable=True)),
        "history": History(earlier={"advance": 2}),
        "policy": BESIDE_WORDS,
    }
    alone = (finding(category, points=20), finding("conduct", points=20, rule="conduct.other"))
    assert verdict(*alone, **company).action is FLAG
    assert verdict(*alone, finding("warmth", points=1), **company).action is HOLD
    assert verdict(*alone, finding("warmth", points=1, softened=True), **company).action is FLAG


def test_points_of_conduct_weigh_beside_words():
    """They count towards hold_at once the words have a finding that is not softened; conduct is no second category."""
    words, conduct = finding("warmth", points=6), finding("conduct", points=6)
    assert verdict(words, policy=BESIDE_WORDS).action is FLAG
    assert verdict(words, conduct, policy=BESIDE_WORDS).because == ("threshold:hold_at",)
    assert verdict(words, finding("conduct", points=5), policy=BESIDE_WORDS).action is FLAG


def test_a_pattern_holds_what_would_flag():
    """A mild finding of an officer with a pattern holds, and policy may say otherwise."""
    both = (finding("warmth", points=1), finding("patterns", points=1))
    assert verdict(*both, policy=BESIDE_WORDS).because == ("combination:pattern",)
    mild = replace(BESIDE_WORDS, combinations=Combinations(pattern=FLAG))
    assert verdict(*both, policy=mild).action is FLAG


def test_earlier_conduct_is_no_earlier_crossing():
    """What is remembered of conduct alone makes no hold of a mild finding."""
    history = History(earlier={"conduct": 3, "patterns": 1})
    assert verdict(finding("warmth", points=1), history=history, policy=BESIDE_WORDS).action is FLAG


def test_weights_ask_for_nothing_alone():
    """Findings of weights pass while they are alone, with any points, and count beside another."""
    weighed = replace(BESIDE_WORDS, weights=frozenset({"conduct.night", "conduct.unnamed"}))
    night, unnamed = (finding("conduct", rule=f"conduct.{name}", points=9) for name in ("night", "unnamed"))
    made = verdict(night, unnamed, policy=weighed)
    assert (made.action, made.because, len(made.findings)) == (PASS, (), 2)
    mild = finding("warmth", points=2)
    assert verdict(mild, policy=weighed).action is FLAG
    assert verdict(night, mild, policy=weighed).action is FLAG
    assert verdict(night, unnamed, mild, policy=weighed).because == ("threshold:hold_at",)


def test_professional_standards_are_copied():
    """The verdict names the categories found that policy wants PSD to see; trials do not count."""
    named = replace(
        BESIDE_WORDS,
        categories=BESIDE_WORDS.categories | {"advance": CategoryPolicy(hold_from=None, psd=True)},
    )
    assert verdict(finding("warmth"), policy=named).psd == ()
    assert verdict(finding("advance"), finding("patterns"), policy=named).psd == ("advance", "patterns")
    assert verdict(finding("advance", status=RuleStatus.SHADOW), policy=named).psd == ()


@pytest.mark.parametrize(
    "more",
    [
        {"softened": True},
        {"status": RuleStatus.FLAG},
        {"softened": True, "attribution": Attribution.REPORTED},
    ],
)
def test_flags_at_most(more):
    """A softened finding, reported speech and a rule on trial never hold, not even with many points."""
    assert verdict(finding(points=20, **more)).action is FLAG


@pytest.mark.parametrize(
    "more", [{"status": RuleStatus.SHADOW}, {"attribution": Attribution.QUOTED, "points": 0}]
)
def test_listed_without_effect(more):
    """A rule in shadow and other people's quoted words are listed and do nothing."""
    made = verdict(finding(**more))
    assert (made.action, len(made.findings)) == (PASS, 1)


def test_two_categories_hold():
    """Two categories that only flag hold together; two findings of one category do not."""
    assert verdict(finding("kiss", points=1), finding("warmth", points=1)).because == (
        "combination:two-categories",
    )
    assert verdict(finding("kiss", points=1), finding("kiss", points=0)).action is FLAG


def test_two_categories_need_one_that_is_full():
    """Two softened categories flag; one of them unsoftened holds; a rule on trial keeps no company."""
    soft = finding("warmth", points=1, softened=True)
    assert verdict(finding("kiss", points=1, softened=True), soft).action is FLAG
    assert verdict(finding("kiss", points=1), soft).action is HOLD
    assert (
        verdict(finding("kiss", points=1), finding("warmth", points=1, status=RuleStatus.FLAG)).action is FLAG
    )


def sentence(at, crossing=0.6, category="looks", **more):
    """Return a finding that is too weak to hold, in the sentence that begins at ``at``."""
    sign = Sign(sentence=at, crossing=crossing)
    return finding(category, points=1, softened=True, **({"sign": sign} | more))


def test_two_sentences_hold_where_each_is_as_sure_as_company():
    """Softened or not; by default, as in a policy that does not name the combination, they flag."""
    held = policy(combinations=Combinations(two_sentences=HOLD))
    assert verdict(sentence(0), sentence(40, category="advance"), policy=held).because == (
        "combination:two-sentences",
    )
    assert verdict(sentence(0), sentence(40), policy=held).action is HOLD
    assert verdict(sentence(0), sentence(40)).action is FLAG


@pytest.mark.parametrize(
    "other",
    [
        sentence(0, category="advance"),
        sentence(40, crossing=0.59),
        sentence(40, category="kiss"),
        sentence(40, status=RuleStatus.FLAG),
        sentence(40, status=RuleStatus.SHADOW),
        sentence(40, sign=None),
    ],
    ids=["the same sentence", "less sure", "never holds alone", "a trial", "in shadow", "not read"],
)
def test_what_is_no_second_sentence(other):
    """One sentence is one sign however many rules find it, and a category that policy never holds for gives none."""
    held = policy(combinations=Combinations(two_sentences=HOLD))
    assert verdict(sentence(0), other, policy=held).action is FLAG


@pytest.mark.parametrize(
    ("match", "because"),
    [
        (contact(vulnerable=True), "combination:vulnerable-contact"),
        (contact(is_child=True), "combination:vulnerable-contact"),
        (contact(case(officers=("other@force.example",))), "combination:sender-not-assigned"),
        (contact(case(officers=())), "combination:sender-not-assigned"),
        (contact(case(status=CaseStatus.CLOSED, closed=date(2026, 2, 17))), "combination:closed-case"),
        (contact(case(status=CaseStatus.NFA, closed=None)), "combination:closed-case"),
    ],
)
def test_one_flag_in_company_holds(match, because):
    """One finding that only flags holds with a vulnerable contact, a stranger's case or a closed one."""
    made = verdict(finding("kiss", points=1), parties=parties(match))
    assert (made.action, made.because) == (HOLD, (because,))
    assert verdict(parties=parties(match)).action is PASS
    assert verdict(finding("kiss", points=1, softened=True), parties=parties(match)).action is FLAG


@pytest.mark.parametrize(
    "match",
    [
        contact(case(officers=(OFFICER.upper(),))),
        contact(case(officers=("s.holt@force.example",))),
        contact(case(officers=(), team="cid")),
        contact(case(officers=()), case()),
        contact(case(status=CaseStatus.CLOSED, closed=date(2026, 2, 18))),
        contact(case(status=CaseStatus.CLOSED, closed=date(2020, 1, 1)), case()),
        contact(case(status=CaseStatus.REOPENED, closed=date(2020, 1, 1))),
    ],
)
def test_no_company(match):
    """An officer is assigned by any address, alias or team; a case counts as open until the days of grace are over."""
    assert verdict(finding("kiss", points=1), parties=parties(match)).action is FLAG


def test_every_contact_must_be_the_officers():
    """Mail to two contacts of whom one is a stranger's counts as not assigned."""
    stranger = contact(case(officers=("other@force.example",)), address="li@mail.example")
    made = verdict(finding("kiss", points=1), parties=parties(contact(), stranger))
    assert made.because == ("combination:sender-not-assigned",)


def test_unknown_sender_is_on_no_case():
    """Mail of somebody who is not on the staff list is nobody's case."""
    made = verdict(finding("kiss", points=1), parties=parties(contact(), officer=None))
    assert made.because == ("combination:sender-not-assigned",)


def test_history():
    """A kiss holds from the second message; any flag holds after an earlier finding; history alone does nothing."""
    again = History(earlier={"kiss": 1})
    alone = policy(combinations=Combinations(earlier_findings=PASS))
    assert verdict(finding("kiss", points=1), history=again, policy=alone).because == ("category:kiss:again",)
    assert verdict(finding("warmth", points=1), history=again, policy=alone).action is FLAG
    assert verdict(finding("warmth", points=1), history=again).because == ("combination:earlier-findings",)
    assert verdict(history=again).action is PASS
    assert verdict(finding("kiss", points=1), history=History(earlier={"kiss": 0})).action is FLAG


def test_combinations_can_be_switched_off():
    """Policy may make a combination flag or do nothing."""
    nothing = dict.fromkeys(
        ("two_categories", "sender_not_assigned", "closed_case", "earlier_findings"), PASS
    )
    off = policy(combinations=Combinations(vulnerable_contact=FLAG, **nothing))
    made = verdict(
        finding("kiss", points=1),
        finding("warmth", points=1),
        policy=off,
        parties=parties(contact(vulnerable=True)),
    )
    assert made.action is FLAG
    assert "combination:vulnerable-contact" in made.because


@pytest.mark.parametrize(
    ("points", "action", "because"),
    [
        ((2,), FLAG, ("category:kiss",)),
        ((3,), FLAG, ("category:kiss", "threshold:flag_at")),
        ((6, 6), HOLD, ("threshold:hold_at",)),
        ((6, 5), FLAG, ("category:kiss", "threshold:flag_at")),
    ],
)
def test_thresholds(points, action, because):
    """Points add up over findings; from flag_at they flag, from hold_at they hold."""
    made = verdict(*(finding("kiss", points=each) for each in points))
    assert (made.action, made.because, made.score) == (action, because, sum(points))


def test_softened_points_do_not_hold():
    """Points of softened findings count to the score and to flagging, never to holding."""
    made = verdict(finding("kiss", points=6), finding("kiss", points=6, softened=True))
    assert (made.action, made.score) == (FLAG, 12)


@pytest.mark.parametrize("reason", list(UnreadableReason))
def test_unreadable(reason):
    """What could not be read does what policy says, and is named."""
    made = verdict(unreadable=(defect(reason),))
    assert made.action is policy().unreadable[reason]
    assert made.because == (f"unreadable:{reason.value}",)
    assert made.unreadable == (defect(reason),)


def test_a_file_that_policy_knows_is_no_reason():
    """The force's crest, known by its hash, asks for nothing, and is still named; another file of the kind does."""
    crest = replace(defect(UnreadableReason.PICTURE), sha256="a" * 64)
    knowing = policy(known_files=frozenset({"a" * 64}))
    made = verdict(unreadable=(crest,), policy=knowing)
    assert (made.action, made.because, made.unreadable) == (PASS, (), (crest,))
    assert verdict(unreadable=(replace(crest, sha256="b" * 64),), policy=knowing).action is HOLD
    assert verdict(unreadable=(defect(),), policy=knowing).action is HOLD


@pytest.mark.parametrize(
    ("media", "reason", "action"),
    [
        ("application/x-microsoft-rpmsg-message", UnreadableReason.ENCRYPTED, FLAG),
        ("application/x-microsoft-rpmsg-message", UnreadableReason.ATTACHMENT_NOT_READ, FLAG),
        ("application/x-microsoft-rpmsg-message", UnreadableReason.SIZE, HOLD),
        ("application/pkcs7-mime", UnreadableReason.ENCRYPTED, HOLD),
        ("", UnreadableReason.ENCRYPTED, HOLD),
    ],
)
def test_secure_mail_of_the_force_is_flagged(media, reason, action):
    """What the force's own encryption makes may leave unread where policy names its media type; nothing else may."""
    sealed = replace(defect(reason), media=media)
    allowing = policy(secure_mail=frozenset({"application/x-microsoft-rpmsg-message"}))
    strict = dict.fromkeys(UnreadableReason, HOLD)
    made = verdict(unreadable=(sealed,), policy=replace(allowing, unreadable=strict))
    assert (made.action, made.unreadable) == (action, (sealed,))
    assert verdict(unreadable=(sealed,)).because == (f"unreadable:{reason.value}",)


def test_a_language_nobody_inspects_is_no_text_that_was_read():
    """Words in a language that policy does not list do what policy says of `language`, and are named by part."""
    polish = Passage(part="2", kind=PassageKind.BODY, text="Dziękuję bardzo", start=0, end=15, language="pl")
    welsh = replace(polish, part="body", text="Diolch yn fawr", end=14, language="cy")
    authored = Authored(passages=(welsh, polish, polish))
    lenient = policy(unreadable={UnreadableReason.LANGUAGE: FLAG}, languages=("en", "cy"))
    made = verdict(authored=authored, policy=lenient)
    assert (made.action, made.because) == (FLAG, ("unreadable:language",))
    assert [(each.part, each.detail) for each in made.unreadable] == [
        ("2", "30 characters in Polish, which is not inspected")
    ]
    assert verdict(authored=authored, policy=replace(lenient, languages=("en", "cy", "pl"))).action is PASS


def test_a_reason_policy_forgot_holds():
    """A reason that policy does not name is no way past."""
    assert verdict(unreadable=(defect(),), policy=policy(unreadable={})).action is HOLD


def test_not_inspected_holds():
    """When inspection failed, the message is held and says why, whatever policy says of the reason (P3)."""
    lenient = policy(unreadable=dict.fromkeys(UnreadableReason, FLAG))
    made = verdict(inspected=False, policy=lenient)
    assert made.action is HOLD
    assert made.because == ("unreadable:not-inspected",)
    assert made.unreadable
    assert (made.rules_hash, made.model_hash) == ("s1", "")
    late = verdict(inspected=False, trouble=(defect(UnreadableReason.NOT_IN_TIME),))
    assert [each.reason for each in late.unreadable] == [UnreadableReason.NOT_IN_TIME]


def test_trouble_counts_beside_what_extract_could_not_read():
    """Defects of the message and trouble around it are listed together."""
    made = verdict(unreadable=(defect(UnreadableReason.ATTACHMENT_NOT_READ),), trouble=(defect(),))
    assert made.action is HOLD
    assert len(made.unreadable) == 2


@pytest.mark.parametrize(
    ("who", "action", "because"),
    [
        (parties(contact(do_not_contact=True)), FLAG, "parties:do-not-contact"),
        (parties(contact(email_consent=False)), FLAG, "parties:no-email-consent"),
        (parties(contact(), senders_disagree=True), FLAG, "parties:senders-disagree"),
        (parties(contact(), private=("sam@home.example",)), HOLD, "parties:private-copy"),
    ],
)
def test_people_and_addresses(who, action, because):
    """Do-not-contact, no consent, disagreeing senders and private copies act on clean text too."""
    made = verdict(parties=who)
    assert (made.action, made.because) == (action, (because,))
    off = PartyPolicy(do_not_contact=PASS, no_email_consent=PASS, senders_disagree=PASS, private_copy=PASS)
    assert verdict(parties=who, policy=policy(parties=off)).action is PASS


def test_stale_registry_is_recorded_and_changes_nothing():
    """A stale registry marks the verdict; it is neither a reason to hold nor to pass."""
    made = verdict(parties=parties(contact(), registry_stale="two days old"))
    assert (made.action, made.registry_stale, made.registry_version) == (PASS, "two days old", "r1")


@pytest.mark.parametrize(("mode", "action"), [(Mode.OBSERVE, PASS), (Mode.FLAG, FLAG), (Mode.HOLD, HOLD)])
def test_mode_caps(mode, action):
    """The mode caps what is done, never what is proposed; what is not held is sent."""
    made = verdict(finding(), mode=mode)
    assert (made.action, made.proposed, made.mode) == (action, HOLD, mode)
    assert made.because
    assert (made.held == ()) == (action is not HOLD)
    assert verdict(finding("kiss", points=1), mode=Mode.OBSERVE).proposed is FLAG


def test_out_of_scope():
    """Mail to nobody registered passes with no findings and nothing said about it, even uninspected."""
    nobody = parties(others=("solicitor@law.example",), private=("sam@home.example",), senders_disagree=True)
    for inspected in (True, False):
        made = verdict(finding(), parties=nobody, unreadable=(defect(),), inspected=inspected)
        assert (made.action, made.in_scope, made.findings, made.unreadable) == (PASS, False, (), ())
        assert (made.score, made.because, made.held) == (0, (), ())
        assert set(made.sent) == {"solicitor@law.example", "sam@home.example"}


def test_whose_copy_waits():
    """A hold keeps back contacts, private addresses and those policy names; the rest goes on (P5, DECISIONS 2)."""
    who = parties(
        contact(),
        contact(address="li@mail.example"),
        private=("sam@home.example",),
        others=("Clerk@Refuge.example", "solicitor@law.example", "x@notrefuge.example", "exact@law.example"),
    )
    made = verdict(finding(), parties=who, policy=policy(also_hold=("@refuge.example", "exact@law.example")))
    assert made.held == (
        CONTACT,
        "li@mail.example",
        "sam@home.example",
        "Clerk@Refuge.example",
        "exact@law.example",
    )
    assert made.sent == ("solicitor@law.example", "x@notrefuge.example")


def test_urgent_only_where_mail_waits():
    """Bail in a held message is urgent; in one that goes out it is not."""
    assert verdict(finding(), urgent="Tells of bail").urgent == "Tells of bail"
    assert verdict(finding("kiss", points=1), urgent="Tells of bail").urgent == ""
    assert verdict(urgent="Tells of bail").urgent == ""


def test_inputs_are_kept():
    """A verdict holds what is needed to compute it again (P10)."""
    made = verdict(finding(), history=History(earlier={"kiss": 1}))
    assert (made.rules_hash, made.policy_hash, made.model_hash, made.code_version) == (
        "s1",
        "p1",
        "m1",
        "1.0",
    )
    assert (made.decided_at, made.authored_chars) == (AT, 4)
    assert made.history.earlier == {"kiss": 1}


def test_a_reason_is_named_once():
    """Three findings of one category are one reason."""
    made = verdict(finding(points=1), finding(points=0), finding(points=0))
    assert made.because == ("category:advance",)


any_finding = st.builds(
    finding,
    category=st.sampled_from(["advance", "looks", "kiss", "warmth", "unheard-of", "conduct", "patterns"]),
    rule=st.sampled_from(["a.rule", "a.weight"]),
    severity=st.sampled_from([each.value for each in Severity]),
    points=st.integers(0, 20),
    status=st.sampled_from(RuleStatus),
    softened=st.booleans(),
    attribution=st.sampled_from(Attribution),
    sign=st.none() | st.builds(Sign, sentence=st.integers(0, 2), crossing=st.sampled_from([0.5, 0.7])),
)
any_defect = st.sampled_from(UnreadableReason).map(defect)
any_case = st.builds(
    case,
    status=st.sampled_from(CaseStatus),
    closed=st.sampled_from([None, date(2020, 1, 1), date(2026, 3, 3)]),
    officers=st.sampled_from([(), (OFFICER,)]),
    role=st.sampled_from(ContactRole),
)
any_contact = st.builds(
    lambda cases, flags: contact(*cases, **flags),
    st.lists(any_case, min_size=1, max_size=2),
    st.fixed_dictionaries(
        {name: st.booleans() for name in ("vulnerable", "is_child", "do_not_contact", "email_consent")}
    ),
)
any_parties = st.builds(
    lambda contacts, private, senders_disagree: parties(
        *contacts, private=private, senders_disagree=senders_disagree, others=("solicitor@law.example",)
    ),
    st.lists(any_contact, max_size=2),
    st.sampled_from([(), ("sam@home.example",)]),
    st.booleans(),
)
effects = st.sampled_from(Action)
any_policy = st.builds(
    policy,
    flag_at=st.integers(1, 5),
    hold_at=st.integers(5, 30),
    combinations=st.builds(Combinations, two_categories=effects, two_sentences=effects, vulnerable_contact=effects,
        sender_not_assigned=effects, closed_case=effects, earlier_findings=effects, pattern=effects),
    parties=st.builds(PartyPolicy, do_not_contact=effects, no_email_consent=effects, senders_disagree=effects,
        private_copy=effects),
    weights=st.sampled_from([frozenset(), frozenset({"a.weight"})]),
)  # fmt: skip
any_history = st.dictionaries(st.sampled_from(["advance", "kiss", "warmth"]), st.integers(0, 3), max_size=3)
situation = st.fixed_dictionaries(
    {
        "findings": st.lists(any_finding, max_size=4),
        "unreadable": st.lists(any_defect, max_size=2).map(tuple),
        "parties": any_parties,
        "policy": any_policy,
        "history": any_history,
        "mode": st.sampled_from(Mode),
        "inspected": st.booleans(),
    }
)


def decided(findings, history, **more):
    return verdict(*findings, history=History(earlier=history), **more)


@given(situation)
def test_total(values):
    """Whatever comes in, there is one verdict: everybody is held or sent, and every action but pass has a reason."""
    made = decided(**values)
    everybody = {match.recipient for match in values["parties"].contacts}
    everybody |= {*values["parties"].private, *values["parties"].others}
    assert {*made.held, *made.sent} == everybody
    assert not set(made.held) & set(made.sent)
    assert bool(made.because) == (made.proposed is not PASS)
    assert made.action.strength <= made.proposed.strength
    if made.action is HOLD:
        assert {match.recipient for match in values["parties"].contacts} <= set(made.held)
    if made.in_scope and not values["inspected"]:
        assert made.proposed is HOLD


@given(situation, any_finding)
def test_monotone_in_findings(values, more):
    """One finding more never weakens a verdict."""
    before = decided(**values)
    after = decided(**(values | {"findings": [*values["findings"], more]}))
    assert after.action.strength >= before.action.strength
    assert after.proposed.strength >= before.proposed.strength
    assert set(before.held) <= set(after.held)


@given(situation, any_defect)
def test_monotone_in_defects(values, more):
    """One unreadable part more never weakens a verdict."""
    before = decided(**values)
    after = decided(**(values | {"unreadable": (*values["unreadable"], more)}))
    assert after.proposed.strength >= before.proposed.strength


@given(situation, st.sampled_from(["advance", "kiss", "warmth", "looks"]))
def test_monotone_in_history(values, category):
    """One earlier finding more never weakens a verdict."""
    before = decided(**values)
    history = values["history"] | {category: values["history"].get(category, 0) + 1}
    after = decided(**(values | {"history": history}))
    assert after.proposed.strength >= before.proposed.strength


@given(situation)
def test_order_of_findings_does_not_matter(values):
    """The same findings in another order give the same action, score, reasons and recipients."""
    first = decided(**values)
    for order in permutations(values["findings"]):
        made = decided(**(values | {"findings": list(order)}))
        assert (made.action, made.score, made.held) == (first.action, first.score, first.held)
        assert set(made.because) == set(first.because)
