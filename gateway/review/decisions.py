"""The decisions on an item: what each checks, writes and queues, in one transaction.

Commands and console call the same functions. Each answers with a `Ruling`; one refused for a conflict of interest or
for want of standing is written into the audit log too, so the caller commits it and then tells the person why. Who
works on an item is in `claims`, which reasons will do in `reasons`. Knows nothing of how mail is sent: a release
is a row in the outbox that may not go out before the time for second thoughts is over (docs/decisions/0023).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway import audit, identify, notices
from gateway.model import (
    Attribution,
    Event,
    ItemKind,
    ItemState,
    Label,
    MessageId,
    OutboxKind,
    Registry,
    Role,
    RuleStatus,
    Severity,
    StaffId,
    StaffMember,
    StaffRole,
    Verdict,
)
from gateway.review.access import Permission, Person, Subject, objection
from gateway.review.reasons import reason_objection, words_objection
from gateway.review.sight import sight_of
from gateway.settings import NoticeSettings, ReviewSettings
from gateway.store import Tx, claims, items, outbox, records, related
from gateway.store.queue import Sight
from gateway.store.rows import (
    Account,
    Approved,
    Claim,
    Decision,
    DecisionAction,
    Delivery,
    Item,
    ItemInFull,
    NewDelivery,
    RecipientState,
)

_OPEN_HOLD = (ItemState.HELD, ItemState.REFERRED, ItemState.RELEASE_FAILED)
_ANY = tuple(ItemState)
_STATES = {
    DecisionAction.RELEASE: _OPEN_HOLD,
    DecisionAction.RETURN: _OPEN_HOLD,
    DecisionAction.REFER: (ItemState.HELD, ItemState.RELEASE_FAILED, ItemState.OPEN),
    DecisionAction.CONFIRM: tuple(state for state in ItemState if state is not ItemState.CLOSED),
    DecisionAction.FALSE_ALARM: tuple(state for state in ItemState if state is not ItemState.CLOSED),
    DecisionAction.NOTE: _ANY,
    DecisionAction.UNDO: (ItemState.RELEASING,),
    DecisionAction.REOPEN: (ItemState.RETURNED, ItemState.PARTLY_RELEASED, ItemState.CLOSED),
}
"""In which states a wish makes sense; `store.items.TRANSITIONS` says what may follow."""
_HOLDS_ONLY = frozenset({DecisionAction.RELEASE, DecisionAction.RETURN, DecisionAction.UNDO})
_PERMISSIONS = {
    DecisionAction.RELEASE: Permission.HOLD_RELEASE,
    DecisionAction.RETURN: Permission.HOLD_RETURN,
    DecisionAction.REFER: Permission.ITEM_REFER,
    DecisionAction.CONFIRM: Permission.ITEM_LABEL,
    DecisionAction.FALSE_ALARM: Permission.ITEM_LABEL,
    DecisionAction.NOTE: Permission.ITEM_NOTE,
    DecisionAction.UNDO: Permission.HOLD_RELEASE,
    DecisionAction.REOPEN: Permission.ITEM_REOPEN,
}
_NEEDS_NO_CLAIM = frozenset({DecisionAction.NOTE, DecisionAction.UNDO})
"""What may be done to an item that somebody else has claimed, and leaves the claim as it is."""
_ENDS_APPROVAL = frozenset(
    {
        DecisionAction.RELEASE,
        DecisionAction.RETURN,
        DecisionAction.REFER,
        DecisionAction.UNDO,
        DecisionAction.REOPEN,
    }
)
_LABELS = {DecisionAction.CONFIRM: Label.CROSSING, DecisionAction.FALSE_ALARM: Label.FALSE_ALARM}
_ROLES = {StaffRole.SUPERVISOR: Role.REVIEWER, StaffRole.PSD: Role.PSD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who decides: the person, the registry they are judged by, and the system's user behind a command."""

    person: Person
    registry: Registry | None
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants done with an item, and why.

    ``words`` are for the officer when a hold is returned; none: the force's neutral notice. ``at_once`` sends a
    release without waiting for second thoughts.
    """

    item_id: str
    action: DecisionAction
    reason: str = ""
    words: str = ""
    at_once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What came of a wish: ``refused`` says why not, and is empty when it was done.

    ``item`` is the item as it was; ``done`` what was written, ``approve`` where a second person must release too;
    ``conflict`` the claim of somebody else that stood in the way; ``goes_at`` when a release will be sent.
    """

    item: Item | None
    refused: str = ""
    done: DecisionAction | None = None
    conflict: Claim | None = None
    goes_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One wish that may be granted."""

    wish: Wish
    item: Item
    actor: Actor
    at: datetime
    review: ReviewSettings
    notice: NoticeSettings


def person_called(tx: Tx, registry: Registry | None, email: str) -> Person | None:
    """Return the person behind an address: their account, else their entry on the staff list, else None.

    A supervisor or a member of professional standards on the staff list may review without an account; everybody
    else needs one. An account without a staff id gets that of its address, so that a conflict is not overlooked.
    """
    account, member, staff_id = _known_as(tx, registry, email)
    if account is not None:
        return Person(email=account.email, roles=account.roles, staff_id=staff_id)
    if member is None or member.role not in _ROLES:
        return None
    return Person(email=member.email, roles=frozenset({_ROLES[member.role]}), staff_id=staff_id)


def person_from_directory(
    tx: Tx, registry: Registry | None, email: str, roles: frozenset[Role]
) -> Person | None:
    """Return the person to whom the force's directory gave ``roles``; None without any, and for whom nobody here knows.

    Known are the people on the staff list, and whom an administrator made an account. The directory says what somebody may
    do here, not which officer they are: a stranger, or somebody behind a shared mailbox, may be the very one that an item
    is about, and could not be kept from it (P7).
    """
    account, member, staff_id = _known_as(tx, registry, email)
    is_person = member is not None and member.role is not StaffRole.MAILBOX
    if not roles or (account is None and not is_person):
        return None
    return Person(email=email, roles=roles, staff_id=staff_id, from_directory=True)


def _known_as(
    tx: Tx, registry: Registry | None, email: str
) -> tuple[Account | None, StaffMember | None, StaffId | None]:
    """Return the account and the entry on the staff list that an address has, and who on the staff list that makes them."""
    account = records.account(tx, email.strip().lower())
    member = identify.staff_for(registry, email.strip()) if registry else None
    own = account.staff_id if account else None
    return account, member, own or (member.staff_id if member else None)


def subject_of(item: Item) -> Subject:
    """Return what the access check needs to know of an item.

    An item whose officer is not known is for professional standards (DECISIONS 11), a flag too; so is what was theirs
    alone from the start, or became so, whatever became of it since.
    """
    return Subject(
        senders=frozenset(item.senders),
        involved=frozenset(item.excluded),
        psd_only=item.is_for_psd_alone,
    )


def decide(
    tx: Tx, wish: Wish, actor: Actor, at: datetime, *, review: ReviewSettings, notice: NoticeSettings
) -> Ruling:
    """Do what ``wish`` says, or say why not.

    Two who decide on one item at once: the second waits for the first, and then meets what the first made of it.
    """
    if wish.action is DecisionAction.RELEASE:
        items.lock_releases(tx, wish.item_id)
    items.lock(tx, wish.item_id)
    allowed = permitted(tx, wish.item_id, actor, _PERMISSIONS[wish.action], at)
    item = allowed.item
    if allowed.refused or item is None:
        return allowed
    if why := _unfit(item, wish, review):
        return Ruling(item=item, refused=why)
    if wish.action not in _NEEDS_NO_CLAIM:
        claim = claims.claim_of(tx, item.id, at)
        if claim is not None and claim.actor != actor.person.email:
            return Ruling(item=item, refused=claimed_by(claim), conflict=claim)
    case = _Case(wish=wish, item=item, actor=actor, at=at, review=review, notice=notice)
    ruling = _DOES[wish.action](tx, case)
    if not ruling.refused and _ends_claim(item, wish.action):
        claims.end_claim(tx, item.id)
    return ruling


def permitted(tx: Tx, item_id: str, actor: Actor, wish: Permission, at: datetime) -> Ruling:
    """Return the item where the access check lets ``actor`` have this wish of it; else why not, which is written down."""
    item = items.item(tx, item_id)
    if item is None:
        return Ruling(item=None, refused=f"there is no item {item_id}")
    if why := objection(actor.person, wish, subject_of(item), actor.registry):
        return _refused(tx, item, actor, wish, why, at)
    return Ruling(item=item)


def claimed_by(claim: Claim) -> str:
    """Return the sentence that tells a second reviewer who works on an item, and until when."""
    return f"{claim.actor} has claimed it until {claim.until:%H:%M:%S} UTC"


def needs_two(verdict: Verdict, review: ReviewSettings) -> bool:
    """Return whether what was found is so severe that two people must agree to a release.

    Rules on trial and other people's quoted words do not count: they only inform.
    """
    severities = tuple(Severity)
    least = review.two_person_severity
    grave = frozenset(severities[severities.index(Severity(least)) :] if least else ())
    return any(
        finding.severity in grave or finding.category in review.two_person_categories
        for finding in verdict.findings
        if finding.status in {RuleStatus.ENFORCE, RuleStatus.FLAG}
        and finding.attribution is not Attribution.QUOTED
    )


def standing_approval(
    tx: Tx, item: Item, decided: tuple[Decision, ...], registry: Registry | None
) -> Decision | None:
    """Return the first person's yes to a release that still stands, or None.

    It falls with every later decision on where the item is, and when that person may not decide on it any more.
    """
    for decision in reversed(decided):
        if decision.action in _ENDS_APPROVAL:
            return None
        if decision.action is DecisionAction.APPROVE:
            person = _person_behind(tx, decision, registry)
            subject = subject_of(item)
            if person and not objection(person, Permission.HOLD_RELEASE, subject, registry):
                return decision
    return None


def undo_objection(tx: Tx, item: Item, delivery: Delivery | None, actor: Actor) -> str:
    """Return why ``actor`` cannot take the release of ``item`` back, or an empty string; whether they may see it is asked elsewhere.

    ``delivery`` is the release's, None where nothing was approved.
    """
    if delivery is None or not delivery.is_untouched:
        return f"{item.id} is being sent, or was: it cannot be called back"
    release = next(
        one for one in reversed(items.decisions_of(tx, item.id)) if one.action is DecisionAction.RELEASE
    )
    if Role.PSD not in actor.person.roles and not _made_by(tx, actor, release):
        return f"only {release.actor}, who released it, or professional standards may undo that"
    return ""


def may_have_gone_out(deliveries: Iterable[Delivery]) -> bool:
    """Return whether, of the ``deliveries`` about an item, a release reached anybody, or nobody knows whether it did."""
    return any(one.kind is OutboxKind.RELEASE and one.may_have_reached for one in deliveries)


def officer_address(item: Item, registry: Registry | None) -> str:
    """Return where the officer may be told of a return, or an empty string when they cannot be.

    The reverse-path is the sender's own claim: it may name the contact, a colleague or a private mailbox, and none
    of them may learn of the hold (P8). So it is taken only where it is the officer's address in the force, or a
    force address nobody on the staff list has; else the officer's own address on the staff list.
    """
    if registry is None:
        return ""
    claimed = identify.staff_for(registry, item.sender)
    member = registry.staff_by_id.get(item.officer) if item.officer else None
    own = item.sender if member == claimed and identify.is_force_address(registry, item.sender) else ""
    address = own or (member.email if member is not None else "")
    if identify.is_overrouted(address):  # it may lead to the contact
        return ""
    match = identify.contacts_for(registry, address)
    reached = {contact.person_id for contact in match.contacts} if match else set()
    return "" if reached & set(item.contacts) else address


def view(
    tx: Tx, item_id: str, actor: Actor, at: datetime, *, what: str = "item"
) -> tuple[ItemInFull | None, str]:
    """Return an item with everything, having written ``what`` of it was seen; or None and why it may not be."""
    full = items.item_in_full(tx, item_id)
    if full is None:
        return None, f"there is no item {item_id}"
    if why := objection(actor.person, Permission.ITEM_VIEW, subject_of(full.item), actor.registry):
        refuse(tx, full.item.id, actor, Permission.ITEM_VIEW, why, at)
        return None, why
    payload: dict[str, audit.Value] = {"system": actor.system, "what": what}
    audit.append(
        tx, Event.ITEM_VIEWED, actor=actor.person.email, subject=full.item.id, payload=payload, at=at
    )
    return full, ""


# --- what is in the way -------------------------------------------------------------------------------------


def _unfit(item: Item, wish: Wish, review: ReviewSettings) -> str:
    """Return why the wish makes no sense for the item as it is, or why its words will not do."""
    if item.kind is not ItemKind.HOLD and wish.action in _HOLDS_ONLY:
        return f"{item.id} is a flag: it was delivered, so there is nothing to {wish.action}"
    if item.state not in _STATES[wish.action]:
        return f"{item.id} is {item.state}: {_remedy(item.state)}"
    return reason_objection(wish.action, wish.reason, review) or words_objection(wish.words, review)


def _remedy(state: ItemState) -> str:
    if state is ItemState.CLOSED:
        return "reopen it first"
    if state is ItemState.RELEASING:
        return "that is decided; until it is sent, the release can be undone"
    if state in {ItemState.HELD, ItemState.OPEN, ItemState.RELEASE_FAILED}:
        return "that is not decided yet"
    return "that is decided"


def _ends_claim(item: Item, action: DecisionAction) -> bool:
    """Return whether a decision ends the claim: what moves the item on. A label moves no hold, and who gave it goes on."""
    if action in _LABELS:
        return item.kind is ItemKind.FLAG
    return action not in _NEEDS_NO_CLAIM


def _needs_psd(tx: Tx, case: _Case) -> bool:
    """Return whether the officer had as many releases as reviewers may approve (DECISIONS 33).

    Those that the reviewer may not know of are left out, or the refusal would tell of them (P7).
    """
    most = case.review.releases_before_psd
    if not most or Role.PSD in case.actor.person.roles:
        return False
    return _earlier_releases(tx, case, sight_of(case.actor.person, case.actor.registry)) >= most


def _earlier_releases(tx: Tx, case: _Case, sight: Sight) -> int:
    """Return how many other releases those had in the window whose message it claims to be, of those in ``sight``."""
    item = case.item
    people = claimed_senders(tx, item, case.actor.registry)
    since = case.at - timedelta(days=case.review.release_window_days)
    return related.releases_of(tx, sight, people, since, other_than=item.id)


def claimed_senders(tx: Tx, item: Item, registry: Registry | None) -> frozenset[StaffId]:
    """Return whose message an item claims to be: its officer, and in whose name it was sent.

    A shared mailbox is nobody, unless nobody else is claimed: its users would count for one another.
    """
    known = registry.staff_by_id if registry else {}
    return frozenset(
        one
        for one in items.senders_of(tx, item.id)
        if one == item.officer or one not in known or known[one].role is not StaffRole.MAILBOX
    )


def _person_behind(tx: Tx, decision: Decision, registry: Registry | None) -> Person | None:
    """Return who made a decision as they stand now; in roles that the directory gave they stand as long as they are known."""
    if decision.directory_roles is None:
        return person_called(tx, registry, decision.actor)
    return person_from_directory(tx, registry, decision.actor, decision.directory_roles)


def _made_by(tx: Tx, actor: Actor, decision: Decision) -> bool:
    """Return whether a decision was made by the person who acts, under whatever address."""
    if decision.actor == actor.person.email:
        return True
    other = _person_behind(tx, decision, actor.registry)
    return other is not None and other.staff_id is not None and other.staff_id == actor.person.staff_id


# --- what is done -------------------------------------------------------------------------------------------


def _release(tx: Tx, case: _Case) -> Ruling:
    """Approve a hold for delivery to whom it has not reached; `serve` sends it."""
    item, actor = case.item, case.actor
    if _needs_psd(tx, case):
        why = "releases for this officer now need professional standards: refer it to them"
        return _refused(tx, item, actor, Permission.HOLD_RELEASE, why, case.at)
    full = items.item_in_full(tx, item.id)
    assert full is not None, "it was there a line above"
    if needs_two(full.verdict, case.review):
        first = standing_approval(tx, item, full.decisions, actor.registry)
        if first is None:
            return _done(tx, case, DecisionAction.APPROVE, Event.HOLD_RELEASE_PROPOSED)
        if _made_by(tx, actor, first):
            why = f"{first.actor} is for its release already; a second person must agree"
            return Ruling(item=item, refused=why)
    goes_at = case.at if case.wish.at_once else case.at + timedelta(seconds=case.review.undo_s)
    items.set_state(tx, item.id, item.state, ItemState.RELEASING)
    delivery = outbox.queue_delivery(tx, _release_of(tx, full), case.at, not_before=goes_at)
    items.approve_release(tx, item.id, Approved(delivery=delivery, undo_to=item.state))
    more: dict[str, audit.Value] = {
        "delivery": delivery,
        "goes_at": goes_at.isoformat(),
        # all of them: whoever oversees the process sees where the bound let one pass that was hidden from the reviewer
        "earlier_releases": _earlier_releases(tx, case, Sight(psd=True)),
    }
    return _done(tx, case, DecisionAction.RELEASE, Event.HOLD_RELEASE_APPROVED, more, goes_at=goes_at)


def _undo(tx: Tx, case: _Case) -> Ruling:
    """Take a release back before anything of it was sent: by who approved it, or professional standards."""
    item = case.item
    approved = items.approved_release(tx, item.id)
    delivery = outbox.delivery(tx, approved.delivery) if approved else None
    why = undo_objection(tx, item, delivery, case.actor)
    if why or approved is None:
        return Ruling(item=item, refused=why)
    items.set_state(tx, item.id, ItemState.RELEASING, approved.undo_to)
    return _done(tx, case, DecisionAction.UNDO, Event.HOLD_RELEASE_UNDONE, {"delivery": approved.delivery})


def _return(tx: Tx, case: _Case) -> Ruling:
    """Close a hold undelivered, or to the rest of those it is for, and queue the notice to its officer, if they can be told."""
    item, actor, at, words = case.item, case.actor, case.at, case.wish.words.strip()
    partly = may_have_gone_out(outbox.deliveries_of(tx, item.id))
    state = ItemState.PARTLY_RELEASED if partly else ItemState.RETURNED
    items.set_state(tx, item.id, item.state, state)
    address = officer_address(item, actor.registry)
    told: dict[str, audit.Value] = {"own_words": bool(words), "told": bool(address), "partly": partly}
    ruling = _done(tx, case, DecisionAction.RETURN, Event.HOLD_RETURNED, told)
    if address:
        notice = notices.returned(case.notice, item, address, at, words=words, partly=partly)
        delivery = outbox.queue_delivery(tx, notice, at)
        payload: dict[str, audit.Value] = {"item": item.id, "why": "return"}
        audit.append(
            tx, Event.NOTICE_QUEUED, actor=actor.person.email, subject=delivery, payload=payload, at=at
        )
    return ruling


def _refer(tx: Tx, case: _Case) -> Ruling:
    """Hand a hold to professional standards, who alone see it from now on; show them a flag."""
    if case.item.kind is ItemKind.FLAG:
        items.copy_to_psd(tx, case.item.id)
        return _done(tx, case, DecisionAction.REFER, Event.FLAG_REFERRED)
    items.refer(tx, case.item.id, case.item.state, "a reviewer referred it to them")
    return _done(tx, case, DecisionAction.REFER, Event.HOLD_REFERRED)


def _label(tx: Tx, case: _Case) -> Ruling:
    """Say whether it was a crossing. It is what a rule's precision is counted from; a flag is closed with it."""
    action, item = case.wish.action, case.item
    items.set_label(tx, item.id, _LABELS[action])
    if item.state is ItemState.OPEN:
        items.set_state(tx, item.id, ItemState.OPEN, ItemState.CLOSED)
    return _done(
        tx, case, action, Event.ITEM_LABELLED, {"label": _LABELS[action], "before": item.label.value}
    )


def _note(tx: Tx, case: _Case) -> Ruling:
    return _done(tx, case, DecisionAction.NOTE, Event.ITEM_NOTED)


def _reopen(tx: Tx, case: _Case) -> Ruling:
    """Open a closed flag again; a hold that was closed is for professional standards alone from then on."""
    item, actor = case.item, case.actor
    if item.state is ItemState.CLOSED:
        items.set_state(tx, item.id, ItemState.CLOSED, ItemState.OPEN)
        return _done(tx, case, DecisionAction.REOPEN, Event.ITEM_REOPENED)
    if Role.PSD not in actor.person.roles:
        why = "a hold that was closed is reopened by professional standards alone"
        return _refused(tx, item, actor, Permission.ITEM_REOPEN, why, case.at)
    items.refer(tx, item.id, item.state, "they reopened it")
    return _done(tx, case, DecisionAction.REOPEN, Event.ITEM_REOPENED)


_DOES: dict[DecisionAction, Callable[[Tx, _Case], Ruling]] = {
    DecisionAction.RELEASE: _release,
    DecisionAction.RETURN: _return,
    DecisionAction.REFER: _refer,
    DecisionAction.CONFIRM: _label,
    DecisionAction.FALSE_ALARM: _label,
    DecisionAction.NOTE: _note,
    DecisionAction.UNDO: _undo,
    DecisionAction.REOPEN: _reopen,
}


# --- what is written ----------------------------------------------------------------------------------------


def _done(
    tx: Tx,
    case: _Case,
    action: DecisionAction,
    event: Event,
    more: dict[str, audit.Value] | None = None,
    *,
    goes_at: datetime | None = None,
) -> Ruling:
    """Write the decision and its audit entry, and return the ruling."""
    item, actor, at = case.item, case.actor, case.at
    person = actor.person
    decision = Decision(
        item_id=item.id,
        actor=person.email,
        action=action,
        reason=case.wish.reason.strip(),
        at=at,
        directory_roles=person.roles if person.from_directory else None,
    )
    payload: dict[str, audit.Value] = {
        "decision": items.add_decision(tx, decision),
        "reason": decision.reason,
        "system": actor.system,
    }
    audit.append(tx, event, actor=actor.person.email, subject=item.id, payload=payload | (more or {}), at=at)
    return Ruling(item=item, done=action, goes_at=goes_at)


def _refused(tx: Tx, item: Item, actor: Actor, wish: Permission, why: str, at: datetime) -> Ruling:
    refuse(tx, item.id, actor, wish, why, at)
    return Ruling(item=item, refused=why)


def refuse(tx: Tx, item_id: MessageId, actor: Actor, wish: Permission, why: str, at: datetime) -> None:
    """Write down that somebody wanted what they may not."""
    payload: dict[str, audit.Value] = {"wish": wish, "why": why, "system": actor.system}
    audit.append(
        tx, Event.DECISION_REFUSED, actor=actor.person.email, subject=item_id, payload=payload, at=at
    )


def _release_of(tx: Tx, full: ItemInFull) -> NewDelivery:
    """Return the release of an item: to everybody whose copy waits and whom no release of it has reached."""
    releases = [one for one in outbox.deliveries_of(tx, full.item.id) if one.kind is OutboxKind.RELEASE]
    reached = {
        one.address for each in releases for one in each.recipients if one.state is RecipientState.SENT
    }
    return NewDelivery(
        kind=OutboxKind.RELEASE,
        item_id=full.item.id,
        mail=full.envelope.mail,
        recipients=tuple(one for one in full.item.recipients if one not in reached),
    )
