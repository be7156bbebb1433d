"""The access check to listing, as the store asks it: what somebody may know of, in one value.

`access.objection` judges one item; a list of a hundred thousand needs the same judgement inside the database, so
that pages are full and counts are true. A property (tests/console) holds the two to each other.
"""

from gateway import identify
from gateway.model import Registry, Role
from gateway.review.access import Permission, Person, objection
from gateway.store.queue import Sight

_OVERSEEN = frozenset({Permission.NUMBERS_VIEW, Permission.RULES_VIEW, Permission.PROCESS_VIEW})
"""What those who oversee the process do without being of professional standards."""


def sight_of(
    person: Person, registry: Registry | None, permission: Permission = Permission.ITEM_LIST
) -> Sight:
    """Return what ``person`` may know of, as `access.objection` to listing an item would say of each.

    To figures and to the process belongs what is with professional standards too, for those who oversee the process;
    what involves them nobody counts or sees. Without a registry nobody sees anything.
    """
    if registry is None or objection(person, permission, None, registry):
        return Sight(blind=True)
    psd = Role.PSD in person.roles
    if permission in _OVERSEEN:
        psd = psd or Role.OVERSIGHT in person.roles
    if person.staff_id is None:
        return Sight(psd=psd)
    return Sight(me=person.staff_id, superiors=identify.superiors(registry, person.staff_id), psd=psd)
