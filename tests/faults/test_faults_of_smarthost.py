"""Every fault of the smarthost at every stage of its dialogue: what is the sender told, and is the mail safe?"""

import asyncio
import re

import pytest
from conftest_of_faults import KISS, Line
from fault_cases import SMARTHOST, SmarthostFault
from fault_client import told
from gateway_process import ADVANCE, CONTACT, UPDATE, mail
from smarthost import Act, Stage

from gateway.model import ItemKind, ItemState

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CLERK = "clerk@council.example"
COUNSEL = "counsel@chambers.example"
WITNESS = "joseph@home.example"


class Letter:
    """One message of one kind: whom it goes to, what it should be told, and where it has to be in the end."""

    def __init__(self, line: Line, kind: str, expected: str | None) -> None:
        contact = line.fresh_contact() if kind == "flagged" else CONTACT
        text, self.recipients, self.kept, self.sent = {
            "plain": (UPDATE, (CLERK,), None, (CLERK,)),
            "passed": (UPDATE, (WITNESS,), None, (WITNESS,)),
            "flagged": (KISS, (contact,), ItemKind.FLAG, (contact,)),
            "held": (ADVANCE, (CONTACT,), ItemKind.HOLD, ()),
            "mixed": (ADVANCE, (CONTACT, COUNSEL), ItemKind.HOLD, (COUNSEL,)),
        }[kind]
        self.kind = kind
        self.expected = expected
        self.raw = mail(text, to=self.recipients[0])
        self.line = line

    async def send(self) -> str:
        said = str(await told(self.line.port, self.raw, *self.recipients))
        return re.sub(r"(2\.0\.0 Accepted) [a-z2-7]{20}$", r"\1 ID", said)

    def check(self, copies: int) -> None:
        """After all tries: one record, and the copies that ought to be there."""
        recorded = self.line.recorded(self.raw)
        assert [item.kind for item in recorded] == ([self.kept] if self.kept else []), self.kind
        if self.kept is ItemKind.HOLD:
            assert recorded[0].state is ItemState.HELD
            assert recorded[0].recipients == (CONTACT,)
            assert recorded[0].sender_told_failed == (
                "550" in (self.expected or "") and "dot" in self.expected
            )
        assert self.line.copies(self.raw) == dict.fromkeys(self.sent, copies), self.kind


def letters(line: Line, case: SmarthostFault) -> list[Letter]:
    if case.again:
        return [Letter(line, "mixed", case.mixed)]
    return [
        *(Letter(line, kind, case.passed) for kind in ("plain", "passed", "flagged")),
        Letter(line, "held", case.held),
        Letter(line, "mixed", case.mixed),
    ]


async def arm(line: Line, case: SmarthostFault) -> None:
    """Have the smarthost go wrong from now on."""
    line.smarthost.hang_up_all()
    if case.stage is None:
        await line.smarthost.stop()
        return
    if case.again and case.stage is not Stage.RSET:
        line.smarthost.at(case.stage, Act(), times=2 if case.stage is Stage.RCPT else 1)
    line.smarthost.at(case.stage, case.act, times=None)


async def disarm(line: Line, case: SmarthostFault) -> None:
    line.smarthost.forget_script()
    if case.stage is None:
        await line.smarthost.start()
    line.smarthost.hang_up_all()


@pytest.mark.parametrize("case", SMARTHOST, ids=lambda case: case.name)
async def test_sender_is_told_the_truth(line: Line, case: SmarthostFault):
    """The answer is the table's; after a retry without the fault the message is there, recorded once (P1, P5)."""
    sent = letters(line, case)
    await arm(line, case)
    try:
        answers = await asyncio.gather(*(letter.send() for letter in sent))
    finally:
        await disarm(line, case)
    assert {letter.kind: said for letter, said in zip(sent, answers, strict=True)} == {
        letter.kind: letter.expected for letter in sent
    }
    retried = [letter for letter in sent if not letter.expected.startswith("dot: 250")]
    assert set(await asyncio.gather(*(letter.send() for letter in retried))) <= {"dot: 250 2.0.0 Accepted ID"}
    for letter in sent:
        letter.check(case.copies)


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA])
async def test_one_lost_connection_is_not_the_senders_trouble(line: Line, stage: Stage):
    """A connection lost once before the message is replaced unseen: the sender hears 250 (DECISIONS 3)."""
    for kind in ("plain", "mixed"):
        letter = Letter(line, kind, None)
        assert (
            await Letter(line, "plain", None).send() == "dot: 250 2.0.0 Accepted ID"
        )  # a connection rests now
        line.smarthost.at(stage, Act(says=b"", closes=True))
        assert await letter.send() == "dot: 250 2.0.0 Accepted ID"
        letter.check(1)
    line.smarthost.forget_script()


async def test_log_of_all_this_names_nobody(line: Line):
    """Whatever went wrong above: no address of a recipient and no word of a message is in the log (P4, P8)."""
    log = line.gateway.log.read_text()
    for secret in (
        CONTACT,
        CLERK,
        COUNSEL,
        "home.example",
        "council.example",
        "prosecutors",
        "amazingly",
        "Your case",
    ):
        assert secret not in log
