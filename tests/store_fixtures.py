"""Open stores of both backends for the tests of the store, the audit log and whatever else asks for both.

A conftest imports from here what its folder uses.
"""

import pytest
import stores

from gateway.store import Store


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory):
    return stores.Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if stores.postgresql_programs() is None:
        pytest.skip("PostgreSQL's server (initdb) is not installed")
    cluster = stores.Postgresql(tmp_path_factory.mktemp("postgresql"))
    yield cluster
    cluster.stop()


@pytest.fixture
def postgresql(cluster):
    yield cluster
    cluster.clear()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def backend(request):
    """Either database: what a test asks for here must hold on both."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def settings(backend, tmp_path):
    return backend.copy(tmp_path / "store")


@pytest.fixture
def store(settings):
    with Store.open(settings) as opened:
        yield opened


@pytest.fixture
def lite(sqlite, tmp_path):
    """An SQLite store, where a test is about files."""
    with Store.open(sqlite.copy(tmp_path / "store")) as opened:
        yield opened
