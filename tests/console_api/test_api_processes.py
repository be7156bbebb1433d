"""The guide as a person follows it: tokens, the console, curl; and a relay that judges mail by what was pushed.

Real processes and the commands of docs/contacts-api.md, word for word.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import smtplib
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from gateway_process import ADVANCE, CONTACT, OFFICER, GatewayProcess, free_port, mail
from smarthost import Smarthost

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "contacts-api.md"
CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="needs curl, to follow docs/contacts-api.md")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
async def smarthost():
    async with Smarthost() as made:
        yield made


@pytest.fixture
def gateway(tmp_path, smarthost):
    """A gateway whose lists are pushed; neither relay nor console runs yet."""
    port = free_port()
    more = {
        "registry": {"source": "api", "check_every_s": 0.2},
        "api": {"enabled": True},
        "console": {"listen": f"127.0.0.1:{port}"},
    }
    made = GatewayProcess(tmp_path / "gateway", next_hop=smarthost.port, more=more)
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
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
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


async def test_mail_is_judged_by_what_was_pushed_and_no_restart_is_needed(gateway, smarthost):
    """Without lists serve does not start; then it does, and a contact who is pushed while it runs is protected."""
    gateway.spawn()
    assert await asyncio.to_thread(gateway.process.wait, 120) != 0
    assert "has not been pushed yet" in gateway.log.read_text()
    headers = {"Authorization": f"Bearer {token(gateway, 'records-system', 'contacts')}"}
    with console_of(gateway):
        async with httpx2.AsyncClient(base_url=gateway.origin, headers=headers, timeout=60) as caller:
            sets = [
                json.loads(one)
                for one in re.findall(r"-d '(.*?)'\n?$", "\n".join(EXAMPLES[:2]), re.DOTALL | re.MULTILINE)
            ]
            for name, body in zip(("staff", "contacts"), sets, strict=True):
                assert (await caller.put(f"/api/{name}", json=body)).status_code == 201
            await gateway.start()
            first = (await caller.get("/api/registry")).json()["in_force"]
            assert (first["contacts"], first["staff"]) == (1, 2)
            await asyncio.to_thread(send, gateway, "mina@home.example")
            new = {key: value for key, value in sets[1]["entries"][0].items() if key != "entry"}
            new |= {"email": "mina@home.example", "person_id": "P-9", "name": "Mina Rahman"}
            assert (await caller.put("/api/contacts/P-9", json=new)).status_code == 201
            async with asyncio.timeout(120):
                while (in_force := (await caller.get("/api/registry")).json()["in_force"])["contacts"] != 2:
                    await asyncio.sleep(0.5)
            assert in_force["version"] != first["version"]
            await asyncio.to_thread(send, gateway, "mina@home.example")
            await asyncio.to_thread(send, gateway, CONTACT)
    held = gateway.lines("holds", "list", "--state", "all")
    assert sorted(one["recipients"][0] for one in held) == ["mina@home.example", CONTACT]
    assert len(smarthost.mails) == 1


def send(gateway, recipient):
    """Send an advance of DC Khan's."""
    with smtplib.SMTP("127.0.0.1", gateway.port, timeout=120) as client:
        client.sendmail(OFFICER, [recipient], mail(ADVANCE, to=recipient))
