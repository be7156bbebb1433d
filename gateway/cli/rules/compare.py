"""`gateway rules backtest|diff`: what a rule set would do with mail that is there, against what did or another set.

Neither moves mail, and neither shows a word of stored mail: `gateway holds show` does, to who may read it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway import inspection
from gateway.cli.invocation import (
    ConfigOption,
    JsonOption,
    code_version,
    emit,
    fail,
    printable,
    settings_from,
)
from gateway.cli.rules.mail import (
    AsOption,
    Reader,
    StoreOption,
    Tried,
    examples_of,
    given,
    opened,
    ordinary,
    reader_called,
    stored,
)
from gateway.cli.rules.sets import LanguageOption, RulesOption, bundle_of, print_mistakes, progress
from gateway.errors import Mistakes
from gateway.model import Action
from gateway.rehearsal.benign import baseline_of
from gateway.rehearsal.comparison import (
    Change,
    Kind,
    Opinion,
    Standing,
    Summary,
    opinion_of,
    ordered,
    summary,
)
from gateway.rehearsal.judging import Judge
from gateway.store import Store, records

_SMALL: Final = 5
"""Cells below it are not shown to who may not list items: with few of them, a figure is a person (DECISIONS 30)."""
_LISTED: Final = 200
_COLOURS: Final = {Kind.LOST: "yellow", Kind.GAINED: "cyan", Kind.CHANGED: None, Kind.SAME: None}
PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Mail: .eml files, folders of them, folders of a corpus.", show_default=False),
]
SinceOption = Annotated[
    datetime | None, typer.Option("--since", help="Only stored items from this day on.", formats=["%Y-%m-%d"])
]


def backtest(  # noqa: PLR0913 - its options
    paths: PathsArgument = None,
    *,
    in_store: StoreOption = False,
    folders: RulesOption = None,
    against: Annotated[
        str,
        typer.Option(
            help="Compare with this set: a folder, or the hash of a kept one. Else with what was done."
        ),
    ] = "",
    since: SinceOption = None,
    as_: AsOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Say what a rule set would do with stored or given mail, against what was done with it or another set.

    The set is that of --rules, else the one on disk. Given mail counts as sent to contacts with an open case; nothing was
    done with it, so without --against all that would be flagged or held is gained.
    """
    if in_store == bool(paths):
        raise typer.BadParameter("give files or folders, or --store")
    settings = settings_from(config)
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(settings.store)) if in_store or _is_kept(against) else None
        reader = reader_called(store, settings, as_) if in_store and store is not None else None
        new = _judge(_bundle(folders, config, as_json=as_json), language=language)
        old = _judge(_named(against, store, as_json=as_json), language=language) if against else None
        sets = tuple(judge.engine.rules_hash for judge in (new, old) if judge is not None)
        tried = _mail(paths or (), new, store, reader, sets, since)
        changes = [_change(each, old, new) for each in tried]
    _show(changes, reader, as_json=as_json)


def diff(  # noqa: PLR0913 - its options
    old: Annotated[str, typer.Argument(help="Rule folder, or the hash of a kept set.")],
    new: Annotated[str, typer.Argument(help="Rule folder, or the hash of a kept set.")],
    paths: PathsArgument = None,
    *,
    in_store: StoreOption = False,
    since: SinceOption = None,
    as_: AsOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Compare two rule sets over their ordinary mail, their examples, PATHS, and with --store over stored mail.

    Confirmed crossings that NEW would lose come first, then proper mail that it would stop. Exit 1 if there is either.
    """
    settings = settings_from(config)
    with ExitStack() as stack:
        wanted = in_store or _is_kept(old) or _is_kept(new)
        store = stack.enter_context(Store.open(settings.store)) if wanted else None
        reader = reader_called(store, settings, as_) if in_store and store is not None else None
        bundles = [_named(name, store, as_json=as_json) for name in (old, new)]
        before, after = (_judge(bundle, language=language) for bundle in bundles)
        sets = (after.engine.rules_hash, before.engine.rules_hash)
        tried = [*_beside(bundles, (old, new), after, as_json=as_json)]
        over = _mail(paths or (), after, store, reader, sets, since)
        every = (each for source in (progress(tried, "examples", len(tried)), over) for each in source)
        changes = [_change(each, before, after, compared=True) for each in every]
    _show(changes, reader, as_json=as_json)
    if any(change.is_wrong for change in changes):
        raise typer.Exit(1)


def _beside(
    bundles: Iterable[inspection.Bundle], names: Iterable[str], judge: Judge, *, as_json: bool
) -> Iterator[Tried]:
    """Yield the ordinary mail of the folders among ``names`` and the examples of both sets, what stands in both once."""
    seen: set[tuple[object, ...]] = set()
    folders = tuple(Path(name) for name in names if not _is_kept(name))
    try:
        baseline = baseline_of(inspection.read_benign(tuple(dict.fromkeys(folders))))
    except Mistakes as found:
        print_mistakes(found.mistakes, "gate", as_json=as_json)
        raise typer.Exit(1) from None
    sources = (ordinary(baseline, judge), *(examples_of(inspection.rules_of(bundle)) for bundle in bundles))
    for source in sources:
        for each in source:
            key = (each.sample.raw, each.sample.authored, each.sample.name.rpartition(" ")[0])
            if key not in seen:
                seen.add(key)
                yield each


def _mail(
    paths: Iterable[Path],
    judge: Judge,
    store: Store | None,
    reader: Reader | None,
    sets: tuple[str, ...],
    since: datetime | None,
) -> Iterator[Tried]:
    """Yield given mail, and stored mail if ``reader`` asks for it."""
    found = list(given(paths, judge.policy.timezone))
    yield from progress(found, "mail", len(found))
    if store is not None and reader is not None:
        ids = stored(store, reader, sets, None if since is None else since.replace(tzinfo=UTC))
        yield from progress(opened(store, ids), "stored mail", len(ids))


def _change(tried: Tried, old: Judge | None, new: Judge, *, compared: bool = False) -> Change:
    if old is not None:
        before = opinion_of(old.judge(tried.sample).verdict)
    elif tried.verdict is not None and not compared:
        before = opinion_of(tried.verdict)
    else:
        before = Opinion(action=Action.PASS)
    after = opinion_of(new.judge(tried.sample).verdict)
    return Change(name=tried.sample.name, standing=tried.standing, before=before, after=after)


# --- sets ---------------------------------------------------------------------------------------------------


def _is_kept(name: str) -> bool:
    """Return whether ``name`` can only be the hash of a kept set: no folder is called so."""
    return bool(name) and not Path(name).exists()


def _named(name: str, store: Store | None, *, as_json: bool) -> inspection.Bundle:
    """Return the set in a folder, or a kept one by the beginning of its hash; ends the command where there is none."""
    if not _is_kept(name):
        return _bundle([Path(name)], None, as_json=as_json)
    assert store is not None
    hashes = store.read_now(lambda tx: records.rule_sets_called(tx, name.lower()))
    if len(hashes) != 1:
        fail(f"{name}: {'more than one kept set' if hashes else 'no folder and no kept set'} is called so")
    kept = store.read_now(lambda tx: records.rule_set(tx, hashes[0]))
    assert kept is not None
    return inspection.Bundle.from_json(kept.bundle)


def _bundle(folders: list[Path] | None, config: Path | None, *, as_json: bool) -> inspection.Bundle:
    try:
        bundle = bundle_of(folders, config)
        inspection.rules_of(bundle)
    except Mistakes as found:
        print_mistakes(found.mistakes, "load", as_json=as_json)
        raise typer.Exit(1) from None
    return bundle


def _judge(bundle: inspection.Bundle, *, language: bool) -> Judge:
    return Judge(bundle, language=language, code_version=code_version())


# --- what is shown ------------------------------------------------------------------------------------------


def _show(changes: list[Change], reader: Reader | None, *, as_json: bool) -> None:
    """Print the changes that matter, the gravest first, and the figures; of stored mail as much as the reader may know."""
    is_open = reader is None or reader.sees_items
    figures = summary(changes)
    listed = ordered(changes) if is_open else ()
    if as_json:
        for change in listed:
            emit(_line(change))
        emit(_figures(figures, small=1 if is_open else _SMALL))
        return
    for change in listed[:_LISTED]:
        _print_change(change)
    if len(listed) > _LISTED:
        typer.echo(f"  [... {len(listed) - _LISTED} more; --json prints all]")
    _print_figures(figures, small=1 if is_open else _SMALL)


def _line(change: Change) -> dict[str, object]:
    return {
        "change": change.kind, "mail": change.name, "said_to_be": change.standing, "before": change.before.action,
        "after": change.after.action, "rules_lost": list(change.rules_lost), "rules_gained": list(change.rules_gained),
        "wrong": change.is_wrong,
    }  # fmt: skip


def _print_change(change: Change) -> None:
    said = {
        Standing.CROSSING: " (confirmed crossing)", Standing.PROPER: " (proper)", Standing.UNKNOWN: ""
    }[change.standing]  # fmt: skip
    head = (
        f"{change.kind:<7}  {change.before.action} -> {change.after.action}  {printable(change.name)}{said}"
    )
    typer.echo(
        typer.style(head, fg="red" if change.is_wrong else _COLOURS[change.kind], bold=change.is_wrong)
    )
    for word, rules in (("without", change.rules_lost), ("with", change.rules_gained)):
        if rules:
            typer.echo(f"           {word} {', '.join(rules)}")


def _cell(count: int, small: int) -> int | str:
    """Return a count, or that it is too small to be told."""
    return f"<{small}" if 0 < count < small else count


def _figures(figures: Summary, *, small: int) -> dict[str, object]:
    return {
        "mails": _cell(figures.mails, small),
        "wrong": _cell(figures.wrong, small),
        "actions": {
            one.action: {"before": _cell(one.before, small), "after": _cell(one.after, small)}
            for one in figures.actions
        },
        "rules": {
            one.rule: {"before": _cell(one.before, small), "after": _cell(one.after, small)}
            for one in figures.rules
        },
    }


def _print_figures(figures: Summary, *, small: int) -> None:
    typer.echo(f"\n{_cell(figures.mails, small)} mails, in brackets per 1,000      before         after")
    for one in figures.actions:
        cells = (_rated(figures, count, small) for count in (one.before, one.after))
        typer.echo(f"  {one.action:<34} {'  '.join(f'{cell:>14}' for cell in cells)}")
    for rule in figures.rules:
        before, after = _cell(rule.before, small), _cell(rule.after, small)
        typer.echo(f"  {rule.rule:<34} {before!s:>14}  {after!s:>14}")


def _rated(figures: Summary, count: int, small: int) -> str:
    cell = _cell(count, small)
    return f"{cell} ({figures.per_thousand(count):.1f})" if cell == count else str(cell)
