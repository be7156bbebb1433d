"""Rule files that attack the reader: refused with place and remedy, in under a second of processor time."""

import subprocess
import sys
from pathlib import Path

import pytest
import re2
from rule_texts import bundle, complaints, judge, rule

from gateway.errors import Mistakes
from gateway.inspection import load, read, rules_of
from gateway.inspection.bundle import MAX_ENTRIES, MAX_FOLDERS
from gateway.inspection.weight import MAX_WEIGHT, weight

ROOM = 260_000
"""Characters of the largest file that is read at all, less what a rule around them takes."""
PLAIN = rule("invite: {phrase: fancy a drink}")
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
TEXTS = {
    "an alias bomb": (BOMB, "an anchor or alias"),
    "a list without end": ("a: [" + "a," * (ROOM // 2) + "a]", "values in one file"),
    "keys without end": (PLAIN + "".join(f"k{n}: 1\n" for n in range(20_000)), "values in one file"),
    "many unknown keys": (PLAIN + "".join(f"k{n}: 1\n" for n in range(5_000)), "unknown key"),
    "brackets": ("a: " + "[" * ROOM, "nested deeper"),
    "indentation": ("".join(" " * n + "a:\n" for n in range(700)), "nested deeper"),
    "a huge text": (PLAIN + "when: " + "x" * 200_000, "(200002 characters)"),
    "a huge number": (PLAIN.replace("version: 1", "version: " + "9" * 100_000), "is no number"),
    "a day that is not": (PLAIN + "changed: 2027-02-30\n", "is no date"),
    "invisible": ("a: " + "\u200b" * 80_000, "U+200B"),
    "parentheses": (PLAIN + "when: " + "(" * 900 + "invite" + ")" * 900, "nested too deeply"),
    "not not not": (PLAIN + "when: " + "not " * 480 + "invite", "nested too deeply"),
    "repetitions of repetitions": (rule("invite: {regex: '((a{100}){100}){100}'}"), "RE2 does not take it"),
    "a large program": (rule("invite: {regex: '\\pL{100}'}"), "too large for RE2"),
}
CHILD = """
import resource, sys
from gateway.inspection import check, warm_up
from gateway.inspection.bundle import Bundle, BundleFile
bundle = Bundle.from_json(sys.stdin.read())
warm_up(language=False)
spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
resource.setrlimit(resource.RLIMIT_CPU, (int(spent) + 2,) * 2)
print(*check(bundle), sep="\\n")
"""


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_file_is_refused_at_once(name):
    """Each is refused by a process that is killed when it takes longer, with few lines of bounded length."""
    text, what = TEXTS[name]
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=bundle(advance__drink=text).to_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert what in done.stdout
    assert len(lines) <= 60
    assert max(map(len, lines)) < 1500


HEAVY = "".join(f'\n    - "x{number} [a-z]{{1,550}}"' for number in range(1100))


def test_a_thousand_large_expressions_are_refused_before_any_is_compiled():
    """Each alone would be taken; all together would keep the loading busy for many seconds (the process is killed)."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=bundle(advance__drink=rule(f"invite:\n  regex:{HEAVY}")).to_json(),
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    assert "rules/advance/drink.yaml:" in line
    assert "the expressions of the set need about" in line


def test_the_shipped_set_is_far_below_the_bound():
    """Ten rule sets like ours would be taken: a force need not fear the bound."""
    shipped = read((Path(__file__).resolve().parents[2] / "rules",))
    expressions = {
        pattern.text
        for each in rules_of(shipped).rules
        for condition in each.conditions.values()
        for pattern in condition.patterns
        if pattern.kind.startswith("regex")
    }
    assert sum(map(weight, expressions)) < MAX_WEIGHT / 5


@pytest.mark.parametrize(
    "expression",
    [r"\b[a-z]{1,600}x", r"(?:\w{1,30} ){1,30}z", r"\pL{30}", r"a(?:bc|d[ef]){200}", r"[^a]{300}"],
)
def test_the_guess_is_near_what_re2_needs(expression):
    """The weight of an expression is within a factor of four of RE2's own count, whatever it repeats."""
    needed = re2.compile(f"(?mi)(?:{expression})").programsize
    assert needed / 4 <= weight(expression) <= needed * 4


@pytest.mark.parametrize("regex", ["(a+)+$", "(x+x+)+y", "(a|a)*b", "(.*)*c"])
def test_exponential_elsewhere_is_linear_here(regex):
    """What takes other engines years is no trouble to RE2: loaded, and 20,000 characters are judged in a second."""
    assert complaints(advance__drink=rule(f"invite: {{regex: '{regex}x'}}")) == ()
    engine = load(bundle(advance__drink=rule(f"invite: {{regex: '{regex}x'}}")), language=False)
    assert not judge(engine, "a" * 20_000).findings


def test_a_file_of_ten_megabytes_is_not_read(tmp_path):
    """It is refused by its size, with less memory than its text would take."""
    (tmp_path / "policy.yaml").write_bytes(b"# " + b"x" * 10_485_760)
    with pytest.raises(Mistakes) as raised:
        read((tmp_path,))
    assert "larger than" in raised.value.mistakes[0].what


def test_a_home_is_no_rule_folder(tmp_path):
    """A folder with more entries than any rule set is refused before all of them are listed."""
    for number in range(MAX_ENTRIES + 10):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(Mistakes) as raised:
        read((tmp_path,))
    assert f"more than {MAX_ENTRIES} files" in raised.value.mistakes[0].what


def test_folders_below_one_another(tmp_path):
    """A chain of folders is followed a few steps."""
    tmp_path.joinpath(*["deep"] * (MAX_FOLDERS + 3)).mkdir(parents=True)
    with pytest.raises(Mistakes) as raised:
        read((tmp_path,))
    assert "nested deeper" in raised.value.mistakes[0].what


def test_a_linked_folder_is_named(tmp_path):
    """A link to a folder is refused, not passed over in silence: its rules would be missed."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rules" / "advance").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Mistakes) as raised:
        read((tmp_path / "rules",))
    assert raised.value.mistakes[0].what == "a link to a folder"


def test_hidden_folders_are_not_entered(tmp_path):
    """A checkout's .git may hold as many files as it likes."""
    (tmp_path / ".git").mkdir()
    for number in range(MAX_ENTRIES + 10):
        (tmp_path / ".git" / str(number)).touch()
    (tmp_path / "policy.yaml").write_text("version: 1\n", encoding="utf-8")
    assert [file.name for file in read((tmp_path,)).files] == ["policy.yaml"]
