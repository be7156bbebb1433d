"""A small invented force and its contacts, built in code: no file, no loader."""

from datetime import UTC, date, datetime

from gateway.identify import domain_key, literal_key, match_key, name_index
from gateway.model import (
    CaseStatus,
    Client,
    Contact,
    ContactCase,
    ContactRole,
    Envelope,
    Headers,
    MailCommand,
    PersonId,
    Registry,
    StaffId,
    StaffMember,
    StaffRole,
)

AT = datetime(2026, 3, 3, 10, 14, tzinfo=UTC)


class Folding:
    """The mailbox settings of the tests."""

    dotless_domains = ("gmail.com",)
    plus_tag_domains = ("*",)
    same_domains = {"googlemail.com": "gmail.com"}  # noqa: RUF012


FOLDING = Folding()


def contact(person_id, *emails, name="Jo Bloggs", role=ContactRole.VICTIM):
    case = ContactCase(
        case_ref="42/10231/26",
        role=role,
        status=CaseStatus.OPEN,
        opened=date(2026, 2, 11),
        closed=None,
        officers=("amir.khan@force.example",),
        team="",
    )
    return Contact(
        person_id=PersonId(person_id),
        names=(name,),
        emails=emails,
        cases=(case,),
        vulnerable=False,
        is_child=False,
        do_not_contact=False,
        email_consent=True,
        safe_contact="",
    )


def member(staff_id, email, name, *aliases, role=StaffRole.OFFICER):
    return StaffMember(
        staff_id=StaffId(staff_id),
        email=email,
        name=name,
        rank="DC",
        unit="Robbery Squad",
        manager="",
        role=role,
        aliases=aliases,
    )


KHAN = member("4417", "amir.khan@force.example", "Amir Khan", "4417@force.example", "akhan.home@post.example")
WHITLOCK = member("5120", "sarah.whitlock@force.example", "Sarah Whitlock")
BROOKS = member("3308", "helen.brooks@force.example", "DS Helen Ann Brooks", role=StaffRole.SUPERVISOR)
FOX = member("W118", "lena.fox@force.example", "Lena Fox", "lenafox@parcel.example")
TEAM = member("M01", "robbery.squad@force.example", "Robbery Squad", role=StaffRole.MAILBOX)
STAFF = (KHAN, WHITLOCK, BROOKS, FOX, TEAM)

NADIA = contact("P-1", "nadia.rahman@home.example", "n.rahman@work.example", name="Nadia Rahman")
JOSEPH = contact("P-2", "joseph@home.example", name="Joseph Okoro", role=ContactRole.WITNESS)
LENA = contact("P-3", "lena.fox@force.example", name="Lena Fox")
SHARED_A = contact("P-4", "family@home.example", name="Ann Moss")
SHARED_B = contact("P-5", "family@home.example", name="Ben Moss")


def registry_of(*contacts, staff=STAFF, stale=""):
    by_key = {}
    for one in contacts:
        keys = {match_key(email, FOLDING) for email in one.emails}
        for key in keys | {literal_key(key) for key in keys}:
            by_key[key] = (*by_key.get(key, ()), one)
    return Registry(
        version="v1",
        contacts_by_key=by_key,
        staff_by_key={match_key(a, FOLDING): m for m in staff for a in (*m.aliases, m.email)},
        domains=("force.example",),
        dotless_domains=FOLDING.dotless_domains,
        plus_tag_domains=FOLDING.plus_tag_domains,
        same_domains=FOLDING.same_domains,
        consumer_domains=(domain_key("gmail.com"), "post.example"),
        staff_by_name=name_index(staff),
        loaded_at=AT,
        stale=stale,
    )


REGISTRY = registry_of(NADIA, JOSEPH, LENA, SHARED_A, SHARED_B)


def envelope(*recipients, sender="amir.khan@force.example"):
    return Envelope(
        mail=MailCommand(reverse_path=sender),
        recipients=recipients,
        client=Client(address="127.0.0.1", helo="exchange.force.example", extended=True, tls=False),
        received_at=AT,
    )


def headers(**fields):
    return Headers(**fields)
