"""The benches measure what they say: the mails are what they claim, and a quick run works and adds up."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench import inspect, mails, rules  # noqa: E402
from bench.relay.report import Cell, Goal, Sample, goals, quantile, row  # noqa: E402


def sample(accepted, *, seconds=1.0, cpu_s=0.5):
    return Sample(
        accepted=accepted,
        seconds=seconds,
        cpu_s=cpu_s,
        latencies_ms=tuple(range(1, accepted + 1)),
        peak_rss=3 << 20,
        resting_rss=1 << 20,
        tree_pss=9 << 20,
    )


@pytest.mark.parametrize("size", mails.SIZES)
def test_every_mail_has_its_size_and_is_another(size):
    """Caches must not make a later mail cheaper, nor a size be other than the table says."""
    pieces = mails.pieces(size)[:20]
    made = [
        piece.numbered(number, mails.recipient(number, contacts=100)) for number, piece in enumerate(pieces)
    ]
    assert {len(mail) for mail in made} == {mails.SIZES[size]}
    assert len({mail.partition(b"\r\n\r\n")[2] for mail in made}) == len(made)
    for mail in made:
        assert mail.endswith(b"\r\n")
        assert b"\r\n." not in mail
        assert mail.count(b"\n") == mail.count(b"\r\n") == mail.count(b"\r")


def test_ordinary_mails_pass_and_advances_are_found():
    """A bench of mail that passes must not measure holds, nor the other way round."""
    stages = inspect.Stages(language=False)
    for advance in (False, True):
        for size in ("w1", "w2"):
            raw = mails.pieces(size, advance=advance)[0].numbered(1, inspect._CONTACT)
            assert bool(stages.findings(raw)) is advance


def test_more_rules_find_no_more():
    """Copies of the rules cost what more rules cost: none fires on ordinary mail, hardly any on an advance."""
    once, twice = (inspect.Stages(language=False, times=times) for times in (1, 2))
    assert len(twice.engines["judge"]._rules) > 1.7 * len(once.engines["judge"]._rules)
    for size in ("w1", "w2"):
        for advance in (False, True):
            raw = mails.pieces(size, advance=advance)[0].numbered(1, inspect._CONTACT)
            found, found_twice = set(once.findings(raw)), set(twice.findings(raw))
            assert found <= found_twice
            assert len(found_twice - found) <= len(found) // 4


def test_figures_are_medians_of_rounds():
    """One disturbed round does not make the figure."""
    one = row([sample(100), sample(10), sample(110)])
    assert one.rate == 100
    assert one.spread == 11
    assert one.cpu_ms == 5
    assert one.growth_mib == 2
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile(range(1, 101), 0.99) == 99


def test_a_server_that_accepts_nothing_is_no_figure():
    """A silent server must not look infinitely cheap."""
    with pytest.raises(ValueError, match="nothing was accepted"):
        row([sample(0), sample(0)])


def test_goals_are_met_or_not_by_their_own_direction():
    """A rate has to be at least, a latency at most."""
    assert Goal(what="rate", reached=0.8, wanted=0.8).met
    assert not Goal(what="rate", reached=0.79, wanted=0.8).met
    assert Goal(what="latency", reached=4, wanted=5, at_least=False).met
    assert not Goal(what="latency", reached=6, wanted=5, at_least=False).met
    rows = {"drop": row([sample(100)]), "pass": row([sample(90)]), "pooled": row([sample(50)])}
    found = goals({Cell(size="w1", concurrency=10, kept=True): rows}, sizes_octets=mails.SIZES, idle_kib=None)
    assert [(round(goal.reached, 2), goal.met) for goal in found] == [(0.9, True), (1.8, True)]


@pytest.mark.slow
def test_a_quick_run_measures_every_server_and_loses_no_mail(tmp_path):
    """`make bench` cannot rot: it starts everything, and counts at the smarthost what was answered 250."""
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench.relay", "--quick", "--folder", str(tmp_path), "--json", str(figures)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = json.loads(figures.read_text())
    assert set(measured) == {"w1:c10:m", "w2:c10:m", "w3:c10:m", "w1:c1:1"}
    for cell, rows in measured.items():
        assert set(rows) == {"drop", "naive", "pooled", "fsync", "pass", "pass-pipelined", "inspect", "hold"}
        assert all(one["rate"] > 0 and one["cpu_ms"] > 0 for one in rows.values()), cell
    assert "goals met" in done.stdout


def test_rules_of_one_expression_are_as_many_as_asked_for():
    """Fifty rules are drawn from the shipped ones, thousands are copies with other words, and Python's re takes most."""
    from gateway import inspection

    shipped = inspection.rules_of(inspection.read((rules.RULES,)))
    many = rules.rules_of_one(shipped, 1500)
    found = [rule.conditions["found"].patterns for rule in many.rules]
    assert len(set(found)) > 1400
    assert [rule.conditions["found"] for rule in rules.rules_of_one(shipped, 50).rules] == [
        rule.conditions["found"] for rule in many.rules[:50]
    ]
    assert len(rules.expressions_of(many)) > 1000
