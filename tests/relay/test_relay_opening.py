"""Getting to the smarthost: TLS that was asked for is had, passwords stay secret, settings are checked at once."""

import asyncio
import base64
import contextlib
import socket
import ssl
import time

import pytest
from relay.dialogue import MESSAGE, TOP, say
from smarthost import Act, Smarthost, Stage, answer, hang_up, hang_up_after, raw, silence, slow

from gateway.errors import Mistakes, NextHopUnavailable
from gateway.relay import TRY_AGAIN, Relay
from gateway.relay.opening import Way, next_hop
from gateway.relay.wire import Lost, Misconfigured
from gateway.settings import NextHopSettings

SECRET = "correct horse"
USERS = {"gateway": SECRET}


@pytest.fixture
def encrypted(certificates):
    """Make a smarthost with TLS; its certificate is for ``names``."""

    def make(*names, **options):
        return Smarthost(tls=certificates.server(*(names or ("127.0.0.1",))), **options)

    return make


# TLS


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize("size", [1, 2_000])
async def test_mail_goes_under_tls(encrypted, certificates, relay_to, scheme, size):
    """STARTTLS and TLS at once, the certificate verified, small and large messages whole."""
    message = MESSAGE * size
    async with encrypted(implicit_tls=scheme == "smtps", require_tls=True) as smarthost:
        relay = relay_to(smarthost, scheme=scheme, ca_file=certificates.ca_file)
        for _ in range(2):
            assert (await say(relay, parts=(TOP, message))).reply.code == 250
        assert [(mail.tls, mail.connection) for mail in smarthost.mails] == [(True, 0), (True, 0)]
        assert smarthost.mails[1].data == TOP + message
        await relay.close()
        await smarthost.until(lambda: not smarthost.open_sessions)
        assert smarthost.sessions[0].verbs[-1] == "QUIT"


async def test_what_is_offered_under_tls_counts(encrypted, certificates, relay_to):
    """EHLO is said again after STARTTLS (RFC 3207 section 4.2); what was offered in the clear is forgotten."""
    async with encrypted() as smarthost:
        smarthost.at(Stage.EHLO, answer("250 smarthost.example", "STARTTLS", "SIZE 1", "SMTPUTF8"))
        smarthost.extensions = ("SIZE 2", "8BITMIME")
        relay = relay_to(smarthost, scheme="smtp+starttls", ca_file=certificates.ca_file)
        offered = await relay.probe()
        assert (offered.size, offered.eight_bit_mime, offered.smtputf8) == (2, True, False)
        assert smarthost.sessions[0].verbs == ["EHLO", "STARTTLS", "EHLO"]
        await relay.close()


async def test_a_host_name_is_verified(encrypted, certificates, relay_to):
    """The name in the URL must be the name in the certificate."""
    async with encrypted("localhost") as smarthost:
        relay = relay_to(smarthost, scheme="smtp+starttls", host="localhost", ca_file=certificates.ca_file)
        assert (await say(relay)).reply.code == 250
        await relay.close()


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize("fault", ["name", "authority"])
async def test_a_certificate_that_does_not_verify_is_refused(
    encrypted, certificates, relay_to, scheme, fault
):
    """Another's certificate, or one by nobody we know: 451 and an alarm, and not a byte of mail."""
    names = ("elsewhere.example",) if fault == "name" else ("127.0.0.1",)
    trust = {"ca_file": certificates.ca_file} if fault == "name" else {}
    async with encrypted(*names, implicit_tls=scheme == "smtps") as smarthost:
        relay = relay_to(smarthost, scheme=scheme, **trust)
        assert (await say(relay)).reply == TRY_AGAIN
        assert "certificate does not verify" in relay.alarm
        assert not any("MAIL" in session.verbs for session in smarthost.sessions)


async def test_verification_can_be_switched_off(encrypted, relay_to):
    """verify: false is for a smarthost with a certificate of its own making; TLS is still required."""
    async with encrypted("elsewhere.example") as smarthost:
        relay = relay_to(smarthost, scheme="smtp+starttls", verify=False)
        assert (await say(relay)).reply.code == 250
        assert smarthost.mails[0].tls
        await relay.close()


async def test_starttls_that_is_not_offered_is_never_done_without(smarthost, relay_to):
    """Required, never opportunistic: whoever strips STARTTLS from EHLO gets no mail."""
    relay = relay_to(smarthost, scheme="smtp+starttls")
    assert (await say(relay)).reply == TRY_AGAIN
    assert "does not offer STARTTLS" in relay.alarm
    assert not any("MAIL" in session.verbs for session in smarthost.sessions)


@pytest.mark.parametrize(
    ("act", "alarm"),
    [
        (answer("454 4.7.0 Not now"), False),
        (answer("421 4.3.2 Closing"), False),
        (answer("500 5.5.1 What?"), True),
        (hang_up(), False),
        (hang_up_after(), None),
        (raw(b"220 Go ahead\r\nrubbish"), False),
        (raw(b"220 Go ahead\r\n250 injected\r\n250 more\r\n"), False),
        (raw(b"220 Go ahead\r\n\x15\x03\x01\x00\x02\x02\x28"), None),
    ],
)
async def test_starttls_that_goes_wrong_is_temporary(encrypted, relay_to, act, alarm):
    """Plaintext after the 220 is an injection (it would be read as if it came under TLS): the connection is cut."""
    async with encrypted() as smarthost:
        smarthost.at(Stage.STARTTLS, act, times=None)
        relay = relay_to(smarthost, scheme="smtp+starttls", verify=False)
        assert (await say(relay)).reply == TRY_AGAIN
        if alarm is not None:
            assert bool(relay.alarm) == alarm
        assert not any("MAIL" in session.verbs for session in smarthost.sessions)


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_a_silent_handshake_ends(encrypted, relay_to, scheme):
    """connect_timeout_s covers TLS too."""
    async with encrypted() as smarthost:
        smarthost.at(Stage.STARTTLS, Act(says=b"220 Go ahead\r\n", idles=True))
        if scheme == "smtps":
            smarthost.at(Stage.CONNECT, silence())
        relay = relay_to(smarthost, scheme=scheme, verify=False, connect_timeout_s=0.2)
        assert (await say(relay)).reply == TRY_AGAIN
        assert "within 0.2 s" in relay.last_trouble


async def test_tls_to_a_port_without_it_is_told(smarthost, relay_to):
    """The commonest mistake of all names itself: smtps:// on a port that speaks in the clear."""
    relay = relay_to(smarthost, scheme="smtps", verify=False)
    assert (await say(relay)).reply == TRY_AGAIN
    assert "TLS could not be negotiated" in relay.alarm


# signing in


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "login", "CRAM-MD5 PLAIN"])
@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps", "smtp"])
async def test_we_sign_in_as_the_smarthost_wants(encrypted, relay_to, scheme, mechanisms):
    """AUTH PLAIN, else LOGIN; in the clear on this machine only."""
    options = {"implicit_tls": scheme == "smtps", "users": USERS, "mechanisms": mechanisms}
    async with encrypted(**options) as smarthost:
        relay = relay_to(smarthost, scheme=scheme, verify=False, user="gateway", password=SECRET)
        assert (await say(relay)).reply.code == 250
        assert smarthost.mails[0].user == "gateway"
        await relay.close()


async def test_an_old_fashioned_auth_line_is_understood(relay_to):
    """AUTH=LOGIN is how servers wrote it before RFC 2554."""
    async with Smarthost(extensions=("AUTH=LOGIN",)) as smarthost:
        smarthost.users = USERS
        smarthost.mechanisms = ""
        relay = relay_to(smarthost, user="gateway", password=SECRET)
        assert (await say(relay)).reply.code == 250
        await relay.close()


async def test_the_password_may_stand_in_a_file(relay_to, tmp_path):
    """Secrets come from files: a newline at the end is none of the password."""
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    async with Smarthost(users=USERS) as smarthost:
        relay = relay_to(smarthost, user="gateway", password_file=file)
        assert (await say(relay)).reply.code == 250
        await relay.close()


@pytest.mark.parametrize(
    ("act", "alarm"),
    [
        (None, True),
        (answer("535 5.7.8 Wrong"), True),
        (answer("534 5.7.9 Too weak"), True),
        (answer("454 4.7.0 Later"), False),
        (answer("250 Ok?"), False),
        (hang_up(), False),
    ],
)
async def test_a_sign_in_that_fails_is_temporary_and_keeps_the_secret(relay_to, act, alarm):
    """5xx at AUTH is our misconfiguration: 451 and an alarm; neither it nor the log may hold the password."""
    async with Smarthost(users=USERS) as smarthost:
        if act is not None:
            smarthost.at(Stage.AUTH, act, times=None)
        relay = relay_to(smarthost, user="gateway", password="wrong battery")
        assert (await say(relay)).reply == TRY_AGAIN
        assert bool(relay.alarm) == alarm
        told = relay.last_trouble + relay.alarm
        assert "battery" not in told
        assert base64.b64encode(b"\0gateway\0wrong battery").decode() not in told
        assert smarthost.mails == []


async def test_a_mechanism_we_do_not_know_is_told(relay_to):
    """Neither PLAIN nor LOGIN: a person must change something."""
    async with Smarthost(users=USERS, mechanisms="CRAM-MD5 GSSAPI") as smarthost:
        relay = relay_to(smarthost, user="gateway", password=SECRET)
        with pytest.raises(NextHopUnavailable, match="CRAM-MD5 GSSAPI"):
            await relay.probe()
        assert "PLAIN and LOGIN" in relay.alarm


async def test_no_sign_in_where_none_is_offered_is_told(smarthost, relay_to):
    """user is set and the smarthost has no AUTH."""
    relay = relay_to(smarthost, user="gateway", password=SECRET)
    with pytest.raises(NextHopUnavailable, match="not at all"):
        await relay.probe()


async def test_a_password_never_leaves_this_machine_in_the_clear(relay_to):
    """AUTH over plain smtp:// is for loopback only."""
    address = _own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    async with Smarthost(users=USERS, host=address) as smarthost:
        relay = relay_to(smarthost, host=address, user="gateway", password=SECRET)
        assert (await say(relay)).reply == TRY_AGAIN
        assert "only under TLS" in relay.alarm
        assert not any("AUTH" in session.verbs for session in smarthost.sessions)


# settings and the probe


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"url": "http://smarthost.example:25"}, "next_hop.url"),
        ({"url": "smarthost.example:25"}, "next_hop.url"),
        ({"url": "smtp://"}, "next_hop.url"),
        ({"url": "smtp://host.example:99999"}, "next_hop.url"),
        ({"url": "smtp://user:secret@host.example:25"}, "next_hop.url"),
        ({"url": "smtp://host.example:25/path"}, "next_hop.url"),
        ({"url": f"smtp://{'x' * 70}.example:25"}, "next_hop.url"),
        ({"hostname": "two words"}, "next_hop.hostname"),
        ({"hostname": "a\r\nMAIL FROM:<>"}, "next_hop.hostname"),
        ({"url": "smtps://host.example", "ca_file": "/nowhere/ca.pem"}, "next_hop.ca_file"),
        ({"password_file": "/nowhere/password"}, "next_hop.password_file"),
    ],
)
def test_wrong_settings_are_told_with_place_and_remedy(settings, place):
    """Refuse to start, before the first mail; a password in the URL is not repeated."""
    with pytest.raises(Mistakes) as refused:
        Relay(NextHopSettings(**settings), "gateway.example")
    assert [mistake.file for mistake in refused.value.mistakes] == [place]
    assert refused.value.mistakes[0].remedy
    assert "secret" not in str(refused.value)


def test_all_wrong_settings_are_told_at_once():
    """One run shows every mistake."""
    settings = NextHopSettings(url="ftp://x", hostname="two words", password_file="/nowhere/password")
    with pytest.raises(Mistakes) as refused:
        Relay(settings, "gateway.example")
    assert len(refused.value.mistakes) == 3


def test_a_ca_file_that_holds_no_certificate_is_told(tmp_path):
    """Trusting nobody by mistake would stop all mail; the file is named."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(Mistakes, match=r"ca\.pem"):
        Relay(NextHopSettings(url="smtps://smarthost.example", ca_file=file), "gateway.example")


@pytest.mark.parametrize(
    ("own", "given", "name"),
    [("", "[192.0.2.1]", "[192.0.2.1]"), ("own.example", "given.example", "own.example")],
)
async def test_we_introduce_ourselves_by_the_name_we_are_given(smarthost, own, given, name):
    """next_hop.hostname, else the relay's own name."""
    relay = Relay(NextHopSettings(url=f"smtp://127.0.0.1:{smarthost.port}", hostname=own), given)
    await relay.probe()
    assert smarthost.sessions[0].commands == [f"EHLO {name}".encode()]
    await relay.close()


async def test_ipv6_works(relay_to):
    """An address in brackets in the URL."""
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    async with Smarthost(host="::1") as smarthost:
        relay = relay_to(smarthost, host="[::1]")
        assert (await say(relay)).reply.code == 250
        await relay.close()


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.EHLO])
@pytest.mark.parametrize("lines", ["421 4.3.2 Later", "554 5.7.1 Never"])
async def test_a_probe_tells_why_it_failed(smarthost, relay_to, stage, lines):
    """`serve` shows it at start and goes on: the smarthost's words and where it is."""
    smarthost.at(stage, answer(lines))
    relay = relay_to(smarthost)
    with pytest.raises(NextHopUnavailable, match=lines) as failed:
        await relay.probe()
    assert f"port {smarthost.port}" in str(failed.value)
    assert relay.capabilities is None
    assert bool(relay.alarm) == lines.startswith("5")
    await relay.probe()
    assert relay.alarm == ""


async def test_a_host_that_does_not_exist_is_temporary(smarthost, relay_to):
    """A name server may be down as well as a smarthost."""
    relay = relay_to(smarthost, host="smarthost.invalid", connect_timeout_s=10)
    assert (await say(relay)).reply == TRY_AGAIN
    assert "smarthost.invalid" in relay.last_trouble


def _own_address() -> str | None:
    """Return an address of this machine that is not loopback, if there is one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
        return None if address.startswith("127.") else address


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return ssl.HAS_TLSv1_2


# several addresses


@contextlib.contextmanager
def black_hole(port):
    """Yield an address of this machine whose ``port`` drops what comes, as a host that is down does."""
    with contextlib.ExitStack() as sockets:
        address = "127.0.0.2"
        full = sockets.enter_context(socket.socket())
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind((address, port))
        full.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield address


def way_to(smarthost, *addresses, timeout_s=4.0, **settings):
    """Return the way to a name that stands for ``addresses``."""

    async def resolve(host, port):
        assert (host, port) == ("smarthost.example", smarthost.port)
        return addresses

    url = f"{settings.pop('scheme', 'smtp')}://smarthost.example:{smarthost.port}"
    hop = next_hop(NextHopSettings(url=url, connect_timeout_s=timeout_s, **settings), "gateway.example")
    return Way(hop, resolve)


async def test_an_address_that_drops_packets_does_not_keep_from_the_next(smarthost):
    """One host of two is down: the other serves within the time, and from then on at once."""
    with black_hole(smarthost.port) as hole:
        way = way_to(smarthost, hole, "127.0.0.1")
        begun = time.monotonic()
        first = await way.open()
        assert 1.5 < time.monotonic() - begun < 3.5
        begun = time.monotonic()
        second = await way.open()
        assert time.monotonic() - begun < 1.0
    for connection in (first, second):
        connection.abort()
    assert [session.verbs for session in smarthost.sessions] == [["EHLO"]] * 2


@pytest.mark.parametrize(
    "act", [answer("421 4.3.2 Going down"), answer("450 4.3.2 Not now"), hang_up(), raw(b"rubbish\r\n")]
)
async def test_an_address_that_does_not_serve_is_followed_by_the_next(smarthost, act):
    """A host that answers and will not serve gives way to the next one too."""
    smarthost.at(Stage.CONNECT, act)
    async with Smarthost(host="127.0.0.2", port=smarthost.port) as other:
        (await way_to(smarthost, "127.0.0.1", "127.0.0.2").open()).abort()
        assert (len(smarthost.sessions), len(other.sessions)) == (1, 1)


async def test_who_gives_up_says_nothing_against_the_address(smarthost):
    """A client that leaves while we connect is no fault of the first host, which stays the first."""
    greeting, asked = asyncio.Event(), asyncio.Event()
    smarthost.at(Stage.CONNECT, slow(greeting), when=lambda _: asked.set() or True)
    async with Smarthost(host="127.0.0.2", port=smarthost.port) as other:
        way = way_to(smarthost, "127.0.0.1", "127.0.0.2", timeout_s=10.0)
        task = asyncio.create_task(way.open())
        await asyncio.wait_for(asked.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        greeting.set()
        (await way.open()).abort()
        assert (len(smarthost.sessions), len(other.sessions)) == (2, 0)


async def test_an_address_that_says_nothing_comes_last_next_time(smarthost):
    """A host that takes connections and never greets has its one chance; the next message goes to the other."""
    smarthost.at(Stage.CONNECT, silence(), times=None)
    async with Smarthost(host="127.0.0.2", port=smarthost.port) as other:
        way = way_to(smarthost, "127.0.0.1", "127.0.0.2", timeout_s=0.5)
        with contextlib.suppress(Lost):
            await way.open()
        (await way.open()).abort()
        assert len(other.sessions) == 1


async def test_a_fault_for_a_person_to_mend_is_not_hidden_by_the_next_address(smarthost):
    """What says that we are not wanted raises the alarm, whoever else would serve."""
    smarthost.at(Stage.CONNECT, answer("554 5.7.1 Nothing for you here"))
    async with Smarthost(host="127.0.0.2", port=smarthost.port) as other:
        with pytest.raises(Misconfigured):
            await way_to(smarthost, "127.0.0.1", "127.0.0.2").open()
        assert not other.sessions


async def test_an_address_that_keeps_silent_is_last_next_time(smarthost):
    """A host that takes the connection and says nothing costs one opening its time, not all that follow."""
    smarthost.at(Stage.CONNECT, silence())
    way = way_to(smarthost, "127.0.0.1", "127.0.0.2", timeout_s=0.5)
    async with Smarthost(host="127.0.0.2", port=smarthost.port) as other:
        with pytest.raises(Lost, match="not ready for mail within"):
            await way.open()
        (await way.open()).abort()
        assert len(other.sessions) == 1


async def test_a_name_whose_addresses_are_all_down_is_lost(smarthost):
    """Every address is tried, and the trouble of the last one told."""
    way = way_to(smarthost, "127.0.0.3", "127.0.0.4")
    with pytest.raises(Lost, match=r"smarthost\.example port"):
        await way.open()


async def test_a_closed_port_says_why():
    """An administrator reads the reason, not the address once more."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port meanwhile
        relay = Relay(
            NextHopSettings(url=f"smtp://127.0.0.1:{taken.getsockname()[1]}"), "gateway.force.example"
        )
        with pytest.raises(Lost, match=r"Connection refused\Z"):
            await relay.probe()
        await relay.close()
