"""The command as a whole: its list, its exit codes, what it imports, and how mistakes look."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import __version__, cli

GATEWAY = (sys.executable, "-m", "gateway")


def run(*arguments, cwd=None, env=None):
    return subprocess.run(
        [*GATEWAY, *arguments], capture_output=True, text=True, cwd=cwd, env=env, check=False, timeout=60
    )


def test_version():
    """`gateway --version` prints the package's version."""
    ran = run("--version")
    assert (ran.returncode, ran.stdout.strip()) == (0, f"gateway {__version__}")


def test_help_lists_every_command_and_imports_none():
    """The overview names every command without waiting for spaCy, SQLAlchemy or any command's module."""
    code = (
        "import sys; from typer.testing import CliRunner; from gateway.cli import app;"
        "r = CliRunner().invoke(app, ['--help']); print(r.stdout);"
        "heavy = {m.split('.')[0] for m in sys.modules} & {'spacy', 'sqlalchemy', 'pydantic', 'structlog', 'aiosmtpd'};"
        "ours = {m for m in sys.modules if m.startswith('gateway.cli.')}; sys.exit(repr((heavy, ours)) if heavy|ours else 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    listed = [line.split()[0] for line in ran.stdout.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == [entry.name for entry in cli.ENTRIES]
    assert "..." not in ran.stdout.partition("Commands:")[2], "a sentence is too long for the list"


@pytest.mark.parametrize("entry", cli.ENTRIES, ids=lambda entry: entry.name)
def test_every_command_is_there_with_help(entry):
    """Each listed command exists; it and each of its members say what they do."""
    found = cli.command(entry.name)
    members = getattr(found, "commands", {})
    assert bool(members) is entry.group
    for words in ([entry.name], *([entry.name, name] for name in members)):
        result = CliRunner().invoke(cli.app, [*words, "--help"], prog_name="gateway")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"Usage: gateway {' '.join(words)}")
    for member in (found, *members.values()):
        assert (member.help or "").strip(), member.name
        for option in member.params:
            assert option.help or getattr(option, "hidden", False), f"{member.name} {option.name} has no help"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hold"], "Did you mean 'holds'?"),
        (["zebra"], "No such command 'zebra'."),
        (["settings", "--jsn"], "No such option"),
        (["settings", "surplus"], "unexpected extra argument"),
        (["settings", "--config"], "requires an argument"),
        ([], "Usage: gateway"),
        (["store"], "Usage: gateway store"),
    ],
)
def test_wrong_usage_exits_2(arguments, said):
    """A command given wrongly exits 2, says what is wrong on stderr, and prints nothing on stdout."""
    result = CliRunner().invoke(cli.app, arguments, prog_name="gateway")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not result.stdout


def test_wrong_settings_exit_2_with_all_mistakes(tmp_path):
    """Wrong settings end every command with exit code 2, each mistake on its own line of stderr."""
    (tmp_path / "gateway.yaml").write_text("smtp: {listn: x, max_errors: y}\n")
    ran = run("settings", cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == [
        "gateway.yaml:1:8: there is no setting smtp.listn; did you mean smtp.listen?",
        "gateway.yaml:1:30: smtp.max_errors cannot be 'y'; write a whole number of at least 1",
    ]


def test_a_file_that_is_not_there_exits_2(tmp_path):
    """--config with a missing file is a sentence, not a traceback."""
    ran = run("settings", "--config", "none.yaml", cwd=tmp_path)
    assert ran.returncode == 2
    assert (
        ran.stderr
        == "none.yaml: cannot be read: No such file or directory; name a settings file that can be\n"
    )


def test_trouble_is_a_sentence_and_exit_1(tmp_path):
    """When the world fails, the command says what and what to do, and exits 1 without a traceback."""
    ran = run("audit", "verify", cwd=tmp_path)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ran.stderr.strip()


def test_settings_text_says_where_each_value_came_from(tmp_path):
    """The text shows value, unit, origin and default of what was changed."""
    (tmp_path / "gateway.yaml").write_text("smtp:\n  max_message_bytes: 2000000\n")
    ran = run("settings", cwd=tmp_path, env={"GATEWAY_POLICY__MODE": "observe"})
    assert ran.returncode == 0
    assert "  smtp.max_message_bytes = 2000000 octets  [gateway.yaml:2; default 36700160]\n" in ran.stdout
    assert "  policy.mode = observe  [GATEWAY_POLICY__MODE; default hold]\n" in ran.stdout
    assert "  store.history_days = 90 days  [default]\n" in ran.stdout


def test_settings_json_is_one_object_a_line(tmp_path):
    """With --json each setting is one object with its value, default, unit and origin."""
    ran = run("settings", "--json", cwd=tmp_path, env={"GATEWAY_SMTP__IDLE_TIMEOUT_S": "10.5"})
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    by_name = {line["name"]: line for line in lines}
    assert len(by_name) == len(lines)
    assert by_name["smtp.idle_timeout_s"] == {
        "name": "smtp.idle_timeout_s",
        "value": "10.5",
        "default": "300",
        "unit": "s",
        "says": "Longest silence of a client.",
        "why": "RFC 5321 section 4.5.3.2.7",
        "origin": "environment",
        "place": "GATEWAY_SMTP__IDLE_TIMEOUT_S",
        "variable": "GATEWAY_SMTP__IDLE_TIMEOUT_S",
    }


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_settings_never_print_a_secret(tmp_path, form):
    """Passwords, also those inside a URL or from a file, are shown as ***."""
    secret = tmp_path / "p"
    secret.write_text("hush-one")
    secret.chmod(0o600)
    env = {
        "GATEWAY_NEXT_HOP__USER": "gateway",
        "GATEWAY_NEXT_HOP__PASSWORD_FILE": "p",
        "GATEWAY_STORE__URL": "postgresql+psycopg://gateway:hush%2Ftwo@db.force.example/gateway",
    }
    ran = run("settings", *form, cwd=tmp_path, env=env)
    assert ran.returncode == 0
    assert "hush" not in ran.stdout + ran.stderr
    assert "postgresql+psycopg://gateway:***@db.force.example/gateway" in ran.stdout
    assert "***" in ran.stdout.partition("next_hop.password")[2][:60]


def test_reference_is_the_same_everywhere(tmp_path):
    """--markdown does not depend on the settings in force, nor on the folder."""
    env = {"GATEWAY_SMTP__MAX_ERRORS": "5"}
    one, other = (
        run("settings", "--markdown", cwd=tmp_path, env=env),
        run("settings", "--markdown", cwd=Path.cwd()),
    )
    assert one.stdout == other.stdout
    assert str(tmp_path) not in one.stdout
