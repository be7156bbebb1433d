"""What firing means: sentences, scopes, exceptions, softening, points."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_texts import AT, bundle, engine, findings, judge, list_file, rule

from gateway.extract import extract
from gateway.inspection import load
from gateway.inspection.bench import texts_of
from gateway.inspection.examples import authored_of
from gateway.inspection.judgement import MAX_FIRED, MAX_LISTED
from gateway.inspection.matching import PatternIndex
from gateway.inspection.rules import Pattern
from gateway.inspection.schema import ExampleEntry
from gateway.model import (
    Attribution,
    Authored,
    ContactRole,
    Cut,
    CutReason,
    Headers,
    History,
    Limits,
    Passage,
    PassageKind,
    RuleStatus,
    StaffId,
    StaffMember,
    StaffRole,
)

DRINK = "invite: {phrase: fancy a drink}"
OFFICER = StaffMember(
    staff_id=StaffId("4417"),
    email="amir.khan@force.example",
    name="Amir Khan",
    rank="DC",
    unit="Robbery Squad",
    manager="",
    role=StaffRole.OFFICER,
    aliases=("akhan@post.example",),
)


def quoted(body, quote, *, attributed=True, speaker="", answers=True, reason=CutReason.QUOTED):
    """Return a message with a quote under it."""
    authored = authored_of(body) if body else Authored()
    cut = Cut(
        part="body",
        text=quote,
        start=100,
        end=100 + len(quote),
        reason=reason,
        attributed=attributed,
        speaker=speaker,
    )
    headers = Headers(in_reply_to="<1@mail.example>" if answers else "")
    return replace(authored, cuts=(cut,), headers=headers)


def test_a_finding_says_what_where_and_why():
    """A finding names rule, version, place in the part, the exact words, points and the rule's reasons."""
    (finding,) = findings(DRINK, "Hi Jo.\n\nWe fancied  a\ndrink, you know.")
    assert finding.rule == "advance.drink"
    assert (finding.category, finding.severity, finding.points, finding.version) == ("advance", "high", 4, 1)
    assert finding.part == "body"
    assert finding.text == "fancied  a\ndrink"
    assert "Hi Jo.\n\nWe fancied  a\ndrink, you know."[finding.start : finding.end] == finding.text
    assert finding.why == "Proposes a meeting."
    assert finding.for_reviewer == "Is there a police purpose?"


def test_offsets_count_from_the_part():
    """A passage that begins later in its part gives offsets of the part."""
    passage = Passage(part="1.2", kind=PassageKind.BODY, text="Fancy a drink?", start=40, end=54)
    (finding,) = findings(DRINK, Authored(passages=(passage,)))
    assert (finding.part, finding.start, finding.end) == ("1.2", 40, 53)


def test_subject_and_attachment_name_count():
    """Subject lines and file names are the officer's words too."""
    example = ExampleEntry(subject="Fancy a drink?", body="Hello", attachment_name="fancy a drink (1).doc")
    assert {finding.part for finding in findings(DRINK, example)} == {"subject", "name:2"}


def test_conditions_meet_in_one_sentence():
    """`and` asks for one sentence; the finding quotes from the first to the last match."""
    match = "invite: {phrase: fancy a drink}\nprivate: {phrase: just us}"
    more = "when: invite and private"
    (finding,) = findings(match, "Just us. Fancy a drink, you and me, just us, ok?", more=more)
    assert finding.text == "Fancy a drink, you and me, just us"
    assert findings(match, "Fancy a drink? Just us.", more=more) == ()


def test_neighbours():
    """`within: neighbours` sees one sentence before and one after, no further."""
    match = "invite: {phrase: fancy a drink}\nprivate: {phrase: just us, within: neighbours}"
    more = "when: invite and private"
    assert findings(match, "Fancy a drink? Just us.", more=more)
    assert findings(match, "Just us. Fancy a drink?", more=more)
    assert not findings(match, "Just us. Ok. Fancy a drink?", more=more)


def test_message():
    """`within: message` sees everything in scope, other parts too."""
    match = "invite: {phrase: fancy a drink}\nprivate: {phrase: just us, within: message}"
    more = "when: invite and private"
    example = ExampleEntry(subject="Just us", body="Hello. All well. Fancy a drink?")
    (finding,) = findings(match, example, more=more)
    assert finding.part == "body"
    assert not findings(match, "Fancy a drink?", more=more)


def test_message_wide_conditions_alone():
    """A rule of message-wide conditions fires where they are met, once a sentence."""
    match = "invite: {phrase: drink, within: message}\nprivate: {phrase: just us, within: message}"
    found = findings(match, "Just us. Hello. A drink.", more="when: invite and private")
    assert [finding.text for finding in found] == ["Just us", "drink"]
    assert not findings(match, "Just us. Hello.", more="when: invite and private")
    match += "\nother: {phrase: hello}"
    assert len(findings(match, "Just us. Hello.", more="when: private and not (invite or other)")) == 1
    assert not findings(match, "Just us, hello.", more="when: private and not (invite or other)")
    assert findings(match, "Just us.", more="when: (private or other) and not invite")


def test_not_looks_at_the_same_sentence():
    """`not x` is about the sentence, so that x elsewhere silences nothing."""
    match = "invite: {phrase: fancy a drink}\nother: {phrase: the suspect}"
    more = "when: invite and not other"
    assert not findings(match, "Did the suspect fancy a drink?", more=more)
    assert findings(match, "The suspect is out. Fancy a drink?", more=more)


def test_two_of():
    """A count of conditions is met in one sentence."""
    match = "a: {phrase: drink}\nb: {phrase: us}\nc: {phrase: tonight}"
    assert findings(match, "Drink with us.", more="when: 2 of (a, b, c)")
    assert not findings(match, "Drink. Us. Tonight.", more="when: 2 of (a, b, c)")


@pytest.mark.parametrize(
    ("when", "fires"),
    [
        ("heard", False),
        ("word and heard", False),
        ("word or heard", True),
        ("2 of (word, heard, other)", False),
        ("heard or (word and not other)", True),
    ],
)
def test_a_cue_is_never_heard_without_the_language_engine(when, fires):
    """Without the engine a rule stands on its words alone, and what only a cue would soften is not softened."""
    words = {"word": "{phrase: drink}", "other": "{phrase: dinner}", "heard": "{cue: romantic-advance}"}
    asked = "".join(f"{name}: {words[name]}\n" for name in words if name in f"{when} heard")
    match = f"{asked}form: {{phrase: statement}}"
    text = "I love you, fancy a drink after your statement?"
    for softened_by, softened in (("form or heard", True), ("form and heard", False)):
        found = findings(match, text, more=f"when: {when}\nsoftened_by: {softened_by}")
        assert [finding.softened for finding in found] == [softened] * fires


def test_when_left_out_means_any_but_what_softens():
    """Without `when` any condition fires, except those that only soften."""
    match = "a: {phrase: drink}\nb: {phrase: dinner}\nform: {phrase: your statement}"
    more = "softened_by: form"
    assert len(findings(match, "Drink. Dinner.", more=more)) == 2
    assert not findings(match, "Sign your statement.", more=more)


def test_points_count_once_and_all_places_are_listed():
    """A rule that fires in three sentences lists three findings, and its points stand on one."""
    found = findings(DRINK, "Fancy a drink? Really, fancy a drink? Fancy a drink!")
    assert [finding.points for finding in found] == [4, 0, 0]


def test_once_a_sentence():
    """Two matches in one sentence are one finding."""
    assert len(findings(DRINK, "Fancy a drink or fancy a drink")) == 1


def test_many_places_are_cut_short():
    """A message full of it lists no more than a reviewer needs, and keeps the finding that carries the points."""
    anchors = list_file("anchors", "your statement", "softens_only: true\n")
    match = DRINK + "\nform: {list: anchors}"
    text = "Fancy a drink after your statement?\n" * (MAX_LISTED + 30) + "Fancy a drink?\n"
    found = findings(match, text, more="when: invite\nsoftened_by: form", lists__anchors=anchors)
    assert len(found) == MAX_LISTED
    assert [finding.points for finding in found if finding.points] == [4]
    assert not found[-1].softened


def test_softening_ends_where_a_mail_is_full_of_it():
    """An anchor beside a thousand places is no accident: what comes then counts, and no more of it is looked at."""
    match = DRINK + "\nform: {phrase: your statement}"
    more = "when: invite\nsoftened_by: form"
    text = "Fancy a drink after your statement?\n"
    few = findings(match, text * (MAX_FIRED - 1), more=more)
    many = findings(match, text * MAX_FIRED, more=more)
    assert all(finding.softened for finding in few)
    assert [finding.softened for finding in many] == [True] * (MAX_LISTED - 1) + [False]
    assert [finding.points for finding in many if finding.points] == [4]


def test_softened_flags_but_never_silences():
    """A case anchor in the sentence softens the finding; it is still a finding with its points (DECISIONS 15)."""
    match = DRINK + "\nform: {phrase: your statement}"
    more = "when: invite\nsoftened_by: form"
    (soft,) = findings(match, "Fancy a drink after you sign your statement?", more=more)
    assert soft.softened
    assert soft.points == 4
    assert "flags at most" in soft.why
    (hard,) = findings(match, "Sign your statement. Fancy a drink?", more=more)
    assert not hard.softened


def test_the_unsoftened_finding_carries_the_points():
    """Of a softened and an unsoftened place, the second counts."""
    match = DRINK + "\nform: {phrase: your statement}"
    found = findings(
        match, "Fancy a drink after your statement? Fancy a drink?", more="when: invite\nsoftened_by: form"
    )
    assert [(finding.softened, finding.points) for finding in found] == [(True, 0), (False, 4)]


def test_softened_by_an_expression():
    """`softened_by` is an expression like `when`."""
    match = DRINK + "\nform: {phrase: your statement}\ncolleague: {phrase: PC Reed}\nalone: {phrase: just us}"
    more = "when: invite\nsoftened_by: (form or colleague) and not alone"
    (soft,) = findings(match, "Fancy a drink with PC Reed?", more=more)
    (hard,) = findings(match, "Fancy a drink after your statement, just us?", more=more)
    assert (soft.softened, hard.softened) == (True, False)


EXCEPTION = (
    "exceptions: [{name: cafe, phrase: Fancy a Drink cafe, owner: WCU, reason: a place, expires: 2026-03-04}]"
)


def test_exception_takes_away_its_own_words_only():
    """An exception covers the match inside its words, and no other match in the sentence or message."""
    assert not findings(DRINK, "Meet at the Fancy a Drink cafe.", more=EXCEPTION)
    (finding,) = findings(DRINK, "Fancy a drink at the Fancy a Drink cafe?", more=EXCEPTION)
    assert finding.start == 0


def test_exception_ends():
    """An exception applies through its last day and not after it."""
    made = engine(advance__drink=rule(DRINK, more=EXCEPTION))
    text = "Meet at the Fancy a Drink cafe."
    assert not judge(made, text, at=AT).findings
    assert judge(made, text, at=datetime(2026, 3, 5, 0, 0, tzinfo=UTC)).findings


def test_scope_of_roles():
    """A rule for victims does not look at mail to a suspect; one without a scope looks at all."""
    made = engine(advance__drink=rule(DRINK, more="scope: {contact_role: [victim, witness]}"))
    assert judge(made, "Fancy a drink?", role=ContactRole.WITNESS).findings
    assert not judge(made, "Fancy a drink?", role=ContactRole.SUSPECT).findings


def test_scope_of_parts():
    """A rule for the body does not look at the subject, also not for its message-wide conditions."""
    match = DRINK + "\nprivate: {phrase: just us, within: message}"
    example = ExampleEntry(subject="Just us", body="Fancy a drink?")
    assert findings(match, example, more="when: invite and private")
    assert not findings(match, example, more="when: invite and private\nscope: {part: [body]}")


def test_sign_off():
    """A kiss is looked for line by line in the last six lines, where ^ and $ are the ends of the line."""
    match = r"kiss: {regex: '(?:^|\w )x{1,3}$', where: sign-off}"
    (finding,) = findings(match, "Hello.\n\nSee you on Tuesday x\nsam\n")
    assert finding.text == "y x"
    assert not findings(match, "Two x\nMG11 forms and so on and on.\n" + "Line.\n" * 6)
    assert not findings(match, ExampleEntry(subject="Tuesday x", body="Hello"))


def test_sign_off_beside_a_sentence_condition():
    """A sign-off match belongs to the sentence it lies in, so that it can be joined with others."""
    match = "kiss: {regex: '^x$', where: sign-off}\nbye: {phrase: see you, within: neighbours}"
    assert findings(match, "Hello.\n\nSee you.\n\nx\n", more="when: kiss and bye")
    assert not findings(match, "See you.\n\nHello.\n\nBye.\n\nx\n", more="when: kiss and bye")


REFUSALS = list_file("refusals", "please stop, not interested")
PERSISTS = "again: {phrase: one drink}\nrefused: {quoted_refusal: true}"


@pytest.mark.parametrize(
    ("message", "fires"),
    [
        (quoted("One drink?", "Please stop this."), True),
        (quoted("One drink?", "Please stop this.", reason=CutReason.FORWARDED), True),
        (quoted("One drink?", "Thank you for the update."), False),
        (quoted("Your court date is Monday.", "Please stop this."), False),
        (authored_of("Please stop. One drink?"), False),
        (quoted("One drink?", "Please stop this.", reason=CutReason.SIGNATURE), False),
    ],
)
def test_refusal_in_the_thread(message, fires):
    """A refusal counts in quoted text, never in the officer's own; quoted text alone never scores."""
    found = findings(PERSISTS, message, more="when: again and refused", lists__refusals=REFUSALS)
    assert bool(found) is fires


def test_quoted_text_never_scores():
    """The contact's own words under an attribution line are no finding."""
    assert not findings(DRINK, quoted("Your court date is Monday.", "He wrote: fancy a drink?"))


def test_claimed_quote_flags_at_most():
    """Text behind a > that nothing introduces, in mail that answers nothing, is judged, and flags at most."""
    (finding,) = findings(DRINK, quoted("Hello.", "Fancy a drink?", attributed=False, answers=False))
    assert finding.softened
    assert (finding.start, finding.end) == (100, 113)
    assert "only the message itself says so" in finding.why


def test_claimed_quote_alone_is_own_text():
    """Where the officer wrote nothing else, what he marked as quoted is taken as his own words."""
    (finding,) = findings(DRINK, quoted("", "Fancy a drink?", attributed=False, answers=False))
    assert not finding.softened


@pytest.mark.parametrize(
    ("subject", "answers", "body", "softened"),
    [
        ("RE: Fancy a drink?", True, "Your date is Monday.", True),
        ("Automatic reply: Fancy a drink?", True, "I am away.", True),
        ("RE: Fancy a drink?", False, "Your date is Monday.", False),
        ("Fancy a drink?", True, "Your date is Monday.", False),
        ("RE: Fancy a drink?", True, "", False),
    ],
    ids=["answer", "automatic", "answers nothing", "no prefix", "nothing beside it"],
)
def test_the_subject_of_a_thread_flags_at_most(subject, answers, body, softened):
    """The contact may have chosen a thread's subject; one without a thread, or without words beside it, is the officer's."""
    thread = "In-Reply-To: <before@mail.example>\r\n" if answers else ""
    raw = f"From: officer@force.example\r\nTo: contact@mail.example\r\nSubject: {subject}\r\n{thread}\r\n{body}\r\n"
    (finding,) = findings(DRINK, extract(raw.encode(), Limits()))
    assert (finding.softened, "subject of a thread" in finding.why) == (softened, softened)


def test_introduced_quote_in_an_answer_is_a_quote():
    """An attribution line and reply headers together make a quote believable: it does not score."""
    assert not findings(DRINK, quoted("Hello.", "Fancy a drink?"))


@pytest.mark.parametrize("body", ["Hello.", ""])
@pytest.mark.parametrize(("attributed", "answers"), [(True, False), (False, True)])
def test_half_a_quote_flags_at_most(attributed, answers, body):
    """An attribution line alone, or reply headers alone, are cheaply forged: it is judged, and flags at most."""
    (finding,) = findings(DRINK, quoted(body, "Fancy a drink?", attributed=attributed, answers=answers))
    assert finding.softened


@pytest.mark.parametrize("speaker", ["Amir.Khan@force.example", "Amir Khan", "akhan@post.example"])
def test_officers_own_words_are_no_quote(speaker):
    """What the officer is said to have written is judged however well it is quoted."""
    message = quoted("Hello.", "Fancy a drink?", speaker=speaker)
    (finding,) = findings(DRINK, message, officer=OFFICER)
    assert finding.softened


def test_shadow_is_listed_without_points_and_draft_not_at_all():
    """A rule on trial is counted, never acts; a draft runs only where drafts are tried."""
    shadow = rule(DRINK).replace("status: enforce", "status: shadow")
    draft = rule(DRINK).replace("status: enforce", "status: draft")
    (finding,) = judge(engine(advance__drink=shadow), "Fancy a drink?").findings
    assert (finding.status, finding.points) == (RuleStatus.SHADOW, 0)
    assert not judge(engine(advance__drink=draft), "Fancy a drink?").findings
    assert judge(engine(advance__drink=draft, drafts=True), "Fancy a drink?").findings


def test_safety_makes_urgent_and_no_finding():
    """A safety rule says why a held message cannot wait; it is no finding and has no points."""
    safety = rule("bail: {phrase: released on bail}", rule_id="safety.bail").replace(
        "status: enforce\ntitle: Asks out", "kind: safety\nstatus: enforce\ntitle: Tells of bail"
    )
    inspection = judge(engine(safety__bail=safety), "He was released on bail.")
    assert inspection.urgent == "Tells of bail"
    assert inspection.findings == ()
    assert judge(engine(safety__bail=safety), "Hello.").urgent == ""
    both = safety.replace("match:\n", "when: bail and court\nmatch:\n  court: {phrase: court}\n")
    assert judge(engine(safety__bail=both), "He was released on bail. See you in court.").urgent == ""
    assert judge(engine(safety__bail=both), "The court released him on bail: he was released on bail.").urgent


def test_history_is_shown_inside_a_finding():
    """What came before is told where there is something to tell it beside, and only for the category."""
    made = engine(advance__drink=rule(DRINK))
    (finding,) = judge(made, "Fancy a drink?", history=History(earlier={"advance": 2, "warmth": 9})).findings
    assert finding.why.endswith("Found in 2 earlier messages to this contact in 90 days.")
    assert judge(made, "Hello.", history=History(earlier={"advance": 2})).findings == ()


def test_hashes():
    """An inspection names the rule set and the model it was made with; the parser is part of the model."""
    made = bundle(advance__drink=rule(DRINK))
    plain, parsing = load(made, language=False), load(made, language=True)
    assert judge(plain, "Hello.").rules_hash == made.hash
    assert len(plain.model_hash) == len(parsing.model_hash) == 64
    assert plain.model_hash != parsing.model_hash
    assert load(made, language=False) is plain


RULES = {
    "advance__drink": rule(DRINK + "\nform: {phrase: your statement}", more="when: invite\nsoftened_by: form"),
    "advance__us": rule("us: {regex: '\\bjust us\\b'}", rule_id="advance.us"),
    "warmth__kiss": rule("kiss: {regex: '^x+$', where: sign-off}", rule_id="warmth.kiss"),
    "warmth__miss": rule("miss: {phrase: miss you}\nnever: {phrase: court}", rule_id="warmth.miss",
        more="when: miss and not never"),
}  # fmt: skip
PIECES = st.sampled_from(
    [
        "Fancy a drink",
        "just us",
        "x",
        "I miss you",
        "court",
        "your statement",
        ".",
        "?",
        "\n",
        "\n\n",
        " ",
        '"',
        "He said",
    ]
)


@given(st.lists(PIECES, max_size=25).map(" ".join), st.text(max_size=20))
def test_findings_quote_the_text_and_repeat_themselves(text, noise):
    """Whatever the text: every finding quotes it exactly, points stand once a rule, and twice gives the same."""
    made = engine(**RULES)
    message = authored_of(text + noise)
    inspection = judge(made, message)
    source = message.passages[0].text if message.passages else ""
    carried = [finding.rule for finding in inspection.findings if finding.points]
    assert len(carried) == len(set(carried))
    for finding in inspection.findings:
        assert source[finding.start : finding.end] == finding.text
        assert finding.text == finding.text.strip()
        assert finding.text
    assert judge(made, message) == inspection


@given(st.permutations(sorted(RULES)), st.lists(PIECES, max_size=15).map(" ".join))
def test_order_of_rules_does_not_matter(order, text):
    """The same rules in another order of files find the same."""
    expected = judge(engine(**RULES), text).findings
    assert judge(engine(**{name: RULES[name] for name in order}), text).findings == expected


def test_attribution_can_be_switched_off_for_a_rule():
    """A kiss in quotation marks beside speech is a kiss all the same, where the rule says so."""
    text = 'The suspect wrote "fancy a drink".'
    (finding,) = findings(DRINK, text)
    assert (finding.attribution, finding.points, finding.status) == (Attribution.QUOTED, 0, RuleStatus.SHADOW)
    (finding,) = findings(DRINK, text, more="attribution: false")
    assert (finding.attribution, finding.points, finding.status) == (Attribution.OWN, 4, RuleStatus.ENFORCE)


def test_a_text_without_a_sign_off_has_no_hits_there():
    """Patterns of the sign-off are not in a subject line."""
    index = PatternIndex([Pattern("regex", "x")])
    (text,) = texts_of(authored_of(ExampleEntry(subject="x")), index, index, None)
    assert not text.sentences(~0)
    assert text.hits(~0, 0) == []
    assert text.hits(0, 0)
