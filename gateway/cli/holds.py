"""`gateway holds`: what waits for a reviewer, and the decisions on it; on a flag too, where they make sense.

The same access check and the same functions as the console; the system's user stands in the audit log beside the
account that decides. A decision is a row in the store: `gateway serve` delivers.
"""

import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
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
from gateway.model import Finding, ItemKind, ItemState, Label
from gateway.review import claims, decisions
from gateway.review.decisions import Actor, Ruling, Wish
from gateway.settings import Settings
from gateway.store import Store, Tx, items, records
from gateway.store.rows import DecisionAction, Item, ItemInFull

app = typer.Typer(no_args_is_help=True, help="List, show and decide on held messages.")

IdArgument = Annotated[str, typer.Argument(help="Id of the item, as `holds list` shows it.", metavar="ID")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your own words; it is kept.")]
DEFAULT_ACCOUNT = "default_account"
"""The fact that names the account which decides when ``--as`` is not given; the first one that was added."""


class Word(StrEnum):
    """A reviewer's word on an item."""

    CROSSING = "crossing"
    FALSE_ALARM = "false-alarm"


_LABELS = {Word.CROSSING: DecisionAction.CONFIRM, Word.FALSE_ALARM: DecisionAction.FALSE_ALARM}


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
    now: Annotated[
        bool, typer.Option("--now", help="Without the time for second thoughts (review.undo_s).")
    ] = False,
) -> None:
    """Approve a hold for delivery; `gateway serve` sends it, unchanged, to the recipients whose copy waits.

    It goes out after review.undo_s; until then `holds undo` takes it back. What is severe needs two people: the
    first approval is kept, and nothing is sent before the second.
    """
    wish = Wish(item_id=item, action=DecisionAction.RELEASE, reason=reason, at_once=now)
    _decide(wish, config, as_=as_, as_json=as_json)


@app.command("return")
def return_(
    item: IdArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
    words: Annotated[
        str, typer.Option("--words", help="What the officer is told; without it the force's neutral notice.")
    ] = "",
    text: Annotated[
        str, typer.Option("--text", help="As --words: the one of review.return_texts with this name.")
    ] = "",
) -> None:
    """Close a hold undelivered; its sender gets the force's neutral notice (notices.return_text), or your words."""
    texts = _deciding(config).review.return_texts
    if text and (words or text not in texts):
        raise typer.BadParameter(f"one of: {', '.join(sorted(texts))}; or --words", param_hint="--text")
    wish = Wish(
        item_id=item, action=DecisionAction.RETURN, reason=reason, words=texts[text] if text else words
    )
    _decide(wish, config, as_=as_, as_json=as_json)


@app.command()
def undo(
    item: IdArgument, config: ConfigOption = None, *, as_json: JsonOption = False, as_: AsOption = ""
) -> None:
    """Take a release back before anything of it was sent."""
    _decide(Wish(item_id=item, action=DecisionAction.UNDO), config, as_=as_, as_json=as_json)


@app.command()
def claim(
    item: IdArgument,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
    give_up: Annotated[bool, typer.Option("--give-up", help="End your claim instead.")] = False,
) -> None:
    """Take an item to yourself for review.claim_s, so that nobody else decides on it meanwhile."""
    settings = _deciding(config)
    at = datetime.now(UTC)
    with Store.open(settings.store) as store:
        actor = _actor(store, settings, as_)
        if give_up:
            ruling = store.write_now(lambda tx: claims.give_up(tx, item, actor, at))
        else:
            ruling = store.write_now(lambda tx: claims.claim(tx, item, actor, at, settings.review))
    if ruling.refused:
        fail(ruling.refused)
    until = None if give_up else at + timedelta(seconds=settings.review.claim_s)
    if as_json:
        emit({"id": item, "claimed_by": "" if give_up else actor.person.email, "until": instant(until)})
    else:
        typer.echo(f"{item} is free again" if give_up else f"{item} is yours until {instant(until)}")


@app.command()
def refer(
    item: IdArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
) -> None:
    """Hand an item to professional standards; a hold stays held, and they alone see it from then on."""
    wish = Wish(item_id=item, action=DecisionAction.REFER, reason=reason)
    _decide(wish, config, as_=as_, as_json=as_json)


@app.command()
def label(
    item: IdArgument,
    label: Annotated[Word, typer.Argument(help="crossing, or false-alarm.", metavar="LABEL")],
    reason: ReasonOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
) -> None:
    """Say whether it was a crossing. It moves no hold, closes a flag, and is what the rules are measured by."""
    wish = Wish(item_id=item, action=_LABELS[label], reason=reason)
    _decide(wish, config, as_=as_, as_json=as_json)


@app.command()
def note(
    item: IdArgument,
    reason: Annotated[str, typer.Option("--text", help="The note; it is kept with the item.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
) -> None:
    """Write a note on an item, for whoever looks at it next."""
    wish = Wish(item_id=item, action=DecisionAction.NOTE, reason=reason)
    _decide(wish, config, as_=as_, as_json=as_json)


@app.command()
def reopen(
    item: IdArgument,
    reason: ReasonOption,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
    as_: AsOption = "",
) -> None:
    """Open a closed flag again, or (professional standards alone) a hold that was returned."""
    wish = Wish(item_id=item, action=DecisionAction.REOPEN, reason=reason)
    _decide(wish, config, as_=as_, as_json=as_json)


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
        fail("who asks? Name yourself with --as EMAIL, or make an account with `gateway accounts add`")
    person = store.read_now(lambda tx: decisions.person_called(tx, registry, wanted))
    if person is None:
        fail(
            f"{wanted} has no account and is neither supervisor nor PSD on the staff list; see `gateway accounts add`"
        )
    return Actor(person=person, registry=registry, system=system_actor())


def _decide(wish: Wish, config: ConfigOption, *, as_: str, as_json: bool) -> None:
    """Have the account that ``as_`` names decide, and say what became of the item; exit 1 if it may not."""
    settings = _deciding(config)
    with Store.open(settings.store) as store:
        actor = _actor(store, settings, as_)
        at = datetime.now(UTC)
        ruling, item, standing = store.write_now(lambda tx: _after(tx, wish, actor, at, settings))
    if ruling.refused or item is None:
        fail(ruling.refused)
    line: dict[str, object] = {"id": item.id, "state": item.state}
    if ruling.goes_at is not None:
        line["goes_at"] = instant(ruling.goes_at)
    if ruling.done is DecisionAction.APPROVE:
        line["waits_for"] = "a second person"
    if ruling.done in _LABELS.values():
        line["label"] = item.label
    if as_json:
        emit(line)
        return
    typer.echo(f"{item.id} is {item.state}")
    if ruling.done is DecisionAction.APPROVE:
        typer.echo("Your approval is kept. It is severe, so a second person must release it too.")
    if ruling.goes_at is not None and ruling.goes_at > at:
        typer.echo(f"It goes out at {instant(ruling.goes_at)}; until then: gateway holds undo {item.id}")
    if standing is not None:
        typer.echo(f"It is labelled {standing}.")


def _after(
    tx: Tx, wish: Wish, actor: Actor, at: datetime, settings: Settings
) -> tuple[Ruling, Item | None, Label | None]:
    """Return the ruling, the item as it is now, and the label that was given."""
    ruling = decisions.decide(tx, wish, actor, at, review=settings.review, notice=settings.notices)
    item = items.item(tx, wish.item_id) if not ruling.refused else None
    return ruling, item, item.label if item is not None and ruling.done in _LABELS.values() else None


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
