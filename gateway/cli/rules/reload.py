"""`gateway rules reload`: put what is on disk in force in the running relays."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

from gateway import audit, inspection
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.cli.rules.sets import print_mistakes, rule_folders
from gateway.errors import Mistakes
from gateway.model import Event
from gateway.store import Store, Tx, records
from gateway.store.rows import RuleReport, RuleSetRow

_RELOAD_WAIT_S: Final = 30.0
_REPORT_POLL_S: Final = 0.2
_REPORT_GAP: Final = timedelta(seconds=15)
"""A relay that has not reported for so long does not run: `serve` reports every five seconds."""


def reload(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Put the rules on disk in force in every running relay, and print the set's hash once all judge by it.

    A set that is wrong changes nothing. Exit 1 when a relay does not report the new set within 30 s.
    """
    settings = settings_from(config)
    try:
        bundle = inspection.read(rule_folders(settings.rules))
        inspection.rules_of(bundle)
    except Mistakes as found:
        print_mistakes(found.mistakes, "load", as_json=as_json)
        raise typer.Exit(1) from None
    with Store.open(settings.store) as store:
        now = datetime.now(UTC)
        store.write_now(lambda tx: _put_in_force(tx, bundle, now))
        reports = _await_reports(store, bundle.hash, now)
    if as_json:
        emit({"rules_hash": bundle.hash, "relays": len(reports)})
    else:
        typer.echo(f"{bundle.hash}: in force in {len(reports)} relay{'' if len(reports) == 1 else 's'}")


def _put_in_force(tx: Tx, bundle: inspection.Bundle, now: datetime) -> None:
    actor = system_actor()
    records.save_rule_set(tx, RuleSetRow(hash=bundle.hash, bundle=bundle.to_json(), at=now, by=actor))
    audit.append(
        tx, Event.RULES_LOADED, actor=actor, subject=bundle.hash, payload={"files": len(bundle.files)}, at=now
    )


def _await_reports(store: Store, rules_hash: str, since: datetime) -> tuple[RuleReport, ...]:
    """Return what the relays report once all of them judge by the set; ends the command when they do not."""
    alive_since = since - _REPORT_GAP
    deadline = time.monotonic() + _RELOAD_WAIT_S
    while time.monotonic() < deadline:
        reports = store.read_now(lambda tx: records.rule_reports_since(tx, alive_since))
        for report in reports:
            if report.trouble and report.at >= since:
                fail(f"{report.process} did not take the set: {report.trouble}")
        if reports and all(report.hash == rules_hash for report in reports):
            return reports
        if not reports:
            fail(
                "the set is stored, but no relay runs on this store; `gateway serve` reads it when it starts"
            )
        time.sleep(_REPORT_POLL_S)
    late = ", ".join(report.process for report in reports if report.hash != rules_hash)
    typer.echo(f"after {_RELOAD_WAIT_S:g} s these relays still judge by another set: {late}", err=True)
    raise typer.Exit(1)
