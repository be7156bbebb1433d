"""`gateway holds`: what waits for a reviewer, and the two decisions on it.

The same access check and the same functions as the console; the system's user stands in the audit log beside the
account that decides. A decision is a row in the store: `gateway serve` delivers.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from gateway.cli.invocation import (
    ConfigOption,
    JsonOption,
    emit,
    fail,
    printable,
    settings_from,
    unreadable_line,
)
from gateway.cli.listing import (
    AsOption,
    LimitOption,
    StateOption,
    instant,
    item_line,
    list_items,
    states_of,
    system_actor,
)
from gateway.model import Finding, ItemKind, ItemState
from gateway.review import decisions
from gateway.review.decisions import Actor, Ruling
from gateway.settings import Settings
from gateway.store import Store, Tx, items, records
from gateway.store.rows import ItemInFull

app = typer.Typer(no_args_is_help=True, help="List, show, release and return held messages.")

IdArgument = Annotated[str, typer.Argument(help="Id of the item, as `holds list` shows it.", metavar="ID")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your own words; it is kept.")]
DEFAULT_ACCOUNT = "default_account"
"""The fact that names the account which decides when ``--as`` is not given; the first one that was added."""


@app.command("list")
def list_(
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
    state: StateOption = "",
    limit: LimitOption = 1000,
) -> None:
    """List holds that are neither released nor returned, oldest first; `--state all` shows the rest too."""
    states = states_of(state, items.UNDECIDED, ItemState)
    list_items(ItemKind.HOLD, states, config, as_=as_, limit=limit, as_json=as_json)


@app.command()
def show(
    item: IdArgument,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
    raw: Annotated[bool, typer.Option("--raw", help="Print the message itself, byte for byte.")] = False,
) -> None:
    """Show a held or flagged message: who wrote to whom, each finding with its words, and what was decided."""
    settings = settings_from(config)
    with Store.open(settings.store) as store:
        actor = _actor(store, settings, as_)
        full, refused = store.write_now(lambda tx: decisions.view(tx, item, actor, datetime.now(UTC)))
        if full is None:
            fail(refused)
        message = store.read_now(lambda tx: items.message(tx, item)) if raw else b""
    if raw:
        sys.stdout.buffer.write(message)
    elif as_json:
        emit(_full_line(full))
    else:
        _print_full(full)


@app.command()
def release(
    item: IdArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
) -> None:
    """Approve a hold for delivery; `gateway serve` sends it, unchanged, to the recipients whose copy waits."""
    settings = _deciding(config)
    _decide(decisions.release, item, reason, settings, as_=as_, becomes=ItemState.RELEASING, as_json=as_json)


@app.command("return")
def return_(
    item: IdArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
) -> None:
    """Close a hold undelivered; its sender gets the force's neutral notice (notices.return_text)."""
    settings = _deciding(config)
    back = partial(decisions.return_to_officer, settings=settings.notices)
    _decide(back, item, reason, settings, as_=as_, becomes=ItemState.RETURNED, as_json=as_json)


def _deciding(config: ConfigOption) -> Settings:
    settings = settings_from(config)
    if settings.console.only:
        fail("decisions are made in the console here (console.only)")
    return settings


def _actor(store: Store, settings: Settings, email: str) -> Actor:
    """Return who acts: the account ``--as`` names, else the default one. Ends the command when there is none."""
    from gateway.registry import load_last_good

    registry = load_last_good(settings.registry)
    wanted = email or store.read_now(lambda tx: records.fact(tx, DEFAULT_ACCOUNT)) or ""
    if not wanted:
        fail("who decides? Name yourself with --as EMAIL, or make an account with `gateway accounts add`")
    person = store.read_now(lambda tx: decisions.person_called(tx, registry, wanted))
    if person is None:
        fail(
            f"{wanted} has no account and is neither supervisor nor PSD on the staff list; see `gateway accounts add`"
        )
    return Actor(person=person, registry=registry, system=system_actor())


def _decide(
    decision: Callable[[Tx, str, Actor, str, datetime], Ruling],
    item: str,
    reason: str,
    settings: Settings,
    *,
    as_: str,
    becomes: ItemState,
    as_json: bool,
) -> None:
    """Have the account that ``as_`` names decide on ``item``, and say what became of it; exit 1 if it may not."""
    with Store.open(settings.store) as store:
        actor = _actor(store, settings, as_)
        ruling = store.write_now(lambda tx: decision(tx, item, actor, reason, datetime.now(UTC)))
    if ruling.refused:
        fail(ruling.refused)
    if as_json:
        emit({"id": item, "state": becomes})
    else:
        typer.echo(f"{item} is {becomes}")


def _full_line(full: ItemInFull) -> dict[str, object]:
    verdict = full.verdict
    return item_line(full.item) | {
        "score": verdict.score,
        "because": list(verdict.because),
        "urgent_why": verdict.urgent,
        "findings": [_finding_line(finding) for finding in verdict.findings],
        "unreadable": [unreadable_line(one) for one in verdict.unreadable],
        "registry_stale": verdict.registry_stale,
        "rules_hash": verdict.rules_hash,
        "excluded": list(full.item.excluded),
        "sender_told_failed": full.item.sender_told_failed,
        "delivery": full.item.delivery,
        "decisions": [
            {"at": instant(one.at), "actor": one.actor, "action": one.action, "reason": one.reason}
            for one in full.decisions
        ],
    }


def _finding_line(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "category": finding.category,
        "severity": finding.severity,
        "points": finding.points,
        "text": finding.text,
        "part": finding.part,
        "start": finding.start,
        "end": finding.end,
        "why": finding.why,
        "status": finding.status,
        "softened": finding.softened,
        "for_reviewer": finding.for_reviewer,
    }


def _print_full(full: ItemInFull) -> None:
    item, verdict = full.item, full.verdict
    typer.echo(f"{item.id}  {item.kind}  {item.state}{'  URGENT' if item.urgent else ''}")
    typer.echo(f"from     {printable(item.sender) or '<>'}")
    typer.echo(f"to       {printable(', '.join(item.recipients))}")
    typer.echo(f"subject  {printable(item.subject) or '(none)'}")
    typer.echo(f"held at  {instant(item.held_at)}")
    typer.echo(f"because  {', '.join(verdict.because) or 'nothing'} (score {verdict.score})")
    if verdict.urgent:
        typer.echo(f"urgent   {verdict.urgent}")
    for finding in verdict.findings:
        typer.echo(f"\n  {finding.rule}  {finding.severity}, {finding.points} points")
        if finding.part is not None:
            typer.echo(f"    {finding.part}: “{printable(finding.text)}”")
        typer.echo(f"    {finding.why}")
        if finding.for_reviewer:
            typer.echo(f"    Ask: {finding.for_reviewer}")
    for one in verdict.unreadable:
        typer.echo(f"\n  not read: {one.part or 'the message'} ({one.reason}): {printable(one.detail)}")
    for decision in full.decisions:
        typer.echo(
            f"\n  {instant(decision.at)}  {decision.action} by {decision.actor}: {printable(decision.reason)}"
        )
    typer.echo("\nA finding is a question for you, not an answer. --raw prints the message itself.")
