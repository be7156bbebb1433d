"""`gateway rules lint|test|schema`: what is wrong with a rule set, how its examples come out, what editors read.

Neither needs a store or a configuration. `lint` finds the mistakes of both grades, `test` tries the examples.
"""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway import inspection
from gateway.cli.invocation import ConfigOption, JsonOption, emit
from gateway.cli.rules.sets import (
    FoldersArgument,
    LanguageOption,
    RulesOption,
    ordinary_mail_of,
    print_mistakes,
    progress,
    set_of,
)
from gateway.inspection import lint as linting
from gateway.inspection.completion import json_schema
from gateway.rehearsal import benign
from gateway.rehearsal.judging import Judge


def lint(
    folders: FoldersArgument = None,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Print every mistake in the rules, each with file, line, column and remedy; exit 1 if there is one."""
    bundle, rules = set_of(folders, config, as_json=as_json)
    ordinary = ordinary_mail_of(folders, config, as_json=as_json)
    now = datetime.now(UTC)
    judge = Judge(bundle, language=language, drafts=True, with_encoder=False)
    judged = progress(benign.judged_mails(ordinary, judge, now), "ordinary mail", len(ordinary.mails))
    mistakes = (
        *linting.gate(rules, judge.engine, now),
        *benign.gate(rules, judge, ordinary, judged),
    )
    print_mistakes(mistakes, "gate", as_json=as_json)
    if mistakes:
        raise typer.Exit(1)
    if not as_json:
        counts = f"{len(rules.rules)} rules, {len(rules.lists)} lists, {len(ordinary.mails)} ordinary mails"
        typer.echo(f"{counts}: no mistakes ({bundle.hash[:12]})")


def try_examples(
    rule: Annotated[str, typer.Argument(help="Id of one rule; left out: all.")] = "",
    *,
    folders: RulesOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Try the examples of the rules and print each that did not come true; exit 1 if there is one."""
    bundle, rules = set_of(folders, config, as_json=as_json)
    if rule and rule not in {each.id for each in rules.rules}:
        typer.echo(f"there is no rule {rule!r}", err=True)
        raise typer.Exit(2)
    engine = inspection.load(bundle, language=language, drafts=True, with_encoder=False)
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


def schema() -> None:
    """Print rules/schema.json, from which editors complete and underline rules while they are written."""
    typer.echo(json_schema(), nl=False)


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
    words = f" on {finding.text!r}" if finding is not None and finding.text is not None else ""
    found = f"{words}{' (softened)' if finding.softened else ''}" if finding else ""
    typer.echo(f"{place}: {outcome.wanted} as it should{found}: {outcome.text!r}")
