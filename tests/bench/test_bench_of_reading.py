"""The benches of reading measure what they say, and what they say of real mail can be believed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench import extract as bench  # noqa: E402
from bench import realmail  # noqa: E402
from gateway.extract import extract  # noqa: E402
from gateway.model import Limits, PassageKind  # noqa: E402

BODY = "The file is with the prosecutors.\nKind regards\nAmir\n\nOn 3 Mar 2026, at 10:14, Nadia wrote:\n> When is the hearing?\n"


@pytest.mark.parametrize(("name", "octets"), [("2 KB text", 2_049), ("20 KB text and HTML", 19_333), ("20 KB HTML", 20_000), ("1 MB, a Word file", 1_024_000), ("1 MB, a PDF file", 1_024_000), ("1 MB, unknown octets", 1_024_000)])  # fmt: skip
def test_each_mail_is_another_and_has_its_size(name, octets):
    """A cache must not make later mails cheaper, nor a mail be other than the table says."""
    first, second = bench.CASES[name](0), bench.CASES[name](1)
    assert first != second
    assert abs(len(first) - octets) < octets / 20
    assert abs(len(first) - len(second)) < octets / 20


@pytest.mark.parametrize("name", ["1 MB, a Word file", "1 MB, a PDF file"])
def test_the_files_are_read(name):
    """The time of a file that is not read would say nothing: twelve pages of its words are in passages."""
    authored = extract(bench.CASES[name](3), Limits())
    inside = [one.text for one in authored.passages if one.kind is PassageKind.ATTACHMENT]
    assert sum(map(len, inside)) > 20_000
    assert "The " in inside[0]


def test_the_table_has_every_case_and_ratio():
    """The command prints a row a case, with a ratio to each way of reading it is held against."""
    done = subprocess.run([sys.executable, "-m", "bench.extract", "--mails", "4", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["mail"] for row in rows] == list(bench.CASES)
    for row in rows:
        assert row["to email"] > 0
        assert row["to email+text"] > 0
        assert row["extract"] <= row["p95"]


def _folder(tmp_path):
    folder = tmp_path / "ours"
    folder.mkdir()
    rows = [{"subject": "Re: Your case", "body": BODY}, {"subject": "Greetings", "body": "Hallo £ é\n"}]
    (folder / "mail.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "raw.eml").write_bytes(b"Content-Transfer-Encoding: base64\n\n!!!!\n")
    return folder


def test_real_mail_is_counted_and_not_shown(tmp_path):
    """Each dress has its row, what could not be read is counted by reason, and no word of the mail is printed."""
    log = tmp_path / "page.md"
    log.write_text("before\n<!-- printed -->\nold\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "bench.realmail", str(_folder(tmp_path)), "--log", str(log)], cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout
    for dress, mails in (
        ("as it stands", 3),
        ("quoted-printable", 2),
        ("base64", 2),
        ("HTML", 2),
        ("text and HTML", 2),
    ):
        assert f"| ours | {dress} | {mails} | 0 |" in done.stdout
    assert "| ours | as it stands | encoding: " in done.stdout
    assert not any(word in done.stdout for word in ("prosecutors", "Nadia", "hearing", "Hallo"))
    page = log.read_text(encoding="utf-8")
    assert page.startswith("before\n")
    assert "old" not in page
    assert done.stdout.strip() in page


def test_a_dress_that_is_read_otherwise_is_counted():
    """Equal words that give other passages are a fault of decoding, and must not hide in an average."""
    dresses = realmail.dressed("Re: Your case", BODY)
    assert realmail.measured(iter([dresses]))["base64"].differ == 0
    dresses["base64"] = dresses["base64"].replace(b"VGhl", b"VGhh", 1)
    assert realmail.measured(iter([dresses]))["base64"].differ == 1


def test_figures_of_a_message_are_left_out_of_its_reason():
    """Equal reasons are counted together, and a file's name is nobody's business."""
    reason = realmail._without_figures('image/gif "holiday.gif", 1234 octets, attached: not text')
    assert reason == "image/gif"
