"""Several relay processes under one parent: each is told once to stop, and has its time to finish."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import os, signal, sys, time
folder, told = sys.argv[1], []
def asked(*_):
    told.append(1)
    if len(told) > 1:
        os._exit(9)
signal.signal(signal.SIGTERM, asked)
number = len(os.listdir(folder))
while True:
    try:
        open(f"{folder}/{number}", "x").write(str(os.getpid()))
        break
    except FileExistsError:
        number += 1
while not told:
    time.sleep(0.01)
time.sleep(number * 0.4)
"""
PARENT = """
import sys
from gateway.cli.siblings import Siblings
sys.exit(Siblings([sys.executable, "-c", sys.argv[1], sys.argv[2]], int(sys.argv[3])).watch())
"""


async def until(true):
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


def written(folder):
    return [path for path in folder.iterdir() if path.read_text()]


@pytest.fixture
def parent(tmp_path):
    """Start a parent of so many children, each of which takes longer to finish than the one before it."""
    started = []

    def start(count, child=CHILD):
        started.append(subprocess.Popen([sys.executable, "-c", PARENT, child, str(tmp_path), str(count)]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_the_first_to_finish_does_not_cut_off_the_others(parent, tmp_path):
    """SIGTERM to the parent: every child drains in its own time, and the status is 0."""
    process = parent(3)
    await until(lambda: len(written(tmp_path)) == 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


async def test_one_that_ends_is_started_again(parent, tmp_path):
    """A relay that was killed is replaced, and told to stop like the others."""
    process = parent(2)
    await until(lambda: len(written(tmp_path)) == 2)
    os.kill(int(next(iter(tmp_path.iterdir())).read_text()), signal.SIGKILL)
    await until(lambda: len(written(tmp_path)) == 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0, "SIGINT reaches children that do not expect it"


def test_one_that_cannot_start_ends_all(parent, tmp_path):
    """What is wrong for one is wrong for all; the others are told, and the status says so."""
    fails = CHILD.replace("while not told", "if number == 1: sys.exit(1)\nwhile not told")
    process = parent(2, fails)
    assert process.wait(60) == 1
    for path in written(tmp_path):
        assert not Path(f"/proc/{path.read_text()}").exists()
