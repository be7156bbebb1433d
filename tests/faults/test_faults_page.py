"""docs/faults.md says what the tests of this folder run, and nothing else."""

from fault_cases import PAGE, page


def test_page_says_what_was_tested():
    """docs/faults.md is printed from the cases that the tests run."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run make faults"
