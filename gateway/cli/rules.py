"""`gateway rules`: what a rule author asks of a rule set before it acts.

`lint` finds every mistake of both grades, `test` tries the examples. Neither needs a store or a configuration: with
no folder given they take rules.path, else ``rules/`` here, else the copy in the package. `reload` puts what is on
disk in force in the running relays.
"""

import time
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from gateway import audit, inspection
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.errors import Mistake, Mistakes
from gateway.inspection import lint as linting
from gateway.model import Event
from gateway.settings import RulesSettings
from gateway.store import Store, Tx, records
from gateway.store.rows import RuleReport, RuleSetRow

app = typer.Typer(no_args_is_help=True, help="Check and try the rules.")

FoldersArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Rule folders, later ones overriding earlier ones.", show_default=False),
]
_RELOAD_WAIT_S = 30.0
_REPORT_POLL_S = 0.2
_REPORT_GAP = timedelta(seconds=15)
"""A relay that has not reported for so long does not run: `serve` reports every five seconds."""

RulesOption = Annotated[
    list[Path] | None,
    typer.Option("--rules", help="Rule folder; may be given several times.", show_default=False),
]
LanguageOption = Annotated[
    bool, typer.Option("--language/--no-language", help="With or without the statistical parser.")
]


def rule_folders(settings: RulesSettings) -> tuple[Path, ...]:
    """Return the folders to load: those of the settings, else ``rules/`` here, else the copy in the package."""
    if settings.paths:
        return settings.paths
    here = Path("rules")
    if (here / "policy.yaml").is_file():
        return (here,)
    return (Path(str(resources.files("gateway"))) / "_rules",)


def _bundle(folders: list[Path] | None, config: Path | None) -> inspection.Bundle:
    paths = tuple(folders) if folders else rule_folders(settings_from(config).rules)
    return inspection.read(paths)


def _print_mistakes(mistakes: tuple[Mistake, ...], grade: str, *, as_json: bool) -> None:
    for mistake in mistakes:
        if as_json:
            emit(
                {
                    "grade": grade, "file": mistake.file, "line": mistake.line, "column": mistake.column,
                    "what": mistake.what, "remedy": mistake.remedy,
                }
            )  # fmt: skip
        else:
            typer.echo(mistake)


@app.command()
def lint(
    folders: FoldersArgument = None,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Print every mistake in the rules, each with file, line, column and remedy; exit 1 if there is one."""
    try:
        bundle = _bundle(folders, config)
        rules = inspection.rules_of(bundle)
    except Mistakes as found:
        _print_mistakes(found.mistakes, "load", as_json=as_json)
        raise typer.Exit(1) from None
    engine = inspection.load(bundle, language=language, drafts=True)
    mistakes = linting.gate(rules, engine, datetime.now(UTC))
    _print_mistakes(mistakes, "gate", as_json=as_json)
    if mistakes:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{len(rules.rules)} rules, {len(rules.lists)} lists: no mistakes ({bundle.hash[:12]})")


@app.command("test")
def try_examples(
    rule: Annotated[str, typer.Argument(help="Id of one rule; left out: all.")] = "",
    *,
    folders: RulesOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Try the examples of the rules and print each that did not come true; exit 1 if there is one."""
    try:
        bundle = _bundle(folders, config)
        rules = inspection.rules_of(bundle)
    except Mistakes as found:
        _print_mistakes(found.mistakes, "load", as_json=as_json)
        raise typer.Exit(1) from None
    if rule and rule not in {each.id for each in rules.rules}:
        typer.echo(f"there is no rule {rule!r}", err=True)
        raise typer.Exit(2)
    engine = inspection.load(bundle, language=language, drafts=True)
    started = time.perf_counter()
    outcomes = list(linting.examples(rules, engine, datetime.now(UTC), only=rule))
    seconds = time.perf_counter() - started
    for outcome in outcomes:
        if as_json or rule or not outcome.ok:
            _print_outcome(outcome, as_json=as_json)
    wrong = sum(not outcome.ok for outcome in outcomes)
    if not as_json:
        typer.echo(f"{len(outcomes)} examples, {wrong} wrong, {seconds:.2f} s")
    if wrong:
        raise typer.Exit(1)


@app.command()
def reload(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Put the rules on disk in force in every running relay, and print the set's hash once all judge by it.

    A set that is wrong changes nothing. Exit 1 when a relay does not report the new set within 30 s.
    """
    settings = settings_from(config)
    try:
        bundle = inspection.read(rule_folders(settings.rules))
        inspection.rules_of(bundle)
    except Mistakes as found:
        _print_mistakes(found.mistakes, "load", as_json=as_json)
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


def _print_outcome(outcome: linting.Outcome, *, as_json: bool) -> None:
    finding = outcome.finding
    if as_json:
        emit(
            {
                "rule": outcome.rule, "wanted": outcome.wanted, "ok": outcome.ok, "problem": outcome.problem,
                "text": outcome.text, "file": outcome.file, "line": outcome.line,
                "found": finding.text if finding else None, "softened": finding.softened if finding else None,
            }
        )  # fmt: skip
        return
    place = f"{outcome.file}:{outcome.line}:{outcome.column}"
    if not outcome.ok:
        typer.echo(f"{place}: this {outcome.wanted} of {outcome.rule} {outcome.problem}: {outcome.text!r}")
        return
    found = f" on {finding.text!r}{' (softened)' if finding.softened else ''}" if finding else ""
    typer.echo(f"{place}: {outcome.wanted} as it should{found}: {outcome.text!r}")
