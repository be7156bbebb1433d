"""Ordinary mail that a rule set must deliver: how it is written down, and what is wrong with a set that stops it.

Owns the files under ``benign/`` in a rule folder (docs/decisions/0016). A mail there is judged whole, from its bytes: a
rule that fires on it must be listed with the reason, and no reason lets a set hold it. Refuses to know why rules fire.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from gateway.decide import acting
from gateway.errors import Mistake
from gateway.inspection import Bundle
from gateway.inspection.complaints import closest, complaint
from gateway.inspection.nodes import MAX_SHOWN, Document, parse, shortened
from gateway.inspection.rules import RuleSet
from gateway.inspection.schema import RuleId, Slug, Text
from gateway.model import Action, Attribution, Finding
from gateway.rehearsal.judging import Judge, Judged, Sample, letter, office_hours

MAX_BODY: Final = 20_000
"""Characters of one mail; a long letter has five thousand."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrdinaryEntry(_Entry):
    """One mail as sent, greeting, signature and quotes included."""

    subject: Annotated[str, Field(max_length=400)] = ""
    body: Annotated[str, Field(min_length=1, max_length=MAX_BODY)]
    reply: StrictBool = False
    """It answers a mail of the contact: it goes out with In-Reply-To."""
    sent_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d$")] | None = None
    """Local time, where the hour matters; else the last Wednesday at eleven."""


class KnownEntry(_Entry):
    """A finding in ordinary mail that is accepted, and why. It may flag the mail; nothing makes it wait."""

    mail: Slug
    rule: RuleId
    reason: Text


class BenignEntry(_Entry):
    """One file: what its mails are about, the mails by their names, and findings that are accepted."""

    kind: Slug
    mails: dict[Slug, OrdinaryEntry] = {}
    known: tuple[KnownEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Ordinary:
    """One ordinary mail, and where it stands."""

    name: str
    kind: str
    entry: OrdinaryEntry
    document: Document

    def mistake(self, what: str, remedy: str) -> Mistake:
        """Return a mistake at the name of the mail."""
        return self.document.mistake(("mails", self.name), what, remedy)


@dataclass(frozen=True, slots=True)
class Known:
    """One accepted finding, and where it stands."""

    entry: KnownEntry
    document: Document
    number: int

    def mistake(self, what: str, remedy: str) -> Mistake:
        """Return a mistake at the line."""
        return self.document.mistake(("known", self.number), what, remedy)


@dataclass(frozen=True, slots=True)
class Baseline:
    """All ordinary mail, the accepted findings, and what is wrong with the files. ``hash`` names their text."""

    mails: tuple[Ordinary, ...]
    known: tuple[Known, ...]
    mistakes: tuple[Mistake, ...]
    hash: str


def baseline_of(bundle: Bundle) -> Baseline:
    """Return the ordinary mail of ``bundle``, which `inspection.read_benign` read. Never raises."""
    mails: dict[str, Ordinary] = {}
    known: list[Known] = []
    mistakes: list[Mistake] = []
    for file in bundle.files:
        document, found = parse(bundle.shown(file), file.text)
        mistakes += found
        entry = None if document is None else _validated(document, mistakes)
        if document is None or entry is None:
            continue
        for name, mail in entry.mails.items():
            ordinary = Ordinary(name, entry.kind, mail, document)
            if name in mails:
                what = f"there is a mail called {name!r} in {mails[name].document.name} already"
                mistakes.append(ordinary.mistake(what, "give it a name of its own"))
            mails.setdefault(name, ordinary)
        known += (Known(each, document, number) for number, each in enumerate(entry.known))
    return Baseline(tuple(mails.values()), tuple(known), tuple(mistakes), bundle.hash)


def _validated(document: Document, mistakes: list[Mistake]) -> BenignEntry | None:
    try:
        return BenignEntry.model_validate(document.value)
    except ValidationError as error:
        mistakes += [complaint(document, BenignEntry, problem) for problem in error.errors()[:MAX_SHOWN]]
        return None


def sample_of(mail: Ordinary, judge: Judge, at: datetime) -> Sample:
    """Return ``mail`` as bytes from an assigned officer to a victim with an open case, with nothing before it.

    ``at`` is now: a mail that does not say when it was sent was sent on the Wednesday before, so that exceptions end
    when they end, and no rule about the hour fires on some days only.
    """
    sent = office_hours(at, judge.policy.timezone)
    if mail.entry.sent_at:
        sent = datetime.fromisoformat(mail.entry.sent_at).replace(tzinfo=sent.tzinfo)
    return letter(mail.name, mail.entry.subject, mail.entry.body, sent, reply=mail.entry.reply)


def judged_mails(baseline: Baseline, judge: Judge, at: datetime) -> Iterator[tuple[Ordinary, Judged]]:
    """Yield each ordinary mail as the set of ``judge`` sees it."""
    for mail in baseline.mails:
        yield mail, judge.judge(sample_of(mail, judge, at))


def gate(
    rules: RuleSet, judge: Judge, baseline: Baseline, judged: Iterable[tuple[Ordinary, Judged]]
) -> tuple[Mistake, ...]:
    """Return everything that is wrong with ``rules`` before ordinary mail, and with the files of that mail.

    ``judged`` is what `judged_mails` yields. Only findings that ask for something count: a rule on trial or in draft may
    fire, quoted words and `weights` that stand alone may be found.
    """
    mistakes = [*baseline.mistakes, *_dangling(rules, baseline)]
    allowed = {(known.entry.mail, known.entry.rule) for known in baseline.known}
    fired: set[tuple[str, str]] = set()
    for mail, one in judged:
        findings = one.verdict.findings
        fired |= {(mail.name, finding.rule) for finding in findings}
        mistakes += _touched(mail, acting(findings, judge.policy), allowed)
        if one.verdict.action is Action.HOLD:
            what = f"this ordinary mail is held, because of {', '.join(one.verdict.because)}"
            mistakes.append(mail.mistake(what, "mend the rules or policy.yaml: no reason lets it wait"))
    mistakes += _stale(baseline, {rule.id for rule in rules.rules}, fired)
    return tuple(mistakes)


def is_others(finding: Finding) -> bool:
    """Return whether a finding stands on somebody else's words in quotation marks: it says nothing of the rule."""
    return finding.attribution is Attribution.QUOTED


def _touched(mail: Ordinary, findings: Iterable[Finding], allowed: set[tuple[str, str]]) -> Iterator[Mistake]:
    """Yield a mistake for each rule that asks for something in ``mail`` and is not listed for it."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    for rule, finding in first.items():
        if (mail.name, rule) in allowed:
            continue
        words = "" if finding.text is None else f" on {shortened(repr(finding.text))}"
        what = f"{rule} (status {finding.status}) fires on this ordinary mail{words}"
        remedy = "mend the rule, put it in shadow, or list it under `known` with the reason"
        yield mail.mistake(what, remedy)


def _dangling(rules: RuleSet, baseline: Baseline) -> Iterator[Mistake]:
    """Yield what `known` names and is not there."""
    mails = {mail.name for mail in baseline.mails}
    ids = {rule.id for rule in rules.rules}
    for known in baseline.known:
        if known.entry.mail not in mails:
            yield known.mistake(f"there is no mail {known.entry.mail!r}", closest(known.entry.mail, mails))
        if known.entry.rule not in ids:
            yield known.mistake(f"there is no rule {known.entry.rule!r}", closest(known.entry.rule, ids))


def _stale(baseline: Baseline, ids: set[str], fired: set[tuple[str, str]]) -> Iterator[Mistake]:
    """Yield each accepted finding that is found no more: left there, it would hide the next one."""
    mails = {mail.name for mail in baseline.mails}
    for known in baseline.known:
        mail, rule = known.entry.mail, known.entry.rule
        if mail in mails and rule in ids and (mail, rule) not in fired:
            yield known.mistake(f"{rule} does not fire on {mail!r} any more", "delete the line")
