"""A registry as a force would load it, and an open store."""

from datetime import UTC, datetime

import pytest
from gateway_process import CONTACTS, STAFF
from review_desk import Desk
from store_fixtures import backend, cluster, postgresql, sqlite

from gateway.registry import load
from gateway.settings import RegistrySettings
from gateway.store import Store

__all__ = ["backend", "cluster", "postgresql", "sqlite"]

MORE_STAFF = (
    "nadia.officer@force.example,Nadia Rahman,PC,Traffic,,officer,,5001\n"
    "ruth.adeyemi@force.example,Ruth Adeyemi,DS,Professional Standards,judith.marsh@force.example,psd,,1503\n"
)


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    (folder / "staff.csv").write_text(STAFF + MORE_STAFF, encoding="utf-8")
    settings = RegistrySettings(
        contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",)
    )
    found = load(settings, None, datetime.now(UTC)).registry
    assert found is not None
    return found


@pytest.fixture
def store(sqlite, tmp_path):
    with Store.open(sqlite.copy(tmp_path / "store")) as opened:
        yield opened


@pytest.fixture
def desk(store, registry):
    return Desk(store, registry)
