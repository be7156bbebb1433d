"""What the gateway writes itself, mail and calls: to whom, and in which words. It is queued in the outbox like a release.

Pure. Nothing of the inspected message is ever in a notice, nor a rule, score or category (P8): who reads it must
sign in to see more. All go out with the null reverse-path and ``Auto-Submitted`` (RFC 3834), so that nothing
answers them.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import MappingProxyType

from gateway import identify
from gateway.model import MailCommand, MessageId, OutboxKind, Registry, StaffId, StaffMember, StaffRole
from gateway.settings import NoticeSettings
from gateway.store.rows import Item, NewDelivery, NewItem, Waiting

_NULL_SENDER = MailCommand(reverse_path="")
_DECIDING = frozenset({StaffRole.SUPERVISOR, StaffRole.PSD})
_NOBODY_HAS_ONE: Mapping[StaffId, bool] = MappingProxyType({})


def urgent(settings: NoticeSettings, held: NewItem, addresses: tuple[str, ...]) -> tuple[NewDelivery, ...]:
    """Return one notice for each of ``addresses`` about an urgent hold; `reviewers` says who they are.

    Not why it is urgent: that the contact may harm herself is no matter for an inbox which others read too.
    """
    at = f"{held.held_at:%Y-%m-%d %H:%M} UTC"
    page = f"{settings.url.rstrip('/')}/items/{held.id}" if settings.url else f"gateway holds show {held.id}"
    text = (
        "A message to a registered contact is held and cannot wait.\n\n"
        f"Held at: {at}\nReference: {held.id}\n\n"
        "Decide now, or telephone the contact. Nothing can be released from this mail.\n"
        f"{page}\n"
    )
    return tuple(
        NewDelivery(
            kind=OutboxKind.NOTICE,
            item_id=held.id,
            mail=_NULL_SENDER,
            recipients=(address,),
            message=_written(settings, address, "Urgent: a message is held", text, held.id, held.held_at),
        )
        for address in addresses
    )


def call(settings: NoticeSettings, held: NewItem) -> tuple[NewDelivery, ...]:
    """Return the call to the on-call system about an urgent hold, if there is one: that it waits, since when, and where.

    ``text`` alone is what most on-call and chat systems show. Who reads it is not known here, so nothing is said of what
    professional standards alone may know of, unless the settings say that they are the readers.
    """
    if not settings.webhook.url or (held.is_for_psd_alone and not settings.webhook.for_psd):
        return ()
    at = f"{held.held_at:%Y-%m-%dT%H:%M:%SZ}"
    text = "Boundary gateway: a message to a registered contact is held and cannot wait. Sign in to decide."
    said = {"event": "hold:urgent", "id": held.id, "held_at": at, "text": text, "url": settings.url}
    return (
        NewDelivery(
            kind=OutboxKind.WEBHOOK,
            item_id=held.id,
            mail=_NULL_SENDER,
            recipients=(settings.webhook.host,),
            message=json.dumps(said).encode(),
        ),
    )


def returned(
    settings: NoticeSettings,
    item: Item,
    address: str,
    at: datetime,
    *,
    words: str = "",
    partly: bool = False,
) -> NewDelivery:
    """Return the notice that tells the officer that a held message was not delivered.

    In the force's words, or the reviewer's own ``words``, which stand as they are. ``partly``: some have it, or may
    have; the force's words would be untrue then, so it says that not everybody has it, and not who.
    """
    held_at = f"{item.held_at:%Y-%m-%d %H:%M} UTC"
    subject, text = settings.return_subject, settings.return_text.format(id=item.id, held_at=held_at)
    if partly:
        subject = "Your message was not delivered to everybody"
    if words or partly:
        missed = " to everybody it was for" if partly else ""
        rest = words or "Please speak to your supervisor before you write again."
        text = f"Your message of {held_at} was not delivered{missed}.\n\n{rest}\n\nReference: {item.id}\n"
    return NewDelivery(
        kind=OutboxKind.RETURN,
        item_id=item.id,
        mail=_NULL_SENDER,
        recipients=(address,),
        message=_written(settings, address, subject, text, item.id, at),
    )


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told in a digest that a hold waits. ``passed_on``: nobody nearer to its officer can decide; ``late``: it waits too long."""

    address: str
    passed_on: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """The notices of one digest, and how many holds are told to nobody, to somebody further up, to the next one too."""

    notices: tuple[NewDelivery, ...]
    untold: int
    passed_on: int
    late: int


def digest(
    settings: NoticeSettings,
    registry: Registry,
    waiting: Iterable[Waiting],
    at: datetime,
    *,
    by_account: Mapping[StaffId, bool] = _NOBODY_HAS_ONE,
    outside: Collection[str] = (),
) -> Digests:
    """Return one notice for everybody for whom holds wait: how many, since when, why they are asked, and nothing of them.

    ``by_account`` says of those who have an account whether they may decide: it counts, not what the staff list calls them.
    Nobody is told of a hold that they may not know of. ``outside`` reviewers are told of what nobody on the staff list can be.
    """
    told: dict[str, list[tuple[datetime, Receiver]]] = {}
    untold = passed_on = late = 0
    for item in waiting:
        receivers = _waits_for(settings, registry, item, at, by_account)
        receivers = receivers or tuple(Receiver(one) for one in outside)
        untold += not receivers
        passed_on += any(one.passed_on for one in receivers)
        late += any(one.late for one in receivers)
        for receiver in receivers:
            told.setdefault(receiver.address, []).append((item.held_at, receiver))
    written = tuple(_digest_for(settings, address, holds, at) for address, holds in sorted(told.items()))
    return Digests(notices=written, untold=untold, passed_on=passed_on, late=late)


def _waits_for(
    settings: NoticeSettings,
    registry: Registry,
    item: Waiting,
    at: datetime,
    by_account: Mapping[StaffId, bool],
) -> tuple[Receiver, ...]:
    """Return who is told in a digest that ``item`` waits; empty when nobody is left.

    It waits for the nearest in its officer's line who can decide: for professional standards where it is theirs alone,
    and where the line ends before, at its top or at somebody who may not know of it. After ``notices.escalate_h`` the
    next one is told too (P6): further up, and behind the last of the line professional standards.
    """
    line = tuple(_line(registry, item, by_account))
    psd = tuple(one for one in registry.staff_by_role[StaffRole.PSD] if _may_know(registry, one, item))
    manager = _manager(registry, item)
    could = manager is not None and not item.is_for_psd_alone and _may_know(registry, manager, item)
    first, *above = line or (None,)
    passed_on = could and first != manager
    found = [Receiver(one.email, passed_on=passed_on) for one in ((first,) if first else psd)]
    hours = settings.escalate_h
    if first is not None and hours and at - item.held_at > timedelta(hours=hours):
        further = [one for one in above[:1] or psd if one != first]
        found += [Receiver(one.email, late=True) for one in further]
    return tuple(found)


def _line(
    registry: Registry, item: NewItem | Waiting, by_account: Mapping[StaffId, bool]
) -> Iterator[StaffMember]:
    """Yield who of the line of an item's officer can decide on it, nearest first, up to the first who may not know of it."""
    if item.officer is None or item.is_for_psd_alone:
        return
    for staff_id in identify.superiors(registry, item.officer):
        member = registry.staff_by_id[staff_id]
        if not _may_know(registry, member, item):
            return
        if by_account.get(staff_id, member.role in _DECIDING):
            yield member


def _digest_for(
    settings: NoticeSettings, address: str, holds: list[tuple[datetime, Receiver]], at: datetime
) -> NewDelivery:
    number = f"{len(holds)} messages wait" if len(holds) > 1 else "One message waits"
    passed_on = sum(receiver.passed_on for _, receiver in holds)
    late = sum(receiver.late for _, receiver in holds)
    text = (
        f"{number} for a decision, the oldest since {min(since for since, _ in holds):%Y-%m-%d %H:%M} UTC.\n"
    )
    if passed_on:
        text += f"\nYou are asked about {passed_on} of them because nobody nearer in the line of management can decide.\n"
    if late:
        text += f"\n{late} of them waited longer than {settings.escalate_h:g} hours for somebody else, so you are told too.\n"
    text += (
        "\nNothing can be released from this mail. Sign in to see them:\n"
        f"{settings.url or 'gateway holds list'}\n"
    )
    reference = MessageId(f"digest.{at:%Y%m%d%H%M%S}")
    return NewDelivery(
        kind=OutboxKind.NOTICE,
        item_id=None,
        mail=_NULL_SENDER,
        recipients=(address,),
        message=_written(settings, address, "Messages wait for a decision", text, reference, at),
    )


def reviewers(settings: NoticeSettings, registry: Registry, held: NewItem) -> tuple[str, ...]:
    """Return who is told of an urgent hold: ``notices.urgent_to``, else the officer's manager and PSD.

    Where the staff list says that the manager cannot decide, the nearest of the line who can is told as well.

    Nobody is told who may not know of it. What is professional standards' alone is told to them, whether or not they are
    in ``urgent_to``. Empty when nobody is left; the caller raises an alarm.
    """
    psd = tuple((one.email, one) for one in registry.staff_by_role[StaffRole.PSD])
    manager, nearest = _manager(registry, held), next(_line(registry, held, _NOBODY_HAS_ONE), None)
    asked = tuple((address, identify.staff_for(registry, address)) for address in settings.urgent_to)
    asked = asked or (*((one.email, one) for one in (manager, nearest) if one), *psd)
    free = [address for address, member in asked if _may_know(registry, member, held)]
    if not free and held.is_for_psd_alone:
        free = [address for address, member in psd if _may_know(registry, member, held)]
    return tuple(dict.fromkeys(free))


def _manager(registry: Registry, item: NewItem | Waiting) -> StaffMember | None:
    officer = registry.staff_by_id.get(item.officer) if item.officer else None
    return registry.staff_by_email.get(officer.manager) if officer else None


def _may_know(registry: Registry, member: StaffMember | None, item: NewItem | Waiting) -> bool:
    """Return whether ``member`` may know of the item, as `review.access` would say; None is nobody on the staff list."""
    if item.is_for_psd_alone and (member is None or member.role is not StaffRole.PSD):
        return False
    return member is None or not identify.is_conflicted(
        registry, member.staff_id, item.senders, item.excluded
    )


def _written(
    settings: NoticeSettings, address: str, subject: str, text: str, item_id: MessageId, at: datetime
) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = settings.sender
    mail["To"] = address
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = (
        f"<{item_id}.{hashlib.sha256(address.encode()).hexdigest()[:16]}@{settings.sender.rpartition('@')[2]}>"
    )
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail.as_bytes()
