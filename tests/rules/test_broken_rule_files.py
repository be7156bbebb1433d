"""Deliberately broken rule files, one mistake each: the right line, column, words and remedy (broken/README.md)."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from gateway import inspection
from gateway.inspection.lint import gate

BROKEN = Path(__file__).parent / "broken"
NOW = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
FILES = sorted(
    path.relative_to(BROKEN).as_posix()
    for grade in ("load", "gate")
    for path in (BROKEN / grade).rglob("*.yaml")
)


@cache
def expected():
    """Return the mistake of each file: a line of expected.txt is what lint prints."""
    lines = (BROKEN / "expected.txt").read_text("utf-8").splitlines()
    return {line.split(":", 1)[0]: line for line in lines}


def told(*names):
    """Return what lint says of the sound set with these files beside it."""
    sound = inspection.read((BROKEN / "sound",))
    files = tuple(
        inspection.BundleFile(1, name.partition("/")[2], (BROKEN / name).read_bytes().decode())
        for name in names
    )
    folder = names[0].partition("/")[0] if names else "none"
    bundle = inspection.Bundle(folders=("sound", folder), files=(*sound.files, *files))
    mistakes = inspection.check(bundle)
    if not mistakes:
        engine = inspection.load(bundle, language=False, drafts=True)
        mistakes = gate(inspection.rules_of(bundle), engine, NOW)
    return [str(mistake) for mistake in mistakes]


def test_the_sound_set_is_sound():
    """Without a broken file nothing is complained of, so that each complaint below is of the one mistake."""
    assert told() == []


def test_each_file_has_its_line():
    """At least thirty files are broken, and expected.txt names them and no others."""
    assert sorted(expected()) == FILES
    assert len(FILES) >= 30


@pytest.mark.parametrize("name", FILES)
def test_one_mistake_one_line(name):
    """Lint prints exactly this line: file, line, column, what is wrong, what to do."""
    assert told(name) == [expected()[name]]


@pytest.mark.parametrize("name", FILES)
def test_the_line_has_all_its_parts(name):
    """Nothing in expected.txt is a place without a column, or a complaint without a remedy."""
    file, line, column, rest = expected()[name].split(":", 3)
    text = (BROKEN / file).read_text("utf-8").split("\n")
    assert 1 <= int(line) <= len(text)
    assert 1 <= int(column) <= len(text[int(line) - 1]) + 1
    assert rest.partition("; ")[2].strip()


@pytest.mark.parametrize("grade", ["load", "gate"])
def test_all_mistakes_in_one_run(grade):
    """All files of a grade together give all their lines, in one run."""
    names = [name for name in FILES if name.startswith(f"{grade}/")]
    assert sorted(told(*names)) == sorted(expected()[name] for name in names)
