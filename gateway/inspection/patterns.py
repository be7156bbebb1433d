"""Rules over findings: the same officer, more contacts or more messages, inside a stretch of time (cue M9).

Owns what counts as a pattern. Refuses to know words and the store: earlier findings are an argument (`History.found`),
as far back as the ledger goes. A pattern is told only by a message that adds to it: it brings a finding of the kind
that is counted, so that a clean mail is never flagged for what was said a year ago.

Persons who were only ever written to together count as one contact: a shared mailbox is no pattern.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from gateway.inspection.rules import Rule
from gateway.model import Attribution, Finding, History, Parties, PersonId, RuleStatus

_NOW = ""
"""Stands for the message being judged, among the messages that had findings."""


def pattern_findings(
    rules: Iterable[Rule], findings: tuple[Finding, ...], parties: Parties, history: History, at: datetime
) -> Iterator[Finding]:
    """Yield the finding of each of ``rules`` that is true of this message and of what was found before."""
    acting = [finding for finding in findings if _acts(finding)]
    if not acting:
        return
    people = tuple(contact.person_id for match in parties.contacts for contact in match.contacts)
    for rule in rules:
        if not any(_is_of(rule, finding.rule, finding.category) for finding in acting):
            continue
        messages = {_NOW: people}
        since = at - rule.within
        for earlier in history.found:
            if since < earlier.at <= at and _is_of(rule, earlier.rule, earlier.category):
                messages[earlier.message] = (*messages.get(earlier.message, ()), *earlier.contacts)
        contacts = _contacts(messages)
        if (contacts if rule.distinct == "contact" else len(messages)) >= rule.at_least:
            yield _finding(rule, len(messages), contacts)


def _acts(finding: Finding) -> bool:
    quiet = {RuleStatus.SHADOW, RuleStatus.DRAFT}
    return finding.status not in quiet and finding.attribution is not Attribution.QUOTED


def _is_of(rule: Rule, finding: str, category: str) -> bool:
    return finding in rule.of or category in rule.of


def _contacts(messages: dict[str, tuple[PersonId, ...]]) -> int:
    """Return to how many contacts the messages went: persons who got exactly the same ones are one."""
    got: dict[PersonId, set[str]] = {}
    for message, people in messages.items():
        for person in people:
            got.setdefault(person, set()).add(message)
    return len({frozenset(each) for each in got.values()})


def _finding(rule: Rule, messages: int, contacts: int) -> Finding:
    told = "one contact" if contacts == 1 else f"{contacts} contacts"
    return Finding(
        rule=rule.id,
        version=rule.version,
        status=rule.status,
        category=rule.category,
        severity=rule.severity,
        points=0 if rule.status is RuleStatus.SHADOW else rule.points,
        part=None,
        start=None,
        end=None,
        text=None,
        why=f"{rule.why} Found in {messages} messages to {told} in {rule.within.days} days, this one included.",
        for_reviewer=rule.for_reviewer,
    )
