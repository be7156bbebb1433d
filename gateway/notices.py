"""What the gateway writes itself, mail and calls: to whom, and in which words. It is queued in the outbox like a release.

Pure. Nothing of the inspected message is ever in a notice, nor a rule, score or category (P8): who reads it must
sign in to see more. All go out with the null reverse-path and ``Auto-Submitted`` (RFC 3834), so that nothing
answers them.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway import identify
from gateway.model import MailCommand, MessageId, OutboxKind, Registry, StaffMember, StaffRole
from gateway.settings import NoticeSettings
from gateway.store.rows import Item, NewDelivery, NewItem, Waiting

_NULL_SENDER = MailCommand(reverse_path="")


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

    ``text`` alone is what most on-call and chat systems show. Who reads it is not known here.
    """
    if not settings.webhook.url:
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


def digest(
    settings: NoticeSettings, registry: Registry, waiting: Iterable[Waiting], at: datetime
) -> tuple[NewDelivery, ...]:
    """Return one notice for everybody for whom holds wait: how many and since when, and nothing of them.

    A hold waits for its officer's manager; for professional standards where it is theirs alone, and where the manager is
    conflicted or not known. Nobody is told of a hold that they may not know of.
    """
    since: dict[str, list[datetime]] = {}
    for item in waiting:
        for address in waits_for(registry, item):
            since.setdefault(address, []).append(item.held_at)
    return tuple(_digest_for(settings, address, times, at) for address, times in sorted(since.items()))


def waits_for(registry: Registry, item: Waiting) -> tuple[str, ...]:
    """Return who is told in a digest that ``item`` waits; empty when nobody is left."""
    manager = _manager(registry, item)
    if manager is not None and not item.is_for_psd_alone and _may_know(registry, manager, item):
        return (manager.email,)
    return tuple(one.email for one in registry.staff_by_role[StaffRole.PSD] if _may_know(registry, one, item))


def _digest_for(settings: NoticeSettings, address: str, times: list[datetime], at: datetime) -> NewDelivery:
    number = f"{len(times)} messages wait" if len(times) > 1 else "One message waits"
    text = (
        f"{number} for a decision, the oldest since {min(times):%Y-%m-%d %H:%M} UTC.\n\n"
        "Nothing can be released from this mail. Sign in to see them:\n"
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

    Nobody is told who may not know of it. What is professional standards' alone is told to them, whether or not they are
    in ``urgent_to``. Empty when nobody is left; the caller raises an alarm.
    """
    psd = tuple((one.email, one) for one in registry.staff_by_role[StaffRole.PSD])
    manager = _manager(registry, held)
    asked = tuple((address, identify.staff_for(registry, address)) for address in settings.urgent_to)
    asked = asked or (*(((manager.email, manager),) if manager else ()), *psd)
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
