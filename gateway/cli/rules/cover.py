"""`gateway rules coverage`: which rules nothing fires, and which crossings no rule finds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.invocation import ConfigOption, JsonOption, emit, printable, settings_from
from gateway.cli.rules.mail import given, ordinary
from gateway.cli.rules.sets import LanguageOption, RulesOption, ordinary_mail_of, progress, set_of
from gateway.inspection.lint import examples
from gateway.rehearsal.coverage import Coverage, RuleUse
from gateway.rehearsal.coverage import coverage as covered
from gateway.rehearsal.judging import Judge

_HERE = Path("corpus")


def coverage(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Mail: a corpus, .eml files, folders of them. Left out: ./corpus, if there is one.", show_default=False),
    ] = None,
    *,
    folders: RulesOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:  # fmt: skip
    """Say which rules no mail fires, which nothing fires at all, and which labelled crossings pass.

    Ordinary mail and the examples of the rules count too. Exit 1 when a rule is fired by nothing, its examples included.
    """
    settings_from(config)
    bundle, rules = set_of(folders, config, as_json=as_json)
    judge = Judge(bundle, language=language, drafts=True, with_encoder=False)
    baseline = ordinary_mail_of(folders, config, as_json=as_json)
    sources = paths or ([_HERE] if (_HERE / "batches.yaml").is_file() else [])
    tried = [*ordinary(baseline, judge), *given(sources, judge.policy.timezone)]
    judged = ((judge.judge(each.sample), each.standing) for each in progress(tried, "mail", len(tried)))
    outcomes = examples(rules, judge.engine, datetime.now(UTC))
    own = (outcome.rule for outcome in outcomes if outcome.wanted == "hit" and outcome.ok)
    found = covered(rules, judged, own)
    _show(found, as_json=as_json)
    if any(use.is_dead for use in found.rules):
        raise typer.Exit(1)


def _show(found: Coverage, *, as_json: bool) -> None:
    if as_json:
        for use in found.rules:
            emit(
                {
                    "rule": use.rule, "status": use.status, "crossing": use.crossing, "proper": use.proper,
                    "unknown": use.unknown, "examples": use.examples, "dead": use.is_dead,
                }
            )  # fmt: skip
        emit({"mails": found.mails, "crossings": found.crossings, "missed": list(found.missed)})
        return
    _print_rules("fired by nothing", [use for use in found.rules if use.is_dead])
    _print_rules("fired by examples only", [use for use in found.rules if use.examples and not use.mails])
    if found.missed:
        typer.echo(f"\ncrossings that pass: {len(found.missed)} of {found.crossings}")
        for name in found.missed:
            typer.echo(f"  {printable(name)}")
    fired = sum(bool(use.mails) for use in found.rules)
    dead = sum(use.is_dead for use in found.rules)
    typer.echo(f"\n{len(found.rules)} rules: {fired} fired by {found.mails} mails, {dead} by nothing")


def _print_rules(title: str, uses: list[RuleUse]) -> None:
    if uses:
        typer.echo(f"\n{title}: {len(uses)}")
        for use in uses:
            typer.echo(f"  {use.rule} ({use.status})")
