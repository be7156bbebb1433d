"""What those who oversee the process see: how every item was dealt with, and no word of any message.

The list opens nothing that is sealed. The page of one item shows which rules came true and how grave that is, who decided
what and for what kind of reason, who was kept from it and why, and what became of delivery; a finding's words and a
reason's own words are not handed to the template. Text opens by leave alone, which professional standards give for one
item, with a reason and an end (`gateway.review.oversight`). Every look is an audit entry before it is answered.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from gateway import audit
from gateway.console.item_marks import words
from gateway.console.pages import Absent, Page, Visit
from gateway.model import (
    Action,
    Attribution,
    Authored,
    Event,
    ItemKind,
    ItemState,
    Label,
    Mode,
    OutboxKind,
    RuleStatus,
    Severity,
    StaffId,
)
from gateway.review import oversight
from gateway.review.access import Permission
from gateway.review.oversight import Asked
from gateway.review.sight import sight_of
from gateway.store import Tx, claims, items, leave, outbox, progress
from gateway.store.leave import Leave
from gateway.store.rows import DecisionAction, DeliveryState, Excluded, ItemInFull

_LONGEST_DAYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding without its words."""

    rule: str
    category: str
    severity: Severity
    points: int
    status: RuleStatus
    attribution: Attribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A decision without its reason's own words: ``reason`` is an offered one, or says that it was one's own."""

    at: datetime
    actor: str
    action: DecisionAction
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A delivery without addresses or what the smarthost said."""

    kind: OutboxKind
    state: DeliveryState
    recipients: int
    tries: int
    interrupted: int
    queued_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """How one item was dealt with: all that its page shows."""

    id: str
    kind: ItemKind
    state: ItemState
    label: Label
    held_at: datetime
    unit: str
    officer: StaffId | None
    contacts: int
    urgent: bool
    psd_copy: bool
    psd_only: str
    mode: Mode
    action: Action
    proposed: Action
    delivery: str
    sender_told_failed: bool
    score: int
    because: tuple[str, ...]
    unread: int
    rules_hash: str
    registry_version: str
    registry_stale: bool
    sha256: str
    findings: tuple[Found, ...]
    steps: tuple[Step, ...]
    excluded: tuple[Excluded, ...]
    sent: tuple[Sent, ...]
    claimed_by: str
    leave: tuple[Leave, ...]


async def show_list(visit: Visit) -> Response:
    """Show every item that may be known of, latest first."""
    desk, limit = visit.desk, visit.desk.settings.console.page_rows
    sight = sight_of(visit.person, visit.registry, Permission.PROCESS_VIEW)
    after = visit.query.get("after", "")
    found = await desk.store.read(lambda tx: progress.lines(tx, sight, limit=limit + 1, after=after))
    rows = found[:limit]
    ids = tuple(row.id for row in rows)
    payload: dict[str, audit.Value] = {"list": "process", "system": "console", "ids": ids}
    at, actor = desk.now(), visit.person.email
    await desk.store.write(
        lambda tx: audit.append(tx, Event.ITEM_LISTED, actor=actor, subject="process", payload=payload, at=at)
    )
    next_page = f"/oversight?after={rows[-1].id}" if len(found) > limit else ""
    return visit.page("oversight.html", rows=rows, next_page=next_page)


async def show(visit: Visit) -> Response:
    """Show how one item was dealt with."""
    return await _page(visit)


async def give(visit: Visit) -> Response:
    """Give leave to read its text."""
    item_id = await visit.item_in_sight(visit.path["item"], Permission.PROCESS_VIEW)
    said, actor, at = visit.form.text("days"), visit.actor, visit.desk.now()
    asked = Asked(
        item_id=item_id,
        holder=visit.form.text("holder")[:320],
        reason=visit.form.secret("reason"),
        days=int(said) if said.isascii() and said.isdigit() and len(said) <= _LONGEST_DAYS else 0,
    )
    review = visit.desk.settings.review
    why = await visit.desk.store.write(lambda tx: oversight.give(tx, asked, actor, at, review))
    return await _page(visit, why) if why else visit.redirect(f"/oversight/{item_id}")


async def end(visit: Visit) -> Response:
    """End leave before its time."""
    item_id = await visit.item_in_sight(visit.path["item"], Permission.PROCESS_VIEW)
    given, actor, at = visit.form.text("leave")[:64], visit.actor, visit.desk.now()
    why = await visit.desk.store.write(lambda tx: oversight.end(tx, item_id, given, actor, at))
    return await _page(visit, why) if why else visit.redirect(f"/oversight/{item_id}")


async def text(visit: Visit) -> Response:
    """Show the text to somebody who has leave; say how to come by it to somebody who has none."""
    item_id = await visit.item_in_sight(visit.path["item"], Permission.PROCESS_VIEW)
    actor, at = visit.actor, visit.desk.now()
    full, given = await visit.desk.store.write(lambda tx: oversight.read(tx, item_id, actor, at))
    if full is None or given is None:
        says = "You have no leave to read it. Professional standards give it for one item, with a reason and an end."
        return visit.page("message.html", status=403, title="No leave", says=says)
    raw = await visit.desk.store.read(lambda tx: items.message(tx, item_id))
    looked = await visit.desk.reader.look(raw)
    unread, authored = (looked, Authored()) if isinstance(looked, str) else ("", looked[0])
    shown = await asyncio.to_thread(words, authored, full.verdict.findings)
    return await asyncio.to_thread(
        visit.page,
        "oversight_text.html",
        item_id=item_id,
        words=shown,
        findings=full.verdict.findings,
        unread=unread,
        leave=given,
    )


# --- what the page of one item is made of -------------------------------------------------------------------


async def _page(visit: Visit, refused: str = "") -> Response:
    item_id = await visit.item_in_sight(visit.path["item"], Permission.PROCESS_VIEW)
    now, actor = visit.desk.now(), visit.person.email
    offered = frozenset(visit.desk.settings.review.reasons)
    payload: dict[str, audit.Value] = {"system": "console", "what": "process"}

    def look(tx: Tx) -> Dealt | None:
        audit.append(tx, Event.ITEM_VIEWED, actor=actor, subject=item_id, payload=payload, at=now)
        return _dealt(tx, item_id, offered, now)

    found = await visit.desk.store.write(look)
    if found is None:
        raise Absent
    return visit.page(
        "oversight_item.html",
        status=422 if refused else 200,
        item=found,
        refused=refused,
        typed=visit.form,
        now=now,
        max_days=visit.desk.settings.review.max_leave_days,
        may_grant=visit.may(Permission.TEXT_GRANT),
        may_read=visit.may(Permission.TEXT_READ) and any(_is_for(one, actor, now) for one in found.leave),
    )


def _is_for(given: Leave, email: str, now: datetime) -> bool:
    return given.holder == email and given.stands(now)


def _dealt(tx: Tx, item_id: str, offered: frozenset[str], now: datetime) -> Dealt | None:
    full = items.item_in_full(tx, item_id)
    if full is None:
        return None
    item, verdict = full.item, full.verdict
    claim = claims.claim_of(tx, item.id, now)
    return Dealt(
        id=item.id,
        kind=item.kind,
        state=item.state,
        label=item.label,
        held_at=item.held_at,
        unit=item.unit,
        officer=item.officer,
        contacts=len(item.contacts),
        urgent=item.urgent,
        psd_copy=item.psd_copy,
        psd_only=item.psd_only,
        mode=item.mode,
        action=item.action,
        proposed=item.proposed,
        delivery=item.delivery,
        sender_told_failed=item.sender_told_failed,
        score=verdict.score,
        because=verdict.because,
        unread=len(verdict.unreadable),
        rules_hash=verdict.rules_hash,
        registry_version=verdict.registry_version,
        registry_stale=bool(verdict.registry_stale),
        sha256=item.sha256,
        findings=tuple(_findings(full)),
        steps=tuple(_steps(full, offered)),
        excluded=items.excluded_of(tx, item.id),
        sent=tuple(_sent(tx, item_id)),
        claimed_by=claim.actor if claim else "",
        leave=leave.of_item(tx, item.id),
    )


def _findings(full: ItemInFull) -> Iterable[Found]:
    for one in full.verdict.findings:
        yield Found(
            rule=one.rule,
            category=one.category,
            severity=one.severity,
            points=one.points,
            status=one.status,
            attribution=one.attribution,
        )


def _steps(full: ItemInFull, offered: frozenset[str]) -> Iterable[Step]:
    for one in full.decisions:
        own = f"own words, {len(one.reason)} characters" if one.reason else "none"
        reason = one.reason if one.reason in offered else own
        yield Step(at=one.at, actor=one.actor, action=one.action, reason=reason)


def _sent(tx: Tx, item_id: str) -> Iterable[Sent]:
    for one in outbox.deliveries_of(tx, item_id):
        yield Sent(
            kind=one.kind,
            state=one.state,
            recipients=len(one.recipients),
            tries=one.tries,
            interrupted=one.interrupted,
            queued_at=one.queued_at,
            sent_at=one.sent_at,
        )


PAGES = (
    Page(path="/oversight", permission=Permission.PROCESS_VIEW, get=show_list, nav="Process"),
    Page(path="/oversight/{item}", permission=Permission.PROCESS_VIEW, get=show),
    Page(path="/oversight/{item}/leave", permission=Permission.TEXT_GRANT, post=give),
    Page(path="/oversight/{item}/leave/end", permission=Permission.TEXT_GRANT, post=end),
    Page(path="/oversight/{item}/text", permission=Permission.TEXT_READ, get=text),
)
"""For the oversight body, and for professional standards, who see what it sees and give leave."""
