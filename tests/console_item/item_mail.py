"""Messages for the page of one item: judged by the real rules, as the relay would have, and put into the store."""

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path

from console_visits import KHAN
from gateway_process import ADVANCE, CONTACT, OFFICER, mail
from stores import an_envelope, an_item

from gateway import identify, inspection
from gateway.decide import decide
from gateway.extract import extract
from gateway.model import History, ItemKind, Limits, MessageId, Mode, PersonId, StaffId
from gateway.recording import Message, draft, record, retry_key, reviewers
from gateway.store import items, new_id, records
from gateway.store.rows import RuleSetRow

RULES = Path(__file__).resolve().parent.parent.parent / "rules"
QUOTED = (
    f"{ADVANCE}\n\nKind regards\nAmir\n\nOn Mon, 23 Feb 2026 at 10:00, Nadia Rahman <{CONTACT}> wrote:\n"
    "> Is there any news about the hearing?\n"
)


@cache
def bundle():
    return inspection.read((RULES,))


@cache
def engine():
    return inspection.load(bundle(), language=False)


def judged(console, raw, *, at=None, sender=OFFICER, kind_of_hold=True):
    """Record ``raw`` as the relay would, from DC Khan to Nadia, and return the item's id."""
    at = at or console.clock() - timedelta(hours=1)
    from dataclasses import replace

    envelope = replace(an_envelope(CONTACT, sender=sender), received_at=at)
    authored = extract(raw, Limits())
    parties = identify.parties(console.registry, envelope, authored.headers)
    history = History()
    found = engine().judge(authored, parties, history, at)
    verdict = decide(
        inspection=found, authored=authored, parties=parties, policy=inspection.policy_of(bundle()), mode=Mode.HOLD,
        history=history, decided_at=at, code_version="0", limits=Limits(),
    )  # fmt: skip
    digest = hashlib.sha256(raw).hexdigest()
    message = Message(
        id=MessageId(new_id()), raw=raw, sha256=digest, envelope=envelope,
        retry_key=retry_key(digest, sender, (CONTACT,)),
    )  # fmt: skip
    who = reviewers(console.registry, parties, parties.involved, max_excluded=20, was_read=True)
    new = draft(message, authored, parties, verdict, who, found)

    def job(tx):
        records.save_rule_set(tx, RuleSetRow(hash=bundle().hash, bundle=bundle().to_json(), at=at, by="test"))
        return record(tx, new)

    return console.store.write_now(job)


def raw_item(console, raw, **changes):
    """Put ``raw`` into the store with an invented verdict, and return the item's id: for what rules need not see."""
    given = {
        "officer": KHAN, "senders": (KHAN,), "excluded": (KHAN,), "contacts": (PersonId("P-1"),),
        "unit": "Robbery Squad", "held_at": console.clock() - timedelta(hours=1), "message": raw,
        "envelope": an_envelope(CONTACT, sender=OFFICER), "recipients": (CONTACT,),
    } | changes  # fmt: skip
    return MessageId(console.store.write_now(lambda tx: items.add_item(tx, an_item(**given))))


__all__ = ["ADVANCE", "CONTACT", "OFFICER", "QUOTED", "ItemKind", "StaffId", "judged", "mail", "raw_item"]
