"""Several relay processes that share a port and a store, and the parent that watches over them (`serve --workers N`).

The parent serves nobody: it starts what ends, and passes signals on. Each process is told once to stop, however many
of them the service manager, the terminal and the parent tell at the same time: a second word ends it at once, and
with it what it had not written yet.
"""

import contextlib
import os
import signal
import subprocess
import time

import structlog

log = structlog.get_logger("gateway.serve")

_RESTART_PAUSE_S = 1.0
_START_S = 30
"""A process that fails within this time of the start fails for a reason that another start would not mend."""
_STOPS = (signal.SIGTERM, signal.SIGINT)


class Siblings:
    """The processes of one command line. `watch` is all there is to do with them."""

    def __init__(self, command: list[str], count: int) -> None:
        """Keep ``count`` processes of ``command``; `watch` starts them."""
        self._command = command
        self._count = count
        self._children: list[subprocess.Popen[bytes]] = []
        self._told: set[int] = set()
        """Those that were asked to stop, by process id."""
        self._stopping = False

    def watch(self) -> int:
        """Keep them running until told to stop, and return the highest exit status of all once they have ended."""
        for number in (*_STOPS, signal.SIGHUP):
            signal.signal(number, self._pass_on)
        began = time.monotonic()
        for _ in range(self._count):
            self._children.append(self._start())
        while not self._stopping:
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            ended = [child for child in self._children if child.poll() is not None]
            if time.monotonic() - began < _START_S and any(child.returncode == 1 for child in ended):
                break
            for child in ended:
                self._replace(child)
        self._stop_the_rest()
        return max(abs(child.wait()) for child in self._children)

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._command)  # noqa: S603 - our own command line

    def _replace(self, child: "subprocess.Popen[bytes]") -> None:
        if self._stopping:
            return
        log.error("serve:process-ended", status=child.returncode)
        time.sleep(_RESTART_PAUSE_S)
        if not self._stopping:
            self._children[self._children.index(child)] = self._start()

    def _pass_on(self, number: int, _: object) -> None:
        self._stopping = self._stopping or number in _STOPS
        for child in self._children:
            self._tell(child, number)

    def _stop_the_rest(self) -> None:
        """Ask those to stop that nobody asked: the others of one that could not start, and one started just then."""
        for child in self._children:
            if child.pid not in self._told:
                self._tell(child, signal.SIGTERM)

    def _tell(self, child: "subprocess.Popen[bytes]", number: int) -> None:
        if number in _STOPS:
            self._told.add(child.pid)
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(number)
