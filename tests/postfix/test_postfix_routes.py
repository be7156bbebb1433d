"""Routed addresses and a real smarthost that follows them: whom Postfix hands the mail on to, we have looked up."""

import asyncio
import random
import re
import shutil
import smtplib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gateway_process import ADVANCE, CONTACT, OFFICER, GatewayProcess, mail
from postfix_instance import Postfix, is_installed

from gateway.identify import is_overrouted, keys_of, match_key
from gateway.receive.paths import forward_path
from gateway.receive.replies import Rejected

pytestmark = [
    pytest.mark.postfix,
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="Debian's postfix is not installed, or we are not root"),
]

HOSTS = ("back.example", "localhost", "localhost.back.example")
"""Which the smarthost takes for itself; what is routed through them it reads again."""
HIDDEN = (
    "nadia%home.example" + "%" * 20 + "@back.example",
    "localhost!localhost!localhost!nadia%home.example%localhost%@localhost",
)


class Folding:
    """No two mailboxes are one."""

    dotless_domains = ()
    plus_tag_domains = ()
    same_domains = {}  # noqa: RUF012


@pytest.fixture
def folder():
    # As in the neighbour's file: the path of a socket may have 107 characters.
    path = Path(tempfile.mkdtemp(prefix="route-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
async def smarthost(folder: Path) -> AsyncIterator[Postfix]:
    """A smarthost that follows routes, and behind it one that keeps what it gets."""
    last = Postfix.back(folder / "last")
    smarthost = Postfix.smarthost(folder / "smarthost", next_port=last.port)
    try:
        last.start()
        smarthost.start()
        yield smarthost
    finally:
        smarthost.stop()
        last.stop()


def routes(count: int) -> list[str]:
    """Return routed addresses that the grammar of RCPT takes, the same each time."""
    dice = random.Random(1)
    words = ("jo", "home.example", *HOSTS, "", "x", "jo%home.example", "home.example!jo")
    found: list[str] = []
    while len(found) < count:
        quoted = dice.random() < 0.3
        marks = "%%!!%!@:,; ()<>" if quoted else "%!"
        local = "".join(dice.choice(words) + dice.choice(marks) for _ in range(dice.randint(1, 5)))
        local = (local + dice.choice(words))[: 60 if quoted else 64]
        address = f'"{local}"' if quoted else local
        address += f"@{dice.choice(HOSTS)}"
        try:
            forward_path(address)
        except Rejected:
            continue
        found.append(address)
    return found


def offer(port: int, addresses: list[str]) -> int:
    """Send one mail to those of ``addresses`` that the smarthost takes, and return how many these are."""
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo("gateway.force.example")
        client.docmd("MAIL", f"FROM:<{OFFICER}>")
        taken = [each for each in addresses if client.docmd("RCPT", f"TO:<{each}>")[0] == 250]
        if taken:
            client.data(mail("A test of routes."))
    return len(taken)


async def test_whom_the_smarthost_hands_it_on_to_is_among_the_readings(smarthost: Postfix):
    """However Postfix reads a route, its reading is one of ours, or the address is known to have too many (P3)."""
    addresses = [*routes(1200), *HIDDEN]
    batches = [addresses[first : first + 50] for first in range(0, len(addresses), 50)]
    taken = sum([await asyncio.to_thread(offer, smarthost.port, batch) for batch in batches])
    assert taken > len(addresses) // 4
    handed_on: dict[str, str] = {}
    async with asyncio.timeout(60):
        while not all(hidden in handed_on for hidden in HIDDEN):
            await asyncio.sleep(0.2)
            handed_on = {
                said: to
                for to, said in re.findall(r"to=<(.*?)>, orig_to=<(.*?)>, relay=", smarthost.log())
                if not to.endswith(HOSTS)
            }
    assert [handed_on[hidden] for hidden in HIDDEN] == [CONTACT] * len(HIDDEN)
    assert len(handed_on) > len(addresses) // 10
    missed = {
        said: to
        for said, to in handed_on.items()
        if match_key(to, Folding()) not in keys_of(said, Folding()) and not is_overrouted(said)
    }
    assert missed == {}


async def test_no_route_leads_to_a_contact_unread(folder: Path, smarthost: Postfix):
    """A short route to a contact is held like the address itself; one too long to read is refused at RCPT (P3)."""
    async with GatewayProcess(folder / "gateway", next_hop=smarthost.port) as gateway:
        short = CONTACT.replace("@", "%") + "@back.example"

        def dialogue() -> dict[str, tuple[int, bytes]]:
            with smtplib.SMTP("127.0.0.1", gateway.port) as client:
                return client.sendmail(OFFICER, [short, *HIDDEN], mail(ADVANCE))

        refused = await asyncio.to_thread(dialogue)
        assert {address: code for address, (code, _) in refused.items()} == dict.fromkeys(HIDDEN, 553)
        (held,) = gateway.lines("holds", "list")
        assert held["recipients"] == [short]
        assert f"to=<{CONTACT}>" not in smarthost.log()
