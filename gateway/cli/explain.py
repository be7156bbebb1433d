"""`gateway explain`: how one .eml file is read and judged, for people.

Shows each stage of the road for one file: who wrote to whom, what the officer wrote now, what was set aside and
why, each finding with its points, the sum, and what would become of the message without each sentence that counts.
Changes nothing and records nothing.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.invocation import ConfigOption, JsonOption, emit, fail, printable, settings_from
from gateway.cli.scan import AsContactOption, Judge, Judged, shown
from gateway.extract import language_name
from gateway.inspection import sentence_spans
from gateway.model import Action, Authored, Cut, CutReason, Finding, Policy

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
    judge = Judge(settings_from(config), as_contact=as_contact, with_store=config is not None)
    try:
        judged = judge.file(file)
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror or error}")
    without = list(_without(judge, judged))
    if as_json:
        emit(_object(judged, without))
        return
    _print_reading(judged, judge.policy)
    _print_verdict(judged, judge.policy, without)


def _without(judge: Judge, judged: Judged) -> Iterator[tuple[str, Action]]:
    """Yield each sentence with a finding, and the action the message would get without it."""
    sentences: dict[tuple[int, int, int], str] = {}
    for finding in judged.verdict.findings:
        place = _sentence_of(judged.authored, finding)
        if place is not None:
            index, start, end = place
            sentences[place] = judged.authored.passages[index].text[start:end]
    for place, text in sentences.items():
        yield " ".join(text.split()), _action_without(judge, judged, [place])
    if len(sentences) > 1:
        yield "(all of these)", _action_without(judge, judged, list(sentences))


def _sentence_of(authored: Authored, finding: Finding) -> tuple[int, int, int] | None:
    """Return the passage and the span in it of the sentence that a finding begins in."""
    for index, passage in enumerate(authored.passages):
        if passage.part != finding.part or finding.start is None:
            continue
        at = finding.start - passage.start
        for start, end in sentence_spans(passage.text):
            if start <= at < end:
                return index, start, end
    return None


def _action_without(judge: Judge, judged: Judged, places: list[tuple[int, int, int]]) -> Action:
    """Return the action for the message with some sentences blanked; offsets stay as they are."""
    passages = list(judged.authored.passages)
    for index, start, end in places:
        text = passages[index].text
        blank = "".join(char if char in "\r\n" else " " for char in text[start:end])
        passages[index] = replace(passages[index], text=f"{text[:start]}{blank}{text[end:]}")
    authored = replace(judged.authored, passages=tuple(passages))
    at = judged.verdict.decided_at
    found = judge.engine.judge(authored, judged.parties, judged.history, at)
    return judge.verdict(authored, judged.parties, judged.history, found, at).action


def _object(judged: Judged, without: list[tuple[str, Action]]) -> dict[str, object]:
    return shown(judged) | {
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
        "without": [{"sentence": text, "action": action} for text, action in without],
    }


def _print_reading(judged: Judged, policy: Policy) -> None:
    parties = judged.parties
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


def _print_verdict(judged: Judged, policy: Policy, without: list[tuple[str, Action]]) -> None:
    verdict = judged.verdict
    _head("Findings")
    for finding in verdict.findings:
        soft = ", softened" if finding.softened else ""
        typer.echo(f"  {finding.points:>3}  {finding.rule} v{finding.version} ({finding.severity}{soft})")
        if finding.part is not None:
            typer.echo(f"       {finding.part} {finding.start}-{finding.end}: {finding.text!r}")
        typer.echo(textwrap.fill(finding.why, _WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7))
    typer.echo(
        f"  {verdict.score:>3}  in all; policy flags from {policy.flag_at} and holds from {policy.hold_at} points"
    )
    if without:
        _head("What would become of it without a sentence")
        for text, action in without:
            typer.echo(f"  {action:<4}  without {textwrap.shorten(text, _WIDTH)!r}")
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
