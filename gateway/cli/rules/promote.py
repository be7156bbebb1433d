"""`gateway rules promote|shadow`: how far a rule may act, by evidence; and what rules on trial have found.

The rule is a file: promoting edits its `status:` and `changed:` and leaves everything else as it stands. Who did it, why,
and on what evidence is in the audit log before the file is another. It acts once the set is put in force.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway import audit, inspection
from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, settings_from
from gateway.cli.listing import system_actor
from gateway.cli.rules.mail import AsOption, person_called, stored_items
from gateway.cli.rules.sets import LanguageOption, RulesOption, folders_of, ordinary_mail_of, progress, set_of
from gateway.inspection.lint import gate
from gateway.inspection.rules import Rule, RuleSet
from gateway.model import Event, Label, RuleStatus
from gateway.rehearsal import benign, promotion
from gateway.rehearsal.judging import Judge
from gateway.rehearsal.promotion import Bars, Evidence
from gateway.review.access import Permission
from gateway.settings import Settings
from gateway.store import Store, Tx, items, records, trials

_SMALL: Final = 5
"""Figures below it are not told: with few mails, a figure is a person (DECISIONS 30)."""


def promote(
    rule_id: Annotated[str, typer.Argument(metavar="RULE", help="Id of the rule.")],
    to: Annotated[RuleStatus, typer.Option("--to", help="How far it may act from now on.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in your own words; it is kept.")],
    *,
    folders: RulesOption = None,
    as_: AsOption = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
    language: LanguageOption = True,
) -> None:
    """Let a rule act further, one step up, or less, any number of steps down; the file is edited in place.

    A step up is refused, with what is missing, until its examples come true, ordinary mail passes, it was long enough in
    force at its status, and, to enforce, reviewers confirmed enough of what it found. Exit 1 when it is refused.
    """
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    settings = settings_from(config)
    bundle, rules = set_of(folders, config, as_json=as_json)
    rule = next((each for each in rules.rules if each.id == rule_id), None)
    if rule is None:
        raise typer.BadParameter(f"there is no rule {rule_id!r}", param_hint="RULE")
    baseline = ordinary_mail_of(folders, config, as_json=as_json)
    judge = Judge(bundle, language=language, drafts=True, with_encoder=False)
    with Store.open(settings.store) as store:
        person, _ = person_called(store, settings, as_, Permission.RULE_PROMOTE)
        evidence = _evidence(store, rule, rules, judge, baseline)
        against = promotion.lacking(rule.status, to, evidence, _bars(settings))
        if not against:
            path = _file_of(rule, folders_of(folders, config))
            text = _edited(path, to)
            payload = _payload(rule, to, reason, evidence)
            with _beside(path, text) as ready:
                store.write_now(
                    lambda tx: audit.append(
                        tx, Event.RULE_PROMOTED, actor=person.email, subject=rule.id, payload=payload,
                        at=datetime.now(UTC),
                    )
                )  # fmt: skip
                ready.replace(path)
    _tell(rule, to, against, as_json=as_json)


def _tell(rule: Rule, to: RuleStatus, against: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        emit({"rule": rule.id, "from": rule.status, "to": to, "done": not against, "lacking": list(against)})
    elif against:
        typer.echo(f"{rule.id} stays {rule.status}:")
        for each in against:
            typer.echo(f"  {each}")
    else:
        typer.echo(f"{rule.id} is {to} in {rule.document.name}; `gateway rules reload` puts it in force")
    if against:
        raise typer.Exit(1)


def _bars(settings: Settings) -> Bars:
    asked = settings.rules
    return Bars(days=asked.trial_days, decisions=asked.trial_decisions, precision=asked.trial_precision)


# --- evidence -----------------------------------------------------------------------------------------------


def _evidence(store: Store, rule: Rule, rules: RuleSet, judge: Judge, baseline: benign.Baseline) -> Evidence:
    now = datetime.now(UTC)
    wrong = (each for each in gate(rules, judge.engine, now) if each.file == rule.document.name)
    confirmed, false_alarms = store.read_now(lambda tx: _decisions(tx, rule))
    return Evidence(
        mistakes=tuple(map(str, wrong)),
        ordinary=_touched(rule, judge, baseline, now),
        days=store.read_now(lambda tx: _days(tx, rule, now)),
        confirmed=confirmed,
        false_alarms=false_alarms,
    )


def _touched(rule: Rule, judge: Judge, baseline: benign.Baseline, now: datetime) -> tuple[str, ...]:
    """Return the ordinary mails on which ``rule`` fires, whatever its status, and which do not list it."""
    listed = {known.entry.mail for known in baseline.known if known.entry.rule == rule.id}
    judged = benign.judged_mails(baseline, judge, now)
    found = []
    for mail, one in progress(judged, "ordinary mail", len(baseline.mails)):
        own = (each.rule for each in one.inspected.findings if not benign.is_others(each))
        if rule.id in own and mail.name not in listed:
            found.append(mail.name)
    return tuple(found)


def _decisions(tx: Tx, rule: Rule) -> tuple[int, int]:
    """Return how many mails on which ``rule`` fired at this version reviewers called crossings, and false alarms."""
    said = {Label.CROSSING: 0, Label.FALSE_ALARM: 0}
    for item in stored_items(tx):
        if item.label in said and _fired(tx, item.id, rule):
            said[item.label] += 1
    return said[Label.CROSSING], said[Label.FALSE_ALARM]


def _fired(tx: Tx, item_id: str, rule: Rule) -> bool:
    full = items.item_in_full(tx, item_id)
    return full is not None and any(
        finding.rule == rule.id and finding.version == rule.version and not benign.is_others(finding)
        for finding in full.verdict.findings
    )


def _days(tx: Tx, rule: Rule, now: datetime) -> int:
    """Return for how many whole days ``rule`` was in force at its status and version, by the audit log."""
    name = rule.id.replace(".", "/") + ".yaml"

    @cache
    def stood(rules_hash: str) -> bool:
        row = records.rule_set(tx, rules_hash)
        texts = (
            [file.text for file in inspection.Bundle.from_json(row.bundle).files if file.name == name]
            if row
            else []
        )
        return bool(texts) and promotion.standing(texts[-1]) == (rule.status, rule.version)

    spent = timedelta()
    loaded = [*trials.in_force(tx)]
    ends = (*(each.at for each in loaded[1:]), now)
    for each, end in zip(loaded, ends, strict=False):  # never loaded: `now` alone ends nothing
        if stood(each.rules_hash):
            spent += end - each.at
    return spent.days


def _payload(rule: Rule, to: RuleStatus, reason: str, evidence: Evidence) -> dict[str, audit.Value]:
    return {
        "from": rule.status, "to": to, "version": rule.version, "reason": reason.strip(), "system": system_actor(),
        "days": evidence.days, "confirmed": evidence.confirmed, "false_alarms": evidence.false_alarms,
    }  # fmt: skip


# --- the file -----------------------------------------------------------------------------------------------


def _file_of(rule: Rule, folders: tuple[Path, ...]) -> Path:
    """Return the file that the rule in force stands in: that of the last folder that has one."""
    name = rule.id.replace(".", "/") + ".yaml"
    found = [folder / name for folder in folders if (folder / name).is_file()]
    assert found, "the rule was read from there"
    return found[-1]


def _edited(path: Path, to: RuleStatus) -> str:
    try:
        return promotion.with_status(path.read_text("utf-8"), to, datetime.now(UTC).date())
    except ValueError as odd:
        fail(f"{path}: {odd}; write `status: {to}` by hand")


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """Give a synced file with the new text that can replace ``path`` at once; it is removed if it did not."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    ready = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        ready.chmod(path.stat().st_mode & 0o777)
        yield ready
    finally:
        ready.unlink(missing_ok=True)


# --- trials -------------------------------------------------------------------------------------------------


def shadow(*, folders: RulesOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how often each rule in shadow came true in mail to contacts; none of that acted on anything."""
    settings = settings_from(config)
    _, rules = set_of(folders, config, as_json=as_json)
    now = datetime.now(UTC)
    with Store.open(settings.store) as store:
        lines = store.read_now(lambda tx: [*_trials(tx, rules, now)])
    for line in lines:
        if as_json:
            emit(line)
            continue
        days = f"{line['messages']!s:>6} messages, {line['days']} days in shadow"
        typer.echo(f"{line['rule']!s:<44} v{line['version']!s:<3} {days}")
    if not lines and not as_json:
        typer.echo("no rule is in shadow")


def _trials(tx: Tx, rules: RuleSet, now: datetime) -> Iterator[dict[str, object]]:
    found = {(one.rule, one.version): one for one in trials.counts(tx)}
    for rule in rules.rules:
        if rule.status is RuleStatus.SHADOW:
            one = found.get((rule.id, rule.version))
            messages = one.messages if one is not None else 0
            yield {
                "rule": rule.id, "version": rule.version, "days": _days(tx, rule, now),
                "messages": f"<{_SMALL}" if 0 < messages < _SMALL else messages,
            }  # fmt: skip
