"""The playground: words of one's own on the rules in force, and what would become of them, sentence by sentence.

For rule authors and professional standards. A form in, a page out: nothing that is tried is stored or logged, and no stored mail can be
reached. That somebody tried something is in the audit log, since whoever can ask long enough finds words that pass. Reading and
judging happen in killable processes (`rehearsing`); who is a contact in the registry only professional standards learn.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.responses import Response

from gateway import audit, identify
from gateway.console.item_marks import Words, words
from gateway.console.pages import Page, Visit
from gateway.console.rehearsing import Untried
from gateway.console.rule_book import Book
from gateway.model import (
    Action,
    Authored,
    CaseStatus,
    Client,
    ContactRole,
    Envelope,
    Event,
    Finding,
    Headers,
    History,
    MailCommand,
    Parties,
    Policy,
)
from gateway.rehearsal.drafting import Draft
from gateway.rehearsal.explanation import Explanation
from gateway.rehearsal.judging import as_contacts, letter, office_hours
from gateway.review.access import Permission
from gateway.settings import ConsoleSettings
from gateway.store import Tx
from gateway.workers import DraftRequest, ExplainRequest

_MOST_FINDINGS: Final = 100
_MOST_PASSAGES: Final = 60
"""What is shown of one message; the rest is counted. The verdict is of all of it."""
_ROOM_FOR_FIELDS: Final = 524_288
"""Octets of a form beside the message: a rule has at most half of them."""
_WORDS, _MAIL = "words", "mail"
_CONTACT, _REGISTRY = "contact", "registry"
_SAMPLE_NAME: Final = "playground"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the form says. ``file`` is a dropped mail in base64url, in place of ``text``."""

    kind: str = _WORDS
    subject: str = ""
    text: str = ""
    file: str = ""
    file_name: str = ""
    as_: str = _CONTACT
    role: str = ContactRole.VICTIM.value
    closed: bool = False
    unassigned: bool = False
    vulnerable: bool = False
    rule: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "Typed":
        """Return the fields of a form; what is none of the choices is the first of them."""
        role = fields.get("role", "")
        return cls(
            kind=_MAIL if fields.get("kind") == _MAIL else _WORDS,
            subject=" ".join(fields.get("subject", "").split())[:400],
            text=fields.get("text", ""),
            file=fields.get("file", ""),
            file_name=fields.get("file_name", "")[:200],
            as_=_REGISTRY if fields.get("as") == _REGISTRY else _CONTACT,
            role=role if role in set(ContactRole) else ContactRole.VICTIM.value,
            closed=bool(fields.get("closed")),
            unassigned=bool(fields.get("unassigned")),
            vulnerable=bool(fields.get("vulnerable")),
            rule=fields.get("rule", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A message taken apart, ready to be shown. ``left_out`` counts findings and passages that are not."""

    explanation: Explanation
    policy: Policy
    words: Words
    findings: tuple[Finding, ...]
    findings_left_out: int
    passages_left_out: int
    unreadable: tuple[tuple[Action, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedRule:
    """An unfinished rule: what became of it, its own findings, and the rules that come true only with or without it."""

    draft: Draft
    findings: tuple[Finding, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


async def show(visit: Visit) -> Response:
    """Show the empty playground."""
    return await _page(visit, Typed())


async def tried(visit: Visit) -> Response:
    """Judge what the form holds, and show it taken apart; a sentence where that cannot be."""
    typed = Typed.of(visit.form.fields)
    in_force = await visit.desk.rules.in_force(visit.desk.now())
    book = await visit.desk.rules.book(in_force.hash) if in_force is not None else None
    if book is None or book.policy is None:
        return await _page(visit, typed, says="There is no set in force to try it on.")
    try:
        most = visit.desk.settings.console.playground_bytes
        raw = await asyncio.to_thread(_message, typed, book.policy, visit.desk.now(), most)
        message, draft = await _judged(visit, typed, raw, book)
    except Untried as refused:
        return await _page(visit, typed, says=str(refused))
    shown = None if message is None else await asyncio.to_thread(_tried, message, book.policy)
    rule = None if draft is None else _tried_rule(draft, message)
    return await _page(visit, typed, shown=shown, rule=rule, rules_hash=book.hash)


async def _judged(
    visit: Visit, typed: Typed, raw: bytes, book: Book
) -> tuple[Explanation | None, Draft | None]:
    """Return the message taken apart, if there is one, and the unfinished rule, if there is one."""
    request = await _request(visit, typed, raw, book) if raw else None
    await _record(visit, typed, book, request)
    message = (await visit.desk.rehearser.explain(request)).explanation if request is not None else None
    if not typed.rule.strip():
        return message, None
    language = visit.desk.settings.inspection.language
    wish = DraftRequest(
        rule=typed.rule, rules_hash=book.hash, language=language, at=visit.desk.now(), sample=request
    )
    return message, (await visit.desk.rehearser.draft(wish)).draft


async def _request(visit: Visit, typed: Typed, raw: bytes, book: Book) -> ExplainRequest:
    """Return the message as it was read, with the people and the time it is judged by, and no history."""
    authored = await visit.desk.rehearser.read(raw, book.style)
    at = authored.headers.date or visit.desk.now()
    return ExplainRequest(
        authored=authored,
        parties=_parties(visit, typed, authored, at),
        history=History(days=visit.desk.settings.store.history_days),
        at=at,
        rules_hash=book.hash,
        limits=visit.desk.settings.limits,
    )


async def _record(visit: Visit, typed: Typed, book: Book, request: ExplainRequest | None) -> None:
    """Write down that somebody tried something; by the registry, also whom they learnt to be a contact."""
    actor, at, by_registry = visit.person.email, visit.desk.now(), typed.as_ == _REGISTRY
    found = request.parties.contacts if request is not None and by_registry else ()
    people = [str(one.person_id) for match in found for one in match.contacts]
    payload: dict[str, audit.Value] = {
        "message": request is not None,
        "rule": bool(typed.rule.strip()),
        "registry": by_registry,
    }

    def write(tx: Tx) -> None:
        audit.append(tx, Event.RULES_TRIED, actor=actor, subject=book.hash, payload=payload, at=at)
        if people:
            subject = ",".join(people[:10])[:255]
            audit.append(
                tx, Event.CONTACT_SHOWN, actor=actor, subject=subject, payload={"contacts": people}, at=at
            )

    await visit.desk.store.write(write)


# --- what is tried ------------------------------------------------------------------------------------------


def _message(typed: Typed, policy: Policy, now: datetime, most: int) -> bytes:
    """Return the octets of the message, none where there is only a rule. Raises `Untried`."""
    raw = _octets(typed, policy, now)
    if not raw and not typed.rule.strip():
        raise Untried("Type or paste something first.")
    if len(raw) > most:
        raise Untried(
            f"It has more than {most:,} octets (console.playground_bytes). `gateway explain` takes it."
        )
    return raw


def _octets(typed: Typed, policy: Policy, now: datetime) -> bytes:
    """Return the file, the pasted source, or a letter with the words."""
    if typed.file:
        padding = "=" * (-len(typed.file) % 4)
        try:
            return base64.b64decode(f"{typed.file}{padding}", altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise Untried("The file did not arrive whole. Choose it again.") from None
    if not typed.text.strip() and not typed.subject:
        return b""
    if typed.kind == _MAIL:
        return typed.text.lstrip("\n").replace("\n", "\r\n").encode()
    return letter(_SAMPLE_NAME, typed.subject, typed.text, office_hours(now, policy.timezone)).raw


def _parties(visit: Visit, typed: Typed, authored: Authored, at: datetime) -> Parties:
    if typed.as_ == _REGISTRY:
        return _by_registry(visit, authored.headers, at)
    parties = as_contacts(authored.headers)
    status = CaseStatus.CLOSED if typed.closed else CaseStatus.OPEN
    matches = tuple(
        replace(
            match,
            contacts=tuple(
                replace(
                    contact,
                    vulnerable=typed.vulnerable,
                    cases=tuple(
                        replace(
                            case,
                            role=ContactRole(typed.role),
                            status=status,
                            officers=() if typed.unassigned else case.officers,
                        )
                        for case in contact.cases
                    ),
                )
                for contact in match.contacts
            ),
        )
        for match in parties.contacts
    )
    return replace(parties, contacts=matches)


def _by_registry(visit: Visit, headers: Headers, at: datetime) -> Parties:
    """Return who wrote to whom as the registry in force has it; for those alone who may know. Raises `Untried`."""
    if not visit.may(Permission.CONTACT_RESOLVE):
        raise Untried("Who is a contact only professional standards may try. Take every recipient as one.")
    if visit.registry is None:
        raise Untried("No registry was ever loaded.")
    sender = (*headers.sender, *headers.from_, "")[0]
    envelope = Envelope(
        mail=MailCommand(reverse_path=sender),
        recipients=tuple(dict.fromkeys((*headers.to, *headers.cc, *headers.bcc))),
        client=Client(address="127.0.0.1", helo=_SAMPLE_NAME, extended=True, tls=False),
        received_at=at,
    )
    return identify.parties(visit.registry, envelope, headers)


# --- what is shown ------------------------------------------------------------------------------------------


def _tried(explanation: Explanation, policy: Policy) -> Tried:
    judged = explanation.judged
    findings = explanation.contributions[:_MOST_FINDINGS]
    passages = judged.authored.passages
    few = replace(
        judged.authored, passages=passages[:_MOST_PASSAGES], cuts=judged.authored.cuts[:_MOST_PASSAGES]
    )
    defects = judged.verdict.unreadable or judged.authored.unreadable
    return Tried(
        explanation=explanation,
        policy=policy,
        words=words(few, findings),
        findings=findings,
        findings_left_out=len(explanation.contributions) - len(findings),
        passages_left_out=max(0, len(passages) - _MOST_PASSAGES),
        unreadable=tuple(
            (policy.unreadable.get(one.reason, Action.HOLD), one.reason, one.part or "message", one.detail)
            for one in defects
        ),
    )


def _tried_rule(draft: Draft, message: Explanation | None) -> TriedRule:
    if draft.explanation is None or message is None:
        return TriedRule(draft=draft, findings=(), gained=(), lost=())
    found = draft.explanation.judged.verdict.findings
    with_it = {one.rule for one in found}
    without = {one.rule for one in message.judged.verdict.findings}
    return TriedRule(
        draft=draft,
        findings=tuple(one for one in found if one.rule == draft.rule)[:_MOST_FINDINGS],
        gained=tuple(sorted(with_it - without)),
        lost=tuple(sorted(without - with_it)),
    )


async def _page(
    visit: Visit,
    typed: Typed,
    *,
    says: str = "",
    shown: Tried | None = None,
    rule: TriedRule | None = None,
    rules_hash: str = "",
) -> Response:
    """Return the page with everything that was typed, made in a thread: a large message takes a moment to write out."""
    return await asyncio.to_thread(
        visit.page,
        "playground.html",
        status=422 if says else 200,
        typed=typed,
        says=says,
        tried=shown,
        rule=rule,
        rules_hash=rules_hash,
        roles=tuple(ContactRole),
        may_resolve=visit.may(Permission.CONTACT_RESOLVE),
        most=visit.desk.settings.console.playground_bytes,
    )


def _form_bytes(console: ConsoleSettings) -> int:
    """Return the octets of a form with the largest message: a character may take three in a form."""
    return 3 * console.playground_bytes + _ROOM_FOR_FIELDS


PAGES = (
    Page(
        path="/playground",
        permission=Permission.RULES_TRY,
        get=show,
        post=tried,
        nav="Playground",
        form_bytes=_form_bytes,
    ),
)
"""For rule authors and professional standards."""
