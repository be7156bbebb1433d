"""A console over a store of its own, for each test of the console and of its item page.

A conftest imports from here what its folder uses.
"""

import pytest
import stores
from console_visits import Console, a_registry_file, add_people

from gateway.store import Store


@pytest.fixture(scope="session")
def peopled(tmp_path_factory):
    """A store in which everybody has an account; tests work on copies."""
    made = stores.Sqlite(tmp_path_factory.mktemp("peopled"))
    with Store.open(made.model) as store:
        store.write_now(add_people)
    return made


@pytest.fixture(scope="session")
def registry_settings(tmp_path_factory):
    return a_registry_file(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def console_store(peopled, tmp_path):
    with Store.open(peopled.copy(tmp_path / "store")) as opened:
        yield opened


@pytest.fixture
async def console(console_store, registry_settings):
    made = Console(console_store, registry_settings)
    yield made
    await made.desk.rehearser.close()
    await made.desk.reader.close()


@pytest.fixture
def reviewer(console):
    """Somebody who may review and has nothing to do with DC Khan."""
    return console.visitor()
