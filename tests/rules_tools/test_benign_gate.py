"""Ordinary mail beside the rules: how it is written, what lint says when a rule touches it, and what no reason allows."""

from textwrap import dedent

import pytest
from small_sets import NOW, POLICY, drink, lunch, write
from typer.testing import CliRunner

from gateway import inspection
from gateway.cli.rules import app
from gateway.rehearsal import benign
from gateway.rehearsal.judging import Judge

MAILS = dedent("""\
    kind: visits
    mails:
      canteen:
        subject: Tuesday
        body: |
          Dear Ms Wells,

          we can have lunch in the canteen before court.
          DC Marsh
      quoted-man:
        body: He asked me out. He said "fancy a drink", and I left.
    """)


def told(folder):
    """Return what the gate says of ordinary mail."""
    bundle = inspection.read((folder,))
    baseline = benign.baseline_of(inspection.read_benign((folder,)))
    judge = Judge(bundle, language=False, drafts=True)
    mails = benign.judged_mails(baseline, judge, NOW)
    return [str(each) for each in benign.gate(inspection.rules_of(bundle), judge, baseline, mails)]


def known(mail, rule):
    return f"known: [{{mail: {mail}, rule: {rule}, reason: a shared table}}]\n"


def test_a_rule_that_fires_is_named_with_mail_and_words(tmp_path):
    """A finding that nobody listed is refused at the mail, with rule, status and words."""
    (line,) = told(write(tmp_path, warmth__lunch=lunch(), benign__visits=MAILS))
    assert line.startswith(f"{tmp_path}/benign/visits.yaml:3:3: warmth.lunch (status enforce) fires on")
    assert "'have lunch'" in line


def test_a_listed_finding_is_accepted(tmp_path):
    """A finding that is listed with its reason is none of lint's business."""
    listed = MAILS + known("canteen", "warmth.lunch")
    assert told(write(tmp_path, warmth__lunch=lunch(), benign__visits=listed)) == []


def test_a_reason_does_not_hold_a_mail(tmp_path):
    """A reason lets a mail be flagged; that it is held is refused all the same."""
    policy = POLICY.replace("warmth: {hold_from: never}", "warmth: {hold_from: low}")
    listed = MAILS + known("canteen", "warmth.lunch")
    (line,) = told(write(tmp_path, policy=policy, warmth__lunch=lunch(), benign__visits=listed))
    assert "this ordinary mail is held, because of category:warmth" in line


@pytest.mark.parametrize("status", ["draft", "shadow"])
def test_rules_on_trial_may_fire(tmp_path, status):
    """A rule that does not act stops no mail; what it finds is weighed when it is promoted."""
    assert told(write(tmp_path, warmth__lunch=lunch(status=status), benign__visits=MAILS)) == []


def test_a_rule_that_flags_is_refused_too(tmp_path):
    """Status flag is a rule that acts: the baseline holds for it."""
    assert len(told(write(tmp_path, warmth__lunch=lunch(status="flag"), benign__visits=MAILS))) == 1


def test_quoted_words_of_others_are_no_finding(tmp_path):
    """Somebody else's words in quotation marks inform and touch nothing."""
    assert told(write(tmp_path, advance__drink=drink(), benign__visits=MAILS)) == []


def test_weights_alone_touch_nothing(tmp_path):
    """A rule that policy lists under weights asks for nothing alone."""
    weighing = POLICY + "weights: [warmth.lunch]\n"
    assert told(write(tmp_path, policy=weighing, warmth__lunch=lunch(), benign__visits=MAILS)) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (known("cantine", "warmth.lunch"), "there is no mail 'cantine'; did you mean 'canteen'?"),
        (known("canteen", "warmth.lunsh"), "there is no rule 'warmth.lunsh'; did you mean 'warmth.lunch'?"),
        (known("quoted-man", "warmth.lunch"), "warmth.lunch does not fire on 'quoted-man' any more"),
    ],
)
def test_a_reason_must_be_about_something(tmp_path, line, says):
    """A line under known that names nothing, or accepts what is not found, is refused at its place."""
    accepted = MAILS + "known:\n  - {mail: canteen, rule: warmth.lunch, reason: a shared table}\n"
    other = f"kind: visits\n{line}"
    found = told(write(tmp_path, warmth__lunch=lunch(), benign__a=accepted, benign__b=other))
    assert len(found) == 1
    assert f"{tmp_path}/benign/b.yaml:2:" in found[0]
    assert says in found[0]


def test_a_name_is_given_once(tmp_path):
    """Two mails of one name, in two files, are refused: a reason would be about both."""
    found = told(write(tmp_path, benign__a=MAILS, benign__b=MAILS))
    assert len(found) == 2
    assert all("already" in line for line in found)


def test_mistakes_in_a_file_have_their_place(tmp_path):
    """An unknown key and a mail without words are told with line and column."""
    text = "kind: visits\nmails:\n  a:\n    boddy: Dear\n  b:\n    body: ''\n"
    found = told(write(tmp_path, benign__visits=text))
    assert any(":4:5: unknown key 'boddy'; did you mean 'body'?" in line for line in found)
    assert any(":6:11: mails.b.body" in line for line in found)


def test_the_hour_of_a_mail_counts_only_if_it_is_given(tmp_path):
    """A mail goes out on a Wednesday at eleven unless it says when; then a rule about the hour sees it."""
    night = lunch().replace(
        "meal: {phrase: have lunch}", 'meal: {phrase: have lunch}\n  late: {conduct: {sent_outside: "06:00-22:00"}}'
    ).replace("examples:", "when: meal and late\nexamples:")  # fmt: skip
    assert told(write(tmp_path, warmth__lunch=night, benign__visits=MAILS)) == []
    late = MAILS.replace("    subject: Tuesday\n", '    sent_at: "2026-03-04 23:10"\n')
    assert len(told(write(tmp_path, warmth__lunch=night, benign__visits=late))) == 1


def test_quoted_mail_of_the_contact_is_cut_from_a_reply(tmp_path):
    """A mail that says it is a reply is read as one: what the contact wrote below it does not count."""
    text = (
        "kind: replies\nmails:\n  news:\n    reply: true\n    body: |\n      No news yet.\n\n"
        "      On 2 March 2026 09:14, Katie Wells <contact@mail.example> wrote:\n      > Shall we have lunch?\n"
    )
    assert told(write(tmp_path, warmth__lunch=lunch(), benign__replies=text)) == []


def test_ordinary_mail_is_no_part_of_the_set(tmp_path):
    """Adding ordinary mail changes neither the set nor its hash, so nothing has to be put in force for it."""
    write(tmp_path, advance__drink=drink())
    before = inspection.read((tmp_path,))
    write(tmp_path, benign__visits=MAILS)
    assert inspection.read((tmp_path,)).hash == before.hash
    assert inspection.check(inspection.read((tmp_path,))) == ()


def test_a_force_brings_its_own_mail_and_reasons(tmp_path):
    """The folder of a force adds mails, and may accept what its rules find in ours."""
    ours = write(tmp_path / "ours", warmth__lunch=lunch(status="shadow"), benign__visits=MAILS)
    theirs = write(
        tmp_path / "theirs",
        warmth__lunch=lunch(),
        benign__own=f"kind: own\n{known('canteen', 'warmth.lunch')}",
    )
    (theirs / "policy.yaml").unlink()
    paths = (ours, theirs)
    bundle = inspection.read(paths)
    baseline = benign.baseline_of(inspection.read_benign(paths))
    judge = Judge(bundle, language=False, drafts=True)
    mails = benign.judged_mails(baseline, judge, NOW)
    assert benign.gate(inspection.rules_of(bundle), judge, baseline, mails) == ()


def test_lint_fails_on_ordinary_mail(tmp_path):
    """`gateway rules lint` prints the mistake as one of gate grade, and exits 1."""
    write(tmp_path, warmth__lunch=lunch(), benign__visits=MAILS)
    ran = CliRunner().invoke(app, ["lint", str(tmp_path), "--json", "--no-language"])
    assert ran.exit_code == 1
    assert '"grade": "gate"' in ran.stdout
    assert "fires on this ordinary mail" in ran.stdout
