"""A console over a store of its own, for each test."""

import pytest
import stores
from console_visits import Console

from gateway.store import Store


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory):
    return stores.Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def console_store(sqlite, tmp_path):
    with Store.open(sqlite.copy(tmp_path / "store")) as opened:
        yield opened


@pytest.fixture
def console(console_store, tmp_path):
    return Console(console_store, tmp_path / "registry")


@pytest.fixture
def reviewer(console):
    """Somebody who may review and has nothing to do with DC Khan."""
    return console.visitor()
