"""Rules are replaced a hundred times while mail flows, ten times by a broken set: nothing is lost, nothing is mixed.

Nothing of ours is called while it runs: mail by SMTP, reloads by SIGHUP and `gateway rules reload`. Every set has a
number in its rule, in its policy and so in its hash; what each verdict says of the three is looked up afterwards.
"""

import asyncio
import os
import signal
import smtplib
from collections import Counter
from textwrap import dedent

import pytest
from gateway_process import CONTACT, OFFICER, GatewayProcess, mail
from smarthost import Smarthost

from gateway import inspection
from gateway.model import ItemKind
from gateway.settings import StoreSettings
from gateway.store import Store, chain, items

pytestmark = pytest.mark.slow
TIMES = 100
BROKEN = frozenset(range(7, TIMES, 10))
BY_COMMAND = frozenset({20, 60})
RULE = """\
id: advance.drink
version: {version}
status: enforce
title: Asks out
why: Proposes a meeting.
guidance: Invented
severity: low
points: 1
match: {{invite: {{phrase: fancy a drink}}}}
false_positives: [A meeting for a statement]
blind_spots: [A picture of words]
for_reviewer: Is there a police purpose?
examples: {{}}
"""
POLICY = dedent("""\
    version: {number}
    flag_at: 1
    hold_at: 100
    categories: {{advance: {{hold_from: never}}}}
    combinations: {{two_categories: none, vulnerable_contact: none, sender_not_assigned: none,
      closed_case: none, earlier_findings: none}}
    closed_case_days: 14
    parties: {{do_not_contact: flag, no_email_consent: flag, senders_disagree: flag, private_copy: hold}}
    unreadable: {{ambiguous: hold, language: hold, attachment-not-read: flag, charset: hold, depth: hold,
      encoding: hold, encrypted: hold, macros: hold, malformed: hold, not-in-time: hold, picture: flag, size: hold,
      small-picture: none, too-many-parts: hold, worker-failed: hold}}
    """)
WRONG = (
    ("advance/drink.yaml", "status: enforce", "statsu: enforce"),
    ("advance/drink.yaml", "{{phrase: fancy a drink}}", '{{regex: "(?=drink)"}}'),
    ("policy.yaml", "flag_at: 1", "flag_at: 1000"),
    ("advance/drink.yaml", "match:", "match: ["),
)


def put(folder, number, *, broken=False):
    """Write set ``number``; returns its hash and its policy's, or None for a broken one."""
    texts = {"advance/drink.yaml": RULE, "policy.yaml": POLICY}
    if broken:
        name, right, wrong = WRONG[number // 10 % len(WRONG)]
        assert right in texts[name]
        texts[name] = texts[name].replace(right, wrong)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(number=number + 1, version=number + 1), encoding="utf-8")
    if broken:
        return None
    bundle = inspection.read((folder,))
    return bundle.hash, inspection.policy_of(bundle).hash


class Office:
    """Somebody who writes to the contact without a pause, over one connection after the other."""

    def __init__(self, port):
        self._port = port
        self.accepted = []
        self.put_off = 0

    async def write_until(self, ended):
        """Send mails, each different, until ``ended`` is set; one that is put off is sent again."""
        while not ended.is_set():
            raw = mail("Would you fancy a drink?", subject=f"Mail {len(self.accepted)}")
            while not await asyncio.to_thread(self._send, raw):
                self.put_off += 1
            self.accepted.append(raw)

    def _send(self, raw):
        try:
            with smtplib.SMTP("127.0.0.1", self._port, local_hostname="mail.force.example") as client:
                client.sendmail(OFFICER, [CONTACT], raw)
        except smtplib.SMTPResponseException as told:
            if told.smtp_code >= 500:
                raise
            return False
        return True


async def replace_rules(gateway, folder, sets):
    """Replace the rules so often, and wait each time until the relay says what it made of that."""
    for number in range(1, TIMES + 1):
        known = put(folder, number, broken=number in BROKEN)
        told = len(news(gateway))
        if number in BY_COMMAND:
            assert known is not None
            done = await asyncio.to_thread(gateway.run, "rules", "reload")
            assert known[0] in done.stdout
        else:
            os.kill(gateway.process.pid, signal.SIGHUP)
        async with asyncio.timeout(60):
            while len(news(gateway)) == told:
                await asyncio.sleep(0.02)
        last = news(gateway)[-1]
        if known is None:
            assert last["event"] == "rules:refused"
            assert last["mistakes"]
            assert last["in_force"] == sets[max(sets)][0]
        else:
            sets[number] = known
            assert (last["event"], last["rules_hash"]) == ("rules:loaded", known[0])


def news(gateway):
    """Return what the relay said of rules since it was ready."""
    return [line for line in gateway.events() if line.get("event") in {"rules:loaded", "rules:refused"}]


def message_id(raw):
    """Return the Message-ID of a mail: each has one of its own."""
    return next(line for line in raw.split(b"\r\n") if line.startswith(b"Message-ID:"))


def verdicts_of(tx):
    """Yield the verdict of every flag in the store."""
    for item in items.list_items(tx, ItemKind.FLAG, limit=100_000):
        yield items.item_in_full(tx, item.id).verdict


async def test_rules_are_replaced_while_mail_flows(tmp_path):
    """Each mail is delivered once and judged by one set that was in force; broken sets are refused, with an alarm."""
    folder = tmp_path / "rules"
    sets = {0: put(folder, 0)}
    more = {"inspection": {"language": False}, "rules": {"path": str(folder)}, "policy": {"mode": "hold"}}
    async with (
        Smarthost() as smarthost,
        GatewayProcess(tmp_path / "gateway", next_hop=smarthost.port, more=more) as gateway,
    ):
        ended = asyncio.Event()
        offices = [Office(gateway.port) for _ in range(2)]
        async with asyncio.TaskGroup() as group:
            for office in offices:
                group.create_task(office.write_until(ended))
            try:
                await replace_rules(gateway, folder, sets)
            finally:
                ended.set()
        sent = [raw for office in offices for raw in office.accepted]
        await smarthost.until(lambda: len(smarthost.mails) >= len(sent))
        status = await asyncio.to_thread(gateway.stop)
        assert status == 0
    assert Counter(message_id(one.data) for one in smarthost.mails) == Counter(map(message_id, sent))
    kept = StoreSettings(
        url=f"sqlite:///{gateway.folder}/gateway.db", key_file=gateway.folder / "sealing.key"
    )
    with Store.open(kept) as store:
        verdicts = store.read_now(lambda tx: list(verdicts_of(tx)))
        refused = [
            row for row in store.read_now(lambda tx: list(chain.rows(tx))) if row.event == "rules:refused"
        ]
    assert len(verdicts) == len(sent) > TIMES
    by_hash = {rules: (number, policy) for number, (rules, policy) in sets.items()}
    for verdict in verdicts:
        number, policy = by_hash[verdict.rules_hash]
        assert verdict.policy_hash == policy
        assert [finding.version for finding in verdict.findings] == [number + 1]
    assert len({verdict.rules_hash for verdict in verdicts}) > TIMES / 2, (
        "mail hardly flowed while rules changed"
    )
    assert len(refused) == len(BROKEN) == 10
