"""Cues from bytes to verdict: what `gateway scan` prints of a mail, and what `gateway explain` tells people."""

import json

import pytest
from inspection.rule_texts import POLICY, rule
from typer.testing import CliRunner

from gateway.cli import app

MAIL = """\
From: Sam Holt <sam.holt@force.example>
To: Jo <jo@mail.example>
Subject: Update
Date: Wed, 04 Mar 2026 11:00:00 +0000
In-Reply-To: <1@mail.example>

Hi Jo,

The date is Monday.  I can't get
you out of my head.

Sam

On Tue, 3 Mar 2026 at 10:00, Jo <jo@mail.example> wrote:
> He says I love you in every letter.
"""


@pytest.fixture
def mail(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules" / "advance").mkdir(parents=True)
    (tmp_path / "rules" / "policy.yaml").write_text(POLICY + "cues: {default: {hold: 0.9}}\n")
    (tmp_path / "rules" / "advance" / "drink.yaml").write_text(rule("cue: {cue: romantic-advance}"))
    path = tmp_path / "advance.eml"
    path.write_text(MAIL)
    return path


def test_scan_gives_span_probability_and_reason(mail):
    """The exact piece of what the officer wrote, across a line break, with how sure it is and why."""
    result = CliRunner().invoke(app, ["scan", "--as-contact", "--json", str(mail)])
    told = json.loads(result.stdout)
    (finding,) = told["findings"]
    assert finding["text"] == "I can't get\nyou out of my head"
    assert finding["probability"] == 0.9
    assert "says that the reader is on the officer's mind (0.90, relations)" in finding["why"]
    assert told["action"] == "hold"


def test_without_the_language_engine_the_mail_passes_by_words(mail, monkeypatch):
    """With the engine off the cue is not heard, and nothing pretends that it was."""
    monkeypatch.setenv("GATEWAY_INSPECTION__LANGUAGE", "false")
    result = CliRunner().invoke(app, ["scan", "--as-contact", "--json", str(mail)])
    assert json.loads(result.stdout)["findings"] == []


def test_explain_tells_the_reason(mail):
    """A supervisor reads the reason of the cue beside the rule's own."""
    result = CliRunner().invoke(app, ["explain", "--as-contact", str(mail)])
    text = " ".join(result.stdout.split())
    assert "on the officer's mind" in text
