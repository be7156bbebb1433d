"""Holds on which nobody may decide: they concern everybody known here who could.

Nothing is delivered for that, and nobody conflicted decides; an outside reviewer is appointed (docs/decisions/0044). Counts, and
says nothing of the holds.
"""

from collections.abc import Iterable

from gateway import identify
from gateway.model import ItemState, Registry, Role, StaffRole
from gateway.review.access import Permission, Person, Subject, objection
from gateway.review.decisions import person_called
from gateway.store import Tx, items, records
from gateway.store.rows import Account

WAITING = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASE_FAILED)
MOST = 10_000
"""Holds that are looked at, the oldest first: beyond so many the number says enough, and is an alarm of its own."""

REMEDY = (
    "appoint an outside reviewer, such as another force's professional standards: "
    "`gateway accounts add ADDRESS --role psd`, an address that is not on the staff list"
)


def stranded(tx: Tx, registry: Registry | None) -> int:
    """Return how many holds wait that nobody known here may decide on, by accounts and staff list.

    Roles that the directory alone gives are not known here. Without a registry nobody sees anything: that has an alarm of its own.
    """
    if registry is None:
        return 0
    people = _who_may(tx, registry)
    known: dict[Subject, bool] = {}
    found = 0
    for hold in items.waiting_holds(tx, WAITING, limit=MOST):
        subject = Subject(
            senders=frozenset(hold.senders),
            involved=frozenset(hold.excluded),
            psd_only=hold.is_for_psd_alone,
        )
        if subject not in known:
            known[subject] = any(
                not objection(one, Permission.HOLD_RELEASE, subject, registry) for one in people
            )
        found += not known[subject]
    return found


def outside(registry: Registry, accounts: Iterable[Account]) -> tuple[str, ...]:
    """Return the addresses of outside reviewers: accounts of professional standards with nobody on the staff list behind them."""
    theirs = (one for one in accounts if Role.PSD in one.roles and one.staff_id is None)
    return tuple(one.email for one in theirs if identify.staff_for(registry, one.email) is None)


def _who_may(tx: Tx, registry: Registry) -> tuple[Person, ...]:
    """Return everybody who may decide on any hold, professional standards first: they settle most questions."""
    staff = (
        one.email for role in (StaffRole.PSD, StaffRole.SUPERVISOR) for one in registry.staff_by_role[role]
    )
    addresses = dict.fromkeys((*(one.email for one in records.list_accounts(tx)), *staff))
    people = (
        person
        for one in addresses
        if (person := person_called(tx, registry, one)) and person.roles & {Role.PSD, Role.REVIEWER}
    )
    return tuple(sorted(people, key=lambda one: (Role.PSD not in one.roles, one.email)))
