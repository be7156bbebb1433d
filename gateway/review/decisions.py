"""The decisions on a hold: release and return. What each checks, writes and queues, in one transaction.

Commands and console call the same functions. Each answers with a `Ruling`; a refused one is written into the audit
log too, so the caller commits it and then tells the person why. Knows nothing of how mail is sent.
"""

from dataclasses import dataclass
from datetime import datetime

from gateway import audit, identify, notices
from gateway.model import Event, ItemKind, ItemState, MessageId, OutboxKind, Registry, Role, StaffRole
from gateway.review.access import Permission, Person, Subject, objection
from gateway.settings import NoticeSettings
from gateway.store import Tx, items, outbox, records
from gateway.store.rows import Decision, DecisionAction, DeliveryState, Item, ItemInFull, NewDelivery

_DECIDABLE = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASE_FAILED)
_EVENTS = {DecisionAction.RELEASE: Event.HOLD_RELEASE_APPROVED, DecisionAction.RETURN: Event.HOLD_RETURNED}
_PERMISSIONS = {
    DecisionAction.RELEASE: Permission.HOLD_RELEASE,
    DecisionAction.RETURN: Permission.HOLD_RETURN,
}
_ROLES = {StaffRole.SUPERVISOR: Role.REVIEWER, StaffRole.PSD: Role.PSD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who decides: the person, the registry they are judged by, and the system's user behind a command."""

    person: Person
    registry: Registry | None
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What came of a wish: ``refused`` says why not, and is empty when it was done. ``item`` is it as it was."""

    item: Item | None
    refused: str = ""


def person_called(tx: Tx, registry: Registry | None, email: str) -> Person | None:
    """Return the person behind an address: their account, else their entry on the staff list, else None.

    A supervisor or a member of professional standards on the staff list may review without an account; everybody
    else needs one. An account without a staff id gets that of its address, so that a conflict is not overlooked.
    """
    account = records.account(tx, email.strip().lower())
    member = identify.staff_for(registry, email.strip()) if registry else None
    staff_id = member.staff_id if member else None
    if account is not None:
        return Person(email=account.email, roles=account.roles, staff_id=account.staff_id or staff_id)
    if member is None or member.role not in _ROLES:
        return None
    return Person(email=member.email, roles=frozenset({_ROLES[member.role]}), staff_id=staff_id)


def subject_of(item: Item) -> Subject:
    """Return what the access check needs to know of an item.

    An item whose officer is not known is for professional standards (DECISIONS 11), a flag too.
    """
    return Subject(
        senders=frozenset(item.senders),
        involved=frozenset(item.excluded),
        psd_only=item.state is ItemState.REFERRED or item.officer is None,
    )


def release(tx: Tx, item_id: str, actor: Actor, reason: str, at: datetime) -> Ruling:
    """Approve a hold for delivery; `serve` sends it. A failed release is tried again for whom it did not reach."""
    ruling = _may(tx, item_id, actor, DecisionAction.RELEASE, reason, at)
    if ruling.item is None or ruling.refused:
        return ruling
    item = ruling.item
    items.set_state(tx, item.id, _DECIDABLE, ItemState.RELEASING)
    _write(tx, item.id, actor, DecisionAction.RELEASE, reason, at)
    failed = [one for one in outbox.deliveries_of(tx, item.id) if one.state is DeliveryState.FAILED]
    if failed:
        outbox.retry(tx, failed[-1].id, at)
    else:
        full = items.item_in_full(tx, item.id)
        assert full is not None, "it was there a line above"
        outbox.queue_delivery(tx, _release_of(full), at)
    return ruling


def return_to_officer(
    tx: Tx, item_id: str, actor: Actor, reason: str, at: datetime, *, settings: NoticeSettings
) -> Ruling:
    """Close a hold undelivered and queue the force's neutral notice to its officer, if they can be told."""
    ruling = _may(tx, item_id, actor, DecisionAction.RETURN, reason, at)
    if ruling.item is None or ruling.refused:
        return ruling
    items.set_state(tx, ruling.item.id, _DECIDABLE, ItemState.RETURNED)
    _write(tx, ruling.item.id, actor, DecisionAction.RETURN, reason, at)
    if address := officer_address(ruling.item, actor.registry):
        notice = notices.returned(settings, ruling.item, address, at)
        delivery = outbox.queue_delivery(tx, notice, at)
        payload: dict[str, audit.Value] = {"item": ruling.item.id, "why": "return"}
        audit.append(
            tx, Event.NOTICE_QUEUED, actor=actor.person.email, subject=delivery, payload=payload, at=at
        )
    return ruling


def officer_address(item: Item, registry: Registry | None) -> str:
    """Return where the officer may be told of a return, or an empty string when they cannot be.

    The reverse-path is the sender's own claim: it may name the contact, a colleague or a private mailbox, and none
    of them may learn of the hold (P8). So it is taken only where it is the officer's address in the force, or a
    force address nobody on the staff list has; else the officer's own address on the staff list.
    """
    if registry is None:
        return ""
    claimed = identify.staff_for(registry, item.sender)
    member = next((one for one in registry.staff_by_key.values() if one.staff_id == item.officer), None)
    own = item.sender if member == claimed and identify.is_force_address(registry, item.sender) else ""
    address = own or (member.email if member is not None else "")
    match = identify.contacts_for(registry, address)
    reached = {contact.person_id for contact in match.contacts} if match else set()
    return "" if reached & set(item.contacts) else address


def view(tx: Tx, item_id: str, actor: Actor, at: datetime) -> tuple[ItemInFull | None, str]:
    """Return an item with everything, having written that it was seen; or None and why it may not be."""
    full = items.item_in_full(tx, item_id)
    if full is None:
        return None, f"there is no item {item_id}"
    if why := objection(actor.person, Permission.ITEM_VIEW, subject_of(full.item), actor.registry):
        _refuse(tx, full.item.id, actor, Permission.ITEM_VIEW, why, at)
        return None, why
    payload: dict[str, audit.Value] = {"system": actor.system}
    audit.append(
        tx, Event.ITEM_VIEWED, actor=actor.person.email, subject=full.item.id, payload=payload, at=at
    )
    return full, ""


def _may(tx: Tx, item_id: str, actor: Actor, action: DecisionAction, reason: str, at: datetime) -> Ruling:
    """Return the item when ``actor`` may decide so on it now, else why not; a conflict is written down."""
    item = items.item(tx, item_id)
    if item is None:
        return Ruling(item=None, refused=f"there is no item {item_id}")
    if why := objection(actor.person, _PERMISSIONS[action], subject_of(item), actor.registry):
        _refuse(tx, item.id, actor, _PERMISSIONS[action], why, at)
        return Ruling(item=item, refused=why)
    if item.kind is not ItemKind.HOLD:
        return Ruling(
            item=item, refused=f"{item_id} is a flag: it was delivered, so there is nothing to {action}"
        )
    if item.state not in _DECIDABLE:
        return Ruling(item=item, refused=f"{item_id} is {item.state}: that is decided")
    if not reason.strip():
        return Ruling(item=item, refused="a reason is required, in your own words")
    return Ruling(item=item)


def _write(
    tx: Tx, item_id: MessageId, actor: Actor, action: DecisionAction, reason: str, at: datetime
) -> None:
    decision = Decision(
        item_id=item_id, actor=actor.person.email, action=action, reason=reason.strip(), at=at
    )
    decision_id = items.add_decision(tx, decision)
    payload: dict[str, audit.Value] = {
        "decision": decision_id,
        "reason": decision.reason,
        "system": actor.system,
    }
    audit.append(tx, _EVENTS[action], actor=actor.person.email, subject=item_id, payload=payload, at=at)


def _refuse(tx: Tx, item_id: MessageId, actor: Actor, wish: Permission, why: str, at: datetime) -> None:
    payload: dict[str, audit.Value] = {"wish": wish, "why": why, "system": actor.system}
    audit.append(
        tx, Event.DECISION_REFUSED, actor=actor.person.email, subject=item_id, payload=payload, at=at
    )


def _release_of(full: ItemInFull) -> NewDelivery:
    return NewDelivery(
        kind=OutboxKind.RELEASE,
        item_id=full.item.id,
        mail=full.envelope.mail,
        recipients=full.item.recipients,
    )
