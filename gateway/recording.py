"""What is written about a message to a contact: ledger row, item, audit entry and urgent notices, in one transaction.

Stands between the verdict and the act: `pipeline` calls `record` and acts only once it is durable. Owns what goes
into the books; judges nothing, sends nothing.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway import audit, identify
from gateway.inspection import traits, written_lines
from gateway.model import (
    Action,
    Attribution,
    Authored,
    CutReason,
    Envelope,
    Event,
    Inspection,
    ItemKind,
    MessageId,
    Parties,
    PersonId,
    Registry,
    RuleStatus,
    StaffId,
    StaffRole,
    Verdict,
)
from gateway.store import Tx, items, ledger, outbox, trials
from gateway.store.rows import Item, Kept, LedgerEntry, NewDelivery, NewItem, Outcome, Told

ACTOR = "relay"
_PATTERNS, _AGAIN = "patterns", "combination:earlier-findings"
"""As `decide` and the rules call what is told of earlier mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to at least one registered contact.

    ``retry_key`` tells when it comes again (DECISIONS 6); it is empty until it is known who the parties are.
    """

    id: MessageId
    raw: bytes
    sha256: str
    envelope: Envelope
    retry_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that is to be written about one message."""

    entry: LedgerEntry
    item: NewItem | None
    notices: tuple[NewDelivery, ...] = ()
    trials: tuple[tuple[str, int], ...] = ()
    """Rules in shadow that came true, each with its version: they are counted, and never act."""


def retry_key(sha256: str, reverse_path: str, waiting: Iterable[str]) -> str:
    """Return what makes a message the same one when its sender tries again (DECISIONS 6).

    ``sha256`` is the hash of the bytes as received, which stands for them: they need not be gone through twice.
    ``waiting`` are the recipients whose copy a hold stops: registered contacts, and whoever waits with them.
    """
    digest = hashlib.sha256(bytes.fromhex(sha256))
    for text in (reverse_path, *sorted(waiting)):
        encoded = text.encode("utf-8", "surrogateescape")
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.hexdigest()


def excluded_staff(registry: Registry, parties: Parties, authored: Authored) -> tuple[StaffId, ...]:
    """Return everybody who may not review: who wrote it, was sent it, or is named in the thread (DECISIONS 13).

    Quoted text counts, signatures and disclaimers do not: they name people who have nothing to do with it.
    """
    thread = [passage.text for passage in authored.passages]
    thread += [cut.text for cut in authored.cuts if cut.reason in {CutReason.QUOTED, CutReason.FORWARDED}]
    named = (staff for text in thread for staff in identify.named_staff(registry, text))
    return tuple(dict.fromkeys((*parties.involved, *named)))


def earlier_told(parties: Parties, verdict: Verdict, at: datetime) -> Told | None:
    """Return the earlier mail that whoever reads ``verdict`` learns of; None where it tells of none.

    A pattern counts findings in the officer's mail to anybody. A finding says how often its like was found in mail to these
    contacts, and that alone may be a ground. A rule that counts earlier mail, whatever its category, and weak cues go by all
    mail to them. What exactly was counted is the rule's affair: here is all that may have been.
    """
    history = verdict.history
    persons = frozenset(contact.person_id for match in parties.contacts for contact in match.contacts)
    categories = {finding.category for finding in verdict.findings}
    again = _AGAIN in verdict.because or not categories.isdisjoint(history.earlier)
    messages = dict.fromkeys(
        one.message
        for one in history.found
        if _PATTERNS in categories or (again and not persons.isdisjoint(one.contacts))
    )
    counts = any(finding.of_earlier_mail for finding in verdict.findings)
    counted = history.sent and (counts or not categories.isdisjoint(history.weak))
    if not messages and not counted:
        return None
    return Told(
        messages=tuple(messages),
        officers=tuple(dict.fromkeys(claim.staff_id for claim in parties.claimed if claim.staff_id)),
        persons=tuple(sorted(persons)) if counted else (),
        since=at - timedelta(days=history.days),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewers:
    """Who may not review a message, and why only professional standards may; ``psd_only`` is empty otherwise."""

    excluded: tuple[StaffId, ...]
    senders: tuple[StaffId, ...] = ()
    """Whoever reports to one of them may not either."""
    psd_only: str = ""
    addressed: tuple[StaffId, ...] = ()
    """Those of ``excluded`` who are claimed or addressed."""
    reporting: tuple[StaffId, ...] = ()
    """Those who report to one of ``senders``, of those on the staff list who review: the others were never asked."""
    earlier: tuple[StaffId, ...] = ()
    """Those kept from an earlier item that this one tells of: named here or not, where they sent that one and not this.

    All others of ``excluded`` are named in the thread.
    """


def reviewers(
    registry: Registry,
    parties: Parties,
    excluded: tuple[StaffId, ...],
    *,
    earlier: Kept = Kept(),  # noqa: B008 - frozen
    max_excluded: int,
    was_read: bool,
) -> Reviewers:
    """Return who may review, given everybody who is sent, addressed or named in it (DECISIONS 11 and 13).

    An officer who is not known has no line of management to keep away, and a message that could not be read does
    not say whom it names: both go to professional standards. So does one that names more than ``max_excluded``
    people; naming everybody must not leave nobody, so it then bars of professional standards only its senders and
    contacts. And so does one that leaves no supervisor who neither is among them nor reports to its sender.

    Whoever is kept from an ``earlier`` item that this one tells of is kept from this one too, or they would infer it.
    """
    own = tuple(dict.fromkeys(claim.staff_id for claim in parties.claimed if claim.staff_id))
    barred, why = excluded, ""
    if len(excluded) > max_excluded:
        barred, why = _without_psd(registry, parties, excluded), f"it names {len(excluded)} members of staff"
    elif parties.officer is None:
        why = "nobody on the staff list is known as its sender"
    elif not was_read:
        why = "whom it names could not be read"
    theirs = bool(why) or earlier.psd_only
    if _leaves_nobody(registry, (*own, *earlier.senders), (*barred, *earlier.staff), psd_only=theirs):
        earlier = _sparing_psd(registry, earlier)
    senders = tuple(dict.fromkeys((*own, *earlier.senders)))
    involved = dict.fromkeys((*barred, *own))
    # Who sent the earlier one alone is no sender of this one, named in it or not.
    lines = frozenset(earlier.senders).difference(own)
    added = tuple(staff for staff in earlier.staff if staff in lines or staff not in involved)
    everybody = dict.fromkeys((*barred, *added))
    if not why and earlier.psd_only:
        why = "an earlier item that it tells of is with them alone"
    elif not why and not _has(registry, StaffRole.SUPERVISOR, senders, everybody):
        why = "no supervisor is left who may review it"
    reporting = tuple(_reporting(registry, senders, everybody))
    return Reviewers(
        excluded=(*everybody, *reporting),
        senders=senders,
        psd_only=why,
        addressed=parties.involved,
        reporting=reporting,
        earlier=added,
    )


def _without_psd(registry: Registry, parties: Parties, excluded: tuple[StaffId, ...]) -> tuple[StaffId, ...]:
    """Return ``excluded`` without those of professional standards who neither sent the message nor got it."""
    own = {claim.staff_id for claim in parties.claimed} | {match.also_staff for match in parties.contacts}
    psd = {one.staff_id for one in registry.staff_by_role[StaffRole.PSD]}
    return tuple(staff for staff in excluded if staff in own or staff not in psd)


def _has(
    registry: Registry, role: StaffRole, senders: Collection[StaffId], involved: Collection[StaffId]
) -> bool:
    """Return whether somebody on the staff list with ``role`` may review; an account outside of it does not count."""
    return any(
        not identify.is_conflicted(registry, member.staff_id, senders, involved)
        for member in registry.staff_by_role[role]
    )


def _leaves_nobody(
    registry: Registry, senders: Collection[StaffId], involved: Collection[StaffId], *, psd_only: bool
) -> bool:
    """Return whether nobody on the staff list may review; a supervisor does not count where it is ``psd_only``."""
    roles = (StaffRole.PSD,) if psd_only else (StaffRole.SUPERVISOR, StaffRole.PSD)
    return not any(_has(registry, role, senders, involved) for role in roles)


def _sparing_psd(registry: Registry, earlier: Kept) -> Kept:
    """Return ``earlier`` as it bars nobody of professional standards: who named one after another must not leave nobody."""
    psd = {one.staff_id for one in registry.staff_by_role[StaffRole.PSD]}
    lines = psd | {superior for staff in psd for superior in identify.superiors(registry, staff)}
    return Kept(
        staff=tuple(staff for staff in earlier.staff if staff not in psd),
        senders=tuple(staff for staff in earlier.senders if staff not in lines),
        psd_only=earlier.psd_only,
    )


def _reporting(
    registry: Registry, senders: Iterable[StaffId], besides: Collection[StaffId]
) -> Iterator[StaffId]:
    """Yield who reports to a sender and might review, by the staff list of the day: it may say otherwise tomorrow."""
    told: set[StaffId] = set()
    for sender in senders:
        for member in identify.reports(registry, sender):
            is_new = member.staff_id not in besides and member.staff_id not in told
            if is_new and member.role in {StaffRole.SUPERVISOR, StaffRole.PSD}:
                told.add(member.staff_id)
                yield member.staff_id


def is_listed(verdict: Verdict) -> bool:
    """Return whether a person is to see the message: it waits, is flagged, or would have been in hold mode."""
    return verdict.action is not Action.PASS or verdict.proposed is not Action.PASS


def draft(
    message: Message,
    authored: Authored,
    parties: Parties,
    verdict: Verdict,
    who: Reviewers | None,
    inspection: Inspection | None = None,
) -> Record:
    """Return what is to be written about a message that was judged; an item where ``who`` says who may see it.

    ``inspection`` has what no finding says and the ledger remembers: weak cues, and that the contact refused.
    """
    held = verdict.action is Action.HOLD
    persons = tuple(contact.person_id for match in parties.contacts for contact in match.contacts)
    entry = LedgerEntry(
        id=message.id,
        retry_key=message.retry_key,
        at=message.envelope.received_at,
        officer=parties.officer.staff_id if parties.officer else None,
        persons=persons,
        case_refs=tuple(
            case.case_ref
            for match in parties.contacts
            for contact in match.contacts
            for case in contact.cases
        ),
        traits=traits(authored, parties),
        sha256=message.sha256,
        action=verdict.action,
        outcome=Outcome.HELD if held else Outcome.OFFERED,
        rules=_remembered(verdict),
        refused=inspection is not None and inspection.refused,
        weak=inspection.weak if inspection is not None else (),
        lines=() if held else written_lines(authored),  # she gets none of what waits, so nobody quotes it
    )
    item = None if who is None else _item(message, authored, parties, verdict, persons, who)
    return Record(entry=entry, item=item, trials=_on_trial(verdict))


def record(tx: Tx, new: Record) -> MessageId:
    """Write ``new`` and return its id; the earlier item's id, writing nothing, when the message was here before."""
    if new.item is not None:
        kept = items.add_item(tx, new.item)
        if kept != new.item.id:
            return kept
        event = Event.MESSAGE_HELD if new.item.kind is ItemKind.HOLD else Event.MESSAGE_FLAGGED
        audit.append(
            tx, event, actor=ACTOR, subject=new.item.id, payload=_evidence(new.item), at=new.item.held_at
        )
        if new.item.psd_only:
            event = Event.HOLD_REFERRED if new.item.kind is ItemKind.HOLD else Event.FLAG_REFERRED
            why = {"why": new.item.psd_only}
            audit.append(tx, event, actor=ACTOR, subject=new.item.id, payload=why, at=new.item.held_at)
        for notice in new.notices:
            delivery = outbox.queue_delivery(tx, notice, new.item.held_at)
            payload = {"item": new.item.id, "why": new.item.verdict.urgent}
            audit.append(
                tx, Event.NOTICE_QUEUED, actor=ACTOR, subject=delivery, payload=payload, at=new.item.held_at
            )
    if not ledger.add(tx, new.entry):
        # An earlier try that the smarthost did not take was judged otherwise, perhaps by other rules.
        ledger.judge_again(tx, new.entry)
    elif new.trials:
        trials.count(tx, new.trials, new.entry.at.astimezone(UTC).date())
    return new.entry.id


def record_repeat(tx: Tx, *, item_id: MessageId, sha256: str, at: datetime) -> tuple[Item, str]:
    """Write that a message came again that is an item already; it gets no second item, flag or ledger row.

    Returns the item, and `recipients_key` of the copies that went out before, or an empty string.
    """
    item = items.item(tx, item_id)
    assert item is not None, "items are never deleted"
    audit.append(tx, Event.MESSAGE_REPEATED, actor=ACTOR, subject=item_id, payload={"sha256": sha256}, at=at)
    return item, items.rest_taken(tx, item_id)


def record_rest(tx: Tx, *, item_id: MessageId, rest: str, code: int, at: datetime) -> None:
    """Write what the smarthost said of the copies that did not wait; ``rest`` is `recipients_key` of them."""
    if 200 <= code < 300:
        items.set_rest_taken(tx, item_id, rest)
        audit.append(tx, Event.MESSAGE_REST_SENT, actor=ACTOR, subject=item_id, payload={"code": code}, at=at)
    elif code >= 500:
        items.sender_was_told(tx, item_id)
        audit.append(
            tx, Event.MESSAGE_REST_REFUSED, actor=ACTOR, subject=item_id, payload={"code": code}, at=at
        )


def record_outcome(
    tx: Tx, *, ledger_key: str, item_id: MessageId | None, outcome: Outcome, code: int, at: datetime
) -> None:
    """Write what the smarthost said of a message that passed or was flagged."""
    ledger.set_outcome_by_key(tx, ledger_key, outcome, at)
    if item_id is not None:
        items.set_delivery(tx, item_id, str(code))
        event = Event.FLAG_DELIVERED if outcome is Outcome.ACCEPTED else Event.FLAG_NOT_DELIVERED
        audit.append(tx, event, actor=ACTOR, subject=item_id, payload={"code": code}, at=at)


def recipients_key(recipients: Iterable[str]) -> str:
    """Return a hash that is the same for the same recipients in any order."""
    return hashlib.sha256("\n".join(sorted(recipients)).encode("utf-8", "surrogateescape")).hexdigest()


def _item(
    message: Message,
    authored: Authored,
    parties: Parties,
    verdict: Verdict,
    persons: tuple[PersonId, ...],
    who: Reviewers,
) -> NewItem:
    held = verdict.action is Action.HOLD
    return NewItem(
        id=message.id,
        kind=ItemKind.HOLD if held else ItemKind.FLAG,
        retry_key=message.retry_key,
        held_at=message.envelope.received_at,
        officer=parties.officer.staff_id if parties.officer else None,
        unit=parties.officer.unit if parties.officer else "",
        envelope=message.envelope,
        recipients=verdict.held if held else tuple(match.recipient for match in parties.contacts),
        contacts=persons,
        senders=who.senders,
        excluded=who.excluded,
        psd_only=who.psd_only,
        addressed=who.addressed,
        reporting=who.reporting,
        earlier=who.earlier,
        subject=authored.headers.subject,
        message_id=authored.headers.message_id,
        message=message.raw,
        sha256=message.sha256,
        verdict=verdict,
    )


def _evidence(item: NewItem) -> dict[str, str | int | list[str]]:
    """Return what the audit log keeps of an item beside its id: hashes and ids, no word of it."""
    return {
        "sha256": item.sha256,
        "size": len(item.message),
        "action": item.verdict.action,
        "proposed": item.verdict.proposed,
        "mode": item.verdict.mode,
        "score": item.verdict.score,
        "rules": sorted({finding.rule for finding in item.verdict.findings}),
        "rules_hash": item.verdict.rules_hash,
        "policy_hash": item.verdict.policy_hash,
        "model_hash": item.verdict.model_hash,
        "registry": item.verdict.registry_version,
        "officer": item.officer or "",
        "psd_copy": list(item.verdict.psd),
        "contacts": list(item.contacts),
        "excluded": list(item.excluded),
    }


def _remembered(verdict: Verdict) -> tuple[str, ...]:
    """Return the rules that came true with points. In mail that passes only weights can have: they are not kept."""
    if verdict.proposed is Action.PASS:
        return ()
    return tuple(sorted({finding.rule for finding in verdict.findings if finding.points > 0}))


def _on_trial(verdict: Verdict) -> tuple[tuple[str, int], ...]:
    """Return the rules in shadow that came true in the officer's own words, each with its version."""
    found = {
        (finding.rule, finding.version)
        for finding in verdict.findings
        if finding.status is RuleStatus.SHADOW and finding.attribution is not Attribution.QUOTED
    }
    return tuple(sorted(found))
