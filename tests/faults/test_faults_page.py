"""docs/faults.md says what the tests of this folder run, and nothing else."""

from pathlib import Path

import fault_cases
import pytest
from fault_cases import PAGE, NoStart, OwnFault, page

CASES = [name for name, value in vars(fault_cases).items() if isinstance(value, OwnFault | NoStart)]


def test_page_says_what_was_tested():
    """docs/faults.md is printed from the cases that the tests run."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run make faults"


@pytest.mark.parametrize("name", CASES)
def test_every_fault_on_the_page_is_run(name: str):
    """A case that no test runs has no place on the page; one that a test runs stands on it."""
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_faults_of_*.py"))
    assert f"[{name}" in tests or f"{name}:" in tests
    case = getattr(fault_cases, name)
    assert case in fault_cases.OURS_ALL + fault_cases.NO_STARTS
