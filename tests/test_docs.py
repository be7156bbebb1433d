"""Nothing that a user can name goes undocumented, and nothing is documented that is not there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import __version__, cli
from gateway.errors import Mistakes
from gateway.model import Event
from gateway.settings import declared_settings, load

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_generated_pages_are_fresh():
    """docs/settings.md and docs/commands.md are what `make docs` prints."""
    env = {name: value for name, value in os.environ.items() if name != "TERM"}
    command = [sys.executable, ROOT / "scripts/docs", "--check"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False, timeout=120)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("setting", declared_settings(), ids=lambda setting: setting.name)
def test_every_setting_is_explained(setting):
    """Each setting says what it does; a limit of time or size says its unit."""
    assert setting.says.endswith((".", "://")) or setting.says
    if re.search(r"_(s|h|days|bytes|percent|chars)$", setting.name):
        assert setting.unit, setting.name


def test_every_audit_event_is_in_the_docs():
    """docs/audit-events.md lists exactly the events there are."""
    listed = re.findall(
        r"^\| `([a-z-]+:[a-z-]+)` \|", (ROOT / "docs/audit-events.md").read_text(), re.MULTILINE
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == {event.value for event in Event}


def test_every_make_target_has_its_line():
    """`make help` lists every target that the Makefile has, and the README's are among them."""
    text = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    helped = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    assert phony == helped
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert named <= helped, named - helped


def test_commands_in_the_docs_exist():
    """Every `gateway ...` command that a page names can be called."""
    groups = {entry.name: entry for entry in cli.ENTRIES}
    for page in PAGES:
        for words in re.findall(
            r"(?:`|^    |^)gateway ([a-z]+)(?: ([a-z-]+))?", page.read_text(), re.MULTILINE
        ):
            if words[0] not in groups:
                pytest.fail(f"{page.name} names `gateway {words[0]}`")
            if groups[words[0]].group and words[1]:
                assert words[1] in cli.command(words[0]).commands, f"{page.name}: gateway {' '.join(words)}"


def test_settings_in_the_docs_exist():
    """Every `section.name` in backquotes on a page is a setting, or a file or module that is there."""
    names = {setting.name for setting in declared_settings()}
    sections = {name.split(".")[0] for name in names}
    for page in PAGES:
        for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", page.read_text()):
            if name.split(".")[0] in sections and not (ROOT / "gateway" / name).exists():
                known = name in names or any(one.startswith(f"{name}.") for one in names)
                assert known or name.endswith((".py", ".yaml", ".md", ".csv")), f"{page.name} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page):
    """A link to a file of ours finds it."""
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def sample_settings() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for number, block in enumerate(
            re.findall(r"```yaml\n# gateway\.yaml\n(.*?)```", page.read_text(), re.DOTALL)
        ):
            found.append((f"{page.name}-{number}", block))
    return found


@pytest.mark.parametrize(("name", "text"), sample_settings(), ids=[name for name, _ in sample_settings()])
def test_sample_settings_can_be_loaded(name, text, tmp_path):
    """Each settings file shown on a page is one the gateway takes, but for the secret files it names."""
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    path.chmod(0o600)
    try:
        load(path, {})
        complaints = []
    except Mistakes as mistakes:
        complaints = [one for one in mistakes.mistakes if "which is not a file" not in one.what]
    assert complaints == []


def test_there_is_a_sample_of_the_settings():
    """The README shows a settings file, marked so that the test above finds it."""
    assert any(name.startswith("README") for name, _ in sample_settings())


def test_changelog_knows_the_version():
    """The version of the package has its heading in the changelog, or is being prepared under Unreleased."""
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[?(Unreleased|{re.escape(__version__)})\b", text, re.MULTILINE)


def test_decision_records_are_numbered_without_gaps():
    """Records are numbered in order, and each has its three paragraphs."""
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:4]} ")
        assert all(f"**{word}.**" in text for word in ("Context", "Decision", "Cost")), path.name


def test_json_lines_in_the_docs_are_json():
    """A JSON example on a page is JSON."""
    for page in PAGES:
        for block in re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.strip().splitlines():
                assert isinstance(json.loads(line), dict), f"{page.name}: {line}"
