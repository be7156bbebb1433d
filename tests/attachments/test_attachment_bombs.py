"""Small files that would cost much: each is read in a process with 5 s of processor time and 512 MB."""

import resource
import subprocess
import sys

import attachment_bombs
import pytest

CPU_S = 5
MEMORY_BYTES = 512 * 1024 * 1024
CHILD = """
import resource, sys
from gateway.extract import attachments
from gateway.model import Limits
found = attachments.read(sys.stdin.buffer.read(), "", "", Limits())
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"{used.ru_utime + used.ru_stime:.2f} s, {used.ru_maxrss // 1024} MB", file=sys.stderr)
print(" ".join(sorted({one.reason for one in found.unreadable})))
"""


def _limited():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def run(data):
    return subprocess.run(
        [sys.executable, "-c", CHILD],
        input=data,
        capture_output=True,
        preexec_fn=_limited,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("name", attachment_bombs.BOMBS)
def test_bomb(name):
    """The file is read within the limits of a worker, and what was not read is named."""
    make, reasons = attachment_bombs.BOMBS[name]
    done = run(make())
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    assert set(done.stdout.decode().split()) >= reasons


@pytest.mark.parametrize("name", attachment_bombs.FATAL)
def test_what_the_worker_has_to_end(name):
    """What a native parser does not bound ends the process at its limits, and never says that it was read."""
    done = run(attachment_bombs.FATAL[name]())
    assert done.returncode < 0 or b"size" in done.stdout or b"attachment-not-read" in done.stdout
