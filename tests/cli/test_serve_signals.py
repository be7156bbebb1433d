"""SIGTERM at `serve`: once is to drain, however many pass it on; again, later, is to end. A fault of ours is status 1."""

import contextlib
import signal
import subprocess
import sys

import pytest

DRAINS = """
import asyncio, sys
from gateway.cli.serve import run, run_until_stopped

class Slow:
    def __init__(self):
        self.stopping = asyncio.Event()
    async def start(self):
        print("up", flush=True)
    async def reload(self):
        pass
    async def stop(self):
        print("draining", flush=True)
        await asyncio.sleep(float(sys.argv[1]))

run(run_until_stopped(Slow()))
"""
DUTY = """
import asyncio
from gateway.cli import serve
from gateway.settings import Settings

async def main():
    service = serve.Service(Settings())
    async def breaks():
        raise KeyError("a bug")
    async def stops():
        assert not service.has_failed
    service._spawn(stops)
    await asyncio.sleep(0.1)
    assert not service.stopping.is_set()
    service._spawn(breaks)
    await asyncio.wait_for(service.stopping.wait(), 10)
    assert service.has_failed

asyncio.run(main())
"""


RELOADS = """
import asyncio, os, signal
import structlog
from gateway.cli.serve import run, run_until_stopped

class Stumbles:
    def __init__(self):
        self.stopping = asyncio.Event()
    async def start(self):
        pass
    async def stop(self):
        pass
    async def reload(self):
        raise KeyError("a bug, with nadia@home.example in its text")

async def main():
    service = Stumbles()
    async def reload():
        os.kill(os.getpid(), signal.SIGHUP)
    def seen(_, __, entry):
        assert "nadia" not in repr(entry), entry
        if entry["event"] == "serve:reload-failed":
            print(entry["error"], entry["where"][-1], flush=True)
            service.stopping.set()
        raise structlog.DropEvent
    structlog.configure(processors=[seen])
    await asyncio.wait_for(run_until_stopped(service, when_ready=reload), 30)

run(main())
"""


@pytest.fixture
def draining():
    """Start a process that takes so long to drain, and return it once it drains."""
    started = []

    def start(seconds):
        process = subprocess.Popen(
            [sys.executable, "-c", DRAINS, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == b"draining\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_same_word_from_two_sides_is_one(draining):
    """Parent and service manager both say it at once: what is under way is finished all the same."""
    process = draining(1.5)
    for number in (signal.SIGTERM, signal.SIGINT):
        process.send_signal(number)
    assert process.wait(60) == 0


def test_a_later_word_ends_at_once(draining):
    """An operator who will not wait says it again."""
    process = draining(600)
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    assert process.returncode == 1


def test_a_duty_that_dies_ends_the_service_as_a_failure():
    """In order, and not with status 0: `Restart=on-failure` and containers must see that it did not end by itself."""
    subprocess.run([sys.executable, "-c", DUTY], check=True, timeout=120)


def test_a_reload_that_ends_in_a_fault_of_ours_is_said():
    """What was in force stays, and whoever sent SIGHUP reads in the log that nothing came of it."""
    command = [sys.executable, "-c", RELOADS]
    done = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    assert done.stdout.startswith("KeyError ")
    assert done.stdout.rstrip().endswith("reload")
