"""The servers that are measured, each a process with its children: started, watched, ended.

`Gateway` is the product as its commands make and run it: `gateway store init`, `gateway serve`, default settings but
for the limit on one client's connections. `Rival` is a program of `rivals`.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
CONTACTS = 2_000
"""Registered people in the gateway's registry; `mails.recipient` names them."""
_STAFF = 500
_READY_S = 180


class NotFit(Exception):
    """The bench cannot go on: a server did not start, or did not do what it said."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used so far, and hold now."""

    cpu_s: float
    rss: int
    peak_rss: int
    """Of the process that receives, since `Server.forget_peak`."""
    tree_pss: int
    """Of all its processes, pages shared between them counted once."""


class Server:
    """One process under measurement. Its standard output is a pipe, its standard error a file."""

    def __init__(self, command, folder, *, announces_port=True):
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "stderr.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=_environment(),
            )
        self.port = int(self.read_line()) if announces_port else 0

    def read_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], _READY_S)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.end()
            raise NotFit(f"{self.process.args} said nothing:\n{self.log.read_text()[-2000:]}")
        return line.decode()

    @property
    def pids(self):
        me = psutil.Process(self.process.pid)
        return [me.pid, *(child.pid for child in me.children(recursive=True))]

    def usage(self, *, with_pss=False):
        cpu = rss = pss = 0.0
        for pid in self.pids:
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                process = psutil.Process(pid)
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                if with_pss:
                    pss += _kib(f"/proc/{pid}/smaps_rollup", "Pss:")
        status = f"/proc/{self.process.pid}/status"
        rss, peak = _kib(status, "VmRSS:"), _kib(status, "VmHWM:")
        return Usage(cpu_s=cpu, rss=rss, peak_rss=peak, tree_pss=int(pss))

    def forget_peak(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")  # proc(5): resets VmHWM

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


class Sink(Server):
    """The smarthost of everybody."""

    def __init__(self, folder):
        super().__init__([sys.executable, "-m", "bench.relay.sink"], folder)

    @property
    def taken(self):
        """How many messages it has taken in all."""
        with (
            socket.create_connection(("127.0.0.1", self.port)) as connection,
            connection.makefile("rb") as replies,
        ):
            replies.readline()
            connection.sendall(b"XCOUNT\r\n")
            return int(replies.readline().split()[1])


class Rival(Server):
    """A relay or receiver as others write it."""

    def __init__(self, name, sink_port, folder):
        super().__init__(
            [sys.executable, "-m", "bench.relay.rivals", name, str(sink_port), str(folder)], folder
        )


class Gateway(Server):
    """The product."""

    def __init__(self, folder, sink_port, *, language, lean=False):
        """``lean`` starts one worker of each kind: for a run that only asks whether all works."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.config = folder / "gateway.yaml"
        port = _free_port()
        _write_settings(self.config, port, sink_port, language=language, lean=lean)
        _write_registry(folder)
        self.run("store", "init")
        command = [sys.executable, "-m", "gateway", "serve", "--config", str(self.config)]
        super().__init__(command, folder, announces_port=False)
        self.port = port
        self._wait_until_ready()

    def run(self, *arguments):
        command = [sys.executable, "-m", "gateway", *arguments, "--config", str(self.config)]
        done = subprocess.run(
            command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotFit(f"gateway {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def items(self, kind):
        """Return how many items of ``kind`` (``holds`` or ``flags``) wait."""
        return len(self.run(kind, "list", "--limit", "10000000", "--json").splitlines())

    def _wait_until_ready(self):
        until = time.monotonic() + _READY_S
        while b'"serve:ready"' not in self.log.read_bytes():
            if self.process.poll() is not None or time.monotonic() > until:
                self.end()
                raise NotFit(f"gateway serve did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.05)


class LoadProcess(Server):
    """The load generator. Not measured."""

    def __init__(self, folder):
        super().__init__([sys.executable, "-m", "bench.relay.load"], folder, announces_port=False)

    def carry_out(self, order):
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.read_line())


def _environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def _kib(path, field):
    for line in Path(path).read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return 0


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _write_settings(config, port, sink_port, *, language, lean):
    workers = {"extract_workers": 1, "language_workers": 1, "spare_workers": 0} if lean else {}
    settings = {
        "smtp": {
            "listen": f"127.0.0.1:{port}",
            "hostname": "gateway.force.example",
            "max_connections": 2_000,
            "max_connections_per_client": 2_000,
            "max_commands": 1_000_000,
        },
        "next_hop": {"url": f"smtp://127.0.0.1:{sink_port}"},
        "store": {"url": "sqlite:///gateway.db", "key_file": "sealing.key"},
        "registry": {"contacts": "contacts.csv", "staff": "staff.csv", "domains": ["force.example"]},
        "rules": {"path": str(ROOT / "rules")},
        "inspection": {"language": language, **workers},
        "notices": {"from": "gateway@force.example"},
    }
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML


def _write_registry(folder):
    rows = ["email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact,person_id"]
    rows += [
        f"contact{number:08d}@home.example,Contact Number{number},victim,42/{number:05d}/26,open,2026-02-11,,amir.khan@force.example,no,,P-{number}"
        for number in range(CONTACTS)
    ]
    (folder / "contacts.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    staff = ["email,name,rank,unit,manager,role,aliases,staff_id"]
    staff += ["amir.khan@force.example,Amir Khan,DC,Robbery Squad,helen.brooks@force.example,officer,,4417"]
    staff += ["helen.brooks@force.example,Helen Brooks,DS,Robbery Squad,,supervisor,,3308"]
    staff += [
        f"officer{number}@force.example,Officer Number{number},PC,Response,helen.brooks@force.example,officer,,9{number:04d}"
        for number in range(_STAFF)
    ]
    (folder / "staff.csv").write_text("\n".join(staff) + "\n", encoding="utf-8")
