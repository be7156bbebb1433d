"""What is wrong when the gateway starts, reloads or stops. It refuses, or serves with what was good; it never guesses."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest_of_faults import Line, line_in
from fault_cases import (
    NO_KEY,
    NO_REGISTRY,
    NO_RULES,
    NO_STARTS,
    NO_STORE,
    REGISTRY_BAD,
    RULES_BROKEN,
    SMARTHOST_DOWN_AT_START,
    STOPPING,
    STOPPING_ALL,
    WRONG_KEY,
    NoStart,
    OwnFault,
)
from fault_client import Client, stuffed
from gateway_process import ADVANCE, CONTACT, SUPERVISOR, UPDATE, mail
from smarthost import Smarthost, Stage, silence
from test_faults_of_ours import send

from gateway.model import Event

pytestmark = pytest.mark.slow

CLERK = "clerk@council.example"
RULES = Path(__file__).resolve().parent.parent.parent / "rules"
ACCEPTED = "dot: 250 2.0.0 Accepted ID"


@pytest.fixture
async def fresh(tmp_path: Path):
    """A line whose gateway was never started, with rules of its own."""
    async with Smarthost() as smarthost:
        rules = tmp_path / "rules"
        shutil.copytree(RULES, rules)
        found = line_in(tmp_path / "gateway", smarthost, rules={"path": str(rules)})
        try:
            yield found
        finally:
            found.gateway.kill()


async def until(true, timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.05)


def logged(line: Line, event: str) -> list[dict]:
    return [one for one in line.gateway.events() if one.get("event") == event]


def _other_key(line: Line) -> None:
    line.gateway.init()
    other = line_in(line.gateway.folder.parent / "other", line.smarthost)
    other.gateway.init()
    shutil.copy(other.gateway.folder / "sealing.key", line.gateway.folder / "sealing.key")


def _no_key(line: Line) -> None:
    line.gateway.init()
    (line.gateway.folder / "sealing.key").unlink()


def _no_registry(line: Line) -> None:
    line.gateway.init()
    (line.gateway.folder / "contacts.csv").unlink()


def _no_rules(line: Line) -> None:
    line.gateway.init()
    _break_rules(line)


def _break_rules(line: Line) -> None:
    policy = line.gateway.folder.parent / "rules" / "policy.yaml"
    policy.write_text(policy.read_text().replace("flag_at: 2", "flag_at: two"), encoding="utf-8")


BREAKING = {
    WRONG_KEY: _other_key,
    NO_KEY: _no_key,
    NO_REGISTRY: _no_registry,
    NO_RULES: _no_rules,
    NO_STORE: None,
}


@pytest.mark.parametrize("case", NO_STARTS, ids=lambda case: case.fault[:30])
async def test_it_does_not_start(fresh: Line, case: NoStart):
    """What cannot be done safely is refused at the start, with what to do; no port is ever opened."""
    if breaking := BREAKING[case]:
        breaking(fresh)
    fresh.gateway.spawn()
    assert await asyncio.to_thread(fresh.gateway.process.wait, 60) not in (0, None)
    assert case.says in fresh.gateway.log.read_text()
    with pytest.raises(OSError, match=r"."):
        await Client.connect(fresh.port)


@pytest.mark.parametrize("case", [RULES_BROKEN], ids=["rules"])
async def test_broken_rules_leave_the_last_good_set_in_force(fresh: Line, case: OwnFault):
    """A set that fails load at the start: the last good one judges, and an alarm is raised (DECISIONS 17)."""
    fresh.gateway.init()
    await fresh.gateway.start()
    (good,) = {one["rules_hash"] for one in logged(fresh, "serve:ready")}
    assert fresh.gateway.stop() == 0
    _break_rules(fresh)
    await fresh.gateway.start()
    assert [one["in_force"] for one in logged(fresh, "rules:refused")] == [good]
    held = mail(ADVANCE)
    assert await send(fresh, held, CONTACT) == case.contact
    assert len(fresh.recorded(held)) == 1
    assert await send(fresh, mail(UPDATE, to=CLERK), CLERK) == case.others
    await until(lambda: fresh.audited(Event.RULES_REFUSED) == 1)


@pytest.mark.parametrize("case", [REGISTRY_BAD], ids=["registry"])
async def test_registry_gone_bad_never_means_nobody_is_a_contact(fresh: Line, case: OwnFault):
    """After SIGHUP with a broken list the last good registry holds, is called stale, and contacts stay contacts."""
    fresh.gateway.init()
    await fresh.gateway.start()
    (fresh.gateway.folder / "contacts.csv").write_text("nothing,of,the,kind\n1,2,3,4\n", encoding="utf-8")
    fresh.gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: logged(fresh, "registry:stale"))
    held = mail(ADVANCE)
    assert await send(fresh, held, CONTACT) == case.contact
    assert len(fresh.recorded(held)) == 1
    assert await send(fresh, mail(UPDATE, to=CLERK), CLERK) == case.others
    await until(lambda: fresh.audited(Event.REGISTRY_STALE) >= 1)
    # restarted with the broken list, the copy on disk is what counts
    assert fresh.gateway.stop() == 0
    await fresh.gateway.start()
    again = mail(ADVANCE)
    assert await send(fresh, again, CONTACT) == case.contact
    assert len(fresh.recorded(again)) == 1


@pytest.mark.parametrize("case", [SMARTHOST_DOWN_AT_START], ids=["down"])
async def test_smarthost_down_at_start(fresh: Line, case: OwnFault):
    """What EHLO may offer is not known: 421, until the smarthost is up (DECISIONS 5)."""
    await fresh.smarthost.stop()
    fresh.gateway.init()
    await fresh.gateway.start()
    assert await send(fresh, mail(UPDATE, to=CLERK), CLERK) == case.others
    assert await send(fresh, mail(ADVANCE), CONTACT) == case.contact
    assert logged(fresh, "smarthost:unreachable")
    await fresh.smarthost.start()
    raw = mail(UPDATE, to=CLERK)
    async with asyncio.timeout(30):
        while await send(fresh, raw, CLERK) != ACCEPTED:
            await asyncio.sleep(0.05)
    assert fresh.copies(raw) == {CLERK: 1}


@pytest.mark.parametrize("case", [STOPPING], ids=["stopping"])
async def test_sigterm_lets_messages_finish(fresh: Line, case: OwnFault):
    """SIGTERM: the message in DATA is finished and answered, the idle client gets 421, the exit status is 0."""
    fresh.gateway.init()
    await fresh.gateway.start()
    idle, busy = await Client.connect(fresh.port), await Client.connect(fresh.port)
    for client in (idle, busy):
        await client.greet()
    raw = mail(ADVANCE)
    assert await busy.envelope(CONTACT) is None
    assert (await busy.say("DATA")).startswith("354")
    wire = stuffed(raw)
    busy.writer.write(wire[:200])
    await busy.writer.drain()
    fresh.gateway.process.send_signal(signal.SIGTERM)
    assert (await idle.reply()).startswith("421 4.3.2")
    busy.writer.write(wire[200:])
    assert f"dot: {(await busy.reply()).rpartition(' ')[0]} ID" == case.contact
    assert (await busy.reply()).startswith("421")
    assert await asyncio.to_thread(fresh.gateway.process.wait, 60) == 0
    assert len(fresh.recorded(raw)) == 1
    for client in (idle, busy):
        client.leave()


def family(pid: int) -> list[int]:
    """Return ``pid`` and all processes below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


@pytest.mark.parametrize("case", [STOPPING_ALL], ids=["everybody at once"])
async def test_sigterm_to_all_processes_holds_nothing(fresh: Line, case: OwnFault):
    """A service manager may signal the relays, their parent and their workers together: that is one word to stop."""
    fresh.gateway.init()
    await fresh.gateway.start("--workers", "2")
    await until(lambda: len(logged(fresh, "serve:ready")) == 2)
    wires, clients = [], []
    for to in (CONTACT, CLERK):
        client = await Client.connect(fresh.port)
        await client.greet()
        assert await client.envelope(to) is None
        assert (await client.say("DATA")).startswith("354")
        raw = mail(UPDATE, to=to)
        client.writer.write(stuffed(raw)[:200])
        await client.writer.drain()
        clients.append(client)
        wires.append(raw)
    for pid in family(fresh.gateway.process.pid):
        os.kill(pid, signal.SIGTERM)
    for client, raw, answer in zip(clients, wires, (case.contact, case.others), strict=True):
        client.writer.write(stuffed(raw)[200:])
        assert f"dot: {(await client.reply()).rpartition(' ')[0]} ID" == answer
    assert await asyncio.to_thread(fresh.gateway.process.wait, 60) == 0
    assert not logged(fresh, "serve:killed")
    assert not fresh.recorded(wires[0]), "it was not read, and is held"
    assert [fresh.copies(raw) for raw in wires] == [{CONTACT: 1}, {CLERK: 1}]
    for client in clients:
        client.leave()


BROKEN_DUTY = """
import asyncio
from gateway.cli import main, serve
async def breaks(self):
    await asyncio.sleep(1)
    raise KeyError("a bug")
serve.Service._sign_audit = breaks
main()
"""


async def test_a_fault_of_ours_in_a_duty_drains_and_is_a_failure(fresh: Line):
    """The service ends in order, and its exit status says that somebody should start it again."""
    fresh.gateway.init()
    command = [sys.executable, "-c", BROKEN_DUTY, "serve", "--config", str(fresh.gateway.config)]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False, timeout=120)
    events = [json.loads(line).get("event") for line in ran.stderr.splitlines() if line.startswith(b"{")]
    assert ran.returncode == 1, ran.stderr
    assert events.index("serve:duty-ended") < events.index("serve:stopped")


async def test_sigterm_while_a_release_waits_for_the_smarthost(fresh: Line):
    """A smarthost that never answers a release does not keep the gateway from ending in order within its time."""
    config = json.loads(fresh.gateway.config.read_text())
    config["smtp"]["drain_timeout_s"] = 2
    config["next_hop"]["data_timeout_s"] = 600
    fresh.gateway.config.write_text(json.dumps(config), encoding="utf-8")
    fresh.gateway.init()
    await fresh.gateway.start()
    raw = mail(ADVANCE)
    assert await send(fresh, raw, CONTACT) == ACCEPTED
    (hold,) = fresh.recorded(raw)
    fresh.smarthost.at(Stage.DOT, silence())
    arguments = ("holds", "release", hold.id, "--as", SUPERVISOR, "--reason", "Read and proper.")
    await asyncio.to_thread(fresh.gateway.run, *arguments)
    await fresh.smarthost.until(lambda: any(session.uploads for session in fresh.smarthost.sessions), 30)
    fresh.gateway.process.send_signal(signal.SIGTERM)
    status = await asyncio.to_thread(fresh.gateway.process.wait, 30)
    assert status == 0, fresh.gateway.log.read_text()[-2000:]
    assert logged(fresh, "serve:stopped")
    # The next start does not wait for the lease of the process that is gone.
    fresh.smarthost.forget_script()
    await fresh.gateway.start()
    await fresh.smarthost.until(lambda: bool(fresh.copies(raw)), 30)
