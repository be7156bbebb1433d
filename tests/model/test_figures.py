"""The arithmetic of the evaluation table."""

import math

import pytest

from gateway.model import Action, Severity
from gateway.training import figures
from gateway.training.corpus import Label, Mail
from gateway.training.corpus import Span as Marked
from gateway.training.figures import (
    FIGURES,
    Outcome,
    by,
    precision,
    share,
    share_of,
    spans_share,
    twins_share,
)


def mail(number, *, crosses, twin="", due=None, trap="lift"):
    """A mail with the words "marked" at 10 to 16 of its body."""
    if crosses:
        return Mail(
            id=f"t-{number:03}", subject="", body="x" * 40, label=Label.CROSSING, due=due or Action.HOLD, twin=twin,
            severity=Severity.HIGH, subtlety="plain", spans=(Marked(category="secrecy", start=10, end=16),),
        )  # fmt: skip
    return Mail(
        id=f"t-{number:03}", subject="", body="x", label=Label.PROPER, due=Action.PASS, trap=trap, twin=twin
    )


HELD, FLAGGED, PASSED = (Outcome(action) for action in (Action.HOLD, Action.FLAG, Action.PASS))


def test_each_figure_counts_its_own_mail():
    """Caught is flag or hold; held counts those due to be held; false alarms count proper mail and look-alikes."""
    pairs = [
        (mail(1, crosses=True), HELD),
        (mail(2, crosses=True), FLAGGED),
        (mail(3, crosses=True, due=Action.FLAG), PASSED),
        (mail(4, crosses=False, trap="plain"), PASSED),
        (mail(5, crosses=False), FLAGGED),
        (mail(6, crosses=False), HELD),
    ]
    found = [share(figure, pairs) for figure in FIGURES]
    assert [(round(one.value, 3), one.of) for one in found] == [
        (0.667, 3),
        (0.5, 2),
        (0.667, 3),
        (1.0, 2),
        (0.333, 3),
    ]


def test_intervals_hold_the_value_and_narrow_with_more_mail():
    """An interval says how far a figure may be trusted."""
    few = share_of((str(number), number % 4 == 0) for number in range(20))
    many = share_of((str(number), number % 4 == 0) for number in range(2000))
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 4


def test_twins_are_drawn_together():
    """Forty mails in twenty pairs are twenty ideas, and the interval is as wide as that of twenty."""
    apart = share_of((str(number), number % 4 < 2) for number in range(40))
    together = share_of((str(number // 2), number % 4 < 2) for number in range(40))
    assert together.high - together.low > apart.high - apart.low


def test_none_of_forty_is_not_none():
    """No false alarm in forty mails says that there are fewer than one in thirteen, by the rule of three."""
    found = share_of((str(number), False) for number in range(40))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(3 / 40)


def test_nothing_to_count_is_said():
    """A share of nothing is no share, and reaches no goal."""
    found = share(FIGURES[0], [])
    assert math.isnan(found.value)
    assert str(found) == "none to count"
    assert not FIGURES[0].reached(found)
    assert not FIGURES[2].reached(found)


def test_goals_are_at_least_or_at_most():
    """Catching wants more, false alarms want less."""
    assert FIGURES[0].reached(share_of([("a", True)]))
    assert not FIGURES[0].reached(share_of([("a", True), ("b", False)]))
    assert FIGURES[2].reached(share_of([("a", False)]))
    assert not FIGURES[2].reached(share_of([("a", False), ("b", True)]))


def test_a_finding_points_there_when_it_touches_the_marked_words():
    """Of the crossings that were caught, those count whose findings overlap the marked words."""
    there = Outcome(Action.FLAG, (("body", 15, 20),))
    beside = Outcome(Action.FLAG, (("body", 16, 20),))
    subject = Outcome(Action.FLAG, (("subject", 12, 14),))
    unseen = Outcome(Action.PASS, (("body", 12, 14),))
    pairs = [(mail(number, crosses=True), one) for number, one in enumerate((there, beside, subject, unseen))]
    assert (spans_share(pairs).value, spans_share(pairs).of) == (pytest.approx(1 / 3), 3)


def test_twins_are_right_when_both_are():
    """A pair counts when the crossing is caught and its proper twin delivered."""
    pairs = []
    for number, (one, other) in enumerate([(HELD, PASSED), (HELD, FLAGGED), (PASSED, PASSED)]):
        pairs.append((mail(2 * number, crosses=True, twin=f"t-{2 * number + 1:03}"), one))
        pairs.append((mail(2 * number + 1, crosses=False, twin=f"t-{2 * number:03}"), other))
    assert (twins_share(pairs).value, twins_share(pairs).of) == (pytest.approx(1 / 3), 3)


def test_precision_at_one_in_two_thousand():
    """With half caught and one in a hundred proper mails flagged, one alarm in forty is a crossing."""
    pairs = [(mail(number, crosses=True), HELD if number % 2 else PASSED) for number in range(100)]
    pairs += [
        (mail(100 + number, crosses=False), FLAGGED if number == 0 else PASSED) for number in range(100)
    ]
    assert precision(pairs) == pytest.approx(0.5 / 2000 / (0.5 / 2000 + 0.01 * 1999 / 2000))


def test_precision_of_who_does_nothing_is_undefined():
    """Who never acts has no precision."""
    assert math.isnan(precision([(mail(1, crosses=True), PASSED), (mail(2, crosses=False), PASSED)]))


def test_groups_are_in_order_of_size():
    """Traps and categories are listed with what was acted on, the most frequent first."""
    pairs = [
        (mail(number, crosses=False, trap="lift" if number else "names"), FLAGGED) for number in range(3)
    ]
    assert [(name, found.of) for name, found in by(pairs, figures.trap_of)] == [("lift", 2), ("names", 1)]
    assert by(pairs, figures.subtlety_of) == ()
    assert by([(mail(9, crosses=True), HELD)], figures.categories_of)[0][0] == "secrecy"


def test_figures_come_out_the_same_again():
    """The same outcomes give the same intervals."""
    counted = [(str(number), number % 3 == 0) for number in range(50)]
    assert share_of(counted) == share_of(counted)
