"""Mail to nobody registered is none of our business (P4), and nothing tells a hold from a pass (P8)."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from road import CLERK, CLIENT, COUNSEL, Road, letter
from smarthost import Stage, answer, hang_up
from structlog.testing import capture_logs

from gateway.model import Client, Envelope, MailCommand, MessageId
from gateway.pipeline import new_id, received_line

CONTACT = "nadia@home.example"


async def test_mail_to_nobody_registered_is_not_read_stored_or_named(road: Road):
    """No worker, no commit, and one log line with id, client, size and the smarthost's code (P4, DECISIONS 25)."""
    commits = road.store.commits
    raw = letter("HOLD and URGENT and KILLED mean nothing here.", to=CLERK)
    with capture_logs() as log:
        reply = await road.send(raw, CLERK, COUNSEL)
    assert re.fullmatch(r"250 2\.0\.0 Accepted [a-z2-7]{20}", str(reply))
    assert road.sent == [((CLERK, COUNSEL), raw)]
    assert road.workers.asked == []
    assert road.store.commits == commits
    assert log == [
        {"event": "message:relayed", "log_level": "info", "message": reply.lines[0].split()[-1],
         "client": "127.0.0.1", "size": len(raw), "code": 250, "smarthost": "250 2.0.0 Ok: queued as 1"}
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [b"", b"\x00\xff", b"Content-Type: multipart/mixed\r\n" * 2000])
async def test_mail_to_nobody_registered_may_be_anything(road: Road, bad: bytes):
    """What cannot be parsed goes through as it is, for it is not parsed."""
    raw = bad + b"\r\n"
    assert (await road.send(raw, CLERK)).code == 250
    assert road.sent == [((CLERK,), raw)]


async def test_refused_contact_makes_it_nobodys_mail(road: Road):
    """The smarthost refuses the contact: what goes to the others has no registered recipient, and is not read."""
    road.smarthost.refuses(CONTACT, "550 5.1.1 No such person")
    assert (await road.send(letter("HOLD this."), CONTACT, COUNSEL)).code == 250
    assert road.workers.asked == []
    assert road.holds() == ()


@pytest.mark.parametrize(
    "hidden",
    [
        "nadia%home.example" + "%" * 20 + "@relay.example",
        "localhost!localhost!localhost!nadia%home.example%localhost%@localhost",
    ],
)
async def test_a_route_too_long_to_read_is_refused_at_rcpt(road: Road, hidden: str):
    """An address that has more readings than are looked at is refused before the smarthost hears of it (P3)."""
    with capture_logs() as log:
        await road.send(letter("HOLD this."), hidden, COUNSEL)
    assert [reply.code for reply in road.replies] == [250, 553, 250, 250]
    assert str(road.replies[1]).startswith("553 5.1.3 ")
    assert [recipients for recipients, _ in road.sent] == [(COUNSEL,)]
    assert all(hidden.encode() not in line for one in road.smarthost.sessions for line in one.commands)
    assert any(line["event"] == "rcpt:overrouted" for line in log)
    assert not any("home.example" in str(value) for line in log for value in line.values())


async def test_whom_we_cannot_look_up_the_smarthost_never_hears_of(road: Road):
    """A fault of ours at RCPT takes no recipient: what follows must not go to one that was not looked up (P3)."""

    class Broken(dict):
        def get(self, key, default=None):
            raise RuntimeError("our own bug")

    good = road.conductor.in_force
    road.conductor.in_force = replace(good, registry=replace(good.registry, contacts_by_key=Broken()))
    exchange = road.conductor.open(CLIENT)
    await exchange.mail(MailCommand(reverse_path=""))
    with pytest.raises(RuntimeError):
        await exchange.rcpt(CONTACT)
    await exchange.reset()
    assert [session.verbs for session in road.smarthost.sessions if "RCPT" in session.verbs] == []


SECRETS = (CONTACT, CLERK, COUNSEL, "nadia", "home.example", "amir.khan", "Your case", "prosecutor", "@")


@pytest.mark.parametrize("word", ["HOLD", "FLAG", "nothing", "HOLD URGENT", "KILLED", "STARVED", "BROKEN"])
@pytest.mark.parametrize("trouble", ["none", "rcpt", "dot", "lost"])
async def test_log_names_nobody(road: Road, word: str, trouble: str):
    """No address, subject or word of a message in any log line, even when the smarthost repeats them (P4, P8)."""
    chatty = f"550 5.1.1 <{CONTACT}>: no such prosecutor {CLERK}"
    if trouble == "lost":
        road.smarthost.at(Stage.DOT, hang_up(), times=None)
    elif trouble != "none":
        stage = Stage.RCPT if trouble == "rcpt" else Stage.DOT
        road.smarthost.at(stage, answer(chatty), when=COUNSEL.encode() if stage is Stage.RCPT else b"")
    raw = letter(f"{word}: the prosecutor has it.")
    with capture_logs() as log:
        for _ in range(2):
            await road.send(raw, CONTACT, COUNSEL, CLERK)
        for hold in road.holds():
            road.decide(hold)
        await road.outbox.deliver_due()
    assert log
    for line in log:
        for key, value in line.items():
            if key == "hint":  # written by us beforehand
                continue
            text = str(value).replace("<address>", "")
            assert not any(secret in text.replace("no such prosecutor", "") for secret in SECRETS), (
                key,
                value,
            )


async def test_pass_flag_hold_and_release_look_the_same(road: Road):
    """The same words to the sender, and the same form of the one line that the contact gets (P8)."""
    answers = [
        str(await road.send(letter(text, number=number), CONTACT))
        for number, text in enumerate(("Hello.", "FLAG this.", "HOLD this."))
    ]
    ids = [re.fullmatch(r"250 2\.0\.0 Accepted ([a-z2-7]{20})", said)[1] for said in answers]
    road.decide(road.holds()[0])
    await road.outbox.deliver_due()
    lines = [mail.data.partition(b"\r\n")[0].decode() for mail in road.smarthost.mails]
    assert len(lines) == 3
    form = r"Received: from mail\.force\.example \(\[127\.0\.0\.1\]\) by gateway\.force\.example with ESMTP id ([a-z2-7]{20}); \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000"
    assert [re.fullmatch(form, line)[1] for line in lines] == ids


@pytest.mark.parametrize(
    ("client", "smtputf8", "shown"),
    [
        (Client(address="192.0.2.7", helo="mx.example", extended=True, tls=True), False, "from mx.example ([192.0.2.7]) by g.example with ESMTPS id"),
        (Client(address="192.0.2.7", helo="mx.example", extended=False, tls=False), False, "from mx.example ([192.0.2.7]) by g.example with SMTP id"),
        (Client(address="::1", helo="[IPv6:::1]", extended=True, tls=False), True, "from [IPv6:::1] ([IPv6:::1]) by g.example with UTF8SMTP id"),
        (Client(address="192.0.2.7", helo="a\r\nX-Evil: yes", extended=True, tls=False), False, "from [192.0.2.7] ([192.0.2.7]) by g.example with ESMTP id"),
        (Client(address="192.0.2.7", helo="bücher.example", extended=True, tls=False), False, "from [192.0.2.7] ([192.0.2.7]) by g.example with ESMTP id"),
    ],
)  # fmt: skip
def test_received_line_is_one_line_of_ascii(client: Client, smtputf8: bool, shown: str):
    """RFC 5321 section 4.4, whatever the client called itself: one line, nothing injected."""
    envelope = Envelope(
        mail=MailCommand(reverse_path="", smtputf8=smtputf8),
        recipients=(CONTACT,),
        client=client,
        received_at=datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC),
    )
    line = received_line(MessageId("abc"), envelope, "g.example").decode("ascii")
    assert line.removesuffix("\r\n").isprintable()
    assert line == f"Received: {shown} abc; Mon, 02 Mar 2026 09:00:05 +0000\r\n"


def test_ids_are_random_and_never_the_same():
    """100 bits: nobody guesses one, and none says anything."""
    ids = {new_id() for _ in range(5000)}
    assert len(ids) == 5000
    assert all(re.fullmatch("[a-z2-7]{20}", one) for one in ids)
    assert CLIENT.helo not in ids
