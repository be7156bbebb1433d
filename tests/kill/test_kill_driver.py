"""The kill test, small: one kill in each stage, every message accounted for. The full one is `make kill`."""

import pytest
from driver import UNDER_LOAD, goals, run, table
from load import Kind


@pytest.mark.slow
async def test_no_message_answered_250_is_lost():
    """After a SIGKILL in each stage every message answered 250 is at the smarthost or held, exactly once (P1, P5, P6)."""
    story = await run(messages=200, kills_a_stage=1, seed=20260302, say=print)
    assert story.failures == []
    assert {kill.stage for kill in story.kills} == {*UNDER_LOAD, "outbox"}
    assert story.reckoning.answered == goals(200)
    assert story.reckoning.holds == goals(200)[Kind.HOLD] + goals(200)[Kind.MIXED]
    assert story.reckoning.flags == goals(200)[Kind.FLAG]
    assert story.released == 2
    print(table(story))


def test_full_run_meets_the_numbers_asked_for():
    """5,000 messages, 500 held, 200 mixed (DECISIONS 35)."""
    wanted = goals(5000)
    assert sum(wanted.values()) >= 5000
    assert wanted[Kind.HOLD] + wanted[Kind.MIXED] >= 500
    assert wanted[Kind.MIXED] >= 200
