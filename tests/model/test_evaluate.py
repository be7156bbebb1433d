"""The evaluation: which mail, what is written down, and the table."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from model import small_model
from typer.testing import CliRunner

from gateway.cli import app
from gateway.errors import Mistakes
from gateway.inspection.encoder import Encoder
from gateway.model import Action
from gateway.training.charts import bars, line
from gateway.training.corpus import Batch, Label, Mail, Split, load
from gateway.training.evaluate import Mails, calibration, evaluate, mails_of, open_closed, openings, told
from gateway.training.figures import Outcome
from gateway.training.labelled import texts_of
from gateway.training.systems import System, alone, scored, word_list

NOW = datetime(2026, 2, 3, 10, 0, tzinfo=UTC)
DRAFT = """## crossing due=hold severity=high subtlety=plain twin=a
Subject: Your statement

Dear Ms Hale, your statement is ready to sign. {romantic-advance|Fancy a drink with me afterwards, just us two?} Regards, DC Marsh

## proper trap=appointment twin=a
Subject: Your statement

Dear Ms Hale, your statement is ready to sign. DC Khan will be there with me afterwards. Regards, DC Marsh

## proper trap=plain
Subject: Exhibit

Dear Ms Hale, the exhibit was returned to you on Monday. Regards, DC Marsh
"""


@pytest.fixture
def folder(tmp_path):
    """A corpus with a dev batch, a test batch and a sealed one."""
    run = CliRunner()
    for name, split, more in (("d1", "dev", []), ("t1", "test", []), ("s1", "test", ["--seal"])):
        draft = tmp_path / f"{name}.txt"
        draft.write_text(DRAFT.replace("Hale", f"Hale-{name}").replace("ready", f"ready {name}"))
        arguments = ["add", str(draft), "--batch", name, "--split", split, "--brief", "a test"]
        done = run.invoke(app, ["corpus", *arguments, "--corpus", str(tmp_path / "corpus"), *more])
        assert done.exit_code == 0, done.output
    return tmp_path / "corpus"


def run(*arguments):
    """Run `gateway model` and return what it came to."""
    return CliRunner().invoke(app, ["model", *map(str, arguments)])


def test_sealed_mail_is_in_no_other_split(folder):
    """What was closed before training is judged apart."""
    corpus = load(folder)
    batches = {wanted: {mail.batch for mail in mails_of(corpus, wanted, folder)} for wanted in Mails}
    assert batches == {Mails.TRAIN: set(), Mails.DEV: {"d1"}, Mails.TEST: {"t1"}, Mails.SEALED: {"s1"}}


def test_a_sealed_batch_that_was_changed_is_refused(folder):
    """A seal that no longer fits makes the figures worthless."""
    path = folder / "mails" / "s1.jsonl"
    path.write_text(path.read_text().replace("exhibit was", "exhibits were"))
    with pytest.raises(Mistakes, match="not the batch that was sealed"):
        mails_of(load(folder), Mails.SEALED, folder)


def test_an_opening_is_written_down_before_anything_is_judged(folder):
    """Who opened what, when, why, with which model and rules, and a hash of the mail."""
    corpus = load(folder)
    mails = mails_of(corpus, Mails.TEST, folder)
    for why in ("release 1", "release 2"):
        open_closed(folder, Mails.TEST, mails, at=NOW, by="kay", why=why, model="m", rules="r")
    found = openings(folder)
    assert [(each.why, each.by, each.mails, each.at) for each in found] == [
        ("release 1", "kay", "test", "2026-02-03T10:00:00+00:00"),
        ("release 2", "kay", "test", "2026-02-03T10:00:00+00:00"),
    ]
    assert found[0].sha256 == found[1].sha256 != ""
    assert openings(folder / "mails") == ()


def test_closed_mail_is_not_opened_without_a_reason(folder):
    """The command refuses, and writes nothing."""
    done = run("evaluate", "--split", "test", "--corpus", folder)
    assert done.exit_code == 1
    assert "--why" in done.output
    assert openings(folder) == ()


def test_the_command_prints_the_table_and_logs_the_opening(folder, tmp_path):
    """Whole mails go through the whole engine; the plain advance is held, the goals stand beside the figures."""
    done = run(
        "evaluate",
        "--split",
        "test",
        "--corpus",
        folder,
        "--why",
        "figures of a release",
        "--charts",
        tmp_path / "charts",
    )
    assert done.exit_code == 0, done.output
    assert "crossings caught (goal: at least 98)" in done.output
    assert "the gateway                        100.0 (0-100) of 1" in done.output
    assert "figures of a release" in done.output
    assert len(openings(folder)) == 1
    for chart in (tmp_path / "charts").glob("*.svg"):
        ET.parse(chart)


def test_json_holds_what_the_table_says(folder):
    """Programs read the same figures."""
    done = run("evaluate", "--corpus", folder, "--json", "--beside", "baselines")
    report = json.loads(done.stdout)
    names = [row["name"] for row in report["rows"]]
    assert names[:1] == ["keyword list"]
    assert names[-1] == "the gateway"
    assert {"profanity library", "sentiment library", "rules alone"} <= set(names)
    assert report["rows"][-1]["shares"][0]["value"] == 1.0


def test_a_split_without_mail_is_said(folder):
    """A table over nothing would look like success."""
    done = run("evaluate", "--split", "train", "--corpus", folder)
    assert done.exit_code == 1
    assert "no mail in train" in done.output


def mail(number, label):
    """A mail without much in it."""
    crosses = label is Label.CROSSING
    return Mail(id=f"t-{number}", subject="", body=f"mail {number}", label=label, due=Action.HOLD if crosses else Action.PASS,
                trap="" if crosses else "plain", subtlety="plain" if crosses else "")  # fmt: skip


def test_a_baseline_with_a_number_may_act_on_one_proper_mail_in_a_hundred():
    """The threshold is the best that the false alarms allow."""
    mails = [mail(number, Label.PROPER) for number in range(200)] + [mail(900, Label.CROSSING)]
    judged = scored("by number", lambda each: float(each.id[2:])).judge(mails)
    assert sum(outcome.acted for outcome in judged[:200]) == 1
    assert judged[200].acted


def test_the_keyword_list_sees_words_only():
    """It stops the suspect's words as it stops the officer's: that is why it is a baseline."""
    bodies = [
        "Fancy a drink?",
        "He called you gorgeous in the message, please bring the phone.",
        "Your exhibit is here.",
    ]
    mails = [
        msgspec.structs.replace(mail(number, Label.PROPER), body=body) for number, body in enumerate(bodies)
    ]
    assert [outcome.acted for outcome in word_list().judge(mails)] == [True, True, False]


def test_the_last_system_is_looked_at_closely_and_the_rest_in_rows(folder, tmp_path):
    """Every system has a row; categories and traps are those of the gateway itself; the encoder is calibrated."""
    corpus = load(folder)
    model = Encoder(small_model.write(tmp_path / "model"))
    mails = mails_of(corpus, Mails.DEV, folder)
    nothing = System("nobody", lambda each: tuple(Outcome(Action.PASS) for _ in each))
    report = evaluate(
        Mails.DEV,
        mails,
        [alone(model), nothing],
        model,
        lambda _: None,
        absent=["one: missing"],
        outside=mails,
    )
    assert [row.name for row in report.rows] == ["encoder alone", "nobody"]
    assert [row.outside.of for row in report.rows] == [2, 2]
    assert [(name, share.value) for name, share in report.categories] == [("romantic-advance", 0.0)]
    assert sum(one.sentences for one in report.calibration) > 5
    lines = "\n".join(told(report))
    assert "encoder: probability said" in lines
    assert "left out: one: missing" in lines


def test_calibration_counts_every_sentence_once(folder, tmp_path):
    """Each sentence stands in the tenth that its probability lies in."""
    corpus = load(folder)
    texts = texts_of(corpus.mails_of(Split.DEV), ())
    found = calibration(Encoder(small_model.write(tmp_path / "model")), texts)
    assert sum(one.sentences for one in found) == sum(len(text.sentences) for text in texts)
    assert all(0 <= one.said <= 1 and 0 <= one.true <= 1 for one in found)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"])), *[st.floats(0, 1)] * 3, st.just("1 of 2")), max_size=5),
    title=st.sampled_from(["a & b", "<x>", 'say "so"']),
)  # fmt: skip
def test_charts_are_well_formed_whatever_the_names(rows, title):
    """A browser shows them; nothing in a name becomes markup."""
    for drawing in (bars(title, rows, 0.5), line(title, "a<b", "c&d", [(0.1, 0.9)], diagonal=True)):
        found = ET.fromstring(drawing)
        assert title in [each.text for each in found.iter("{http://www.w3.org/2000/svg}text")]


def test_batches_of_this_test_are_described(folder):
    """The corpus of this test is as a real one is."""
    batches = yaml.safe_load(Path(folder / "batches.yaml").read_text())
    assert msgspec.convert(batches["s1"], Batch).sealed
