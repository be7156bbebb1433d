"""The page of one item: the list beside it, the message, why it is here, and the decisions on it.

The message is unsealed only here, for somebody who may see it, and each look is in the audit log before it is answered. Who may
decide what is `review.decisions`; this page translates a form into a `Wish`, and a refusal back into the page with
everything that was typed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from starlette.responses import Response

from gateway import inspection
from gateway.console import item_safe_html
from gateway.console.in_hand import TO_DECIDE, Aftermath, Hand, aftermath, following, hands_of
from gateway.console.item_marks import words
from gateway.console.item_timeline import Timeline, timeline
from gateway.console.pages import Absent, Page, Visit
from gateway.console.queue import REMEDIES, officer_names
from gateway.console.shelves import FLAGS, HOLDS, failed_on
from gateway.decide import decide as verdict_on
from gateway.model import (
    Action,
    Anatomy,
    Authored,
    HouseStyle,
    Inspection,
    ItemKind,
    ItemState,
    MessageId,
    Policy,
    StaffMember,
)
from gateway.review import claims as claiming
from gateway.review import decisions
from gateway.review.access import Permission
from gateway.review.decisions import Ruling, Wish
from gateway.store import Tx, claims, items, outbox, queue, records, related
from gateway.store.queue import Headline
from gateway.store.related import Moment
from gateway.store.rows import Claim, DecisionAction, Delivery, Excluded, Item, ItemInFull

_LIST_ROWS = 30
_EARLIER = 20
_TIMELINE = 200
_CLAIM, _GIVE_UP = "claim", "give-up"
_CLAIMING = frozenset({_CLAIM, _GIVE_UP})
_LEAVES = frozenset(
    {DecisionAction.RELEASE, DecisionAction.APPROVE, DecisionAction.RETURN, DecisionAction.REFER}
)
"""After these the next item opens."""
_CLOSES = frozenset({DecisionAction.CONFIRM, DecisionAction.FALSE_ALARM})
"""After these too, where it was an open flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What stands round an item, as far as the visitor may know of it."""

    item_id: str
    waiting: tuple[Headline, ...]
    earlier: tuple[Item, ...]
    moments: tuple[Moment, ...]
    versions: tuple[Item, ...]
    deliveries: tuple[Delivery, ...]
    claim: Claim | None
    excluded: tuple[Excluded, ...]
    approved_by: str
    needs_two: bool
    hands: Mapping[str, Hand]
    next_item: str
    aftermath: Aftermath
    policy_bundle: str
    failed: int

    def sent_since(self, at: datetime, days: int) -> tuple[tuple[Moment, bool], ...]:
        """Return what passed from the officer to the contact after ``at`` within so many days, and whether in the item's thread.

        A clean version of a hold may be among it: of mail that passes no words are kept, so nobody can say more.
        """
        thread = next((one.thread for one in self.moments if one.id == self.item_id), frozenset[str]())
        until = at + timedelta(days=days)
        return tuple(
            (one, bool(one.thread & thread))
            for one in self.moments
            if at < one.at <= until and one.action is Action.PASS and not one.is_item
        )

    @property
    def is_partly_out(self) -> bool:
        """Whether a release of the item reached somebody, or may have."""
        return decisions.may_have_gone_out(self.deliveries)


async def show(visit: Visit) -> Response:
    """Show an item."""
    return await _page(visit, await visit.item_in_sight(visit.path["item"]))


async def act(visit: Visit) -> Response:
    """Do what the form says; show the item again with what was typed where it may not be, or what stands in the way.

    A referral that was sent twice finds the item gone: whoever sent both is led on as by the first.
    """
    try:
        return await _act(visit)
    except Absent:
        if visit.form.text("action") == DecisionAction.REFER and (referred := await _referred(visit)):
            return visit.redirect(f"{HOLDS.path}?done={referred}")
        raise


async def _act(visit: Visit) -> Response:
    item_id = await visit.item_in_sight(visit.path["item"])
    said = visit.form.text("action")
    actor, at = visit.actor, visit.desk.now()
    review = visit.desk.settings.review
    onward = await _onward(visit, item_id) if said in _LEAVES | _CLOSES else ""
    if said == _CLAIM:
        ruling = await visit.desk.store.write(lambda tx: claiming.claim(tx, item_id, actor, at, review))
    elif said == _GIVE_UP:
        ruling = await visit.desk.store.write(lambda tx: claiming.give_up(tx, item_id, actor, at))
    elif said in set(DecisionAction) - {DecisionAction.APPROVE}:
        wish = Wish(
            item_id=item_id,
            action=DecisionAction(said),
            reason=visit.form.secret("reason"),
            words=visit.form.secret("words"),
        )
        notice = visit.desk.settings.notices
        ruling = await visit.desk.store.write(
            lambda tx: decisions.decide(tx, wish, actor, at, review=review, notice=notice)
        )
    else:
        ruling = Ruling(item=None, refused="Choose what is to be done with it.")
    if ruling.refused:
        return await _page(visit, item_id, ruling)
    if said in _CLAIMING and visit.form.text(
        "typed-for"
    ):  # sent from within a decision, whose words are not done with
        return await _page(visit, item_id, keeps_text=True)
    flag = ruling.item is not None and ruling.item.state is ItemState.OPEN
    if ruling.done in _LEAVES or (flag and ruling.done in _CLOSES):
        return visit.redirect(onward)
    return visit.redirect(f"/items/{item_id}{await _undo_of_the_last(visit)}")


async def again(visit: Visit) -> Response:
    """Show the item with what was typed before the session changed; nothing is done until it is sent once more."""
    item_id = await visit.item_in_sight(visit.path["item"])
    why = "the form was out of date: you have signed in anew. Nothing was done; look once more, and send it again"
    return await _page(visit, item_id, Ruling(item=None, refused=why), status=403)


async def frame(visit: Visit) -> Response:
    """Show the HTML of a message with everything taken out that acts, loads or hides; for the frame on its page."""
    _, raw = await _message(visit, await visit.item_in_sight(visit.path["item"]), "html")
    return item_safe_html.framed(await visit.desk.reader.layout(raw))


async def source(visit: Visit) -> Response:
    """Show header block, parts and source."""
    _, looked = await look_at(visit, await visit.item_in_sight(visit.path["item"]), "source")
    if isinstance(looked, str):
        return visit.page("message.html", title="Source", says=looked)
    item_id, anatomy = visit.path["item"], looked[1]
    return await asyncio.to_thread(visit.page, "item_source.html", item_id=item_id, anatomy=anatomy)


# --- what the page is made of -------------------------------------------------------------------------------


async def _page(
    visit: Visit, item_id: str, ruling: Ruling | None = None, *, status: int = 422, keeps_text: bool = False
) -> Response:
    """Return the page of an item, with what was typed where ``ruling`` refused it or ``keeps_text``."""
    full = await _view(visit, item_id, "item")
    item, now = full.item, visit.desk.now()
    raw, rounds = await visit.desk.store.read(
        lambda tx: (items.message(tx, item.id), _round(tx, visit, full, now))
    )
    style = await asyncio.to_thread(_style, rounds.policy_bundle)
    looked = await visit.desk.reader.look(raw, style)
    authored, anatomy = looked if not isinstance(looked, str) else (Authored(), None)
    findings = full.verdict.findings
    without = await asyncio.to_thread(_without, full, authored, rounds.policy_bundle) if anatomy else {}
    if ruling is None or ruling.conflict is not None:
        status = 200 if ruling is None else 409
    return await asyncio.to_thread(  # a long mail takes a while to be escaped
        visit.page,
        "item.html",
        status=status,
        item=item,
        full=full,
        officer=_member(visit, item),
        words=await asyncio.to_thread(words, authored, findings),
        unread=looked if isinstance(looked, str) else "",
        anatomy=anatomy,
        without=without,
        round=rounds,
        picture=_picture(rounds, item),
        ruling=ruling,
        typed=visit.form if keeps_text or ruling is not None else None,
        review=visit.desk.settings.review,
        names=officer_names(visit.registry, rounds.waiting),
        remedies=REMEDIES,
        ties={one.id: tie(one, item, authored) for one in rounds.versions},
        now=now,
        is_mine=rounds.claim is not None and rounds.claim.actor == visit.person.email,
        may_decide=visit.may(Permission.HOLD_RELEASE),
    )


def _round(tx: Tx, visit: Visit, full: ItemInFull, now: datetime) -> Round:
    """Return what stands round an item, in one moment of the store."""
    item, sight, review = full.item, visit.sight, visit.desk.settings.review
    days = visit.desk.settings.store.history_days
    since = item.held_at - timedelta(days=days)
    people = decisions.claimed_senders(tx, item, visit.registry)
    first = decisions.standing_approval(tx, item, full.decisions, visit.registry)
    rules = records.rule_set(tx, full.verdict.rules_hash)
    waiting = queue.page(tx, sight, TO_DECIDE[item.kind], limit=_LIST_ROWS)
    return Round(
        item_id=item.id,
        waiting=waiting,
        hands=hands_of(tx, (row.item.id for row in waiting), visit.registry, now),
        next_item=following(tx, visit, item.id, item.kind, urgent_first=False),
        earlier=tuple(
            one for one in related.items_of(tx, sight, people, limit=_EARLIER) if one.id != item.id
        ),
        moments=related.timeline(tx, sight, people, item.contacts, since, limit=_TIMELINE),
        versions=related.near(tx, sight, item, review.resend_days, limit=5),
        deliveries=outbox.deliveries_of(tx, item.id),
        claim=claims.claim_of(tx, item.id, now),
        excluded=items.excluded_of(tx, item.id),
        approved_by=first.actor if first else "",
        needs_two=decisions.needs_two(full.verdict, review),
        aftermath=aftermath(tx, visit, item.id),
        policy_bundle=rules.bundle if rules is not None else "",
        failed=failed_on(tx, sight, HOLDS),
    )  # fmt: skip


def _without(full: ItemInFull, authored: Authored, bundle: str) -> Mapping[int, Action]:
    """Return what would have become of the message without each finding, by its number; empty when not known."""
    verdict = full.verdict
    if not bundle or verdict.parties is None:
        return {}
    policy = _policy(bundle)
    found: dict[int, Action] = {}
    for number, finding in enumerate(verdict.findings, start=1):
        rest = tuple(one for one in verdict.findings if one is not finding)
        made = verdict_on(
            inspection=Inspection(
                findings=rest,
                rules_hash=verdict.rules_hash,
                model_hash=verdict.model_hash,
                urgent=verdict.urgent,
            ),
            authored=authored,
            parties=verdict.parties,
            policy=policy,
            mode=verdict.mode,
            history=verdict.history,
            decided_at=verdict.decided_at,
            code_version=verdict.code_version,
            limits=verdict.limits,
        )
        found[number] = made.proposed
    return found


@lru_cache(maxsize=4)
def _style(bundle: str) -> HouseStyle:
    """Return the force's own texts as the set in force that day had them."""
    return inspection.house_style_of(inspection.Bundle.from_json(bundle)) if bundle else HouseStyle()


@lru_cache(maxsize=4)
def _policy(bundle: str) -> Policy:
    return inspection.policy_of(inspection.Bundle.from_json(bundle))


def _picture(rounds: Round, item: Item) -> Timeline | None:
    return timeline(rounds.moments, item.id)


def _member(visit: Visit, item: Item) -> StaffMember | None:
    if visit.registry is None or item.officer is None:
        return None
    return visit.registry.staff_by_id.get(item.officer)


def tie(other: Item, item: Item, authored: Authored) -> str:
    """Return what makes ``other`` look like another version of ``item``, in words; empty: the contact alone."""
    headers = authored.headers
    if other.message_id and other.message_id in {headers.in_reply_to, *headers.references}:
        return "this one answers it"
    if _subject(other.subject) and _subject(other.subject) == _subject(item.subject):
        return "same subject"
    return ""


def _subject(text: str) -> str:
    """Return a subject without the marks of answers and forwards."""
    folded = " ".join(text.casefold().split())
    while folded.startswith(("re:", "fw:", "fwd:")):
        folded = folded.partition(":")[2].strip()
    return folded


# --- doors to the message -----------------------------------------------------------------------------------


async def _view(visit: Visit, item_id: str, what: str) -> ItemInFull:
    """Return the item, the look recorded; raises `Absent` where it may not be looked at."""
    actor, at = visit.actor, visit.desk.now()
    full, _ = await visit.desk.store.write(lambda tx: decisions.view(tx, item_id, actor, at, what=what))
    if full is None:
        raise Absent
    return full


async def look_at(visit: Visit, item_id: str, what: str) -> tuple[ItemInFull, tuple[Authored, Anatomy] | str]:
    """Return an item and its message as read again, the look recorded; raises `Absent` where it may not be."""
    full, raw = await _message(visit, item_id, what)
    return full, await visit.desk.reader.look(raw)


async def _message(visit: Visit, item_id: str, what: str) -> tuple[ItemInFull, bytes]:
    """Return an item and its bytes, the look recorded; raises `Absent` where it may not be looked at."""
    full = await _view(visit, item_id, what)
    return full, await visit.desk.store.read(lambda tx: items.message(tx, item_id))


async def _onward(visit: Visit, item_id: str) -> str:
    """Return where to go once ``item_id`` is decided: the item that wants a decision next, else the list itself.

    Asked before the decision: behind one that was referred a reviewer finds nothing any more, and has not pried either.
    """

    def look(tx: Tx) -> str:
        found = items.item(tx, item_id)
        kind = found.kind if found is not None else ItemKind.HOLD
        after = following(tx, visit, item_id, kind, urgent_first=True)
        return f"/items/{after}" if after else (HOLDS if kind is ItemKind.HOLD else FLAGS).path

    return f"{await visit.desk.store.read(look)}?done={item_id}"


async def _undo_of_the_last(visit: Visit) -> str:
    """Return the query by which the page goes on offering to undo the release that led to it; empty when there is none."""
    if not visit.query.get("done"):
        return ""
    undoable = (await visit.desk.store.read(lambda tx: aftermath(tx, visit))).undoable
    return f"?done={undoable.item_id}" if undoable else ""


async def _referred(visit: Visit) -> str:
    """Return the item of the path if the visitor referred it in these very words: the form was sent twice. Else an empty string."""
    actor, reason = visit.person.email, visit.form.text("reason")
    decided = await visit.desk.store.read(lambda tx: items.decisions_of(tx, MessageId(visit.path["item"])))
    own = (one for one in decided if one.actor == actor and one.action is DecisionAction.REFER)
    return next((one.item_id for one in own if one.reason == reason), "")


PAGES = (
    Page(path="/items/{item}", permission=Permission.ITEM_VIEW, get=show, post=act, stale=again),
    Page(path="/items/{item}/html", permission=Permission.ITEM_VIEW, get=frame),
    Page(path="/items/{item}/source", permission=Permission.ITEM_VIEW, get=source),
)
