"""`gateway doctor`: what is well, what is wrong, and how to go around."""

import asyncio
import json
from pathlib import Path
from urllib.request import urlopen

from gateway_process import GatewayProcess, free_port
from smarthost import Smarthost

from gateway import inspection


async def test_doctor_finds_a_running_gateway_well(tmp_path: Path) -> None:
    """With relay and smarthost up, every look is well and the exit status is 0; the relay itself says that it is ready."""
    more = {"health": {"listen": f"127.0.0.1:{free_port()}"}}
    async with (
        Smarthost() as smarthost,
        GatewayProcess(tmp_path, next_hop=smarthost.port, more=more) as gateway,
    ):
        looks = await asyncio.to_thread(gateway.lines, "doctor")
        (relay,) = await asyncio.to_thread(gateway.lines, "doctor", "--only", "relay")
        url = f"http://{more['health']['listen']}/metrics"
        figures = await asyncio.to_thread(lambda: urlopen(url, timeout=30).read().decode().splitlines())
    assert {look["what"]: look["well"] for look in looks} == dict.fromkeys(
        ("registry", "rules", "language", "store", "smarthost", "relay"), True
    )
    assert (relay["what"], relay["well"]) == ("relay", True)
    assert relay["says"].endswith("and is ready")
    for figure in ("alive", "wanted"):
        assert {
            f'gateway_workers_{figure}{{kind="extract"}} 1',
            f'gateway_workers_{figure}{{kind="language"}} 1',
        } <= set(figures)
    assert 'gateway_workers_busy{kind="language"} 0' in figures, (
        "its rule set is loaded, and nothing under way"
    )
    assert 'gateway_smarthost_connections{state="resting"} 1' in figures


def test_doctor_names_each_thing_that_is_wrong(tmp_path: Path) -> None:
    """Nothing up and a broken contact list: each line says what to do, and the exit status is 1."""
    gateway = GatewayProcess(tmp_path, next_hop=1)
    (tmp_path / "contacts.csv").write_text("email,nam\n", encoding="utf-8")
    done = gateway.run("doctor", "--json", check=False)
    looks = {look["what"]: look for look in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert looks["rules"]["well"]
    assert looks["language"]["says"] == inspection.language_layer(language=True)
    assert "contacts.csv:1" in looks["registry"]["says"]
    assert "gateway store init" in looks["store"]["says"]
    assert not looks["smarthost"]["well"]
    assert "gateway serve" in looks["relay"]["says"]
    assert gateway.run("doctor", "--only", "relay", check=False).returncode == 1
    assert gateway.run("doctor", "--only", "rules", check=False).returncode == 0


def test_bypass_plan_names_our_own_hosts(tmp_path: Path) -> None:
    """The plan can be followed as it is printed: next hop and configuration are in it (DECISIONS 34)."""
    gateway = GatewayProcess(tmp_path, next_hop=2600)
    plan = gateway.run("doctor", "--bypass-plan").stdout
    assert "relayhost = [127.0.0.1]:2600" in plan
    assert f"gateway scan --config {gateway.config}" in plan
