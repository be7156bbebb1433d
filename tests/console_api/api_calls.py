"""A records system in a test: a console with the API over a store of its own, tokens, and the lists that it pushes."""

import csv
import io

import httpx2
from console_visits import MORE_STAFF, ORIGIN, Console
from gateway_process import CONTACTS, STAFF

from gateway.console import Desk, application
from gateway.settings import ApiSettings
from gateway.store import tokens
from gateway.store.tokens import May

ID = {"contacts": "person_id", "staff": "staff_id"}


def entries_of(text, name):
    """Return the rows of a CSV text as the entries that a records system would push."""
    return [{"entry": row[ID[name]]} | row for row in csv.DictReader(io.StringIO(text))]


def contacts():
    return entries_of(CONTACTS, "contacts")


def staff():
    return entries_of(STAFF + MORE_STAFF, "staff")


def without_name(entry):
    """Return an entry as it is sent alone, its name in the address."""
    return {field: value for field, value in entry.items() if field != "entry"}


class Api(Console):
    """A console whose lists a records system pushes."""

    def __init__(self, store, registry_settings, **api):
        super().__init__(store, registry_settings)
        registry = self.settings.registry.model_copy(update={"source": "api"})
        update = {"registry": registry, "api": ApiSettings(**{"enabled": True} | api)}
        self.settings = self.settings.model_copy(update=update)
        self.desk = Desk.make(store, self.settings, self.clock)
        self.app = application(self.desk)

    def token(self, name="records-system", *may):
        """Make a token and return it."""
        good_for = frozenset(may or (May.CONTACTS,))
        return self.store.write_now(lambda tx: tokens.add(tx, name, good_for, "a test", self.clock()))

    def caller(self, token, client=("192.0.2.7", 1)):
        """Return a client that shows ``token``, or none."""
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=True, client=client)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

    async def pushed(self, caller):
        """Push both lists as they are in the sample."""
        for name, entries in (("staff", staff()), ("contacts", contacts())):
            answer = await caller.put(f"/api/{name}", json={"entries": entries})
            assert answer.status_code == 201, answer.text
