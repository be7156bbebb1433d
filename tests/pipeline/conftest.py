"""A road for each test: a fresh store, a smarthost that keeps what it gets."""

import pytest
import road as roads
import stores
from smarthost import Smarthost


@pytest.fixture(scope="session")
def made_store(tmp_path_factory):
    return stores.Sqlite(tmp_path_factory.mktemp("store"))


@pytest.fixture
async def road(made_store, tmp_path):
    async with Smarthost() as smarthost:
        built = await roads.build(tmp_path, made_store.copy(tmp_path / "store"), smarthost)
        yield built
        await built.conductor.settle()
        await built.conductor.relay.close()
        built.store.close()
