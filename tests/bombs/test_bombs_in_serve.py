"""Bombs through a running gateway: each is held, costs one worker at most, and ordinary mail does not notice.

Nothing of ours is called: mails go in by SMTP, and what became of them is asked of the commands and the smarthost.
"""

import asyncio
import hashlib
from collections import Counter

import psutil
import pytest
from bomb_mails import ADVANCE, NAMES, bomb
from faults.fault_client import Client
from gateway_process import CONTACT, UPDATE, GatewayProcess, mail
from smarthost import Smarthost

NOBODY = "clerk@council.example"
CPU_S = 5
MEMORY_BYTES = 512 * 1024 * 1024
_MAILS_A_CONNECTION = 20
_PAUSE_S = 0.1


class Sender:
    """A client that sends one mail after the other, over a new connection now and then."""

    def __init__(self, port, recipient):
        self._port, self._recipient = port, recipient
        self._client = None
        self._left = 0
        self.answers = Counter()
        self.accepted = []

    async def send(self, raw):
        if not self._left:
            self.leave()
            self._client = await Client.connect(self._port)
            await self._client.greet()
            self._left = _MAILS_A_CONNECTION
        self._left -= 1
        told = await self._client.envelope(self._recipient) or await self._client.data(raw)
        self.answers[f"{told.step} {told.reply[:3]}"] += 1
        if told.reply.startswith("250"):
            self.accepted.append(digest(raw))
        return told

    async def send_until(self, ended, least=1):
        """Send ordinary mails, each different, at the pace of a busy office, until ``ended`` is set."""
        number = 0
        while not ended.is_set() or number < least:
            await self.send(mail(UPDATE, to=self._recipient, subject=f"Case number {number}"))
            number += 1
            await asyncio.sleep(_PAUSE_S)

    async def insist(self, raw, tries=5):
        """Send ``raw`` until it is accepted, as mail servers do with a 4xx: the machine may have been too busy."""
        for _ in range(tries):
            if (told := await self.send(raw)).reply.startswith("250"):
                break
        return told

    def leave(self):
        if self._client is not None:
            self._client.leave()


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


def delivered(smarthost):
    """Return how often the smarthost took each message, by hash, our Received field aside."""
    found = Counter()
    for one in smarthost.mails:
        lines = one.data.split(b"\r\n")
        first = next(number for number, line in enumerate(lines) if number and line[:1] not in (b" ", b"\t"))
        found[digest(b"\r\n".join(lines[first:]))] += 1
    return found


def workers(gateway):
    """Return the pids of the worker processes."""
    children = psutil.Process(gateway.process.pid).children(recursive=True)
    return {child.pid for child in children if "gateway.workers" in child.cmdline()}


@pytest.fixture
async def line(tmp_path):
    more = {
        "inspection": {
            "extract_workers": 2,
            "language_workers": 2,
            "spare_workers": 1,
            "message_timeout_s": CPU_S,
            "worker_memory_bytes": MEMORY_BYTES,
        }
    }
    async with (
        Smarthost() as smarthost,
        GatewayProcess(tmp_path / "gateway", next_hop=smarthost.port, more=more) as gateway,
    ):
        yield smarthost, gateway


@pytest.mark.slow
async def test_bombs_are_held_and_other_mail_goes_through(line):
    """Issue 3, must show 4: read within 5 s and 512 MB or not at all, held, other mail undisturbed, nothing lost."""
    smarthost, gateway = line
    ended = asyncio.Event()
    bomber, others = Sender(gateway.port, CONTACT), [Sender(gateway.port, to) for to in (CONTACT, NOBODY)]
    names = {}
    tasks = [asyncio.create_task(other.send_until(ended, least=20)) for other in others]
    try:
        for name in NAMES:
            told = await bomber.insist(await asyncio.to_thread(bomb, name))
            assert told.reply.startswith("250"), (name, str(told))
            names[told.reply.split()[-1]] = name
            bomb.cache_clear()
    finally:
        ended.set()
        await asyncio.gather(*tasks)
        for sender in (bomber, *others):
            sender.leave()

    for other in others:
        assert set(other.answers) == {"dot 250"}, "ordinary mail was put off"
    held = Counter(one["sha256"] for one in gateway.lines("holds", "list", "--state", "all"))
    assert [name for name, raw in zip(NAMES, bomber.accepted, strict=True) if held[raw] != 1] == []
    assert sum(held.values()) == len(NAMES), "ordinary mail was held, or a bomb twice"
    ordinary = [raw for other in others for raw in other.accepted]
    assert delivered(smarthost) == Counter(ordinary), "lost, doubled, or a bomb was sent on"
    lost = [event for event in gateway.events() if event.get("event") in UNREAD]
    assert max(Counter(names[event["message"]] for event in lost).values(), default=0) <= 1, (
        "a bomb cost two workers"
    )
    assert len(workers(gateway)) == 6, "two of each kind and a spare"
    assert gateway.run("audit", "verify", check=False).returncode == 0


UNREAD = {"message:not-read", "message:not-judged"}


def test_every_bomb_says_the_advance_and_is_fit_for_smtp():
    """A bomb without an advance could pass unread and nobody would see; a line too long would be refused, not read."""
    for name in NAMES:
        raw = bomb(name)
        bomb.cache_clear()
        assert ADVANCE.encode() in raw, name
        assert len(raw) < 4_000_000, name
        assert max(map(len, raw.split(b"\n"))) < 1_000_000, name
        assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"), name
