"""Stage 5 of the road: findings, defects, parties and policy -> verdict. One decider, pure and total.

Owns the one place where an action comes into being (DECISIONS 16): it is the strongest of what categories,
combinations, score thresholds, unreadable parts and the parties themselves ask for, and ``because`` names what asked
for it. Refuses to know texts, rules and what is done with a verdict.

Monotone: one finding, one unreadable part or one earlier finding more never weakens a verdict. No finding has
negative points, and every ground only ever adds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from gateway.extract import language_name
from gateway.model import (
    Action,
    Attribution,
    Authored,
    CategoryPolicy,
    Finding,
    History,
    Inspection,
    Limits,
    Mode,
    Parties,
    Policy,
    RuleStatus,
    Severity,
    Unreadable,
    UnreadableReason,
    Verdict,
)

_CAP: Final = {Mode.OBSERVE: Action.PASS, Mode.FLAG: Action.FLAG, Mode.HOLD: Action.HOLD}
_STRICTEST: Final = CategoryPolicy(hold_from=Severity.LOW, again=Action.HOLD)
"""For a category that policy does not name: it cannot come from a set that was linted, so nobody chose mildness."""
_BESIDE_WORDS: Final = frozenset({"conduct", "patterns"})
"""Categories that are not about words. They flag; for a hold there must be words too, or policy says so."""
_SEALED: Final = frozenset({UnreadableReason.ENCRYPTED, UnreadableReason.ATTACHMENT_NOT_READ})
"""What the force's own secure mail looks like from outside."""
_NOT_INSPECTED: Final = Unreadable(
    part="", reason=UnreadableReason.WORKER_FAILED, detail="The message could not be inspected."
)


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that asks for an action, by the name it has in ``because``."""

    action: Action
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The arguments of one decision."""

    findings: tuple[Finding, ...]
    unreadable: tuple[Unreadable, ...]
    parties: Parties
    policy: Policy
    history: History
    today: date
    acting: tuple[Finding, ...]

    @property
    def enforced(self) -> tuple[Finding, ...]:
        """The acting findings of rules that are not on trial."""
        return tuple(finding for finding in self.acting if finding.status is RuleStatus.ENFORCE)


def decide(  # noqa: PLR0913  # they are the inputs of a verdict, and a verdict stores all of them (promise P10)
    *,
    inspection: Inspection | None,
    authored: Authored,
    parties: Parties,
    policy: Policy,
    mode: Mode,
    history: History,
    decided_at: datetime,
    code_version: str,
    limits: Limits,
    trouble: tuple[Unreadable, ...] = (),
) -> Verdict:
    """Return what becomes of a message, why, and every input needed to compute it again.

    ``inspection`` is None when inspecting failed: a message to a contact is then held, never passed (promise P3).
    ``limits`` are the bounds within which it was read. ``trouble`` is what went wrong outside of `extract` (a killed worker, a missed deadline). ``mode`` caps the
    action; ``proposed`` is what hold mode would have done. A message to nobody registered passes without findings.
    Never raises.
    """
    findings: tuple[Finding, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    grounds: tuple[Ground, ...] = ()
    psd: tuple[str, ...] = ()
    if parties.in_scope:
        findings = inspection.findings if inspection is not None else ()
        unreadable = (*authored.unreadable, *_foreign(authored, policy), *trouble)
        if inspection is None and not unreadable:
            unreadable = (_NOT_INSPECTED,)
        case = _Case(
            findings=findings, unreadable=unreadable, parties=parties, policy=policy, history=history,
            today=decided_at.date(), acting=acting(findings, policy),
        )  # fmt: skip
        # What policy sets to `pass` asks for nothing, and is no reason.
        asked = _grounds(case, inspected=inspection is not None)
        grounds = tuple(ground for ground in asked if ground.action is not Action.PASS)
        psd = _psd(case)
    proposed = _strongest(ground.action for ground in grounds)
    action = min(proposed, _CAP[mode], key=lambda each: each.strength)
    held, sent = _recipients(parties, policy, action)
    return Verdict(
        action=action, proposed=proposed, mode=mode, score=sum(finding.points for finding in findings),
        in_scope=parties.in_scope, because=_because(grounds, proposed), findings=findings, unreadable=unreadable,
        held=held, sent=sent, urgent=_urgent(inspection, proposed), registry_version=parties.registry_version,
        registry_stale=parties.registry_stale,
        rules_hash=inspection.rules_hash if inspection is not None else policy.rules_hash,
        policy_hash=policy.hash, model_hash=inspection.model_hash if inspection is not None else "",
        code_version=code_version, history=history, decided_at=decided_at, authored_chars=authored.characters,
        psd=psd, parties=parties, limits=limits,
    )  # fmt: skip


def _foreign(authored: Authored, policy: Policy) -> Iterator[Unreadable]:
    """Yield what is written in a language that nobody inspects, once a part and language."""
    characters: dict[tuple[str, str], int] = {}
    for passage in authored.passages:
        if passage.language and passage.language not in policy.languages:
            place = (passage.part, passage.language)
            characters[place] = characters.get(place, 0) + len(passage.text)
    for (part, language), count in characters.items():
        detail = f"{count} characters in {language_name(language)}, which is not inspected"
        yield Unreadable(part=part, reason=UnreadableReason.LANGUAGE, detail=detail)


def _strongest(actions: Iterable[Action]) -> Action:
    return max(actions, key=lambda action: action.strength, default=Action.PASS)


def _because(grounds: tuple[Ground, ...], proposed: Action) -> tuple[str, ...]:
    """Return the names of the grounds that asked for the action, each once, in order."""
    return tuple(dict.fromkeys(ground.name for ground in grounds if ground.action is proposed))


def _urgent(inspection: Inspection | None, proposed: Action) -> str:
    """Return why a person must look at once; only mail that would wait can be too late."""
    return inspection.urgent if inspection is not None and proposed is Action.HOLD else ""


def _psd(case: _Case) -> tuple[str, ...]:
    """Return the categories found for which professional standards are copied."""
    named = {name for name, category in case.policy.categories.items() if category.psd}
    return tuple(sorted(named & {finding.category for finding in case.acting}))


def _grounds(case: _Case, *, inspected: bool) -> Iterator[Ground]:
    if not inspected:
        yield Ground(Action.HOLD, "unreadable:not-inspected")
    for defect in case.unreadable:
        if defect.sha256 and defect.sha256 in case.policy.known_files:
            continue
        action = case.policy.unreadable.get(defect.reason, Action.HOLD)
        if action is Action.HOLD and defect.media in case.policy.secure_mail and defect.reason in _SEALED:
            yield Ground(Action.FLAG, "unreadable:secure-mail")
            continue
        yield Ground(action, f"unreadable:{defect.reason.value}")
    yield from _of_parties(case)
    for finding in case.acting:
        yield from _of_finding(finding, case)
    yield from _of_combinations(case)
    yield from _of_score(case)


def _of_parties(case: _Case) -> Iterator[Ground]:
    rules = case.policy.parties
    contacts = [contact for match in case.parties.contacts for contact in match.contacts]
    if case.parties.private:
        yield Ground(rules.private_copy, "parties:private-copy")
    if any(contact.do_not_contact for contact in contacts):
        yield Ground(rules.do_not_contact, "parties:do-not-contact")
    if not all(contact.email_consent for contact in contacts):
        yield Ground(rules.no_email_consent, "parties:no-email-consent")
    if case.parties.senders_disagree:
        yield Ground(rules.senders_disagree, "parties:senders-disagree")


def acting(findings: tuple[Finding, ...], policy: Policy) -> tuple[Finding, ...]:
    """Return the findings that ask for anything at all.

    Trials and other people's quoted words only inform. Findings of ``policy.weights`` weigh beside others: while
    nothing else is found, they ask for nothing.
    """
    quiet = {RuleStatus.SHADOW, RuleStatus.DRAFT}
    found = tuple(
        each for each in findings if each.status not in quiet and each.attribution is not Attribution.QUOTED
    )
    return found if any(each.rule not in policy.weights for each in found) else ()


def _is_full(finding: Finding) -> bool:
    """Return whether a finding may hold: its rule is enforced and nothing softens it."""
    return finding.status is RuleStatus.ENFORCE and not finding.softened


def _of_finding(finding: Finding, case: _Case) -> Iterator[Ground]:
    """Yield what one finding asks for alone."""
    name = f"category:{finding.category}"
    yield Ground(Action.FLAG, name)
    if not _is_full(finding):
        return
    effect = _effect(finding, case.policy)
    if effect.hold_from is not None and _gravity(finding.severity) >= _gravity(effect.hold_from):
        yield Ground(Action.HOLD, name)
    if case.history.earlier.get(finding.category, 0) > 0:
        yield Ground(effect.again, f"{name}:again")


def _gravity(severity: Severity) -> int:
    return tuple(Severity).index(severity)


def _of_combinations(case: _Case) -> Iterator[Ground]:
    """Yield what findings ask for in company; a rule on trial (flag) never holds, so it keeps no company.

    Company is for words: without a finding in them, conduct and patterns flag and no more (DOMAIN.md section 5).
    """
    words = [finding for finding in case.enforced if finding.category not in _BESIDE_WORDS]
    if len(_signs(words, case.policy)) > 1:
        yield Ground(case.policy.combinations.two_sentences, "combination:two-sentences")
    if not any(map(_is_full, words)):
        return
    rules = case.policy.combinations
    if len({finding.category for finding in words}) > 1:
        yield Ground(rules.two_categories, "combination:two-categories")
    if case.parties.has_vulnerable:
        yield Ground(rules.vulnerable_contact, "combination:vulnerable-contact")
    if not case.parties.is_assigned:
        yield Ground(rules.sender_not_assigned, "combination:sender-not-assigned")
    if case.parties.is_closed(case.today, case.policy.closed_case_days):
        yield Ground(rules.closed_case, "combination:closed-case")
    if any(count > 0 and name not in _BESIDE_WORDS for name, count in case.history.earlier.items()):
        yield Ground(rules.earlier_findings, "combination:earlier-findings")
    if any(finding.category == "patterns" for finding in case.enforced):
        yield Ground(rules.pattern, "combination:pattern")


def _signs(findings: Iterable[Finding], policy: Policy) -> set[tuple[str | None, int | None]]:
    """Return the sentences that the encoder takes for a crossing as surely as company asks, of categories that may hold.

    Softened or not: that each alone is not sure enough is what two of them make good (docs/decisions/0031).
    """
    return {
        (finding.part, finding.sign.sentence)
        for finding in findings
        if finding.sign is not None
        and finding.sign.crossing >= policy.cue(finding.category).company
        and _effect(finding, policy).hold_from is not None
    }


def _effect(finding: Finding, policy: Policy) -> CategoryPolicy:
    return policy.categories.get(finding.category, _STRICTEST)


def _of_score(case: _Case) -> Iterator[Ground]:
    full = [finding for finding in case.acting if _is_full(finding)]
    if (
        any(finding.category not in _BESIDE_WORDS for finding in full)
        and _points(full) >= case.policy.hold_at
    ):
        yield Ground(Action.HOLD, "threshold:hold_at")
    if _points(case.acting) >= case.policy.flag_at:
        yield Ground(Action.FLAG, "threshold:flag_at")


def _points(findings: Iterable[Finding]) -> int:
    return sum(finding.points for finding in findings)


def waiting(parties: Parties, policy: Policy) -> tuple[str, ...]:
    """Return the envelope recipients whose copy a hold of this message stops."""
    return _recipients(parties, policy, Action.HOLD)[0]


def _recipients(parties: Parties, policy: Policy, action: Action) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return whose copy waits and whose goes on: a hold stops contacts, private addresses and those policy names."""
    contacts = tuple(match.recipient for match in parties.contacts)
    everybody = tuple(dict.fromkeys((*contacts, *parties.private, *parties.others)))
    if action is not Action.HOLD:
        return (), everybody
    personal = {*contacts, *parties.private}
    held = {each for each in everybody if each in personal or _is_named(each, policy.also_hold)}
    rest = tuple(each for each in everybody if each not in held)
    return tuple(each for each in everybody if each in held), rest


def _is_named(address: str, named: tuple[str, ...]) -> bool:
    lower = address.lower()
    return any(lower.endswith(each) if each.startswith("@") else lower == each for each in named)
