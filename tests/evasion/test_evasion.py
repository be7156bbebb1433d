"""Issue 3, must show 2: an advance in any disguise is found or not passed silently; its proper twin passes."""

import pytest
from mails import plain
from road_of_one import because, verdict
from table import PAGE, header, row
from techniques import TECHNIQUES

from gateway.model import Action

PAYLOADS = [
    ("Fancy a drink after work tonight?", "Could you bring some identification with you?"),
    ("You looked amazingly hot on Monday.", "You looked upset when we left on Monday."),
]


def test_there_are_many_techniques():
    """The suite covers each family, and at least the sixty techniques that were asked for; names are not repeated."""
    assert len({str(technique) for technique in TECHNIQUES}) == len(TECHNIQUES) >= 160
    assert {technique.family for technique in TECHNIQUES} == {
        "Unicode", "HTML", "style sheet", "MIME", "charset", "attachment",
    }  # fmt: skip


@pytest.mark.parametrize(("advance", "twin"), PAYLOADS)
def test_the_payloads_are_what_they_should_be(advance, twin):
    """Undisguised, each advance is held and each twin passes: what follows measures the disguise alone."""
    assert verdict(plain(advance)).action is Action.HOLD
    assert verdict(plain(twin)).action is Action.PASS


@pytest.mark.parametrize(("advance", "twin"), PAYLOADS)
@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
def test_technique(technique, advance, twin):
    """The advance is found; where it cannot be read it is not passed, and the reason names what is odd."""
    judged = verdict(technique.make(advance))
    assert judged.action is not Action.PASS
    assert judged.findings or (technique.odd and judged.unreadable), because(judged)
    proper = verdict(technique.make(twin))
    assert not proper.findings, because(proper)
    if not technique.sometimes:
        assert bool(technique.odd) is (proper.action is not Action.PASS), because(proper)


def test_the_page_is_up_to_date():
    """docs/evasion.md has a row for each technique; `make evasion` prints it."""
    written = PAGE.read_text(encoding="utf-8")
    assert written.startswith(header())
    rows = written.removeprefix(header()).splitlines()
    assert len(rows) == len(TECHNIQUES)
    for technique, line in zip(TECHNIQUES, rows, strict=True):
        assert line.startswith(row(technique, None))
