"""Outside mail: what may be learnt from, and that it never judges what it taught."""

import json

import pytest

from gateway.errors import Mistakes
from gateway.training.corpus import Label
from gateway.training.outside import to_judge_by, to_learn_from


@pytest.fixture
def folder(tmp_path):
    """Three sets in the layout of the public ones, with invented words."""
    for name, count in (("spamassassin_ham", 40), ("aeslc", 10)):
        (tmp_path / name).mkdir()
        lines = [
            json.dumps({"body": f"The {name} meeting {number} is on Monday.\nRegards"})
            for number in range(count)
        ]
        (tmp_path / name / "all.jsonl").write_text("\n".join(lines))
    (tmp_path / "email_intent").mkdir()
    (tmp_path / "email_intent" / "set.txt").write_text(
        "".join(f"No\tPlease send item {number}.\n" for number in range(40))
    )
    return tmp_path


def test_what_is_learnt_from_does_not_judge(folder):
    """Each text is in one half, and both halves have some of each set that may be learnt from."""
    learnt = {text.source for text in to_learn_from(folder)}
    judging = {mail.id for mail in to_judge_by(folder)}
    assert learnt.isdisjoint(judging)
    assert len(learnt) + len(judging) == 90
    for name in ("spamassassin_ham", "email_intent"):
        assert {source for source in learnt if source.startswith(name)}
        assert {source for source in judging if source.startswith(name)}


def test_a_set_that_forbids_it_is_never_learnt_from(folder):
    """A licence that allows measuring alone is kept."""
    assert not [text for text in to_learn_from(folder) if text.batch == "aeslc"]
    assert len([mail for mail in to_judge_by(folder) if mail.batch == "aeslc"]) == 10


def test_outside_mail_is_proper_and_nothing_in_it_is_marked(folder):
    """It teaches how ordinary mail reads."""
    assert all(mail.label is Label.PROPER and not mail.spans for mail in to_judge_by(folder))
    assert not any(text.crosses for text in to_learn_from(folder))


def test_a_folder_without_outside_mail_is_named(tmp_path):
    """A mistyped folder must not train without outside mail in silence."""
    with pytest.raises(Mistakes, match="no outside mail"):
        to_learn_from(tmp_path)
