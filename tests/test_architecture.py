"""The shape of the house: who imports whom, how long things may be, and what nothing may be called."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "gateway").rglob("*.py"))
MIGRATIONS = "migrations/versions/"
"""Lists of tables and columns; left out where length is counted."""
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_layers():
    """Imports go downwards only, and each outside library stays in its stage (contracts in pyproject.toml)."""
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run(
        [linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name_of)
def test_file_length(path):
    """A file past 600 lines becomes a folder of the same name with the same public face."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", [path for path in MODULES if MIGRATIONS not in path.as_posix()], ids=name_of)
def test_functions_are_short(path):
    """A function has at most 60 lines without its docstring; ruff counts its arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            lines = (node.end_lineno or 0) - first.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{path.name}:{node.lineno} {node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_say_what_they_own(path):
    """Each module opens with a docstring, and is not called after nothing in particular."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert path.stem not in FORBIDDEN_NAMES
    assert path.parent.name not in FORBIDDEN_NAMES


def test_the_core_reads_no_clock():
    """Time is an argument of the core: what a verdict depends on can be written down and given again."""
    core = ("model.py", "errors.py", "identify.py", "decide.py", "extract/", "inspection/")
    for path in MODULES:
        if not path.relative_to(ROOT / "gateway").as_posix().startswith(core):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.fullmatch(
                r"(.*\.)?(now|utcnow|today)", ast.unparse(node.func)
            ):
                pytest.fail(f"{name_of(path)}:{node.lineno} asks for the time")


def test_only_the_edges_log():
    """Core and adapters raise or return; a log line there would hide a failure from its caller."""
    allowed = ("cli/", "receive/", "console/", "review/", "pipeline.py", "outbox.py", "workers/")
    for path in MODULES:
        if "import structlog" in path.read_text(encoding="utf-8"):
            assert path.relative_to(ROOT / "gateway").as_posix().startswith(allowed), name_of(path)


def test_test_modules_have_names_of_their_own():
    """pytest imports test modules and what they share by bare name: two of one name would shadow each other."""
    names = Counter(path.stem for path in TESTS if path.stem not in {"conftest", "__init__"})
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("path", [path for path in TESTS if path.stem.startswith("test_")], ids=name_of)
def test_each_test_says_what_is_required(path):
    """Each test has a docstring that gives the requirement, and asserts or expects something."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name}"


def test_nothing_sleeps_in_tests():
    """Tests wait for a condition, not for a while: a sleep long enough today is too short on a busy machine."""
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert found == []


def test_no_lock_file_names_an_index():
    """The locks pin by hash and leave the index to the machine; torch is not among them."""
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        assert "--trusted-host" not in text
        assert not [line for line in text.splitlines() if line.startswith(("torch==", "nvidia-"))]
