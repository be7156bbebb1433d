"""How the relay says it is: figures without a person in them, and ready only when mail to a contact would be taken."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from gateway_process import CONTACT, OFFICER, free_port
from road import BUNDLE, CLERK, Road, letter
from smarthost import Stage, answer

from gateway import inspection
from gateway.cli import serve
from gateway.cli.health import Alarms, Health
from gateway.errors import Mistake, Mistakes
from gateway.relay import Relay
from gateway.settings import HealthSettings, NextHopSettings, Settings
from gateway.store import records
from gateway.store.rows import RuleSetRow
from gateway.workers import Crew


@dataclass
class Watched:
    """A listener over a road, and what its service would say."""

    road: Road
    alarms: Alarms = field(default_factory=Alarms)
    stopping: bool = False
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        self.road.workers.crews = tuple(
            Crew(kind=kind, wanted=2, alive=2, busy=0, replaced=0) for kind in ("extract", "language")
        )
        self.health = Health(
            HealthSettings(listen="127.0.0.1:0", timeout_s=5),
            self.road.conductor,
            alarms=lambda: self.alarms,
            is_stopping=lambda: self.stopping,
            language='parse and "encoder"',
        )

    async def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        return await self.say(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    async def say(self, octets: bytes) -> tuple[int, str]:
        """Return status and body; (0, "") where nothing comes back."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.health.port)
        try:
            writer.write(octets)
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        except ConnectionError:
            return 0, ""
        finally:
            writer.close()
        return int(head.split()[1]) if head else 0, body

    async def samples(self) -> dict[str, float]:
        """Return the figures, each declared before it comes."""
        status, text = await self.ask("/metrics")
        assert status == 200
        found: dict[str, float] = {}
        declared: set[str] = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                declared.add(line.split()[2])
            elif not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                bare = name.partition("{")[0]
                assert {bare, bare.rpartition("_")[0]} & declared, line
                found[name] = float(value)
        return found


@asynccontextmanager
async def watching(road):
    watched = Watched(road)
    await watched.health.start(one_of_many=False)
    try:
        yield watched
    finally:
        await watched.health.close()


async def test_figures_of_what_became_of_messages(road: Road):
    """Each message counts once by what became of it, each answer by its class, each stage by its time."""
    async with watching(road) as watched:
        await road.send(letter("FLAG this."))
        await road.send(letter("HOLD this."))
        await road.send(letter("HOLD this."))
        await road.send(letter("The hearing is on Thursday."))
        await road.send(letter("For the clerk."), CLERK)
        await road.send(letter("STARVED"))
        await road.send(letter("BROKEN"))
        found = await watched.samples()
    outcomes = {"unread": 1, "pass": 1, "flag": 1, "hold": 1, "repeat": 1, "not_taken": 2}
    for outcome, times in outcomes.items():
        assert found[f'gateway_messages_total{{outcome="{outcome}"}}'] == times
    assert found['gateway_replies_total{command="data",class="2xx"}'] == 5
    assert found['gateway_replies_total{command="data",class="4xx"}'] == 2
    assert found['gateway_replies_total{command="rcpt",class="2xx"}'] == 7
    assert found['gateway_stage_seconds_count{stage="whole"}'] == 7
    assert found['gateway_stage_seconds_bucket{stage="judge",le="+Inf"}'] == 3
    assert found['gateway_stage_seconds_bucket{stage="whole",le="60"}'] == 7
    assert found['gateway_outbox_deliveries{kind="release",state="queued"}'] == 0


async def test_figures_of_the_outbox(road: Road):
    """What was approved and is not through is there by kind and state, with the time since when it is due."""
    await road.send(letter("HOLD this."))
    road.decide(road.holds()[0])
    async with watching(road) as watched:
        found = await watched.samples()
    assert found['gateway_outbox_deliveries{kind="release",state="queued"}'] == 1
    assert found['gateway_outbox_oldest_due_seconds{kind="release"}'] >= 0
    assert found['gateway_outbox_oldest_due_seconds{kind="notice"}'] == 0


async def test_no_person_is_in_the_figures(road: Road):
    """No address, no subject and no text of a smarthost, whatever went wrong."""
    async with watching(road) as watched:
        await road.send(letter("HOLD this URGENT one."))
        watched.alarms = Alarms(smarthost=f"{CONTACT} refused", registry="stale", rules="x.yaml:1")
        texts = [(await watched.ask(path))[1] for path in ("/metrics", "/readyz", "/healthz")]
    for word in (CONTACT, OFFICER, "@", "Your case", "refused", "x.yaml"):
        assert word not in "".join(texts)
    for what in ("smarthost", "registry", "rules"):
        assert f'gateway_alarm{{what="{what}"}} 1\n' in texts[0]
    assert 'language="parse and \\"encoder\\""' in texts[0]


async def test_ready_when_mail_to_a_contact_would_be_taken(road: Road):
    """A stale registry is an alarm, and mail is taken all the same; it lives as long as it answers."""
    async with watching(road) as watched:
        watched.alarms = Alarms(registry="the files are old", rules="a set was refused")
        assert await watched.ask("/readyz") == (200, "ready\n")
        watched.alarms = Alarms(smarthost="535 no")
        status, why = await watched.ask("/readyz")
        assert (status, "smarthost:alarm" in why) == (503, True)
        assert (await watched.samples())['gateway_alarm{what="smarthost"}'] == 1
        watched.alarms = Alarms()
        extract, language = road.workers.crews
        road.workers.crews = (extract, replace(language, alive=0))
        assert await watched.ask("/readyz") == (503, "No language worker is alive.\n")
        road.workers.crews = (extract, language)
        watched.stopping = True
        assert (await watched.ask("/readyz"))[0] == 503
        assert await watched.ask("/healthz") == (200, "lives\n")


async def test_not_ready_while_the_store_cannot_be_written(road: Road):
    """Another process keeps it locked: readers would not notice, mail to a contact gets 451."""
    path = road.store.settings.url.removeprefix("sqlite:///")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        async with watching(road) as watched:
            status, why = await watched.ask("/readyz")
            found = await watched.samples()
    finally:
        lock.close()
    assert (status, "health:store" in why) == (503, True)
    assert found['gateway_alarm{what="store"}'] == 1
    assert not [name for name in found if name.startswith("gateway_outbox")]


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"POST /readyz HTTP/1.1\r\n\r\n", 405),
        (b"GET /mail HTTP/1.1\r\n\r\n", 404),
        (b"GET /healthz?x HTTP/1.1\r\n\r\n", 404),
        (b"\r\n\r\n", 405),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 0),
        (b"HEAD /healthz HTTP/1.1\r\n\r\n", 200),
    ],
)
async def test_strange_questions_are_answered_shortly(road: Road, octets, status):
    """Anything else than the three questions gets an error or nothing, and the next one is answered."""
    async with watching(road) as watched:
        found = await watched.say(octets)
        assert found[0] == status
        assert not (octets.startswith(b"HEAD") and found[1])
        assert (await watched.ask("/healthz"))[0] == 200


async def test_an_alarm_of_the_smarthost_is_logged_once_and_its_end_too(monkeypatch):
    """What makes every message wait for a person is an error of its own, without an address in it, not one a message."""
    monkeypatch.setattr(serve, "_ALARM_LOOK_S", 0)
    service = serve.Service(Settings())
    service.relay = Relay(NextHopSettings(), "gateway.force.example")
    service.relay.alarm = f"535 5.7.8 {OFFICER} may not"
    with structlog.testing.capture_logs() as logged:
        watching_it = asyncio.create_task(service._watch_smarthost())
        for alarm in (service.relay.alarm, ""):
            service.relay.alarm = alarm
            for _ in range(10):
                await asyncio.sleep(0)
        watching_it.cancel()
    assert [(one["log_level"], one["event"]) for one in logged] == [
        ("error", "smarthost:alarm"),
        ("info", "smarthost:alarm-over"),
    ]
    assert OFFICER not in str(logged)


async def test_who_is_not_ready_finds_out_by_itself_that_it_is(road: Road, monkeypatch):
    """The smarthost refused us once; no mail comes since, as /readyz says it would not be taken."""
    monkeypatch.setattr(serve, "_ASK_AGAIN_S", 0)
    service = serve.Service(Settings())
    service.relay = road.conductor.relay
    road.smarthost.at(Stage.MAIL, answer("530 5.7.0 Sign in first"))
    await road.send(letter("The hearing is on Thursday."))
    assert service.relay.alarm
    asking = asyncio.create_task(service._probe())
    await road.smarthost.until(lambda: not service.relay.alarm)
    asking.cancel()
    assert road.sent == []


async def test_rules_put_in_force_anew_end_the_alarm(road: Road):
    """A set was refused. Whoever mends it by `gateway rules reload` of the set in force need not send SIGHUP besides."""

    def put(bundle: inspection.Bundle, **later: float) -> None:
        at = datetime.now(UTC) + timedelta(**later)
        row = RuleSetRow(hash=bundle.hash, bundle=bundle.to_json(), at=at, by="system:tester")
        road.store.write_now(lambda tx: records.save_rule_set(tx, row))

    def is_ringing() -> bool:
        return bool(service._alarms().rules)

    service = serve.Service(Settings())
    service.store, service.conductor = road.store, road.conductor
    service.relay = Relay(NextHopSettings(), "gateway.force.example")
    put(BUNDLE)
    await service._look_at_kept_rules()
    service._log_refused_rules(Mistakes((Mistake(file="x.yaml", what="is wrong", remedy="mend it"),)), "")
    for _ in range(2):
        await service._look_at_kept_rules()
        assert is_ringing()
    put(BUNDLE, seconds=1)
    await service._look_at_kept_rules()
    assert not is_ringing()
    service._log_refused_rules(Mistakes((Mistake(file="x.yaml", what="is wrong", remedy="mend it"),)), "")
    await service._look_at_kept_rules()
    assert is_ringing()
    await road.conductor.settle()


async def test_each_of_many_takes_a_port_of_its_own(road: Road):
    """With --workers the next free one; alone, a port that is taken is a mistake with its place."""
    port = free_port()
    async with watching(road) as first:
        first.health._settings = second = HealthSettings(listen=f"127.0.0.1:{port}")
        await first.health.close()
        await first.health.start(one_of_many=True)
        other = Watched(road)
        other.health._settings = second
        with pytest.raises(Mistakes, match=r"health\.listen"):
            await other.health.start(one_of_many=False)
        await other.health.start(one_of_many=True)
        assert other.health.port > first.health.port == port
        await other.health.close()
