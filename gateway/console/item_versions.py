"""Versions of one message side by side: what an officer sent again after a hold was returned, or before it was decided.

A later message is tied to an earlier one of the same officer to the same contact by its headers or its subject, or by the
words they share (`review.resend_similarity`). Each message shown here was looked at, and the audit log says so.
"""

import re
from collections import Counter
from dataclasses import dataclass

from starlette.responses import Response

from gateway.console.item import look_at, tie
from gateway.console.item_marks import Words, words
from gateway.console.pages import Page, Visit
from gateway.model import Authored
from gateway.review.access import Permission
from gateway.store import related
from gateway.store.rows import Item

_BESIDE = 3
_WORD = re.compile(r"\w+")
_MAX_WORDS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One message beside another."""

    item: Item
    words: Words
    unread: str
    similarity: float
    tie: str
    is_version: bool


def similarity(one: str, other: str) -> float:
    """Return the share of words that two texts have in common, 0 to 1: twice the common ones over all."""
    first, second = _counted(one), _counted(other)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0


async def versions(visit: Visit) -> Response:
    """Show an item beside the messages nearest to it in time, from the same officer to the same contact."""
    item_id = await visit.item_in_sight(visit.path["item"])
    review, sight = visit.desk.settings.review, visit.sight
    this, looked = await look_at(visit, item_id, "versions")
    near = await visit.desk.store.read(
        lambda tx: related.near(tx, sight, this.item, review.resend_days, limit=_BESIDE)
    )
    authored = Authored() if isinstance(looked, str) else looked[0]
    own = _text(authored)
    shown = [
        Version(
            item=this.item,
            words=words(authored, this.verdict.findings),
            unread=looked if isinstance(looked, str) else "",
            similarity=1.0,
            tie="",
            is_version=True,
        )
    ]
    for one in near:
        full, seen = await look_at(visit, one.id, "versions")
        theirs = Authored() if isinstance(seen, str) else seen[0]
        later, earlier = (authored, one) if one.held_at <= this.item.held_at else (theirs, this.item)
        tied = tie(earlier, this.item if earlier is one else one, later)
        share = similarity(own, _text(theirs))
        shown.append(
            Version(
                item=one,
                words=words(theirs, full.verdict.findings),
                unread=seen if isinstance(seen, str) else "",
                similarity=share,
                tie=tied,
                is_version=bool(tied) or share >= review.resend_similarity,
            )
        )
    shown.sort(key=lambda version: (version.item.held_at, version.item.id))
    return visit.page("item_versions.html", item=this.item, versions=shown)


def _text(authored: Authored) -> str:
    return "\n".join(passage.text for passage in authored.passages)


def _counted(text: str) -> Counter[str]:
    found = _WORD.findall(text.casefold())
    return Counter(found[:_MAX_WORDS])


PAGES = (Page(path="/items/{item}/versions", permission=Permission.ITEM_VIEW, get=versions),)
