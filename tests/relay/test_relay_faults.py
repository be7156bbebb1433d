"""Every fault at every stage of the smarthost's dialogue: the sender is told the truth (P1, DECISIONS 3 and 4)."""

import asyncio

import pytest
from relay.dialogue import MESSAGE, OFFICER, TOP, say
from smarthost import (
    Act,
    Smarthost,
    Stage,
    accept_and_hang_up,
    answer,
    hang_up,
    hang_up_after,
    raw,
    reset_connection,
    silence,
    slow,
)

from gateway.model import Reply

TRY_AGAIN = Reply(451, ("4.4.1 Try again later",))
GARBAGE = raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
BUSY = "451 4.3.2 Busy, come back"
REFUSED = "550 5.7.1 We do not want this"


def reply(text: str) -> Reply:
    """Return the reply that ``text`` is."""
    return Reply(int(text[:3]), (text[4:],))


# stage, what the smarthost does there, where our client hears of it, what it hears, whether the message may be there
OUR_TROUBLE = [
    (Stage.CONNECT, answer("421 4.3.2 Too many connections", closes=True), "MAIL"),
    (Stage.CONNECT, answer("554 5.7.1 Go away"), "MAIL"),
    (Stage.CONNECT, answer("250 Not a greeting"), "MAIL"),
    (Stage.CONNECT, hang_up(), "MAIL"),
    (Stage.CONNECT, reset_connection(), "MAIL"),
    (Stage.CONNECT, GARBAGE, "MAIL"),
    (Stage.CONNECT, hang_up_after(), "MAIL"),
    (Stage.EHLO, answer("421 4.3.2 Closing"), "MAIL"),
    (Stage.EHLO, answer("451 4.3.0 No"), "MAIL"),
    (Stage.EHLO, answer("502 5.5.1 What?"), "MAIL"),
    (Stage.EHLO, answer("550 5.7.1 Bad name"), "MAIL"),
    (Stage.EHLO, hang_up(), "MAIL"),
    (Stage.EHLO, GARBAGE, "MAIL"),
    (Stage.EHLO, hang_up_after(), "MAIL"),
    (Stage.MAIL, answer("421 4.3.2 Closing", closes=True), "MAIL"),
    (Stage.MAIL, answer("421 4.3.2 Closing"), "MAIL"),
    (Stage.MAIL, answer("530 5.7.0 Sign in first"), "MAIL"),
    (Stage.MAIL, answer("535 5.7.8 Sign in better"), "MAIL"),
    (Stage.MAIL, answer("538 5.7.11 Encrypt first"), "MAIL"),
    (Stage.MAIL, answer("503 5.5.1 Bad sequence"), "MAIL"),
    (Stage.MAIL, answer("502 5.5.1 Not implemented"), "MAIL"),
    (Stage.MAIL, answer("354 Surprise"), "MAIL"),
    (Stage.MAIL, hang_up(), "MAIL"),
    (Stage.MAIL, reset_connection(), "MAIL"),
    (Stage.MAIL, GARBAGE, "MAIL"),
    (Stage.MAIL, raw(b"250-one\r\n550 two\r\n"), "MAIL"),
    (Stage.MAIL, hang_up_after(), "RCPT"),
    (Stage.RCPT, answer("421 4.3.2 Closing"), "RCPT"),
    (Stage.RCPT, answer("530 5.7.0 Sign in first"), "RCPT"),
    (Stage.RCPT, answer("354 Surprise"), "RCPT"),
    (Stage.RCPT, hang_up(), "RCPT"),
    (Stage.RCPT, reset_connection(), "RCPT"),
    (Stage.RCPT, GARBAGE, "RCPT"),
    (Stage.RCPT, hang_up_after(), "DATA"),
    (Stage.DATA, answer("421 4.3.2 Closing"), "DATA"),
    (Stage.DATA, answer("530 5.7.0 Sign in first"), "DATA"),
    (Stage.DATA, answer("250 2.0.0 Already?"), "DATA"),
    (Stage.DATA, hang_up(), "DATA"),
    (Stage.DATA, reset_connection(), "DATA"),
    (Stage.DATA, GARBAGE, "DATA"),
    (Stage.DOT, answer("421 4.3.2 Closing", closes=True), "DATA"),
    (Stage.DOT, answer("530 5.7.0 Sign in first"), "DATA"),
]

IN_DOUBT = [hang_up(), reset_connection(), accept_and_hang_up(), GARBAGE, answer("354 Surprise")]

THEIR_WORD = [
    (Stage.MAIL, BUSY, "MAIL"),
    (Stage.MAIL, "452 4.3.1 Disk full", "MAIL"),
    (Stage.MAIL, REFUSED, "MAIL"),
    (Stage.MAIL, "552 5.3.4 Too big", "MAIL"),
    (Stage.RCPT, BUSY, "RCPT"),
    (Stage.RCPT, REFUSED, "RCPT"),
    (Stage.RCPT, "553 5.1.3 Bad address", "RCPT"),
    (Stage.DATA, BUSY, "DATA"),
    (Stage.DATA, REFUSED, "DATA"),
    (Stage.DOT, BUSY, "DATA"),
    (Stage.DOT, "452 4.3.1 Disk full", "DATA"),
    (Stage.DOT, REFUSED, "DATA"),
    (Stage.DOT, "554 5.6.0 Virus", "DATA"),
]


@pytest.mark.parametrize(("stage", "act", "heard_at"), OUR_TROUBLE)
async def test_trouble_between_us_and_the_smarthost_is_temporary(smarthost, relay_to, stage, act, heard_at):
    """Loss, 421, nonsense and our own misconfiguration: 451, never a bounce, never 250; the operator gets the words."""
    smarthost.at(stage, act, times=None)
    relay = relay_to(smarthost)
    outcome = await say(relay)
    assert (outcome.stage, outcome.reply) == (heard_at, TRY_AGAIN)
    assert not outcome.uncertain
    assert smarthost.mails == []
    assert relay.last_trouble


@pytest.mark.parametrize("act", IN_DOUBT)
async def test_no_answer_to_the_dot_is_temporary_and_in_doubt(smarthost, relay_to, act):
    """The smarthost may have the message: 451, so that it is sent again; a duplicate is possible, a loss is not."""
    smarthost.at(Stage.DOT, act)
    relay = relay_to(smarthost)
    outcome = await say(relay)
    assert outcome.reply == TRY_AGAIN
    assert outcome.uncertain
    assert len(smarthost.mails) == act.keeps
    assert (await say(relay)).reply.code == 250


@pytest.mark.parametrize(("stage", "text", "heard_at"), THEIR_WORD)
async def test_the_smarthosts_word_on_the_message_is_passed_back(smarthost, relay_to, stage, text, heard_at):
    """4xx and 5xx about sender, recipient or data reach the sender's server exactly as they were said."""
    smarthost.at(stage, answer(text))
    relay = relay_to(smarthost)
    outcome = await say(relay)
    assert (outcome.stage, outcome.reply, outcome.uncertain) == (heard_at, reply(text), False)
    assert smarthost.mails == []
    assert (relay.last_trouble, relay.alarm) == ("", "")
    assert (await say(relay)).reply.code == 250


async def test_a_connection_closed_right_after_354_is_temporary(smarthost, relay_to):
    """Whether the dot went out before the close was seen is a matter of luck; the answer is not."""
    smarthost.at(Stage.DATA, hang_up_after(), times=None)
    relay = relay_to(smarthost)
    assert (await say(relay)).reply == TRY_AGAIN
    assert smarthost.mails == []


SILENT = [
    (Stage.CONNECT, "MAIL", {"connect_timeout_s": 0.1}, "not ready for mail within 0.1 s"),
    (Stage.EHLO, "MAIL", {"connect_timeout_s": 0.1}, "within 0.1 s"),
    (Stage.MAIL, "MAIL", {"command_timeout_s": 0.1}, "did not answer MAIL within 0.1 s"),
    (Stage.RCPT, "RCPT", {"command_timeout_s": 0.1}, "did not answer RCPT within 0.1 s"),
    (Stage.DATA, "DATA", {"command_timeout_s": 0.1}, "did not answer DATA within 0.1 s"),
    (Stage.DOT, "DATA", {"data_timeout_s": 0.1}, "did not answer the end of the message within 0.1 s"),
]


@pytest.mark.parametrize(("stage", "heard_at", "times", "trouble"), SILENT)
async def test_silence_ends(smarthost, relay_to, stage, heard_at, times, trouble):
    """A smarthost that says nothing is given its time, then 451; each stage has its own time."""
    smarthost.at(stage, silence(), times=None)
    relay = relay_to(smarthost, **times)
    outcome = await say(relay)
    assert (outcome.stage, outcome.reply) == (heard_at, TRY_AGAIN)
    assert outcome.uncertain == (stage is Stage.DOT)
    assert trouble in relay.last_trouble
    await smarthost.until(lambda: not smarthost.open_sessions)


async def test_a_smarthost_that_is_down_is_temporary_until_it_is_up(smarthost, relay_to):
    """A refused connection: 451; nothing has to be restarted when the smarthost comes back."""
    relay = relay_to(smarthost)
    await smarthost.stop()
    assert await say(relay) == await say(relay)
    assert (await say(relay)).reply == TRY_AGAIN
    assert "127.0.0.1" in relay.last_trouble
    assert relay.alarm == ""
    await smarthost.start()
    assert (await say(relay)).reply.code == 250


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (Stage.CONNECT, "554 5.7.1 Go away"),
        (Stage.EHLO, "550 5.7.1 Bad name"),
        (Stage.MAIL, "530 5.7.0 Sign in first"),
        (Stage.RCPT, "530 5.7.0 Sign in first"),
        (Stage.DATA, "538 5.7.11 Encrypt first"),
        (Stage.DOT, "535 5.7.8 Sign in better"),
    ],
)
async def test_our_misconfiguration_raises_an_alarm_until_it_is_mended(smarthost, relay_to, stage, text):
    """What retrying cannot mend must reach a person, in the smarthost's words; the alarm ends with the trouble."""
    smarthost.at(stage, answer(text))
    relay = relay_to(smarthost)
    assert (await say(relay)).reply == TRY_AGAIN
    assert text in relay.alarm
    assert (await say(relay)).reply.code == 250
    assert relay.alarm == ""


@pytest.mark.parametrize("stage", [Stage.EHLO, Stage.MAIL])
async def test_an_alarm_ends_without_mail(smarthost, relay_to, stage):
    """No mail may come while a load balancer believes it: asked again, the smarthost says that it serves us, and gets none."""
    smarthost.at(stage, answer("530 5.7.0 Sign in first"), times=2)
    relay = relay_to(smarthost)
    assert (await say(relay)).reply == TRY_AGAIN
    await relay.ask_again()
    assert relay.alarm
    await relay.ask_again()
    assert relay.alarm == ""
    before = len(smarthost.sessions)
    await relay.ask_again()
    assert (smarthost.mails, len(smarthost.sessions)) == ([], before)


@pytest.mark.parametrize(
    "act", [hang_up_after(), Act(says=b"250 2.0.0 Ok\r\nrubbish\r\n"), answer("250 Ok", closes=True)]
)
async def test_a_250_is_true_whatever_comes_after_it(smarthost, relay_to, act):
    """Accepted is accepted; only the connection is not used again."""
    smarthost.at(Stage.DOT, act)
    relay = relay_to(smarthost)
    outcome = await say(relay)
    assert (outcome.reply.code, outcome.uncertain) == (250, False)
    assert (await say(relay)).reply.code == 250
    assert [mail.connection for mail in smarthost.mails] == [0, 1]


LARGE = MESSAGE + b"An ordinary line of an attachment, encoded.\r\n" * 500_000


@pytest.mark.parametrize("text", ["452 4.3.1 Disk full", "552 5.3.4 Too big"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_verdict_in_mid_upload_is_the_truth(smarthost, relay_to, text, at_once):
    """A refusal before the end, even in one packet with 354, is passed back; the final dot is not sent."""
    verdict = f"{text}\r\n".encode()
    if at_once:
        smarthost.at(Stage.DATA, Act(says=b"354 Go ahead\r\n" + verdict, idles=True))
    else:
        smarthost.at(Stage.UPLOAD, Act(says=verdict, idles=True))
    relay = relay_to(smarthost)
    outcome = await say(relay, parts=(TOP, LARGE))
    assert (outcome.reply, outcome.uncertain) == (reply(text), False)
    await smarthost.until(lambda: not smarthost.open_sessions)
    assert smarthost.mails == []


async def test_an_acceptance_in_mid_upload_is_not_believed(smarthost, relay_to):
    """250 for a message of which half was sent: 451, and in doubt."""
    smarthost.at(Stage.UPLOAD, Act(says=b"250 2.0.0 Ok\r\n", idles=True))
    outcome = await say(relay_to(smarthost), parts=(TOP, LARGE))
    assert (outcome.reply, outcome.uncertain) == (TRY_AGAIN, True)


@pytest.mark.parametrize("act", [hang_up(), reset_connection()])
async def test_a_connection_lost_in_mid_upload_is_temporary(smarthost, relay_to, act):
    """Without the dot nothing was delivered: 451, not in doubt."""
    smarthost.at(Stage.UPLOAD, act)
    outcome = await say(relay_to(smarthost), parts=(TOP, LARGE))
    assert (outcome.reply, outcome.uncertain) == (TRY_AGAIN, False)
    assert smarthost.mails == []


async def test_a_smarthost_that_stops_reading_is_given_up(smarthost, relay_to):
    """Flow control has a time too: a full pipe for command_timeout_s is a loss, and no dot was sent."""
    smarthost.at(Stage.UPLOAD, slow(asyncio.Event()))
    relay = relay_to(smarthost, command_timeout_s=0.2)
    outcome = await say(relay, parts=(TOP, LARGE))
    assert (outcome.reply, outcome.uncertain) == (TRY_AGAIN, False)
    assert "part of a message" in relay.last_trouble


async def test_a_long_refusal_is_passed_back_whole(smarthost, relay_to):
    """Multi-line replies keep every line."""
    lines = ("550 5.7.1 Refused", *(f"5.7.1 because of reason {n}" for n in range(200)))
    smarthost.at(Stage.RCPT, answer(*lines))
    outcome = await say(relay_to(smarthost))
    assert outcome.reply == Reply(550, (lines[0][4:], *lines[1:]))


@pytest.mark.parametrize("flood", [b"550-5.7.1 and on\r\n" * 20_000, b"550 " + b"x" * 200_000])
async def test_an_endless_reply_is_given_up(smarthost, relay_to, flood):
    """A reply of more than 64 KiB is nonsense: 451."""
    smarthost.at(Stage.RCPT, raw(flood), times=None)
    relay = relay_to(smarthost)
    assert (await say(relay)).reply == TRY_AGAIN
    assert "more than 65536 octets" in relay.last_trouble


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        b".\r\n",
        b"\r\n",
        b"Subject: 8 bit\r\n\r\ncaf\xe9 \xff\x80 \xe2\x82\xac\r\n",
        b"broken header\r\n: x\r\n\r\n" + b"x" * 5000 + b"\r\n",
        LARGE,
    ],
    ids=["dots", "one dot", "empty", "8 bit", "5,000 octet line", "large"],
)
async def test_the_smarthost_gets_the_bytes_as_they_came(smarthost, relay_to, message):
    """Bytes are evidence (P2): what arrives is the parts joined, nothing else."""
    command = OFFICER.__class__(reverse_path=OFFICER.reverse_path, body="8BITMIME", size=len(message))
    outcome = await say(relay_to(smarthost), command, parts=(TOP, message))
    assert outcome.reply.code == 250
    assert smarthost.mails[0].data == TOP + message


async def test_a_smarthost_of_another_kind_is_served_too(relay_to):
    """Without any extension, not even PIPELINING, the dialogue is the same."""
    async with Smarthost(extensions=()) as plain:
        relay = relay_to(plain)
        assert (await say(relay)).reply.code == 250
        capabilities = relay.capabilities
        assert capabilities is not None
        assert (capabilities.size, capabilities.eight_bit_mime, capabilities.smtputf8) == (None, False, False)
        await relay.close()
