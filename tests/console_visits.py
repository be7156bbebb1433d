"""Visiting the console in a test: a desk with a clock of its own, people of every role, and a browser of sorts.

`Console.visitor(email)` is somebody who is signed in; `.get` and `.post` are what their browser would do, the token of
the form included. Nothing is patched: requests go through the whole application.
"""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import httpx2
from gateway_process import CONTACTS, OFFICER, STAFF
from stores import an_envelope, an_item

from gateway import audit
from gateway.console import Desk, application, passwords, sessions
from gateway.model import Event, MessageId, PersonId, Role, StaffId
from gateway.registry import load, load_last_good, save_last_good
from gateway.settings import ConsoleSettings, InspectionSettings, RegistrySettings, Settings
from gateway.store import items, records
from gateway.store import sessions as kept
from gateway.store.rows import Account
from gateway.store.sessions import Method, Stage

HOST = "console.force.example"
ORIGIN = f"https://{HOST}"
PASSWORD = "correct horse battery"
HASH = passwords.hashed(PASSWORD)
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KHAN, BROOKS, PRYCE, MARSH = map(StaffId, ("4417", "3308", "2201", "1502"))
MORE_STAFF = (
    "nina.shah@force.example,Nina Shah,DS,Fraud Squad,,supervisor,,3400\n"
    "ruth.adeyemi@force.example,Ruth Adeyemi,DS,Professional Standards,judith.marsh@force.example,psd,,1503\n"
)
REVIEWER, PSD = "nina.shah@force.example", "judith.marsh@force.example"
PEOPLE = {
    REVIEWER: Role.REVIEWER,
    PSD: Role.PSD,
    "rules@force.example": Role.RULE_AUTHOR,
    "oversight@panel.example": Role.OVERSIGHT,
    "admin@force.example": Role.ADMINISTRATOR,
}
BY_ROLE = {role: email for email, role in PEOPLE.items()}


class Clock:
    """The console's only clock, moved by hand."""

    def __init__(self):
        self.at = BEGIN

    def __call__(self):
        return self.at

    def forward(self, **time):
        self.at += timedelta(**time)


def add_people(tx):
    """Give everybody in PEOPLE an account with one role and the same password."""
    for email, role in PEOPLE.items():
        add_account(tx, email, role)


def add_account(tx, email, *roles):
    """Give somebody an account with a password."""
    account = Account(email=email, roles=frozenset(roles), staff_id=None, local=True, at=BEGIN)
    records.add_account(tx, account)
    kept.set_password(tx, email, HASH, BEGIN)


class Console:
    """A console over an open store, and the last good registry that ``registry_settings`` name."""

    def __init__(self, store, registry_settings, inspection=None, **console):
        self.settings = Settings(
            store=store.settings,
            registry=registry_settings,
            inspection=inspection or InspectionSettings(extract_workers=1),
            console=ConsoleSettings(**{"url": ORIGIN, "second_factor": "optional"} | console),
        )
        self.store = store
        self.clock = Clock()
        self.desk = Desk.make(store, self.settings, self.clock)
        self.app = application(self.desk)
        self.registry = load_last_good(registry_settings)

    def stranger(self, client=("127.0.0.1", 123)):
        """Return somebody who is not signed in; ``client`` is where they come from."""
        return Visitor(self, client)

    def visitor(self, email=REVIEWER, stage=Stage.SIGNED_IN, **given):
        """Return somebody whose session has begun, without the page for it: that has its own tests."""
        visitor = Visitor(self)
        secret = self.store.write_now(
            lambda tx: sessions.begin(tx, self.desk, email, Method.PASSWORD, stage, **given)
        )
        visitor.http.cookies.set(sessions.COOKIE, secret, domain=HOST, path="/")
        return visitor

    def held(self, **changes):
        """Put an item of DC Khan's to Nadia into the store, held an hour ago, and return its id."""
        given = {
            "officer": KHAN, "senders": (KHAN,), "excluded": (KHAN,), "contacts": (PersonId("P-1"),),
            "unit": "Robbery Squad", "held_at": self.clock() - timedelta(hours=1),
            "envelope": an_envelope("nadia@home.example", sender=OFFICER), "recipients": ("nadia@home.example",),
        } | changes  # fmt: skip
        return MessageId(self.store.write_now(lambda tx: items.add_item(tx, an_item(**given))))

    def happened(self, item, event=Event.MESSAGE_HELD):
        """Append an entry to the audit log, as whatever happens to an item does."""
        self.store.write_now(
            lambda tx: audit.append(tx, event, actor="somebody", subject=item, at=self.clock())
        )

    def audited(self, event):
        """Return the entries of an event as (actor, subject) in order."""
        found = self.store.read_now(lambda tx: audit.entries(tx, limit=10_000))
        return [(one.actor, one.subject) for one in found if one.event == event]


class Visitor:
    """One browser: cookies, and forms sent as the page would send them."""

    def __init__(self, console, client=("127.0.0.1", 123)):
        transport = httpx2.ASGITransport(app=console.app, raise_app_exceptions=True, client=client)
        self.http = httpx2.AsyncClient(transport=transport, base_url=ORIGIN)
        self.console = console

    async def get(self, path, **given):
        return await self.http.get(path, **given)

    async def token(self, path):
        """Return the token of the forms on a page."""
        page = await self.get(path)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, f"{path} answered {page.status_code} and has no form"
        return found[1]

    async def post(self, path, fields=None, *, form_on=None, **given):
        """Send a form to ``path`` with the token from ``form_on`` (a page every role has, if not said)."""
        token = await self.token(form_on or "/account")
        return await self.http.post(path, data={"csrf": token, **(fields or {})}, **given)


def a_registry_file(folder):
    """Return the settings of a registry whose last good copy lies in ``folder``."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "contacts.csv").write_text(CONTACTS, encoding="utf-8")
    (folder / "staff.csv").write_text(STAFF + MORE_STAFF, encoding="utf-8")
    settings = RegistrySettings(
        contacts=folder / "contacts.csv",
        staff=folder / "staff.csv",
        domains=("force.example",),
        last_good=folder / "registry.json",
    )
    found = load(settings, None, datetime.now(UTC)).registry
    assert found is not None
    save_last_good(found, settings.last_good)
    return settings


class _Text(HTMLParser):
    """The words of a page."""

    def __init__(self):
        super().__init__()
        self.words = []

    def handle_data(self, data):
        self.words.append(data)


def words_of(page):
    """Return the text a page shows, white space made single."""
    parser = _Text()
    parser.feed(page.text)
    return " ".join(" ".join(parser.words).split())
