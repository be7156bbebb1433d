"""What must hold for every message there is, checked on one message: read, identified, judged, decided.

An exception of the gateway and an answer that breaks its contract are the same to us: `Broken`, with a name that is
equal for equal faults. Time and memory are not looked at here; the process in which this runs is bounded.
"""

import email
import email.policy
import re
import tempfile
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import msgspec
from mail_grammar import MARKERS

from gateway import __version__, identify, inspection
from gateway.decide import decide
from gateway.extract import NO_STYLE, decoded, extract, warm_up
from gateway.extract.reading import read
from gateway.model import (  # fmt: skip
    Action,
    Authored,
    Client,
    Cut,
    Envelope,
    History,
    HouseStyle,
    Limits,
    MailCommand,
    Mode,
    Passage,
    Registry,
    Verdict,
)
from gateway.registry import load
from gateway.settings import RegistrySettings

ROOT = Path(__file__).resolve().parents[2]
CONTACT = "nadia@home.example"
AT = datetime(2026, 3, 4, 11, 20, tzinfo=UTC)
NARROW = Limits(max_parts=4, max_depth=2, max_header_bytes=80, max_decoded_chars=60)
_WORD = re.compile(r"\w")
_ENTRIES_A_PART = 40
_MOST_FOR_OTHERS = 50_000
"""Octets up to which another reader of mail is asked: that one has no bounds."""
_T = TypeVar("_T")


class Broken(Exception):
    """Something does not hold. ``fault`` names it so that equal faults have equal names; ``trace`` says more."""

    def __init__(self, fault: str, trace: str = "") -> None:
        super().__init__(fault)
        self.fault, self.trace = fault, trace


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway made of a message; ``marker`` says what became of the planted word: read, named, absent."""

    authored: Authored
    texts: Mapping[str, str]
    verdict: Verdict
    marker: str

    def octets(self) -> bytes:
        """Return all of it: equal octets, equal answers."""
        return msgspec.msgpack.encode(
            (self.authored, self.verdict.action, self.verdict.because, self.verdict.findings)
        )


class Examiner:
    """The core with a registry, a rule set and a policy, ready for one message after another."""

    def __init__(self, *, language: bool = False) -> None:
        warm_up()
        bundle = inspection.read((ROOT / "rules",))
        self.policy = inspection.policy_of(bundle)
        self.style = inspection.house_style_of(bundle)
        self.engine = inspection.load(bundle, language=language)
        self.registry = _registry()
        client = Client(address="127.0.0.1", helo="fuzz.example", extended=True, tls=False)
        command = MailCommand(reverse_path="amir.khan@force.example")
        self.envelope = Envelope(mail=command, recipients=(CONTACT,), client=client, received_at=AT)

    def examine(self, raw: bytes, *, limits: Limits | None = None, again: bool = True) -> Answer:
        """Return what the gateway made of ``raw``; raises `Broken`. ``again`` reads it a second time."""
        limits = limits or Limits()
        authored, texts = check_reading(raw, limits, self.style)
        verdict = self._judged(authored, texts, limits)
        if again:
            _expect(extract(raw, limits, self.style) == authored, "a second reading gives another answer")
            _expect(decoded(raw, limits) == texts, "a second reading gives other texts")
        return Answer(authored, texts, verdict, planted_words(raw, authored, texts, verdict))

    def _judged(self, authored: Authored, texts: Mapping[str, str], limits: Limits) -> Verdict:
        parties = _tried("identify", lambda: identify.parties(self.registry, self.envelope, authored.headers))
        found = _tried("judge", lambda: self.engine.judge(authored, parties, History(), AT))
        for finding in found.findings:
            if finding.part is not None:
                said = texts[finding.part][finding.start : finding.end]
                _expect(said == finding.text, "a finding's text is not at its place")
        verdict = _tried("decide", lambda: decide(inspection=found, authored=authored, parties=parties, policy=self.policy,
            mode=Mode.HOLD, limits=limits, history=History(), decided_at=AT, code_version=__version__))  # fmt: skip
        _expect(verdict.in_scope, "a registered contact in the envelope is out of scope")
        for entry in authored.unreadable:
            wanted = self.policy.unreadable[entry.reason]
            _expect(verdict.action.strength >= wanted.strength, f"{entry.reason} did not do what policy says")
        _expect(
            bool(verdict.held) == (verdict.action is Action.HOLD), "the recipients held do not fit the action"
        )
        return verdict


def _tried(stage: str, work: Callable[[], _T]) -> _T:
    try:
        return work()
    except MemoryError:
        raise
    except Exception as error:
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/gateway/" in frame.filename]
        place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "?"
        raise Broken(f"{stage} raises {type(error).__name__} in {place}", traceback.format_exc()) from error


def _expect(holds: bool, fault: str, trace: str = "") -> None:
    if not holds:
        raise Broken(fault, trace)


def check_reading(
    raw: bytes,
    limits: Limits = Limits(),  # noqa: B008
    style: HouseStyle = NO_STYLE,
) -> tuple[Authored, Mapping[str, str]]:
    """Return what was read of ``raw`` and the decoded texts; raises `Broken`."""
    reading = _tried("extract", lambda: read(raw, limits, style))
    authored, texts = reading.authored, reading.texts
    check_pieces(authored, texts)
    _answer_is_bounded(authored, texts, raw, limits)
    return authored, texts


def check_pieces(authored: Authored, texts: Mapping[str, str]) -> None:
    """Raise `Broken` unless each piece is at its place and all words of ``texts`` are in exactly one."""
    _pieces_lead_back(authored, texts)
    _everything_is_covered(authored, texts)


def _pieces_lead_back(authored: Authored, texts: Mapping[str, str]) -> None:
    for piece in (*authored.passages, *authored.cuts):
        if piece.part not in texts:
            raise Broken("a passage or cut of a part without text", repr(piece)[:500])
        if texts[piece.part][piece.start : piece.end] != piece.text:
            raise Broken("a passage or cut is not at its place", repr(piece)[:500])
        if not piece.text or piece.text != piece.text.strip():
            raise Broken("a passage or cut is empty or not trimmed", repr(piece)[:500])
    date = authored.headers.date
    _expect(date is None or date.tzinfo is not None, "a date without a zone")


def _everything_is_covered(authored: Authored, texts: Mapping[str, str]) -> None:
    """Each word of each part's text is in exactly one passage or cut, or something of that part is unreadable."""
    by_part: dict[str, list[Passage | Cut]] = defaultdict(list)
    for piece in (*authored.passages, *authored.cuts):
        by_part[piece.part].append(piece)
    named = {"subject", *(entry.part for entry in authored.unreadable)}
    for part, text in texts.items():
        pieces = sorted(by_part[part], key=lambda piece: piece.start)
        for first, second in pairwise(pieces):
            if first.end > second.start:
                raise Broken("passages or cuts overlap", f"{first!r}\n{second!r}"[:900])
        ends = [0, *(piece.end for piece in pieces)]
        starts = [*(piece.start for piece in pieces), len(text)]
        for end, start in zip(ends, starts, strict=True):
            if part not in named and _WORD.search(text, end, start):
                raise Broken("words that are neither passage nor cut", f"{part}: {text[end:start][:300]!r}")


def _answer_is_bounded(authored: Authored, texts: Mapping[str, str], raw: bytes, limits: Limits) -> None:
    _expect(sum(map(len, texts.values())) <= 2 * limits.max_decoded_chars + 1000, "more text than the limit")
    parts = len(texts) + raw.count(b"\n--") + 2
    _expect(len(authored.unreadable) <= _ENTRIES_A_PART * parts, "unreadable entries without bound")
    for entry in authored.unreadable:
        _expect(0 < len(entry.detail) <= 1000, "a detail that is empty or without bound", entry.detail[:300])
    try:
        msgspec.msgpack.encode(authored)
    except Exception as error:
        raise Broken("the answer cannot leave its worker", traceback.format_exc()) from error


# --- planted words ------------------------------------------------------------------------------------------


def planted_words(raw: bytes, authored: Authored, texts: Mapping[str, str], verdict: Verdict) -> str:
    """Look for the planted words that another reader of mail finds: each is ours too, or something is named unreadable."""
    if authored.unreadable and verdict.action is not Action.PASS:
        return "named"
    said = "\n".join(piece.text for piece in (*authored.passages, *authored.cuts))
    missing = [word for word in MARKERS if word not in said]
    theirs = _words_of_others(raw, missing) if missing and len(raw) <= _MOST_FOR_OTHERS else ""
    lost = [word for word in missing if word in theirs]
    _expect(
        not lost,
        "a word that others read is neither read nor is its part named",
        f"{lost} in {theirs[:300]!r}\nours: {dict(texts)!r}"[:1500],
    )
    return "read" if len(missing) < len(MARKERS) else "absent"


def _words_of_others(raw: bytes, wanted: list[str]) -> str:
    """Return the text of the text parts as Python's ``email`` and lexbor read them, where ``wanted`` may be in it."""
    from selectolax.lexbor import LexborHTMLParser

    try:
        message = email.message_from_bytes(raw)
        parts = list(message.walk())
    except Exception:  # noqa: BLE001 - another reader's trouble is not ours
        return ""
    if any(part.defects for part in parts):
        return ""  # where the reader itself has doubts, ours may be another
    said: list[str] = []
    for part in parts:
        if part.get_content_maintype() != "text":
            continue
        encoding = str(part.get("content-transfer-encoding", ""))
        if encoding != encoding.strip():
            continue  # that reader alone takes an encoding with a space behind it for none, and shows base64
        try:
            octets = part.get_payload(decode=True)
            text = (
                octets.decode(part.get_content_charset("utf-8"), "replace")
                if isinstance(octets, bytes)
                else ""
            )
        except Exception:  # noqa: BLE001
            continue
        if any(word in text for word in wanted):
            if part.get_content_subtype() != "plain":
                tree = LexborHTMLParser(text)
                tree.strip_tags(["style", "script", "template"])  # its text() has their text too
                body = tree.body
                text = (
                    body.text(separator=" ") if body is not None and "html" in part.get_content_type() else ""
                )
            said.append(text)
    return "\n".join(said)


def _registry() -> Registry:
    with tempfile.TemporaryDirectory() as name:
        contacts, staff = Path(name, "contacts.csv"), Path(name, "staff.csv")
        contacts.write_text(
            "email,name,role,case_ref,case_status,opened,closed,officers,vulnerable,safe_contact\n"
            f"{CONTACT},Nadia Rahman,victim,42/10231/26,open,2026-02-11,,amir.khan@force.example,no,\n"
        )
        staff.write_text(
            "email,name,rank,unit,manager,role,aliases\namir.khan@force.example,Amir Khan,DC,Robbery Squad,,officer,\n"
        )
        loaded = load(RegistrySettings(contacts=contacts, staff=staff, domains=("force.example",)), None, AT)
    assert loaded.registry is not None, loaded.mistakes
    return loaded.registry
