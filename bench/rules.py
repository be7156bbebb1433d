"""What more rules cost: ``python -m bench.rules`` times a message with 50, 500 and 5,000 rules, beside Python's re.

A rule here is one expression or phrase of the shipped rules, alone, fifty of them drawn by a fixed seed; the further ones
are the others, and then copies whose longer words are spelt as no language has them (`bench.inspect`): hardly any of them
can fire, as hardly any rule fires on a mail. Beside it the same expressions are tried one by one by Python's `re` on the
same folded text, as a program without an engine would; phrases are left out there, to its advantage. Both in processor
time of one process, the parser off, on mail whose words are different each time.
"""

import argparse
import json
import random
import re
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from bench import mails
from bench.inspect import _other_words
from gateway import inspection
from gateway.extract import extract
from gateway.inspection.engine import Engine
from gateway.inspection.rules import Condition
from gateway.inspection.shadow import shadow_of
from gateway.inspection.when import Name
from gateway.model import Headers, History, Limits
from gateway.rehearsal.judging import as_contacts

RULES = Path(__file__).resolve().parents[1] / "rules"
SIZES = (50, 500, 5_000)
_AT = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)
_PARTIES = as_contacts(Headers(from_=("amir.khan@force.example",), to=("nadia@home.example",)))


def rules_of_one(rules, count):
    """Return a set of ``count`` rules with one expression or phrase each."""
    plain = [rule for rule in rules.rules if not rule.is_pattern and not rule.safety]
    patterns = sorted(
        {pattern for rule in plain for each in rule.conditions.values() for pattern in each.patterns}
    )
    random.Random(1).shuffle(patterns)
    model = plain[0]
    made = []
    for number in range(count):
        turn, place = divmod(number, len(patterns))
        pattern = patterns[place]
        if turn:
            pattern = replace(pattern, text=_other_words(pattern.text, turn))
        condition = Condition("found", (pattern,))
        made.append(
            replace(
                model, id=f"{model.category}.r{number}", conditions=MappingProxyType({"found": condition}),
                when=Name("found", 0), softened_by=None, exceptions=(), parts=frozenset(), roles=frozenset(),
            )
        )  # fmt: skip
    return replace(rules, rules=tuple(made))


def expressions_of(rules):
    """Return the expressions of a set as Python's re takes them."""
    found = []
    for rule in rules.rules:
        for pattern in rule.conditions["found"].patterns:
            if pattern.kind.startswith("regex"):
                flags = re.MULTILINE | (re.IGNORECASE if pattern.kind == "regex" else 0)
                try:
                    found.append(re.compile(pattern.text, flags))
                except re.error:
                    continue
    return found


def _spent(work):
    started = time.process_time_ns()
    work()
    return (time.process_time_ns() - started) / 1e6


def measured(rules, size, count):
    """Return the milliseconds of loading, and the medians of a mail by the engine and by re one by one."""
    started = time.process_time_ns()
    engine = Engine(rules, "bench", language=False)
    loading_ms = (time.process_time_ns() - started) / 1e6
    expressions = expressions_of(rules)
    ours, theirs = [], []
    variants = mails.pieces(size)
    for number in range(count):
        raw = variants[number % len(variants)].numbered(number, "nadia@home.example")
        authored = extract(raw, Limits())
        ours.append(_spent(lambda: engine.judge(authored, _PARTIES, History(), _AT)))  # noqa: B023
        folded = [shadow_of(passage.text).text for passage in authored.passages]
        theirs.append(_spent(lambda: [each.search(text) for each in expressions for text in folded]))  # noqa: B023
    return loading_ms, statistics.median(ours), statistics.median(theirs), len(expressions)


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__.partition("\n")[0])
    parser.add_argument("--mails", type=int, default=60, help="mails of each size (default 60)")
    parser.add_argument(
        "--counts", type=int, nargs="+", default=SIZES, help="how many rules (default 50 500 5000)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    options = parser.parse_args()
    shipped = inspection.rules_of(inspection.read((RULES,)))
    if not options.json:
        print("| rules | mail | load s | engine ms | of it, expressions by re | re ms | re : engine |")
        print("|---:|---|---:|---:|---:|---:|---:|")
    for count in options.counts:
        rules = rules_of_one(shipped, count)
        for size in ("w1", "w2"):
            loading, ours, theirs, tried = measured(rules, size, options.mails)
            row = {
                "rules": count, "mail": size, "load_s": round(loading / 1000, 2), "engine_ms": round(ours, 2),
                "expressions": tried, "re_ms": round(theirs, 2), "ratio": round(theirs / ours, 1),
            }  # fmt: skip
            print(
                json.dumps(row) if options.json else "| " + " | ".join(map(str, row.values())) + " |",
                flush=True,
            )


if __name__ == "__main__":
    main()
