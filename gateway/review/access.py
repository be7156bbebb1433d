"""Who may see and decide what: the one access check, for commands and console alike.

Pure. Owns promise P7: nobody decides on, sees or infers an item about themselves, and no conflicted person
decides. Knows accounts, items and the staff list; knows no store and no web.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway import identify
from gateway.model import Registry, Role, StaffId


class Permission(StrEnum):
    """What somebody wants to do, ``resource:action``."""

    ITEM_LIST = "item:list"
    ITEM_VIEW = "item:view"
    NUMBERS_VIEW = "numbers:view"
    RULES_BACKTEST = "rules:backtest"
    """Try a rule set over stored mail. Who may not list items sees figures, and no small ones."""
    RULE_PROMOTE = "rule:promote"
    RULES_VIEW = "rules:view"
    """See the rules in force and their figures, of what one may know of."""
    RULES_TRY = "rules:try"
    """Try words of one's own on the rules in force. No stored mail can be reached by it."""
    CONTACT_RESOLVE = "contact:resolve"
    """Learn by trying whether an address is a contact's."""
    PROCESS_VIEW = "process:view"
    """See of every item how it was dealt with, and no word of it."""
    TEXT_GRANT = "text:grant"
    """Give somebody who oversees the process leave to read one item's text."""
    TEXT_READ = "text:read"
    """Read the text of an item that one has leave to read."""
    ACCOUNT_OWN = "account:own"
    HOLD_RELEASE = "hold:release"
    HOLD_RETURN = "hold:return"
    ITEM_CLAIM = "item:claim"
    ITEM_REFER = "item:refer"
    ITEM_LABEL = "item:label"
    ITEM_NOTE = "item:note"
    ITEM_REOPEN = "item:reopen"


_DECIDE = frozenset({Role.REVIEWER, Role.PSD})
_ROLES: dict[Permission, frozenset[Role]] = {
    Permission.ITEM_LIST: frozenset({Role.REVIEWER, Role.PSD}),
    Permission.ITEM_VIEW: frozenset({Role.REVIEWER, Role.PSD}),
    Permission.NUMBERS_VIEW: frozenset({Role.REVIEWER, Role.PSD, Role.OVERSIGHT}),
    Permission.RULES_BACKTEST: _DECIDE | {Role.RULE_AUTHOR},
    Permission.RULE_PROMOTE: frozenset({Role.RULE_AUTHOR}),
    Permission.RULES_VIEW: frozenset({Role.RULE_AUTHOR, Role.PSD, Role.OVERSIGHT}),
    Permission.RULES_TRY: frozenset({Role.RULE_AUTHOR, Role.PSD}),
    Permission.CONTACT_RESOLVE: frozenset({Role.PSD}),
    Permission.PROCESS_VIEW: frozenset({Role.OVERSIGHT, Role.PSD}),
    Permission.TEXT_GRANT: frozenset({Role.PSD}),
    Permission.TEXT_READ: frozenset({Role.OVERSIGHT}),
    Permission.ACCOUNT_OWN: frozenset(Role),
    Permission.HOLD_RELEASE: frozenset({Role.REVIEWER, Role.PSD}),
    Permission.HOLD_RETURN: frozenset({Role.REVIEWER, Role.PSD}),
    Permission.ITEM_CLAIM: _DECIDE,
    Permission.ITEM_REFER: _DECIDE,
    Permission.ITEM_LABEL: _DECIDE,
    Permission.ITEM_NOTE: _DECIDE,
    Permission.ITEM_REOPEN: _DECIDE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is signed in, or named by ``--as``. ``staff_id`` is None for people not on the staff list.

    ``from_directory``: the roles are what the force's directory said at sign-in; nobody here can ask it again.
    """

    email: str
    roles: frozenset[Role]
    staff_id: StaffId | None
    from_directory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the check needs to know of an item.

    ``senders`` are the staff it claims to come from, ``involved`` everybody who was kept from it when it came: sent,
    addressed or named in it (senders included), in their line, or kept from an earlier one that it tells of. ``psd_only``
    is true once it is referred, when it was theirs alone from the start, or when its officer is not known.
    """

    senders: frozenset[StaffId]
    involved: frozenset[StaffId]
    psd_only: bool = False


def objection(
    person: Person, permission: Permission, subject: Subject | None, registry: Registry | None
) -> str:
    """Return why ``person`` may not, as a sentence for the operator, or an empty string when they may.

    A person on the staff list is conflicted when they are involved, or when anyone they report to, at any
    distance, is a sender. Without a registry nobody is let through to an item: neither a line of management is known,
    nor who is outside the staff list. ``subject`` None asks whether they may do it to any item at all.
    """
    return next(_objections(person, permission, subject, registry), "")


def _objections(
    person: Person, permission: Permission, subject: Subject | None, registry: Registry | None
) -> Iterator[str]:
    if not person.roles & _ROLES[permission]:
        yield f"{person.email} has no role that may do this; it needs {' or '.join(sorted(_ROLES[permission]))}"
    if subject is None:
        return
    if subject.psd_only and Role.PSD not in person.roles:
        yield "the item is with professional standards, who alone may see and decide on it"
    if person.staff_id is not None and person.staff_id in subject.involved:
        yield f"{person.email} sent it, is addressed or named in it, or was kept from it when it came"
    if registry is None:
        yield "no staff list is loaded, so a conflict of interest cannot be ruled out"
    elif person.staff_id is not None and identify.is_conflicted(
        registry, person.staff_id, subject.senders, ()
    ):
        yield f"{person.email} reports to the person who sent it"
