"""The image: what goes in, as whom it runs; and that the script which tries its steps reads them rightly."""

import importlib.machinery
import importlib.util
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def script(name: str):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module  # its dataclasses look themselves up
    loader.exec_module(module)
    return module


STEPS = script("docker-steps")
PARSED = STEPS.instructions((ROOT / "Dockerfile").read_text())
IGNORE = [
    line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
]


def last(word: str) -> str:
    return [rest for one, rest in PARSED if one == word][-1]


def test_image_runs_the_relay_as_an_ordinary_user():
    """The image serves by default, as a fixed user that is not root, and ends at SIGTERM."""
    assert json.loads(last("ENTRYPOINT")) + json.loads(last("CMD")) == [
        "gateway",
        "serve",
        "--config",
        "/etc/gateway/gateway.yaml",
    ]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last("USER"))
    assert last("STOPSIGNAL") == "SIGTERM"
    assert last("VOLUME") == "/var/lib/gateway"


def test_health_is_asked_of_the_relay_alone():
    """The engine asks the command that greets the relay: a full outbox or a late registry must not restart it."""
    asked = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    assert asked == ["gateway", "doctor", "--only", "relay", "--config", "/etc/gateway/gateway.yaml"]


def test_last_stage_gets_only_the_built_environment():
    """Compiler, sources and pip's leavings stay in the builder: the last stage copies one folder from it."""
    final = PARSED[max(index for index, (word, _) in enumerate(PARSED) if word == "FROM") :]
    assert [rest for word, rest in final if word == "COPY"] == ["--from=builder /opt/gateway /opt/gateway"]
    assert not [rest for word, rest in final if word == "RUN" and "pip" in rest]


def test_every_install_is_pinned():
    """Each pip install is by hash, or of the wheel that was built here."""
    steps = [part for word, rest in PARSED if word == "RUN" for part in rest.split("&&")]
    installs = [part for part in steps if "pip install" in part]
    assert len(installs) == 3
    assert all(
        "--require-hashes -r requirements/" in one or "--no-deps --no-index" in one for one in installs
    )


def test_nothing_secret_in_the_image():
    """No step names a secret, and the build context leaves out everything but what is built."""
    assert not re.search(r"(?i)password|secret_|token|sealing", "\n".join(rest for _, rest in PARSED))
    for path in (
        ".git/config",
        ".venv/bin/python",
        "var/sealing.key",
        "gateway.yaml",
        "tests/conftest.py",
        ".ci/run",
    ):
        assert STEPS.ignored(path, IGNORE), path


def test_everything_copied_is_in_the_build_context():
    """.dockerignore lets through what COPY needs, without caches."""
    for word, rest in PARSED:
        sources = [] if word != "COPY" or "--from" in rest else shlex.split(rest)[:-1]
        for source in sources:
            files = [path for path in (ROOT / source).rglob("*") if path.is_file()] or [ROOT / source]
            kept = [path for path in files if not STEPS.ignored(path.relative_to(ROOT).as_posix(), IGNORE)]
            assert kept, source
            assert not [path for path in kept if "__pycache__" in path.parts]


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("a", True),
        ("keep/x.py", False),
        ("keep/sub/x.py", False),
        ("keep/sub/__pycache__/x.pyc", True),
        ("keep/x.pyc", True),
        ("keeper/x", True),
    ],
)
def test_ignore_patterns(path, out):
    """The last pattern that matches a path or one of its folders decides, as Docker has it."""
    assert STEPS.ignored(path, ["*", "!keep/", "**/__pycache__/", "**/*.pyc"]) is out


def test_instructions_are_joined_and_unknown_ones_refused():
    """Comments go, continued lines are one, and a step that the script cannot try is an error, not a gap."""
    text = "# syntax\nFROM a AS b\nRUN one && \\\n    # why\n    two\n"
    assert STEPS.instructions(text) == [("FROM", "a AS b"), ("RUN", "one &&      two")]
    with pytest.raises(SystemExit, match="does not know ONBUILD"):
        STEPS.instructions("FROM a\nONBUILD RUN x\n")
