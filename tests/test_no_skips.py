"""GATEWAY_NO_SKIPS, as .ci/run sets it: what is skipped has failed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SKIPS = {
    "a test that skips": "import pytest\ndef test_a():\n    pytest.skip('no neighbour')\n",
    "a mark": "import pytest\n@pytest.mark.skipif(True, reason='no neighbour')\ndef test_a(): pass\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef f():\n    pytest.skip('no neighbour')\ndef test_a(f): pass\n",
    "a module": "import pytest\npytest.skip('no neighbour', allow_module_level=True)\n",
    "a missing library": "import pytest\npytest.importorskip('no_neighbour')\n",
}


def outcome(folder: Path, samples: dict[str, str], *, no_skips: bool) -> subprocess.CompletedProcess[str]:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    for name, text in samples.items():
        (folder / f"test_{name.replace(' ', '_')}.py").write_text(text)
    env = {**os.environ, "GATEWAY_NO_SKIPS": "1" if no_skips else ""}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    command.append("--continue-on-collection-errors")
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=env, check=False, timeout=60
    )


def test_every_skip_fails_the_run(tmp_path):
    """Under GATEWAY_NO_SKIPS each way to skip is a failure that says why it was skipped."""
    ran = outcome(tmp_path, SKIPS, no_skips=True)
    assert ran.returncode == 1, ran.stdout
    assert "skipped" not in ran.stdout.splitlines()[-1]
    for name in SKIPS:
        assert f"test_{name.replace(' ', '_')}.py" in ran.stdout
    assert ran.stdout.count("GATEWAY_NO_SKIPS is set, and this was skipped: ") >= len(SKIPS)


def test_skips_are_allowed_elsewhere(tmp_path):
    """On a machine without the neighbours, tests may skip."""
    ran = outcome(tmp_path, SKIPS, no_skips=False)
    assert ran.returncode in {0, 5}
    assert f"{len(SKIPS)} skipped" in ran.stdout


def test_an_expected_failure_is_no_skip(tmp_path):
    """A known gap that is marked as such does not fail the run."""
    text = "import pytest\n@pytest.mark.xfail(strict=True, reason='later')\ndef test_a(): assert False\n"
    ran = outcome(tmp_path, {"gap": text}, no_skips=True)
    assert ran.returncode == 0, ran.stdout
    assert "1 xfailed" in ran.stdout
