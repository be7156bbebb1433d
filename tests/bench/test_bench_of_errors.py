"""``python -m bench.errors`` names what the engine gets wrong, and reads no closed mail."""

import sys

import pytest

from bench import errors
from gateway.training.corpus import Split, load


def printed(monkeypatch, capsys, *arguments):
    """What a run over the corpus prints."""
    monkeypatch.setattr(sys, "argv", ["bench.errors", *arguments])
    errors.main()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "batch", [batch for batch, of in load(errors.CORPUS).batches.items() if of.split is not Split.TRAIN]
)
def test_mail_of_other_splits_is_refused(monkeypatch, capsys, batch):
    """A batch of dev or test is not judged, and not shown."""
    with pytest.raises(SystemExit):
        printed(monkeypatch, capsys, "--batches", batch)


def test_each_error_is_named_and_counted(monkeypatch, capsys):
    """As many mails are listed as the figures count."""
    told = printed(monkeypatch, capsys, "--batches", "w01", "--no-language")
    figures = told[told.index("\nall\n") :]
    missed = {
        line.split()[0]
        for line in told.split("\nmissed", 1)[1].split("\nw01\n")[0].splitlines()
        if line.startswith("  w01-")
    }
    caught = float(figures.split("crossings caught")[1].split()[0])
    crossings = sum(mail.severity is not None for mail in load(errors.CORPUS).mails if mail.batch == "w01")
    assert round(crossings * (1 - caught / 100)) == len(missed) > 0
