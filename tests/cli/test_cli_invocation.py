"""What commands share: JSON lines, failures, and the log of the process."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
import typer

from gateway.cli.invocation import configure_log, emit, fail, printable
from gateway.model import Action
from gateway.settings import LogSettings


@pytest.fixture
def log(capsys):
    """Configure the log and return a function that gives the lines written since; undone afterwards."""
    before = logging.getLogger().handlers[:], logging.getLogger().level

    def start(**settings):
        configure_log(LogSettings(**settings))

        def written():
            return capsys.readouterr().err.splitlines()

        return written

    yield start
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:], level = before
    logging.getLogger().setLevel(level)


def test_emit_is_one_line_of_plain_json(capsys):
    """Line breaks inside values stay inside the line, other letters stay readable, our own types have a form."""
    emit(
        {
            "subject": "one\ntwo ŵ",
            "at": datetime(2025, 3, 1, tzinfo=UTC),
            "file": Path("a"),
            "action": Action.HOLD,
        }
    )
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "ŵ" in printed
    assert json.loads(printed) == {
        "subject": "one\ntwo ŵ",
        "at": "2025-03-01T00:00:00+00:00",
        "file": "a",
        "action": "hold",
    }


def test_emit_refuses_what_it_does_not_know():
    """A value without a JSON form is our bug, not an empty object."""
    with pytest.raises(TypeError, match="bytes has no JSON form"):
        emit({"raw": b"x"})


def test_fail_is_exit_1_on_stderr(capsys):
    """A failure is a sentence on stderr and exit code 1."""
    with pytest.raises(typer.Exit) as caught:
        fail("There is no item of that id.")
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == "There is no item of that id.\n"


def test_log_is_json_with_bound_values_and_time(log):
    """Each event is one JSON line on stderr with level, time and what is bound to the context."""
    lines = log()
    structlog.contextvars.bind_contextvars(message="m1")
    structlog.get_logger().info("message:held", score=7)
    (line,) = [json.loads(line) for line in lines()]
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() is not None
    assert line == {"event": "message:held", "score": 7, "message": "m1", "level": "info"}


def test_level_can_be_changed_while_running(log):
    """A reload with another level takes effect on loggers that were used before, and once."""
    logger = structlog.get_logger()
    lines = log(level="warning")
    logger.info("unheard")
    log(level="debug")
    logger.debug("heard")
    assert [json.loads(line)["event"] for line in lines()] == ["heard"]


def test_libraries_are_heard_from_warning_upwards(log):
    """aiosmtpd logs addresses at info: those lines are dropped, warnings come through as JSON, once each."""
    lines = log(level="debug")
    log(level="debug")
    logging.getLogger("mail.log").info("RCPT TO:<somebody@home.example>")
    logging.getLogger("mail.log").warning("a warning of %s", "theirs")
    (line,) = [json.loads(line) for line in lines()]
    assert (line["event"], line["library"], line["level"]) == ("a warning of theirs", "mail.log", "warning")


@pytest.mark.parametrize("form", ["json", "text"])
def test_tracebacks_do_not_show_values(log, form):
    """A traceback says where, not what was in the variables: they may hold a message."""
    lines = log(format=form)
    words = "you looked lovely today"
    try:
        words.index("nowhere")
    except ValueError:
        structlog.get_logger().exception("bug")
        logging.getLogger("asyncio").exception("theirs")
    written = "\n".join(lines())
    assert written.count("ValueError") == 2
    assert "Traceback" in written
    assert words not in written


def test_text_form_for_people(log):
    """The text form is one readable line, without colour codes when stderr is no terminal."""
    lines = log(format="text")
    structlog.get_logger().warning("registry:stale", age_h=30)
    (line,) = lines()
    assert "registry:stale" in line
    assert "age_h=30" in line
    assert "\x1b" not in line
    assert not sys.stderr.isatty()


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Your case \N{WINKING FACE}, M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller", None),
        ("\x1b[2K\x1b[1A", r"\x1b[2K\x1b[1A"),
        ("one\nabc2  2026-03-01  released", r"one\nabc2  2026-03-01  released"),
        ("\x9b31m\x07\x7f", r"\x9b31m\x07\x7f"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
    ],
)
def test_a_senders_text_cannot_command_the_terminal(text, printed):
    """A subject that hides the line above it, or writes one of its own, would hide a hold from its reviewer."""
    assert printable(text) == (text if printed is None else printed)
