"""The access check to listing, as the store asks it: what somebody may know of, in one value.

`access.objection` judges one item; a list of a hundred thousand needs the same judgement inside the database, so
that pages are full and counts are true. A property (tests/console) holds the two to each other.
"""

from gateway import identify
from gateway.model import Registry, Role
from gateway.review.access import Permission, Person, objection
from gateway.store.queue import Sight


def sight_of(person: Person, registry: Registry | None) -> Sight:
    """Return what ``person`` may know of, as `access.objection` to listing an item would say of each."""
    if objection(person, Permission.ITEM_LIST, None, registry):
        return Sight(blind=True)
    psd = Role.PSD in person.roles
    if person.staff_id is None:
        return Sight(psd=psd)
    if registry is None:
        return Sight(blind=True)
    return Sight(me=person.staff_id, superiors=identify.superiors(registry, person.staff_id), psd=psd)
