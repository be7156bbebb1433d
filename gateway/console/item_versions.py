"""Versions of one message side by side: what an officer sent again after a hold was returned, or before it was decided.

A later message is tied to an earlier one of the same officer to the same contact by its headers or its subject, or by the
words they share (`review.resend_similarity`). Each message shown here was looked at, and the audit log says so.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from starlette.responses import Response

from gateway.console.item import look_at, tie
from gateway.console.item_marks import Words, words
from gateway.console.pages import Page, Visit
from gateway.model import Anatomy, Authored
from gateway.review.access import Permission
from gateway.store import related
from gateway.store.rows import Item, ItemInFull

_BESIDE = 3
_WORD = re.compile(r"\w+")
_MAX_WORDS, _MAX_CHARS = 20_000, 200_000
"""How much of a message is compared."""


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
    return _alike(_counted(one), _counted(other))


def _alike(first: Counter[str], second: Counter[str]) -> float:
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
    seen = [(this, looked)] + [await look_at(visit, one.id, "versions") for one in near]
    shown = await asyncio.to_thread(_beside, seen, review.resend_similarity)
    return await asyncio.to_thread(visit.page, "item_versions.html", item=this.item, versions=shown)


def _beside(
    seen: Sequence[tuple[ItemInFull, tuple[Authored, Anatomy] | str]], enough: float
) -> tuple[Version, ...]:
    """Return the messages by their time, each with what ties it to the first of ``seen``."""
    (this, looked), *others = seen
    authored = _authored(looked)
    own = _counted(_text(authored))
    shown = [_version(this, looked, similarity=1.0, tie="", is_version=True)]
    for full, theirs in others:
        one, read = full.item, _authored(theirs)
        is_earlier = one.held_at <= this.item.held_at
        tied = tie(one, this.item, authored) if is_earlier else tie(this.item, one, read)
        share = _alike(own, _counted(_text(read)))
        is_version = bool(tied) or share >= enough
        shown.append(_version(full, theirs, similarity=share, tie=tied, is_version=is_version))
    return tuple(sorted(shown, key=lambda version: (version.item.held_at, version.item.id)))


def _version(
    full: ItemInFull, looked: tuple[Authored, Anatomy] | str, *, similarity: float, tie: str, is_version: bool
) -> Version:
    return Version(
        item=full.item,
        words=words(_authored(looked), full.verdict.findings),
        unread=looked if isinstance(looked, str) else "",
        similarity=similarity,
        tie=tie,
        is_version=is_version,
    )


def _authored(looked: tuple[Authored, Anatomy] | str) -> Authored:
    return Authored() if isinstance(looked, str) else looked[0]


def _text(authored: Authored) -> str:
    return "\n".join(passage.text for passage in authored.passages)


def _counted(text: str) -> Counter[str]:
    found = (match[0] for match in _WORD.finditer(text[:_MAX_CHARS].casefold()))
    return Counter(islice(found, _MAX_WORDS))


PAGES = (Page(path="/items/{item}/versions", permission=Permission.ITEM_VIEW, get=versions),)
