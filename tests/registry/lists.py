"""Contact and staff lists for the tests, written as the force's export would write them."""

import os
from datetime import UTC, datetime

from gateway.settings import RegistrySettings

NOW = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
CONTACT_HEADER = (
    "email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact,"
    "person_id,do_not_contact,email_consent,is_child,team"
)
STAFF_HEADER = "email,name,rank,unit,manager,role,aliases,staff_id"
STAFF = (
    "amir.khan@force.example,Amir Khan,DC,Robbery,helen.brooks@force.example,officer,4417@force.example,4417",
    "helen.brooks@force.example,Helen Brooks,DS,Robbery,,supervisor,,3308",
)


def contact_row(email="nadia@home.example", **fields):
    """One row of contacts.csv, right in every column unless told otherwise."""
    row = {
        "email": email,
        "name": "Nadia Rahman",
        "role": "victim",
        "case_ref": "42/1/26",
        "case_status": "open",
        "opened": "2026-02-11",
        "closed": "",
        "officers": "amir.khan@force.example",
        "vulnerable": "no",
        "safe_contact": "",
        "person_id": "",
        "do_not_contact": "",
        "email_consent": "",
        "is_child": "",
        "team": "",
    } | fields
    return ",".join(row[name] for name in CONTACT_HEADER.split(","))


class Lists:
    """A folder with the two files, which a test rewrites."""

    def __init__(self, folder, **settings):
        self.settings = RegistrySettings(
            contacts=folder / "contacts.csv",
            staff=folder / "staff.csv",
            last_good=folder / "var" / "registry.json",
            **({"domains": ("force.example",)} | settings),
        )
        self.write_staff(*STAFF)
        self.write_contacts(contact_row())

    def write_contacts(self, *rows, header=CONTACT_HEADER, at=NOW):
        self._write(self.settings.contacts, header, rows, at)

    def write_staff(self, *rows, header=STAFF_HEADER, at=NOW):
        self._write(self.settings.staff, header, rows, at)

    def write_bytes(self, content, at=NOW):
        self.settings.contacts.write_bytes(content)
        _date(self.settings.contacts, at)

    def _write(self, path, header, rows, at):
        path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        _date(path, at)


def _date(path, at):
    os.utime(path, (at.timestamp(), at.timestamp()))


def places(complaints):
    """What a complaint says, without its file and remedy: line, column, beginning of the sentence."""
    return [(one.line, one.column, one.what) for one in complaints]
