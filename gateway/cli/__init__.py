"""The `gateway` command: which groups there are, and where each lives.

Owns the list of commands and what an error looks like in a shell; knows nothing of what a command does. A
group's module is imported when its command is called, so that `gateway --help` and the short commands do not
wait for spaCy or SQLAlchemy. Exit codes: 0 fine, 1 something is wrong, 2 the command or the settings were
given wrongly.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from gateway import __version__
from gateway.errors import GatewayError, Mistakes


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of ours: a group whose module exports ``app``, or a single command of the module's own name."""

    name: str
    says: str
    group: bool = True

    @property
    def module(self) -> str:
        """The module that holds it."""
        return f"gateway.cli.{self.name}"


ENTRIES: tuple[Entry, ...] = (
    Entry("serve", "Run the relay: SMTP in, inspection, SMTP out, and the outbox.", group=False),
    Entry("console", "Run the supervisors' console.", group=False),
    Entry("demo", "Run relay, console and a smarthost on samples.", group=False),
    Entry("holds", "List, show, release and return held messages."),
    Entry("flags", "List flagged messages."),
    Entry("outbox", "List and retry approved deliveries."),
    Entry("scan", "Inspect .eml files as if they were sent; no mail is moved.", group=False),
    Entry("explain", "Show how one .eml file is read and judged, step by step.", group=False),
    Entry("rules", "Check and try the rules."),
    Entry("corpus", "Check, extend and measure the labelled corpus."),
    Entry("model", "Make the language model, and judge the gateway by labelled mail."),
    Entry("contacts", "Check and import the contact list and the staff list."),
    Entry("store", "Make the store and its sealing key; rotate the key."),
    Entry("audit", "Verify the audit log and write checkpoints."),
    Entry("accounts", "Add and list the people who may use the gateway."),
    Entry("tokens", "Make, list and revoke the tokens of other systems."),
    Entry("doctor", "Look whether all is in order; print how to go around the gateway.", group=False),
    Entry("settings", "Print every setting and where it came from.", group=False),
)


class _LazyGroup(typer.core.TyperGroup):
    """A group that knows its commands by name and sentence, and imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click's face
        """Return the names in the order of the list above."""
        return [entry.name for entry in ENTRIES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - click's face
        """Return what the help needs of a command, or None for a name that is not ours."""
        for entry in ENTRIES:
            if entry.name == cmd_name:
                return typer.core.TyperCommand(entry.name, help=entry.says, rich_markup_mode=None)
        return None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command itself for the first of ``args``; its module is imported here."""
        self.commands = {entry.name: self.get_command(ctx, entry.name) for entry in ENTRIES}
        name, placeholder, rest = super().resolve_command(ctx, args)
        if placeholder is None:
            return name, placeholder, rest
        return name, command(str(name)), rest


def command(name: str) -> Any:
    """Return the command called ``name``, imported; KeyError when there is none.

    A module offers ``app`` (a `typer.Typer`) or, for a single command, a function of the module's name.
    """
    entry = {entry.name: entry for entry in ENTRIES}[name]
    module = importlib.import_module(entry.module)
    app: typer.Typer | None = getattr(module, "app", None)
    if app is None:
        function: Callable[..., Any] = getattr(module, entry.name)
        app = typer.Typer(add_completion=False)
        app.command(entry.name)(function)
    app.rich_markup_mode = None
    app._add_completion = False  # noqa: SLF001 - typer has no other way once the group exists
    found = typer.main.get_group(app) if entry.group else typer.main.get_command(app)
    found.name = entry.name
    if entry.group:
        found.help = found.help or entry.says
        found.no_args_is_help = True
    return found


app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gateway {__version__}")
        raise typer.Exit


@app.callback()
def _gateway(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Hold mail that steps outside professional boundaries before it reaches a victim or witness.

    Exit codes: 0 fine, 1 something is wrong, 2 the command or the settings were given wrongly. With --json a
    command prints one JSON object a line; the log goes to stderr.
    """


def main() -> None:
    """Run the command in ``sys.argv``; what the world or a file got wrong is a sentence on stderr and exit 1."""
    try:
        app(prog_name="gateway")
    except Mistakes as mistakes:
        for mistake in mistakes.mistakes:
            typer.echo(mistake, err=True)
        sys.exit(1)
    except GatewayError as error:
        typer.echo(f"{str(error) or type(error).__name__}\n{error.hint}".rstrip(), err=True)
        sys.exit(1)
