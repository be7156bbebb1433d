"""The fixtures of this folder are in `conftest_of_faults`: a module that tests can import by name."""

from conftest_of_faults import line

__all__ = ["line"]
