"""The rule pages: all rules in force with their figures, one rule, lists and policy as they stand, and who changed what.

For rule authors and professional standards, and for those who oversee the process. Figures are of what the visitor may know
of; no word of a message is on any of these pages. Nothing is changed here: a rule is a file (docs/decisions/0018).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup
from starlette.responses import Response

from gateway.console import rule_numbers
from gateway.console.numbers import SMALLEST
from gateway.console.pages import Absent, Page, Visit
from gateway.console.plots import bars
from gateway.console.rule_book import Book, BookRule, InForce, Stretch
from gateway.console.rule_numbers import Counted, RuleNumbers
from gateway.inspection.schema import Example, ExampleEntry
from gateway.model import RuleStatus, Severity
from gateway.review.access import Permission
from gateway.review.sight import sight_of

_TRIALS: Final = frozenset({RuleStatus.SHADOW})
_UNTOLD_SHARE: Final = 101.0
"""Behind every share in per cent. A cell that is not shown is sorted with all others like it, whatever it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule of the list. ``trial`` is empty where it is not on trial; ``numbers`` None where items are not counted by it."""

    rule: BookRule
    numbers: RuleNumbers | None
    trial: str

    @property
    def items(self) -> str | None:
        """The cell of the items of 90 days."""
        return None if self.numbers is None else self.numbers.items

    @property
    def recent(self) -> str | None:
        """The cell of the items of seven days."""
        return None if self.numbers is None else self.numbers.recent

    @property
    def confirmed(self) -> str | None:
        """The cell of the share that reviewers confirmed."""
        return None if self.numbers is None else self.numbers.confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An example as it is shown: its words by where they stand, and whether facts beside the words belong to it."""

    words: tuple[tuple[str, str], ...]
    has_facts: bool


_ORDERS: Final[Mapping[str, tuple[str, Callable[[Row], tuple[object, ...]]]]] = {
    "rule": ("name", lambda row: (row.rule.entry.id,)),
    "items": ("items, 90 days", lambda row: (-_figure(row.items), row.rule.entry.id)),
    "recent": (
        "items, 7 days",
        lambda row: (-_figure(row.recent), row.rule.entry.id),
    ),
    "confirmed": (
        "least confirmed first",
        lambda row: (_figure(row.confirmed, _UNTOLD_SHARE), row.rule.entry.id),
    ),
    "severity": ("severity", lambda row: (-_severity(row.rule), row.rule.entry.id)),
    "points": ("points", lambda row: (-row.rule.entry.points, row.rule.entry.id)),
    "changed": ("last changed", lambda row: (_changed(row.rule), row.rule.entry.id)),
}
"""By the word in the address: what the order is called, and its key. Only what is shown is sorted by."""


async def listed(visit: Visit) -> Response:
    """Show all rules in force, filtered and in the order that is asked for."""
    in_force, book, counted = await _look(visit)
    rows: list[Row] = []
    if book is not None and counted is not None:
        numbers = rule_numbers.numbers_of(counted, book.rules)
        rows = [_row(rule, numbers, counted) for rule in book.rules.values()]
    asked = {name: visit.query.get(name, "").strip()[:120] for name in ("q", "category", "status", "sort")}
    order = asked["sort"] if asked["sort"] in _ORDERS else "rule"
    chosen = sorted((row for row in rows if _is_asked(row.rule, asked)), key=_ORDERS[order][1])
    return visit.page(
        "rules.html",
        in_force=in_force,
        book=book,
        rows=chosen,
        asked=asked,
        order=order,
        orders={name: title for name, (title, _) in _ORDERS.items()},
        categories=sorted({row.rule.category for row in rows}),
        statuses=tuple(RuleStatus),
        smallest=SMALLEST,
    )


async def one(visit: Visit) -> Response:
    """Show one rule in force."""
    in_force, book, counted = await _look(visit)
    rule = book.rules.get(visit.path["rule"]) if book is not None else None
    if rule is None or counted is None:
        raise Absent
    entry, now = rule.entry, visit.desk.now()
    numbers = rule_numbers.numbers_of(counted, book.rules)[entry.id] if book is not None else None
    stretches = await visit.desk.rules.stretches(entry.id)
    steps = [change for change in await visit.desk.rules.changes() if change.rule == entry.id]
    return visit.page(
        "rule.html",
        in_force=in_force,
        rule=rule,
        numbers=numbers if _is_counted(rule) else None,
        plot=_plot(numbers) if numbers is not None and _is_counted(rule) else None,
        trial=_trial(rule, counted),
        days=_days(stretches, rule, now),
        stretches=stretches,
        steps=steps,
        hits=tuple(map(_example, entry.examples.hit)),
        misses=tuple(map(_example, entry.examples.miss)),
        today=now.date(),
        smallest=SMALLEST,
        may_try=visit.may(Permission.RULES_TRY),
    )


async def policy(visit: Visit) -> Response:
    """Show policy.yaml of the set in force, and its lists by name."""
    in_force, book = await _in_force(visit)
    used = _used(book) if book is not None else {}
    return visit.page("rule_policy.html", in_force=in_force, book=book, used=used)


async def one_list(visit: Visit) -> Response:
    """Show one list of the set in force."""
    in_force, book = await _in_force(visit)
    found = book.lists.get(visit.path["list"]) if book is not None else None
    if book is None or found is None:
        raise Absent
    return visit.page(
        "rule_list.html", in_force=in_force, found=found, used=_used(book).get(found.entry.list, ())
    )


async def changes(visit: Visit) -> Response:
    """Show who changed what and when, by the audit log."""
    in_force, book = await _in_force(visit)
    found = await visit.desk.rules.changes()
    return visit.page(
        "rule_changes.html",
        in_force=in_force,
        changes=found,
        known=frozenset(book.rules) if book else frozenset(),
    )


# --- what the pages are made of -----------------------------------------------------------------------------


async def _in_force(visit: Visit) -> tuple[InForce | None, Book | None]:
    in_force = await visit.desk.rules.in_force(visit.desk.now())
    return in_force, await visit.desk.rules.book(in_force.hash) if in_force is not None else None


async def _look(visit: Visit) -> tuple[InForce | None, Book | None, Counted | None]:
    in_force, book = await _in_force(visit)
    if book is None:
        return in_force, None, None
    sight, now = sight_of(visit.person, visit.registry, Permission.RULES_VIEW), visit.desk.now()
    return in_force, book, await visit.desk.store.read(lambda tx: rule_numbers.count(tx, sight, now))


def _row(rule: BookRule, numbers: Mapping[str, RuleNumbers], counted: Counted) -> Row:
    found = numbers[rule.entry.id] if _is_counted(rule) else None
    return Row(rule=rule, numbers=found, trial=_trial(rule, counted))


def _is_counted(rule: BookRule) -> bool:
    """Return whether items are remembered by the rule: only findings with points are, and only of rules that act."""
    return rule.entry.points > 0 and rule.entry.status in {RuleStatus.FLAG, RuleStatus.ENFORCE}


def _trial(rule: BookRule, counted: Counted) -> str:
    if rule.entry.status not in _TRIALS:
        return ""
    return rule_numbers.on_trial(counted, rule.entry.id, rule.entry.version)


def _is_asked(rule: BookRule, asked: Mapping[str, str]) -> bool:
    words = f"{rule.entry.id} {rule.entry.title} {rule.entry.why}".casefold()
    return (
        all(word in words for word in asked["q"].casefold().split())
        and asked["category"] in {"", rule.category}
        and asked["status"] in {"", rule.entry.status}
    )


def _figure(cell: str | None, untold: float = -1.0) -> float:
    return untold if cell is None else float(cell.removesuffix(" %"))


def _severity(rule: BookRule) -> int:
    return tuple(Severity).index(rule.entry.severity)


def _changed(rule: BookRule) -> int:
    return -rule.entry.changed.toordinal() if rule.entry.changed is not None else 0


def _plot(numbers: RuleNumbers) -> Markup:
    cells = ((week.name, None if week.items is None else float(week.items)) for week in numbers.weeks)
    return bars("Items in which it came true, by week", tuple(cells))


def _days(stretches: Iterable[Stretch], rule: BookRule, now: datetime) -> int:
    """Return for how many whole days the rule has been in force at its status and version."""
    stood = (
        (one.until or now) - one.since
        for one in stretches
        if (one.status, one.version) == (rule.entry.status, rule.entry.version)
    )
    return sum(stood, timedelta()).days


def _example(example: Example) -> Shown:
    entry = ExampleEntry(body=example) if isinstance(example, str) else example
    words = (
        ("subject", entry.subject),
        ("", entry.body),
        ("quotes", entry.quoted),
        ("attachment", entry.attachment_name),
    )
    facts = entry.model_fields_set & {"headers", "conduct", "softened"}
    return Shown(words=tuple((place, text) for place, text in words if text), has_facts=bool(facts))


def _used(book: Book) -> Mapping[str, tuple[str, ...]]:
    """Return the rules that name each list."""
    found: dict[str, list[str]] = {name: [] for name in book.lists}
    for rule in book.rules.values():
        for name in rule.lists:
            found.setdefault(name, []).append(rule.entry.id)
    return {name: tuple(sorted(rules)) for name, rules in found.items()}


PAGES = (
    Page(path="/rules", permission=Permission.RULES_VIEW, get=listed, nav="Rules"),
    Page(path="/rules/changes", permission=Permission.RULES_VIEW, get=changes),
    Page(path="/rules/policy", permission=Permission.RULES_VIEW, get=policy),
    Page(path="/rules/lists/{list}", permission=Permission.RULES_VIEW, get=one_list),
    Page(path="/rules/{rule}", permission=Permission.RULES_VIEW, get=one),
)
"""For rule authors, professional standards and the oversight body."""
