"""The rule set that a command of the group means: its folders, its text, and how its mistakes are printed.

With no folder given a command takes rules.path, else ``rules/`` here, else the copy in the package.
"""

from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway import inspection
from gateway.cli.invocation import emit, settings_from
from gateway.errors import Mistake, Mistakes
from gateway.inspection.rules import RuleSet
from gateway.rehearsal.benign import Baseline, baseline_of
from gateway.settings import RulesSettings

T = TypeVar("T")
_COLUMNS: Final = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())

FoldersArgument = Annotated[
    list[Path] | None,
    typer.Argument(help="Rule folders, later ones overriding earlier ones.", show_default=False),
]
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


def folders_of(folders: list[Path] | None, config: Path | None) -> tuple[Path, ...]:
    """Return the folders given, or else those of the settings."""
    return tuple(folders) if folders else rule_folders(settings_from(config).rules)


def bundle_of(folders: list[Path] | None, config: Path | None) -> inspection.Bundle:
    """Return the set in the folders given, or else in those of the settings; raises `Mistakes`."""
    return inspection.read(folders_of(folders, config))


def set_of(
    folders: list[Path] | None, config: Path | None, *, as_json: bool
) -> tuple[inspection.Bundle, RuleSet]:
    """Return the set and its rules; prints the mistakes of load grade and ends the command with 1 if there are any."""
    try:
        bundle = bundle_of(folders, config)
        return bundle, inspection.rules_of(bundle)
    except Mistakes as found:
        print_mistakes(found.mistakes, "load", as_json=as_json)
        raise typer.Exit(1) from None


def ordinary_mail_of(folders: list[Path] | None, config: Path | None, *, as_json: bool) -> Baseline:
    """Return the ordinary mail of the set's folders; ends the command with 1 when its files cannot be read."""
    try:
        return baseline_of(inspection.read_benign(folders_of(folders, config)))
    except Mistakes as found:
        print_mistakes(found.mistakes, "gate", as_json=as_json)
        raise typer.Exit(1) from None


def progress(each: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield ``each``, with a bar on stderr where that is a terminal; nothing is drawn anywhere else."""
    console = Console(stderr=True)
    with Progress(*_COLUMNS, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield from bar.track(each, total=total, description=what)


def print_mistakes(mistakes: tuple[Mistake, ...], grade: str, *, as_json: bool) -> None:
    """Print each mistake on a line: ``file:line:column: what; what to do``, the parts in colour on a terminal."""
    for mistake in mistakes:
        if as_json:
            emit(
                {
                    "grade": grade, "file": mistake.file, "line": mistake.line, "column": mistake.column,
                    "what": mistake.what, "remedy": mistake.remedy,
                }
            )  # fmt: skip
        else:
            typer.echo(_coloured(mistake))


def _coloured(mistake: Mistake) -> str:
    """Return the line of a mistake; `typer.echo` takes the colours out again where there is no terminal."""
    place = ":".join(str(part) for part in (mistake.file, mistake.line, mistake.column) if part is not None)
    remedy = typer.style(mistake.remedy, fg="green")
    return f"{typer.style(place, bold=True)}: {typer.style(mistake.what, fg='red')}; {remedy}"
