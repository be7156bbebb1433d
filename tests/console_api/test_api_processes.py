"""The guide as a person follows it: tokens, the console, curl.

Real processes and the commands of docs/contacts-api.md, word for word.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from gateway_process import GatewayProcess, free_port

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "contacts-api.md"
CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="needs curl, to follow docs/contacts-api.md")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def gateway(tmp_path):
    """A gateway whose lists are pushed; its console does not run yet."""
    port = free_port()
    more = {
        "registry": {"source": "api", "check_every_s": 0.2},
        "api": {"enabled": True},
        "console": {"listen": f"127.0.0.1:{port}"},
    }
    made = GatewayProcess(tmp_path / "gateway", next_hop=free_port(), more=more)
    made.origin = f"http://127.0.0.1:{port}"
    made.init()
    yield made
    made.kill()


@contextmanager
def console_of(gateway):
    """Run `gateway console` beside it."""
    command = [sys.executable, "-m", "gateway", "console", "--config", str(gateway.config)]
    log = gateway.folder / "console.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as process,
    ):
        try:
            while "console:ready" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def token(gateway, name, may):
    return gateway.run("tokens", "add", name, "--may", may).stdout.strip()


@needs_curl
async def test_the_guide_works_as_it_is_written(gateway):
    """Every command of docs/contacts-api.md, in its order, with tokens made by the command that it names."""
    assert len(EXAMPLES) == 6
    env = os.environ | {
        "GATEWAY": gateway.origin,
        "TOKEN": token(gateway, "records-system", "contacts"),
        "STATES": token(gateway, "case-board", "states"),
    }
    with console_of(gateway):
        for example in EXAMPLES:
            done = await asyncio.to_thread(
                subprocess.run,
                ["bash", "-euc", example],
                env=env,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"
    assert [
        json.loads(line)["name"] for line in gateway.run("tokens", "list", "--json").stdout.splitlines()
    ] == [
        "case-board",
        "records-system",
    ]
    assert gateway.run("contacts", "check", check=False).returncode == 0
