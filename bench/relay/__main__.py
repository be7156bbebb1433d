"""The relay beside others, in one run: ``python -m bench.relay [--quick]``. README.md beside this says how to read it.

Every cell (mail, clients at once, mails a connection) is measured in rounds, and in each round every server has its
turn: A B C A B C, not A A B B C C. What is slow because the machine is busy is then slow for all of them. Ends with
status 1 when a mail was refused or lost: a figure for a server that drops mail is worth nothing.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import mails
from bench.relay.load import Order
from bench.relay.report import TITLES, Cell, Sample, goals, goals_table, row, table
from bench.relay.subjects import CONTACTS, Gateway, LoadProcess, NotFit, Rival, Sink

_IDLE_CONNECTIONS = 500
_LOADS = {
    "pass": {},
    "pass-pipelined": {"pipelining": True},
    "inspect": {"contacts": CONTACTS},
    "inspect-language": {"contacts": CONTACTS},
    "hold": {"contacts": CONTACTS, "advance": True},
}
_RELAYED = ("naive", "pooled", "pass", "pass-pipelined", "inspect", "inspect-language")


def plan(options):
    """Return the cells to be measured."""
    if options.quick:
        return [Cell(size=size, concurrency=10, kept=True) for size in mails.SIZES] + [
            Cell(size="w1", concurrency=1, kept=False)
        ]
    return [
        Cell(size=size, concurrency=concurrency, kept=kept)
        for size in options.sizes
        for concurrency in options.concurrency
        for kept in (True, False)
        if str(Cell(size=size, concurrency=concurrency, kept=kept)) not in options.skip
    ]


class Bench:
    """All servers of one run, and what was counted."""

    def __init__(self, folder, stack, *, names, lean, log):
        self.lean = lean
        self.sink = self._kept(stack, Sink(folder / "sink"))
        self.load = self._kept(stack, LoadProcess(folder / "load"))
        self.servers = {}
        self.gateways = {}
        self.accepted = dict.fromkeys(names, 0)
        self.next = {}
        self.troubles = []
        for name in names:
            log(f"starting {TITLES[name]}")
            self.servers[name] = self._server(name, folder, stack)

    def _kept(self, stack, server):
        stack.callback(server.end)
        return server

    def _server(self, name, folder, stack):
        if name not in _LOADS:
            return self._kept(stack, Rival(name, self.sink.port, folder / name))
        kind = "language" if name == "inspect-language" else "plain"
        if kind not in self.gateways:
            gateway = Gateway(folder / kind, self.sink.port, language=kind == "language", lean=self.lean)
            self.gateways[kind] = self._kept(stack, gateway)
        return self.gateways[kind]

    def measure(self, name, cell, seconds):
        """Return what one server did with one load."""
        server = self.servers[name]
        server.forget_peak()
        before = server.usage()
        order = Order(
            port=server.port,
            size=cell.size,
            concurrency=cell.concurrency,
            kept=cell.kept,
            seconds=seconds,
            first=self.next.get(server, 0),
            **_LOADS.get(name, {}),
        )
        got = self.load.carry_out(asdict(order))
        after = server.usage(with_pss=True)
        self.next[server] = got["next"]
        self.accepted[name] += got["accepted"]
        self.troubles += [f"{TITLES[name]}, {cell}: {error}" for error in got["errors"]]
        return Sample(
            accepted=got["accepted"],
            seconds=got["seconds"],
            cpu_s=after.cpu_s - before.cpu_s,
            latencies_ms=tuple(got["latencies_ms"]),
            peak_rss=after.peak_rss,
            resting_rss=before.rss,
            tree_pss=after.tree_pss,
        )

    def idle_connection_kib(self):
        """Return what one greeted connection that says nothing costs the relay process, in KiB."""
        server = self.servers["pass"]
        before = server.usage().rss
        with contextlib.ExitStack() as stack:
            for _ in range(_IDLE_CONNECTIONS):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                connection.recv(512)
                connection.sendall(b"EHLO idle.example\r\n")
                connection.recv(512)
            held = server.usage().rss - before
        return held / 1024 / _IDLE_CONNECTIONS

    def account(self):
        """Return what does not add up: mail that was answered 250 and is neither at the sink nor held."""
        found = list(self.troubles)
        relayed = sum(self.accepted.get(name, 0) for name in _RELAYED)
        if self.sink.taken != relayed:
            found.append(f"{relayed} mails were accepted for relaying, the sink took {self.sink.taken}")
        for kind, gateway in self.gateways.items():
            meant = self.accepted["hold"] if kind == "plain" else 0
            if (waiting := gateway.items("holds")) != meant:
                found.append(f"{meant} mails were accepted to be held, {waiting} are ({kind})")
        return found


def run(options, log):
    """Return results (rows by server, by cell), memory of an idle connection, and what did not add up."""
    names = [name for name in TITLES if not (options.no_language and name == "inspect-language")]
    results = {}
    parent = Path(options.folder) if options.folder else None
    folder = Path(tempfile.mkdtemp(prefix="gateway-bench-", dir=parent))
    try:
        with contextlib.ExitStack() as stack:
            bench = Bench(folder, stack, names=names, lean=options.quick, log=log)
            idle_kib = bench.idle_connection_kib()
            for cell in plan(options):
                for name in names:
                    bench.measure(name, cell, options.warm_up)
                samples = {name: [] for name in names}
                for _ in range(options.rounds):
                    for name in names:
                        samples[name].append(bench.measure(name, cell, options.seconds))
                results[cell] = {name: row(taken) for name, taken in samples.items()}
                log(table(cell, results[cell]))
            return results, idle_kib, bench.account()
    finally:
        shutil.rmtree(folder)


def heading(options):
    """Return when, where and how it was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores of {model}, Python "
        f"{platform.python_version()}, load average {os.getloadavg()[0]:.1f} at the start; {options.rounds} rounds of "
        f"{options.seconds:g} s, medians. `spread` is the fastest round by the slowest: the noise.\n"
    )


def arguments():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.relay", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round: does the bench itself work?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one server's turn in a round")
    parser.add_argument("--sizes", nargs="+", choices=mails.SIZES, default=list(mails.SIZES))
    parser.add_argument("--concurrency", nargs="+", type=int, default=[1, 10, 50])
    parser.add_argument("--skip", nargs="+", default=[], metavar="CELL", help="leave out cells, as w3:c50:m")
    parser.add_argument("--no-language", action="store_true", help="leave out the language engine")
    parser.add_argument(
        "--folder", help="where stores and files go; it must be on a disk that syncs (default: TMPDIR)"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    options.warm_up = 0.3
    if options.quick:
        options.rounds, options.seconds, options.warm_up, options.no_language = 1, 0.3, 0.05, True
    return options


def main():
    """Run the bench; print tables as they come, then the goals."""
    options = arguments()

    def log(text):
        print(text, flush=True, file=sys.stderr if text.startswith("starting") else sys.stdout)

    started = time.monotonic()
    log(heading(options))
    try:
        results, idle_kib, missing = run(options, log)
    except NotFit as problem:
        sys.exit(str(problem))
    found = goals(results, sizes_octets=mails.SIZES, idle_kib=idle_kib)
    log("### Goals\n\n" + goals_table(found))
    log(
        f"{sum(goal.met for goal in found)} of {len(found)} goals met. {time.monotonic() - started:.0f} s in all."
    )
    if options.json:
        options.json.write_text(
            json.dumps(
                {
                    str(cell): {name: asdict(one) for name, one in rows.items()}
                    for cell, rows in results.items()
                }
            )
        )
    for line in missing:
        print(f"DOES NOT ADD UP: {line}", file=sys.stderr)
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
