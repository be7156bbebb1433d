"""`gateway explain`: how one .eml file is read and judged, for people.

Shows each stage of the road for one file: who wrote to whom, what the officer wrote now, what was set aside and
why, each finding with its points, the sum, and what would become of the message without each sentence that counts.
Changes nothing and records nothing.
"""

import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, printable, settings_from
from gateway.cli.scan import AsContactOption, Desk, shown
from gateway.extract import language_name
from gateway.model import Action, Cut, CutReason, Policy
from gateway.rehearsal.explanation import Explanation
from gateway.rehearsal.explanation import explain as explained
from gateway.rehearsal.judging import Judged

_ALL = "(all of these)"
_WIDTH = 100
_LONGEST = 1500
_COLOURS = {Action.PASS: "green", Action.FLAG: "yellow", Action.HOLD: "red"}


def explain(
    file: Annotated[Path, typer.Argument(help="One .eml file.")],
    *,
    config: ConfigOption = None,
    as_contact: AsContactOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show how one .eml file is read and judged, step by step; no mail is moved.

    With --json the line of `gateway scan` with passages, cuts and the counterfactuals added.
    """
    desk = Desk(settings_from(config), as_contact=as_contact, with_store=config is not None)
    try:
        raw = file.read_bytes()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror or error}")
    started = time.perf_counter()
    explanation = explained(desk.judge, desk.sample(file, raw))
    ms = (time.perf_counter() - started) * 1000
    if as_json:
        emit(_object(explanation, file, ms))
        return
    _print_reading(explanation.judged, desk.judge.policy)
    _print_verdict(explanation, desk.judge.policy)


def _object(explanation: Explanation, file: Path, ms: float) -> dict[str, object]:
    judged = explanation.judged
    return shown(judged, file, ms) | {
        "passages": [
            {
                "part": each.part,
                "kind": each.kind,
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "language": each.language,
                "uncertain": each.uncertain,
                "hidden": each.hidden,
            }
            for each in judged.authored.passages
        ],
        "cuts": [
            {
                "part": each.part,
                "reason": each.reason,
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "speaker": each.speaker,
                "attributed": each.attributed,
                "doubts": list(each.doubts),
            }
            for each in judged.authored.cuts
        ],
        "without": [
            {
                "sentence": each.text or _ALL,
                "part": each.part,
                "start": each.start,
                "end": each.end,
                "action": each.action,
                "score": each.score,
                "rules": list(each.rules),
            }
            for each in explanation.without
        ],
        "sentences_not_tried": explanation.left_out,
    }


def _print_reading(judged: Judged, policy: Policy) -> None:
    parties = judged.sample.parties
    officer = parties.officer
    _head("Who")
    typer.echo(f"  officer:  {officer.email if officer is not None else 'nobody on the staff list'}")
    for match in parties.contacts:
        names = ", ".join(name for contact in match.contacts for name in contact.names)
        typer.echo(f"  contact:  {match.recipient}{f' ({names})' if names else ''}")
    for address in parties.private:
        typer.echo(f"  private:  {address} (an address of the sender)")
    for address in parties.others:
        typer.echo(f"  other:    {address}")
    _print_passages(judged)
    if judged.authored.cuts:
        _head("Set aside: it does not count as the officer's words")
        for cut in judged.authored.cuts:
            _line(cut.part, _about_cut(cut))
            _quote(cut.text)
    unreadable = judged.verdict.unreadable or judged.authored.unreadable
    if unreadable:
        _head("Not read, or not in one way only, and what policy makes of that")
        for defect in unreadable:
            action = policy.unreadable.get(defect.reason, Action.HOLD)
            reason = typer.style(f"{action}: {defect.reason}", fg=_COLOURS[action])
            typer.echo(f"  {reason}  {printable(defect.part or 'message')}: {printable(defect.detail)}")


def _print_passages(judged: Judged) -> None:
    _head(f"What the officer wrote now ({judged.authored.characters} characters)")
    for passage in judged.authored.passages:
        about = [str(passage.kind), *([language_name(passage.language)] if passage.language else [])]
        marks = [
            says
            for holds, says in (
                ("~" in passage.part, "what some mail programs show instead"),
                (passage.uncertain, "uncertain: it may be quoted, and counts all the same"),
                (passage.hidden, "hidden: most mail programs do not show it"),
            )
            if holds
        ]
        _line(passage.part, "; ".join([", ".join(about), *marks]))
        found = [
            (finding.start - passage.start, finding.end - passage.start)
            for finding in judged.verdict.findings
            if finding.part == passage.part and finding.start is not None and finding.end is not None
        ]
        _quote(passage.text, found)


def _about_cut(cut: Cut) -> str:
    """Return why a text was set aside, who is said to have written it, and what speaks for and against that."""
    about = [str(cut.reason)]
    if cut.speaker:
        about.append(f"said to be by {cut.speaker}")
    if cut.reason is CutReason.QUOTED and not cut.attributed:
        about.append("nothing introduces it")
    if cut.doubts:
        about.append(f"doubted: {', '.join(cut.doubts)}")
    return ", ".join(about)


def _print_verdict(explanation: Explanation, policy: Policy) -> None:
    verdict = explanation.judged.verdict
    _head("Findings")
    for finding in explanation.contributions:
        soft = ", softened" if finding.softened else ""
        typer.echo(f"  {finding.points:>3}  {finding.rule} v{finding.version} ({finding.severity}{soft})")
        if finding.part is not None:
            typer.echo(f"       {finding.part} {finding.start}-{finding.end}: {finding.text!r}")
        typer.echo(textwrap.fill(finding.why, _WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7))
    typer.echo(
        f"  {verdict.score:>3}  in all; policy flags from {policy.flag_at} and holds from {policy.hold_at} points"
    )
    if explanation.without:
        _print_without(explanation)
    _head("Verdict")
    if not verdict.in_scope:
        typer.echo("  pass: to no registered contact, so it is not inspected")
        return
    because = f" because of {', '.join(verdict.because)}" if verdict.because else ""
    typer.echo(f"  {typer.style(str(verdict.action), fg=_COLOURS[verdict.action], bold=True)}{because}")
    if verdict.held:
        typer.echo(f"  waits: {', '.join(verdict.held)}")
        typer.echo(f"  goes on: {', '.join(verdict.sent) or 'nobody'}")
    if verdict.urgent:
        typer.echo(f"  urgent: {verdict.urgent}")


def _print_without(explanation: Explanation) -> None:
    _head("What would become of it without a sentence")
    for each in explanation.without:
        words = repr(textwrap.shorten(each.text, _WIDTH)) if each.text else _ALL
        action = typer.style(f"{each.action:<4}", fg=_COLOURS[each.action])
        typer.echo(f"  {action}  {each.score:>3}  without {printable(words)}")
    if explanation.left_out:
        typer.echo(f"  [... {explanation.left_out} more sentences, not tried one by one]")


def _head(text: str) -> None:
    typer.echo(f"\n{typer.style(text, bold=True)}")


def _line(part: str, about: str) -> None:
    typer.echo(f"  {typer.style(printable(part), fg='cyan')} ({printable(about)})")


def _quote(text: str, found: Sequence[tuple[int, int]] = ()) -> None:
    """Print ``text`` as a block, with what was found in it in red where the terminal has colours."""
    left = len(text) - len(text.lstrip("\r\n"))
    some = text[left : left + _LONGEST].rstrip("\r\n")
    rest = len(text.rstrip("\r\n")) - left - len(some)
    for line in some.split("\n"):
        typer.echo(f"  | {_marked(line, [(start - left, end - left) for start, end in found])}")
        left += len(line) + 1
    if rest > 0:
        typer.echo(f"  [... {rest} more characters]")


def _marked(line: str, found: Sequence[tuple[int, int]]) -> str:
    """Return ``line`` fit for a terminal, with the spans of ``found`` that fall into it in red."""
    pieces: list[str] = []
    position = 0
    for begin, stop in sorted(found):
        start, end = max(begin, position), min(stop, len(line))
        if start < end:
            red = typer.style(printable(line[start:end]), fg="red", bold=True)
            pieces += (printable(line[position:start]), red)
            position = end
    return "".join([*pieces, printable(line[position:])])
