"""The server as a whole: listening, ending, and what it takes from aiosmtpd."""

import asyncio
import inspect
import logging
import socket

import pytest
from aiosmtpd.smtp import SMTP
from front import Talk

from gateway.errors import Mistakes
from gateway.receive import serve
from gateway.receive.session import Session
from gateway.settings import SmtpSettings


async def test_closing_lets_a_message_finish_and_sends_the_rest_away(connect, house):
    """SIGTERM: who is in DATA gets the answer and then 421; who waits gets 421 at once; nobody new comes in."""
    busy, uploading, idle = await connect(), await connect(), await connect()
    await busy.begin()
    await uploading.begin()
    await idle.greet()
    house.hold("data")
    busy.send(b"one\r\n.\r\nMAIL FROM:<next@force.example>\r\n")
    await house.until("data")
    port = busy.server.port
    closing = asyncio.create_task(busy.server.close(30.0))
    assert (await idle.reply()).startswith("421 4.3.2")
    assert await idle.is_closed()
    with pytest.raises(ConnectionRefusedError):
        await Talk.open(port)
    assert not closing.done()
    house.let_go()
    assert (await busy.reply()).startswith("250")
    assert (await busy.reply()).startswith("421 4.3.2")
    assert (await uploading.ask("two\r\n.")).startswith("250")
    assert (await uploading.reply()).startswith("421 4.3.2")
    await closing
    assert house.messages() == [b"one\r\n", b"two\r\n"]
    assert house.steps().count("mail") == 2


async def test_closing_does_not_wait_for_ever(connect, house):
    """An upload that stalls is ended when the time is over; it was not accepted, so its sender keeps it."""
    talk = await connect()
    await talk.begin()
    talk.send(b"half\r\n")
    await talk.server.close(0.1)
    assert await talk.reply() == ""
    assert talk.server.connections == 0
    assert house.messages() == []
    assert house.steps()[-1] == "reset"


async def test_closing_ends_a_delivery_that_hangs(connect, house):
    """When even the drain time is over the delivery is given up: no answer was sent, so nothing is lost."""
    talk = await connect()
    await talk.begin()
    house.hold("data")
    talk.send(b"x\r\n.\r\n")
    await house.until("data")
    await talk.server.close(0.1)
    assert await talk.reply() == ""
    assert talk.server.connections == 0
    assert ("data done",) not in house.heard


async def test_closing_an_idle_server_is_quick(start):
    """Nobody there: nothing to wait for."""
    server = await start()
    async with asyncio.timeout(5):
        await server.close(60.0)


async def test_an_address_in_use_is_a_mistake_with_a_remedy(start, house):
    """Not a traceback: the setting, what is wrong, what to do."""
    server = await start()
    with pytest.raises(Mistakes) as mistakes:
        await serve(house, SmtpSettings(listen=f"127.0.0.1:{server.port}"))
    assert "smtp.listen" in str(mistakes.value)
    assert str(server.port) in str(mistakes.value)


async def test_several_processes_can_share_a_port(start, house):
    """`serve --workers N`: SO_REUSEPORT."""
    settings = SmtpSettings(listen="127.0.0.1:0")
    first = await serve(house, settings, reuse_port=True)
    second = await serve(house, SmtpSettings(listen=f"127.0.0.1:{first.port}"), reuse_port=True)
    assert second.port == first.port
    await first.close(1.0)
    await second.close(1.0)


async def test_a_socket_can_be_given(house):
    """For systemd, and for a parent process that opens port 25 and drops its rights."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = await serve(house, SmtpSettings(hostname="gateway.example"), sock=sock)
    assert server.port == sock.getsockname()[1]
    talk = await Talk.open(server.port)
    assert await talk.reply() == "220 gateway.example ESMTP"
    await talk.close()
    await server.close(5.0)


async def test_ipv6(house):
    """`[::1]:0`, and its clients may relay."""
    server = await serve(house, SmtpSettings(listen="[::1]:0", hostname="gateway.example"))
    reader, writer = await asyncio.open_connection("::1", server.port)
    talk = Talk(reader, writer)
    await talk.greet()
    assert (await talk.ask("MAIL FROM:<a@force.example>")).startswith("250")
    await talk.close()
    await server.close(5.0)
    assert house.heard[0][1].address == "::1"


async def test_without_a_host_name_the_machine_has_one(house):
    """No name server is asked: aiosmtpd calls getfqdn, which blocks, for each connection."""
    server = await serve(house, SmtpSettings(listen="127.0.0.1:0"))
    talk = await Talk.open(server.port)
    assert await talk.reply() == f"220 {socket.gethostname()} ESMTP"
    await talk.close()
    await server.close(5.0)


async def test_small_replies_do_not_wait_in_the_kernel(connect, house):
    """TCP_NODELAY: else a reply in two writes costs 40 ms (SPEED.md section 3)."""
    talk = await connect()
    await talk.greet()
    (guest,) = talk.server._desk.guests
    sock = guest.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_what_aiosmtpd_sets_up_is_set_up_here(connect):
    """Its constructor is passed by; whatever it sets that its remaining methods read must be set by ours."""
    talk = await connect()
    await talk.greet()
    (guest,) = talk.server._desk.guests
    kept = [
        SMTP.connection_made,
        SMTP.smtp_STARTTLS,
        SMTP.push,
        SMTP._cb_client_connected,
        SMTP._create_session,
    ]
    names = set(vars(SMTP(object(), hostname="x", loop=asyncio.get_running_loop())))
    read = {name for method in kept for name in names if f"self.{name}" in inspect.getsource(method)}
    assert {"transport", "_reader", "_original_transport"} <= read | {"_reader"}
    assert {name for name in read if not hasattr(guest, name)} == set()


async def test_no_command_of_aiosmtpd_is_left_in_reach(connect):
    """What it would do for AUTH, EXPN or VRFY is not done: each command is ours, or refused."""
    talk = await connect(max_errors=100)
    await talk.greet()
    ours = {name for name in vars(Session) if name.startswith("smtp_")}
    for name in dir(SMTP):
        if name.startswith("smtp_") and name not in ours:
            assert (await talk.ask(name.removeprefix("smtp_"))).startswith("502"), name


async def test_the_log_names_no_address_of_a_mail(connect, house, capsys, caplog):
    """P4: refusals and cuts are logged with the client's address, never with a sender, recipient or text."""
    caplog.set_level(logging.DEBUG)
    talk = await connect(max_errors=3)
    await talk.begin("secret-sender@force.example", "secret-victim@mail.example")
    assert (await talk.ask("secret text\n\r\n.")).startswith("550")
    for _ in range(3):
        await talk.ask("MAIL FROM:<secret-again@@force.example>")
    assert (await talk.reply()).startswith("421 4.7.0")
    await talk.close()
    logged = capsys.readouterr()
    everything = logged.out + logged.err + caplog.text
    assert "message:refused" in everything
    assert "connection:cut" in everything
    assert "127.0.0.1" in everything
    assert "secret" not in everything
