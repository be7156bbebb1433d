"""What reading and judging one mail costs, stage by stage: ``python -m bench.inspect``.

In one process, without SMTP, workers or store: the stages are the very functions that the workers run. Every mail is
different from the one before (`bench.mails`). Each figure is the median of mails, and beside it the ratio to what
`email.message_from_bytes` takes for the same bytes: the machine's mood cancels out of that.

``--rules-times 8`` judges by a rule set eight times as large: the rules again under other names, their words of three
letters and more spelt as no language has them, the little words between them as they are. Hardly any of the copies
can fire, as hardly any rule fires on a mail; what they cost is what more rules cost.
"""

import argparse
import email
import json
import re
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import mails
from gateway import __version__, identify, inspection
from gateway.decide import decide
from gateway.extract import extract
from gateway.inspection import lexicon
from gateway.inspection.engine import Engine
from gateway.model import Client, Envelope, History, Limits, MailCommand, Mode
from gateway.registry import load
from gateway.settings import RegistrySettings

RULES = Path(__file__).resolve().parents[1] / "rules"
LIMITS = Limits(max_parts=1000, max_depth=50, max_header_bytes=1_048_576, max_decoded_chars=4_000_000)
_CONTACT = "contact00000000@home.example"
_AT = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)
_WORD = re.compile(r"\\.|[A-Za-z]{3,}")
"""A word of an expression or phrase; an escape is none, whatever letters follow it."""
_TURNING = ("aeiou", "bcdfghjklmnpqrstvwxyz")
STAGES = ("email", "extract", "identify", "judge", "judge+language", "decide")


class Stages:
    """The stages with what they need."""

    def __init__(self, *, language, times=1):
        bundle = inspection.read((RULES,))
        self.policy = inspection.policy_of(bundle)
        rules = multiplied(inspection.rules_of(bundle), times)
        self.engines = {"judge": Engine(rules, bundle.hash, language=False)}
        if language:
            self.engines["judge+language"] = Engine(rules, bundle.hash, language=True)
        self.registry = _registry()
        command = MailCommand(reverse_path="amir.khan@force.example")
        client = Client(address="127.0.0.1", helo="load.example", extended=True, tls=False)
        self.envelope = Envelope(mail=command, recipients=(_CONTACT,), client=client, received_at=_AT)

    def findings(self, raw):
        """Return what the rules find in ``raw``, language off."""
        authored = extract(raw, LIMITS)
        parties = identify.parties(self.registry, self.envelope, authored.headers)
        return self.engines["judge"].judge(authored, parties, History(), _AT).findings

    def times(self, raw):
        """Return how many milliseconds of processor time each stage took for ``raw``."""
        took = {}
        _timed(took, "email", lambda: email.message_from_bytes(raw))
        authored = _timed(took, "extract", lambda: extract(raw, LIMITS))
        parties = _timed(
            took, "identify", lambda: identify.parties(self.registry, self.envelope, authored.headers)
        )
        history = History()
        for name, engine in self.engines.items():
            found = _timed(took, name, lambda: engine.judge(authored, parties, history, _AT))  # noqa: B023
        _timed(
            took,
            "decide",
            lambda: decide(
                authored=authored,
                parties=parties,
                inspection=found,
                history=history,
                policy=self.policy,
                mode=Mode.HOLD,
                limits=LIMITS,
                decided_at=_AT,
                code_version=__version__,
            ),
        )
        return took


def multiplied(rules, times):
    """Return a rule set ``times`` as large: the same rules, and copies of those over words with other words."""
    wordy = [rule for rule in rules.rules if not any(each.is_fact for each in rule.conditions.values())]
    copies = (_copy(rule, number) for number in range(1, times) for rule in wordy if not rule.is_pattern)
    return replace(rules, rules=(*rules.rules, *copies))


def _copy(rule, number):
    def other(condition):
        patterns = (replace(each, text=_other_words(each.text, number)) for each in condition.patterns)
        return replace(condition, patterns=tuple(patterns))

    return replace(
        rule,
        id=f"{rule.id}-{number}",
        conditions={name: other(condition) for name, condition in rule.conditions.items()},
        exceptions=tuple(map(other, rule.exceptions)),
    )


def _other_words(text, number):
    """Return the text of a pattern with its longer words turned into words that no mail holds."""
    turned = str.maketrans({
        letter: row[(place + number) % len(row)] for row in _TURNING for place, letter in enumerate(row)
    })  # fmt: skip

    def other(match):
        word = match.group().lower()
        is_common = word[0] == "\\" or lexicon.canonical(word) in lexicon.common_words()
        return match.group() if is_common else word.translate(turned)

    return _WORD.sub(other, text)


def _timed(took, name, work):
    started = time.process_time_ns()
    result = work()
    took[name] = (time.process_time_ns() - started) / 1e6
    return result


def _registry():
    """Return a registry of one contact and one officer, made as `gateway serve` makes it."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "contacts.csv").write_text(
            "email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact,person_id\n"
            f"{_CONTACT},Nadia Rahman,victim,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,,P-1\n"
        )
        (folder / "staff.csv").write_text(
            "email,name,rank,unit,manager,role,aliases,staff_id\n"
            "amir.khan@force.example,Amir Khan,DC,Robbery Squad,,officer,,4417\n"
        )
        settings = RegistrySettings(
            contacts=folder / "contacts.csv", staff=folder / "staff.csv", domains=("force.example",)
        )
        loaded = load(settings, None, datetime.now(UTC))
    assert loaded.registry is not None, loaded.mistakes
    return loaded.registry


def measured(stages, size, *, count, advance):
    """Return for each stage the milliseconds of ``count`` different mails, in their order."""
    pieces = mails.pieces(size, advance=advance)
    rows = [stages.times(pieces[number % len(pieces)].numbered(number, _CONTACT)) for number in range(count)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.inspect", description=__doc__.partition("\n")[0])
    parser.add_argument("--mails", type=int, default=200, help="mails of each size (default 200)")
    parser.add_argument("--no-language", action="store_true", help="leave out the language engine")
    parser.add_argument(
        "--rules-times", type=int, default=1, help="a rule set so many times as large (default 1)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    options = parser.parse_args()
    stages = Stages(language=not options.no_language, times=options.rules_times)
    if not options.json:
        print(
            "| mail | stage | median ms | p95 ms | ratio to email.message_from_bytes |\n|---|---|---:|---:|---:|"
        )
    for size in mails.SIZES:
        for advance in (False, True):
            took = measured(stages, size, count=options.mails, advance=advance)
            parse = statistics.median(took["email"])
            for stage in (name for name in STAGES if name in took):
                row = {
                    "mail": f"{size}, {'advance' if advance else 'benign'}",
                    "stage": stage,
                    "median_ms": round(statistics.median(took[stage]), 3),
                    "p95_ms": round(sorted(took[stage])[int(0.95 * len(took[stage]))], 3),
                    "ratio": round(statistics.median(took[stage]) / parse, 2),
                }
                print(json.dumps(row) if options.json else "| " + " | ".join(map(str, row.values())) + " |")


if __name__ == "__main__":
    main()
