"""Rule sets for the tests of the rule pages and the playground, and how they come into a store."""

from pathlib import Path

from rules_tools.small_sets import POLICY

from gateway import audit, inspection
from gateway.inspection.bundle import Bundle, BundleFile
from gateway.model import Event
from gateway.store import records
from gateway.store.rows import RuleReport, RuleSetRow

SHIPPED = Path(__file__).resolve().parent.parent / "rules"
RULE = """\
id: {id}
version: {version}
changed: 2026-01-10
status: {status}
title: {title}
why: Proposes a meeting that no case asks for.
guidance: Invented
severity: high
points: {points}
match:
  words: {{phrase: {phrase}}}
  place: {{list: offices}}
when: words and not place
false_positives: [A meeting for a statement]
blind_spots: [A picture of words]
for_reviewer: Is there a police purpose?
examples:
  hit: ["{hit}", "So, {phrase}?", "Well, {phrase} one day."]
  miss: ["That is all.", "The statement is ready.", {{subject: Court, body: At ten.}}]
"""
OFFICES = "list: offices\nowner: Witness Care\nreason: Where police work is done\nphrases: [front desk, witness suite]\n"
DRINK = {
    "id": "advance.drink", "version": 1, "status": "enforce", "title": "Asks the contact out", "points": 4,
    "phrase": "fancy a drink", "hit": "Do you fancy a drink tonight?",
}  # fmt: skip
LUNCH = {
    "id": "warmth.lunch", "version": 1, "status": "shadow", "title": "Proposes lunch", "points": 3,
    "phrase": "have lunch", "hit": "Let us have lunch.",
}  # fmt: skip


def a_rule(base=DRINK, **changes):
    """Return the text of a rule file."""
    return RULE.format(**(base | changes))


def a_bundle(*rules, **more):
    """Return a set of ``rules``, the two above if none are given; ``more`` are files by name, ``__`` for a slash."""
    texts = rules or (a_rule(), a_rule(LUNCH))
    named = {"policy.yaml": POLICY, "lists/offices.yaml": OFFICES}
    for text in texts:
        rule_id = text.splitlines()[0].removeprefix("id: ")
        named[rule_id.replace(".", "/") + ".yaml"] = text
    named |= {f"{name.replace('__', '/')}.yaml": text for name, text in more.items()}
    return Bundle(("rules",), tuple(BundleFile(0, name, text) for name, text in sorted(named.items())))


def put_in_force(console, bundle=None, by="m.olsen"):
    """Put a set in force as `gateway rules reload` and a relay do, and return it."""
    bundle = bundle or a_bundle()
    at = console.clock()

    def write(tx):
        records.save_rule_set(tx, RuleSetRow(hash=bundle.hash, bundle=bundle.to_json(), at=at, by=by))
        for actor in (by, "serve"):
            audit.append(tx, Event.RULES_LOADED, actor=actor, subject=bundle.hash, at=at)

    console.store.write_now(write)
    return bundle


def reported(console, bundle, process="relay-1"):
    """Let a relay say that it judges by ``bundle``."""
    report = RuleReport(process=process, hash=bundle.hash, at=console.clock(), trouble="")
    console.store.write_now(lambda tx: records.report_rules(tx, report))


def shipped():
    """Return the rules of the repository."""
    return inspection.read((SHIPPED,))
