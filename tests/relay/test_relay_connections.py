"""Connections: reused, retired, replaced unseen, never shared in mid-dialogue, never more than allowed."""

import asyncio
import socket

import pytest
from relay.dialogue import MESSAGE, OFFICER, SOLICITOR, TOP, WITNESS, loop_until, say
from smarthost import Smarthost, Stage, answer, hang_up, hang_up_after, raw, reset_connection, silence

from gateway.model import MailCommand, Reply
from gateway.relay import EXTENSION_GONE, TRY_AGAIN

PARTS = (TOP, MESSAGE)


def verbs(smarthost: Smarthost) -> list[list[str]]:
    """Return what was said on each connection, without EHLO."""
    return [session.verbs[1:] for session in smarthost.sessions]


# reuse and retirement


async def test_a_connection_serves_many_messages_without_a_word_between_them(smarthost, relay_to):
    """Reuse saves a connect a mail; RSET or NOOP between mails would cost a round trip (DECISIONS 3)."""
    relay = relay_to(smarthost)
    for _ in range(3):
        assert (await say(relay)).reply.code == 250
    assert verbs(smarthost) == [["MAIL", "RCPT", "DATA"] * 3]


async def test_the_connection_that_rested_last_goes_out_first(smarthost, relay_to):
    """Last in, first out: a quiet hour lets the others go."""
    relay = relay_to(smarthost)
    first, second = relay.begin(), relay.begin()
    for transaction in (first, second):
        await transaction.mail(OFFICER)
        await transaction.rcpt(WITNESS)
    await second.data(PARTS)
    await first.data(PARTS)
    await say(relay)
    assert [mail.connection for mail in smarthost.mails] == [1, 0, 0]


async def test_a_connection_is_retired_after_enough_messages(smarthost, relay_to):
    """reuse_messages: then QUIT, and a fresh one."""
    relay = relay_to(smarthost, reuse_messages=2)
    for _ in range(3):
        await say(relay)
    assert [mail.connection for mail in smarthost.mails] == [0, 0, 1]
    await smarthost.until(lambda: smarthost.sessions[0].closed)
    assert smarthost.sessions[0].verbs[-1] == "QUIT"


async def test_a_connection_that_rests_too_long_is_retired(smarthost, relay_to):
    """reuse_idle_s: it leaves with QUIT by itself, though no mail comes."""
    relay = relay_to(smarthost, reuse_idle_s=0.05)
    await say(relay)
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert smarthost.sessions[0].verbs[-1] == "QUIT"


@pytest.mark.parametrize(
    ("stage", "lines"),
    [
        (Stage.MAIL, "550 5.7.1 No"),
        (Stage.RCPT, "450 4.2.1 No"),
        (Stage.DATA, "451 4.3.0 No"),
        (Stage.DOT, "554 5.6.0 No"),
    ],
)
async def test_a_connection_that_saw_a_refusal_is_retired(smarthost, relay_to, stage, lines):
    """Smarthosts count errors by connection and slow it down; the next mail does not pay for it."""
    smarthost.at(stage, answer(lines))
    relay = relay_to(smarthost)
    await say(relay)
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert smarthost.sessions[0].verbs[-1] == "QUIT"
    await say(relay)
    assert smarthost.mails[0].connection == 1


async def test_a_connection_that_saw_a_refused_recipient_is_retired_after_delivery(smarthost, relay_to):
    """A refused RCPT counts even when the others were served."""
    smarthost.refuses(SOLICITOR, "550 5.1.1 No such person")
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(SOLICITOR)
    await transaction.rcpt(WITNESS)
    assert transaction.accepted == (WITNESS,)
    assert (await transaction.data(PARTS)).code == 250
    await smarthost.until(lambda: not smarthost.open_sessions)


async def test_an_abandoned_transaction_retires_its_connection(smarthost, relay_to):
    """No delivery: QUIT, which ends the transaction at the smarthost; abandoning twice is harmless."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.abandon()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    await transaction.abandon()
    await transaction.abandon()
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert verbs(smarthost) == [["MAIL", "RCPT", "QUIT"]]
    assert smarthost.mails == []


async def test_nagle_is_off(smarthost, relay_to):
    """Write, write, read costs 40 ms with Nagle's algorithm and delayed acknowledgements."""
    relay = relay_to(smarthost)
    await relay.probe()
    transport = relay._pool._idle[0]._transport
    assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_payload_and_dot_leave_together(smarthost, relay_to):
    """One write for a message of ordinary size."""
    await say(relay_to(smarthost))
    assert smarthost.mails[0].wire in smarthost.sessions[0].reads


# a connection that died


@pytest.mark.parametrize("resets", [True, False])
async def test_a_connection_that_died_while_it_rested_is_not_used(smarthost, relay_to, resets):
    """The smarthost restarted or hung up: the next mail goes out on a fresh connection."""
    relay = relay_to(smarthost)
    await say(relay)
    smarthost.hang_up_all(resets=resets)
    assert (await say(relay)).reply.code == 250
    assert [mail.connection for mail in smarthost.mails] == [0, 1]


@pytest.mark.parametrize("words", [b"421 4.4.2 Time-out\r\n", b"250 2.0.0 Ok\r\n", b"4", b"rubbish\r\n"])
async def test_a_connection_that_speaks_unasked_is_dead(smarthost, relay_to, words):
    """What came unasked would be taken for the answer to the next command."""
    relay = relay_to(smarthost)
    await say(relay)
    smarthost.say(words)
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert (await say(relay)).reply.code == 250
    assert [mail.connection for mail in smarthost.mails] == [0, 1]


@pytest.mark.parametrize(
    "act",
    [
        hang_up(),
        reset_connection(),
        answer("421 4.4.2 Time-out"),
        raw(b"??\r\n"),
        answer("503 5.5.1 Nested MAIL"),
    ],
)
async def test_a_rested_connection_that_fails_at_mail_is_replaced_unseen(smarthost, relay_to, act):
    """The client must not pay for a stale connection (DECISIONS 3)."""
    relay = relay_to(smarthost)
    await say(relay)
    smarthost.at(Stage.MAIL, act)
    assert (await say(relay)).reply.code == 250
    assert [mail.connection for mail in smarthost.mails] == [0, 1]


async def test_a_rested_connection_that_is_silent_at_mail_is_replaced_unseen(smarthost, relay_to):
    """A firewall forgot the connection: nothing comes back, not even RST."""
    relay = relay_to(smarthost, command_timeout_s=0.1)
    await say(relay)
    smarthost.at(Stage.MAIL, silence())
    assert (await say(relay)).reply.code == 250


async def test_a_fresh_connection_that_fails_at_mail_is_not_tried_again(smarthost, relay_to):
    """One more try is for staleness only; a smarthost in trouble is left alone."""
    smarthost.at(Stage.MAIL, hang_up(), times=None)
    assert (await say(relay_to(smarthost))).reply == TRY_AGAIN
    assert len(smarthost.sessions) == 1


LOSSES = [
    (Stage.RCPT, hang_up(), SOLICITOR.encode()),
    (Stage.RCPT, reset_connection(), SOLICITOR.encode()),
    (Stage.RCPT, answer("421 4.4.2 Time-out"), SOLICITOR.encode()),
    (Stage.RCPT, raw(b"??\r\n"), SOLICITOR.encode()),
    (Stage.RCPT, hang_up_after(), WITNESS.encode()),
    (Stage.RCPT, hang_up_after(), SOLICITOR.encode()),
    (Stage.MAIL, hang_up_after(), b""),
    (Stage.DATA, hang_up(), b""),
    (Stage.DATA, answer("421 4.4.2 Time-out", closes=True), b""),
]


@pytest.mark.parametrize(("stage", "act", "when"), LOSSES)
@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_dialogue_lost_before_354_is_said_again_unseen(relay_to, stage, act, when, pipelining):
    """MAIL and the recipients that were taken are replayed once on a fresh connection; the sender hears 2xx."""
    async with Smarthost(extensions=("PIPELINING",) if pipelining else ()) as smarthost:
        smarthost.at(stage, act, when=when)
        relay = relay_to(smarthost)
        outcome = await say(relay, recipients=(WITNESS, SOLICITOR))
        assert outcome.reply.code == 250
        assert smarthost.mails[0].recipients == (WITNESS, SOLICITOR)
        assert len(smarthost.sessions) == 2
        await relay.close()


async def test_a_connection_lost_while_we_inspected_is_replaced_unseen(smarthost, relay_to):
    """Inspection takes its time, Postfix under stress gives 10 s: the loss is mended at DATA."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    smarthost.say(b"421 4.4.2 smarthost.example Error: timeout exceeded\r\n")
    smarthost.hang_up_all()
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert (await transaction.data(PARTS)).code == 250
    assert smarthost.mails[0].recipients == (WITNESS,)


async def test_a_replay_happens_once(smarthost, relay_to):
    """Lost a second time: 451."""
    smarthost.at(Stage.DATA, hang_up(), times=None)
    relay = relay_to(smarthost)
    assert (await say(relay)).reply == TRY_AGAIN
    assert verbs(smarthost) == [["MAIL", "RCPT", "DATA"]] * 2


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT])
@pytest.mark.parametrize("lines", ["450 4.2.0 Greylisted", "550 5.1.1 Unknown now"])
async def test_a_replay_that_is_refused_is_temporary(smarthost, relay_to, stage, lines):
    """The client was told 250 before; only a 451 makes it ask again and learn the truth."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    smarthost.at(Stage.DATA, hang_up())
    smarthost.at(stage, answer(lines))
    assert await transaction.data(PARTS) == TRY_AGAIN
    assert lines in relay.last_trouble
    assert smarthost.mails == []


async def test_a_dead_transaction_stays_temporary(smarthost, relay_to):
    """Once lost for good, every further command of the transaction is 451; a new MAIL begins anew."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    await smarthost.stop()
    assert await transaction.rcpt(SOLICITOR) == TRY_AGAIN
    assert await transaction.rcpt(WITNESS) == TRY_AGAIN
    assert await transaction.rewind(OFFICER, (WITNESS,)) == (TRY_AGAIN, TRY_AGAIN)
    assert await transaction.data(PARTS) == TRY_AGAIN
    await smarthost.start()
    assert (await transaction.mail(OFFICER)).code == 250
    assert (await transaction.rcpt(WITNESS)).code == 250
    assert (await transaction.data(PARTS)).code == 250


# starting over for fewer recipients


async def test_rewind_starts_over_in_one_packet(smarthost, relay_to):
    """RSET, MAIL and RCPT pipelined: one round trip between the commit of a hold and DATA for the rest (P5)."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    for recipient in (WITNESS, SOLICITOR):
        await transaction.rcpt(recipient)
    replies = await transaction.rewind(OFFICER, (SOLICITOR,))
    assert [reply.code for reply in replies] == [250, 250]
    assert transaction.accepted == (SOLICITOR,)
    assert (await transaction.data(PARTS)).code == 250
    assert smarthost.mails[0].recipients == (SOLICITOR,)
    packet = f"RSET\r\nMAIL FROM:<{OFFICER.reverse_path}>\r\nRCPT TO:<{SOLICITOR}>\r\n".encode()
    assert packet in smarthost.sessions[0].reads


@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
@pytest.mark.parametrize(
    "act", [None, hang_up(), answer("421 4.4.2 Time-out"), answer("500 5.5.2 What?"), raw(b"?\r\n")]
)
async def test_rewind_works_with_any_smarthost(relay_to, extensions, act):
    """With or without PIPELINING, on the old connection or, if that is gone, on a fresh one."""
    async with Smarthost(extensions=extensions) as smarthost:
        if act is not None:
            smarthost.at(Stage.RSET, act)
        relay = relay_to(smarthost)
        transaction = relay.begin()
        await transaction.mail(OFFICER)
        for recipient in (WITNESS, SOLICITOR):
            await transaction.rcpt(recipient)
        assert [reply.code for reply in await transaction.rewind(OFFICER, (SOLICITOR,))] == [250, 250]
        assert (await transaction.data(PARTS)).code == 250
        assert smarthost.mails[0].recipients == (SOLICITOR,)
        await relay.close()


async def test_rewind_says_which_recipient_is_refused_now(smarthost, relay_to):
    """One reply for each: the caller decides (DECISIONS 1: not 2xx means 451)."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    for recipient in (WITNESS, SOLICITOR, "clerk@court.example"):
        await transaction.rcpt(recipient)
    smarthost.refuses(SOLICITOR, "452 4.5.3 Too many")
    replies = await transaction.rewind(OFFICER, (SOLICITOR, "clerk@court.example"))
    assert [reply.code for reply in replies] == [250, 452, 250]
    assert transaction.accepted == ("clerk@court.example",)
    await transaction.abandon()


async def test_rewind_with_a_refused_mail_answers_that_for_all(smarthost, relay_to):
    """The 503 that pipelined RCPTs get then is no news of the recipients."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(OFFICER)
    await transaction.rcpt(WITNESS)
    smarthost.at(Stage.MAIL, answer("451 4.3.2 Busy"))
    replies = await transaction.rewind(OFFICER, (WITNESS, SOLICITOR))
    assert replies == (Reply(451, ("4.3.2 Busy",)),) * 3
    assert transaction.accepted == ()


# what the smarthost offers


async def test_capabilities_are_those_of_the_last_ehlo(relay_to):
    """None before the first, refreshed at each connect; a connection with older ones is not used again."""
    async with Smarthost(extensions=("SIZE 1000", "8bitmime", "SMTPUTF8", "X-ODD with words")) as smarthost:
        relay = relay_to(smarthost)
        assert relay.capabilities is None
        offered = await relay.probe()
        assert relay.capabilities == offered
        assert (offered.size, offered.eight_bit_mime, offered.smtputf8) == (1000, True, True)
        smarthost.extensions = ("SIZE",)
        offered = await relay.probe()
        assert (offered.size, offered.eight_bit_mime, offered.smtputf8) == (0, False, False)
        await smarthost.until(lambda: len(smarthost.open_sessions) == 1)
        await say(relay)
        assert smarthost.mails[0].connection == 1
        await relay.close()


@pytest.mark.parametrize("size", ["SIZE -1", "SIZE many", "SIZE " + "9" * 5000, "SIZE ²"])
async def test_a_size_that_makes_no_sense_is_no_limit(relay_to, size):
    """A stray word in EHLO must not keep mail from going."""
    async with Smarthost(extensions=(size,)) as smarthost:
        relay = relay_to(smarthost)
        assert (await relay.probe()).size == 0
        await relay.close()


@pytest.mark.parametrize("command", [{"body": "8BITMIME"}, {"smtputf8": True}])
async def test_an_extension_that_is_gone_is_temporary(smarthost, relay_to, command):
    """Never converted, never sent without (DECISIONS 5): 451 without MAIL, and our own offer is refreshed."""
    relay = relay_to(smarthost)
    await relay.probe()
    smarthost.extensions = ("SIZE 1000",)
    smarthost.hang_up_all()
    mail = MailCommand(reverse_path=OFFICER.reverse_path, **command)
    assert (await say(relay, mail)).reply == EXTENSION_GONE
    assert "no longer" in relay.last_trouble
    assert relay.capabilities is not None
    assert not relay.capabilities.eight_bit_mime
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert verbs(smarthost) == [[], ["QUIT"]]


async def test_an_extension_that_is_back_is_used(smarthost, relay_to):
    """A rested connection from before does not decide: a fresh EHLO does."""
    smarthost.extensions = ("PIPELINING",)
    relay = relay_to(smarthost)
    await relay.probe()
    smarthost.extensions = ("8BITMIME",)
    mail = MailCommand(reverse_path=OFFICER.reverse_path, body="8BITMIME")
    assert (await say(relay, mail)).reply.code == 250
    assert smarthost.mails[0].mail_line.endswith(b" BODY=8BITMIME")


async def test_an_extension_gone_at_a_replay_is_temporary(smarthost, relay_to):
    """The fresh connection must offer what the message needs too."""
    relay = relay_to(smarthost)
    transaction = relay.begin()
    await transaction.mail(MailCommand(reverse_path=OFFICER.reverse_path, body="8BITMIME"))
    await transaction.rcpt(WITNESS)
    smarthost.extensions = ()
    smarthost.at(Stage.DATA, hang_up())
    assert await transaction.data(PARTS) == EXTENSION_GONE


# misuse


async def test_misuse_is_told_before_anything_is_sent(smarthost, relay_to):
    """A caller's bug is a ValueError, and the smarthost never hears of it."""
    transaction = relay_to(smarthost).begin()
    with pytest.raises(ValueError, match="RCPT outside"):
        await transaction.rcpt(WITNESS)
    with pytest.raises(ValueError, match="rewind outside"):
        await transaction.rewind(OFFICER, (WITNESS,))
    with pytest.raises(ValueError, match="DATA without"):
        await transaction.data(PARTS)
    await transaction.mail(OFFICER)
    with pytest.raises(ValueError, match="MAIL inside"):
        await transaction.mail(OFFICER)
    with pytest.raises(ValueError, match="DATA without"):
        await transaction.data(PARTS)
    await transaction.rcpt(WITNESS)
    with pytest.raises(ValueError, match="CRLF"):
        await transaction.data((TOP, b"no end"))
    assert verbs(smarthost) == [["MAIL", "RCPT"]]
    await transaction.abandon()


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_what_could_be_smuggled_cuts_the_connection(smarthost, relay_to, stage):
    """An injection that comes this far is our bug: it raises, nothing of it leaves, no connection is reused."""
    relay = relay_to(smarthost)
    bad = "a@b.example>\r\nRCPT TO:<c@d.example"
    command = MailCommand(reverse_path=bad) if stage == "MAIL" else OFFICER
    recipients = (bad,) if stage == "RCPT" else (WITNESS,)
    parts = (TOP, b"\r\nhello\n.\r\nMAIL FROM:<x@y.example>\r\n") if stage == "DATA" else PARTS
    with pytest.raises(ValueError, match=r"not a path|bare LF"):
        await say(relay, command, recipients, parts)
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert smarthost.mails == []
    assert not any(b"c@d" in line or b"x@y" in line for line in smarthost.sessions[0].commands)


# the outbox's deliveries, and the end


async def test_a_delivery_tells_what_became_of_each_recipient(smarthost, relay_to):
    """One dialogue for the outbox: taken for some, refused for others."""
    smarthost.refuses(SOLICITOR, "550 5.1.1 No such person")
    relay = relay_to(smarthost)
    delivery = await relay.deliver(OFFICER, (WITNESS, SOLICITOR), PARTS)
    assert delivery.mail.code == 250
    assert [(who, reply.code) for who, reply in delivery.recipients] == [(WITNESS, 250), (SOLICITOR, 550)]
    assert delivery.data is not None
    assert (delivery.data.code, delivery.uncertain) == (250, False)
    assert smarthost.mails[0].recipients == (WITNESS,)
    assert smarthost.mails[0].data == TOP + MESSAGE


async def test_a_delivery_that_nobody_takes_sends_no_data(smarthost, relay_to):
    """DATA without recipients would be nonsense; a refused MAIL ends it before."""
    relay = relay_to(smarthost)
    smarthost.at(Stage.RCPT, answer("450 4.2.1 Full"))
    delivery = await relay.deliver(OFFICER, (WITNESS,), PARTS)
    assert delivery.data is None
    assert delivery.recipients[0][1].code == 450
    smarthost.at(Stage.MAIL, answer("550 5.7.1 Not you"))
    delivery = await relay.deliver(OFFICER, (WITNESS,), PARTS)
    assert (delivery.mail.code, delivery.recipients, delivery.data) == (550, (), None)
    assert not any("DATA" in session.verbs for session in smarthost.sessions)


async def test_a_delivery_lost_after_the_dot_is_uncertain(smarthost, relay_to):
    """The outbox shows it: the message may have arrived (DECISIONS 8)."""
    smarthost.at(Stage.DOT, hang_up())
    delivery = await relay_to(smarthost).deliver(OFFICER, (WITNESS,), PARTS)
    assert delivery.data == TRY_AGAIN
    assert delivery.uncertain
    assert "closed the connection" in delivery.trouble


async def test_a_delivery_to_a_smarthost_that_is_down_is_temporary(smarthost, relay_to):
    """Never an exception for the smarthost's sake."""
    relay = relay_to(smarthost)
    await smarthost.stop()
    delivery = await relay.deliver(OFFICER, (WITNESS,), PARTS)
    assert (delivery.mail, delivery.recipients, delivery.data) == (TRY_AGAIN, (), None)
    assert delivery.trouble


async def test_close_says_quit_and_lets_running_transactions_finish(smarthost, relay_to):
    """At SIGTERM resting connections leave at once, busy ones when they are done; no new transaction begins."""
    relay = relay_to(smarthost)
    busy = relay.begin()
    await busy.mail(OFFICER)
    await busy.rcpt(WITNESS)
    await say(relay)
    await relay.close()
    assert smarthost.sessions[1].verbs[-1] == "QUIT"
    assert (await say(relay)).reply == TRY_AGAIN
    assert (await busy.data(PARTS)).code == 250
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert smarthost.sessions[0].verbs[-1] == "QUIT"


async def test_close_tells_those_who_wait(smarthost, relay_to):
    """Nobody waits for a connection that will not come."""
    relay = relay_to(smarthost, max_connections=1)
    holder = relay.begin()
    await holder.mail(OFFICER)
    waiter = asyncio.create_task(say(relay))
    await loop_until(lambda: relay._pool._waiters)
    await relay.close()
    assert (await waiter).reply == TRY_AGAIN
    assert "closing" in relay.last_trouble
    await holder.abandon()


async def test_close_does_not_wait_for_a_smarthost_that_ignores_quit(smarthost, relay_to):
    """QUIT is a courtesy with a time: never more than the connect had."""
    smarthost.at(Stage.QUIT, silence(), times=None)
    relay = relay_to(smarthost, connect_timeout_s=0.5)
    await say(relay)
    await asyncio.wait_for(relay.close(), 3)
    await smarthost.until(lambda: not smarthost.open_sessions)


async def test_a_probe_keeps_its_connection_and_respects_the_limit(smarthost, relay_to):
    """The first mail finds a connection ready; a probe in full load disturbs nothing."""
    relay = relay_to(smarthost, max_connections=1)
    await relay.probe()
    await relay.probe()
    await say(relay)
    assert smarthost.mails[0].connection == 1
    busy = relay.begin()
    await busy.mail(OFFICER)
    assert await relay.probe() == relay.capabilities
    assert len(smarthost.sessions) == 2
    await busy.abandon()
