"""`gateway audit`: verifying the hash chain, writing checkpoints, reading entries, erasing a payload.

What a verification can and cannot see is in docs/audit.md.
"""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway import audit
from gateway.cli.invocation import ConfigOption, JsonOption, emit, settings_from
from gateway.cli.listing import system_actor
from gateway.store import ChainRow, Store

app = typer.Typer(no_args_is_help=True, help="Verify the audit log and write checkpoints.")


@app.command()
def verify(
    config: ConfigOption = None,
    *,
    head: Annotated[
        str, typer.Option("--head", help="A checkpoint kept elsewhere, SEQ:HASH.", metavar="SEQ:HASH")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Read the whole audit log and name what was edited, deleted, reordered or cut off; exit 1 if anything was."""
    try:
        kept = audit.Head.parse(head) if head else None
    except ValueError as mistake:
        raise typer.BadParameter(str(mistake), param_hint="--head") from None
    with Store.open(settings_from(config).store) as store:
        report = store.read_now(lambda tx: audit.verify(tx, kept))
    if as_json:
        _emit_report(report)
    else:
        _print_report(report)
    if not report.is_whole:
        raise typer.Exit(1)


@app.command()
def checkpoint(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Sign where the audit log ends, record that, and print SEQ:HASH to be kept elsewhere."""
    with Store.open(settings_from(config).store) as store:
        now = datetime.now(UTC)
        written = store.write_now(
            lambda tx: audit.checkpoint(tx, store_id=store.store_id, actor=system_actor(), at=now)
        )
    made = written.value
    if as_json:
        emit(
            {
                "head": str(made.head),
                "seq": made.head.seq,
                "hash": made.head.hash,
                "store": made.store_id,
                "at": now,
                "signature": made.signature,
                "public_key": made.public_key,
            }
        )
    else:
        typer.echo(str(made.head))


@app.command("list")
def list_(
    config: ConfigOption = None,
    *,
    after: Annotated[int, typer.Option("--after", help="Only entries behind this number.", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Print the entries in order."""
    with Store.open(settings_from(config).store) as store:
        head = store.read_now(audit.head)
        while after < head.seq:
            start = after
            page = store.read_now(lambda tx, start=start: audit.entries(tx, after=start))  # type: ignore[misc]
            for row in page:
                _print_entry(row, as_json=as_json)
            if not page:
                break
            after = page[-1].seq


@app.command()
def erase(
    entry: Annotated[int, typer.Argument(help="Number of the entry.", min=1, metavar="SEQ")],
    reason: Annotated[str, typer.Option("--reason", help="Why, and on whose order.")],
    config: ConfigOption = None,
) -> None:
    """Erase the payload of an entry, as a data subject's right may demand. The entry stays, and this is recorded."""
    if not reason.strip():
        raise typer.BadParameter("a reason is required", param_hint="--reason")
    with Store.open(settings_from(config).store) as store:
        now = datetime.now(UTC)
        store.write_now(lambda tx: audit.erase(tx, entry, actor=system_actor(), reason=reason, at=now))
    typer.echo(f"the payload of entry {entry} is erased")


def _emit_report(report: audit.Report) -> None:
    for problem in report.problems:
        emit(
            {
                "fault": problem.fault,
                "first": problem.first,
                "last": problem.last,
                "detail": problem.detail,
            }
        )
    emit(
        {
            "whole": report.is_whole,
            "entries": report.entries,
            "head": str(report.head),
            "erased": list(report.erased),
            "checkpoints": report.checkpoints,
            "undetected": report.undetected,
        }
    )


def _print_report(report: audit.Report) -> None:
    for problem in report.problems:
        typer.echo(str(problem))
    if report.erased:
        typer.echo(f"payloads erased on record: {', '.join(map(str, report.erased))}")
    state = "whole" if report.is_whole else f"NOT whole: {len(report.problems)} problems"
    typer.echo(f"{report.entries} entries, head {report.head}: {state}")
    if report.undetected:
        typer.echo(report.undetected)


def _print_entry(row: ChainRow, *, as_json: bool) -> None:
    if as_json:
        payload = None if row.payload is None else json.loads(row.payload)
        emit(
            {
                "seq": row.seq,
                "at": row.at,
                "event": row.event,
                "actor": row.actor,
                "subject": row.subject,
                "payload": payload,
                "hash": row.hash,
            }
        )
    else:
        typer.echo(
            f"{row.seq}  {row.at}  {row.event}  {row.actor}  {row.subject}  {row.payload or '(erased)'}"
        )
