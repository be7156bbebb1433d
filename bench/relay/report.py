"""From measurements to what a reader sees: one table a cell, and the goals with met or not met. No I/O.

A figure is the median of the rounds. Ratios are to bare aiosmtpd (`drop`) in the same rounds: the machine may be
twice as slow from one minute to the next, and then it is for all.
"""

import statistics
from dataclasses import dataclass

TITLES = {
    "drop": "aiosmtpd that drops (B)",
    "naive": "aiosmtpd + aiosmtplib, a connection a mail",
    "pooled": "aiosmtpd + aiosmtplib, pooled (C2)",
    "fsync": "aiosmtpd that syncs one file a mail",
    "pass": "ours, nobody registered",
    "pass-pipelined": "ours, nobody registered, client pipelines",
    "inspect": "ours, inspected, language off",
    "inspect-language": "ours, inspected, language on",
    "hold": "ours, held, language off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One load that all servers get: mail, clients at once, one or many mails a connection."""

    size: str
    concurrency: int
    kept: bool

    def __str__(self):
        return f"{self.size}:c{self.concurrency}:{'m' if self.kept else '1'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One server under one load for one round."""

    accepted: int
    seconds: float
    cpu_s: float
    latencies_ms: tuple[float, ...]
    peak_rss: int
    resting_rss: int
    """Before the load."""
    tree_pss: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One server under one load: medians of its rounds."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    peak_mib: float
    growth_mib: float
    tree_mib: float
    spread: float
    """Fastest round by slowest."""


def row(samples):
    """Return the medians of the rounds; rounds in which nothing was accepted count as rate 0."""
    rates = [sample.accepted / sample.seconds for sample in samples]
    worked = [sample for sample in samples if sample.accepted]
    if not worked:
        raise ValueError("nothing was accepted in any round")
    return Row(
        rate=statistics.median(rates),
        cpu_ms=statistics.median(1000 * sample.cpu_s / sample.accepted for sample in worked),
        p50_ms=statistics.median(quantile(sample.latencies_ms, 0.5) for sample in worked),
        p99_ms=statistics.median(quantile(sample.latencies_ms, 0.99) for sample in worked),
        peak_mib=max(sample.peak_rss for sample in worked) / 2**20,
        growth_mib=statistics.median(max(0, sample.peak_rss - sample.resting_rss) for sample in worked)
        / 2**20,
        tree_mib=statistics.median(sample.tree_pss for sample in worked) / 2**20,
        spread=max(rates) / max(min(rates), 1e-9),
    )


def quantile(numbers, share):
    """Return the smallest number that at least ``share`` of ``numbers`` do not exceed."""
    ordered = sorted(numbers)
    return ordered[max(0, -(-len(ordered) * share // 1).__int__() - 1)]


def table(cell, rows):
    """Return one cell as a Markdown table."""
    base = rows["drop"]
    lines = [
        f"### {cell}",
        "",
        "| server | mails/s | ratio to B | CPU ms a mail | CPU by B | p50 ms | p99 ms | peak RSS MiB | tree PSS MiB | spread |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in rows.items():
        lines.append(
            f"| {TITLES[name]} | {one.rate:.0f} | {one.rate / base.rate:.2f} | {one.cpu_ms:.2f} | {one.cpu_ms / base.cpu_ms:.2f} "
            f"| {one.p50_ms:.1f} | {one.p99_ms:.1f} | {one.peak_mib:.0f} | {one.tree_mib:.0f} | {one.spread:.2f} |"
        )
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of the goals: what was reached, against what was to be."""

    what: str
    reached: float
    wanted: float
    at_least: bool = True

    @property
    def met(self):
        """Whether it was reached."""
        return self.reached >= self.wanted if self.at_least else self.reached <= self.wanted


def goals(results, *, sizes_octets, idle_kib):
    """Return every goal that ``results`` (rows by server, by cell) can answer; 10 clients, kept, unless it says so."""
    found = []

    def ratio(what, size, ours, other, wanted, measure="rate"):
        rows = results.get(Cell(size=size, concurrency=10, kept=True), {})
        if ours in rows and other in rows:
            reached = getattr(rows[ours], measure) / getattr(rows[other], measure)
            found.append(Goal(what=f"{what}, {size}", reached=reached, wanted=wanted))

    for size, wanted in (("w1", 0.8), ("w2", 1.5), ("w3", 2.5)):
        ratio("pass-through, rate by B", size, "pass", "drop", wanted)
    for size, wanted in (("w1", 1.5), ("w2", 2.5), ("w3", 4.0)):
        ratio("pass-through, rate by C2", size, "pass", "pooled", wanted)
    for size, wanted in (("w1", 0.30), ("w2", 0.30), ("w3", 0.7)):
        ratio("inspected with durable record, language off, rate by B", size, "inspect", "drop", wanted)
    for size in sizes_octets:
        ratio("held, rate by aiosmtpd that syncs a file", size, "hold", "fsync", 0.5)
    found += _limits(results, sizes_octets, idle_kib)
    return found


def _limits(results, sizes_octets, idle_kib):
    """Return the goals that are a number of milliseconds or octets, not a ratio to another server."""

    def most(what, reached, wanted):
        return Goal(what=what, reached=reached, wanted=wanted, at_least=False)

    found = []
    if one := results.get(Cell(size="w1", concurrency=1, kept=True), {}).get("inspect"):
        found.append(most("latency inspected w1, 1 client, p50 ms", one.p50_ms, 5))
        found.append(most("latency inspected w1, 1 client, p99 ms", one.p99_ms, 15))
    if ten := results.get(Cell(size="w1", concurrency=10, kept=True), {}).get("inspect"):
        found.append(most("latency inspected w1, 10 clients, p99 ms", ten.p99_ms, 50))
        found.append(most("peak RSS of the relay process, MiB", ten.peak_mib, 160))
    if big := results.get(Cell(size="w3", concurrency=10, kept=True), {}).get("pass"):
        times = big.growth_mib * 2**20 / (10 * sizes_octets["w3"])
        found.append(most("peak memory a mail in flight by its size, w3, passed", times, 2.5))
    if idle_kib is not None:
        found.append(most("memory of an idle connection, KiB", idle_kib, 15))
    return found


def goals_table(found):
    """Return the goals as a Markdown table."""
    lines = ["| goal | wanted | reached | |", "|---|---:|---:|---|"]
    for goal in found:
        sign = ">=" if goal.at_least else "<="
        lines.append(
            f"| {goal.what} | {sign} {goal.wanted:g} | {goal.reached:.2f} | {'met' if goal.met else '**not met**'} |"
        )
    return "\n".join(lines) + "\n"
