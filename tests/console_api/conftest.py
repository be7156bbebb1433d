"""The console's fixtures, and one whose lists are pushed."""

import pytest
from api_calls import Api
from console_fixtures import console_store, peopled

from gateway.settings import RegistrySettings

__all__ = ["console_store", "peopled"]


@pytest.fixture
def registry_settings(tmp_path):
    """No list yet, and no copy of one."""
    return RegistrySettings(
        contacts=tmp_path / "contacts.csv",
        staff=tmp_path / "staff.csv",
        domains=("force.example",),
        last_good=tmp_path / "registry.json",
    )


@pytest.fixture
async def api(console_store, registry_settings):
    made = Api(console_store, registry_settings)
    yield made
    await made.desk.reader.close()


@pytest.fixture
def caller(api):
    """The records system, with its token."""
    return api.caller(api.token())
