"""Small messages that would cost much: each is read in a process with 5 s of processor time and 512 MB."""

import resource
import subprocess
import sys

import bombs
import pytest

from gateway.extract import extract
from gateway.model import Limits, UnreadableReason

CPU_S = 5
MEMORY_BYTES = 512 * 1024 * 1024
CHILD = """
import sys
from gateway.extract import extract
from gateway.model import Limits
authored = extract(sys.stdin.buffer.read(), Limits())
print(" ".join(sorted({entry.reason for entry in authored.unreadable})))
"""


def _limited():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_bomb(name):
    """The message is read within the limits of a worker, and what was not read is named."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=bombs.BOMBS[name][0],
        capture_output=True,
        preexec_fn=_limited,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    assert set(done.stdout.decode().split()) >= bombs.BOMBS[name][1]


def test_a_header_of_addresses_is_read_to_its_bound_and_named():
    """Each address costs a look-up: past the bound the message is not read whole, and policy holds it."""
    few = b",\r\n ".join(b"a%d@d.example" % number for number in range(1000))
    for more, named in ((b"", False), (b", one.more@d.example", True)):
        authored = extract(b"Cc: " + few + more + b"\r\n\r\nHello\r\n", Limits())
        found = [one for one in authored.unreadable if one.part == "header"]
        assert bool(found) is named
        assert all(one.reason is UnreadableReason.SIZE for one in found)
        assert len(authored.headers.cc) == 1000 + named
