"""The fixtures of this folder are in `console_fixtures`, which the tests of the console share."""

import pytest
from console_fixtures import console, console_store, peopled, registry_settings, reviewer
from console_visits import BY_ROLE

from gateway.model import Role

__all__ = ["console", "console_store", "peopled", "registry_settings", "reviewer"]


@pytest.fixture
def author(console):
    """Somebody who writes rules and sees no mail."""
    return console.visitor(BY_ROLE[Role.RULE_AUTHOR])
