"""What holds for every test: no settings from the developer's shell, and no quiet skips where none are allowed."""

import logging
import os

import pytest
import structlog
from hypothesis import settings

NO_SKIPS = os.environ.get("GATEWAY_NO_SKIPS") == "1"
"""Set by .ci/run, which installs everything that a test may need: there a skip means a hole."""

# Two cores may be shared with other work: a slow example says nothing about the code.
settings.register_profile("gateway", deadline=None, print_blob=True)
settings.load_profile("gateway")


def pytest_configure():
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        del os.environ[name]


@pytest.fixture(autouse=True)
def _own_log():
    """Leave no test the log that another one set up: it may write to a stream that is closed by now."""
    before = tuple(logging.getLogger().handlers), logging.getLogger().level
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        if handler not in before[0]:
            root.removeHandler(handler)
    root.setLevel(before[1])


def _as_failure(report):
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"GATEWAY_NO_SKIPS is set, and this was skipped: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _as_failure((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _as_failure((yield))
