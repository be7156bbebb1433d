"""The labelled corpus: whole mails and passages, who wrote which batch, and everything that can be wrong with it.

A folder holds ``batches.yaml`` (each writer's batch with its brief and its split), ``mails/BATCH.jsonl`` and
``passages/BATCH.jsonl``, one entry a line. A split belongs to a batch, never to a mail: what one writer repeats must not
stand on both sides. Spans are code points in the subject or body, and cover the officer's own words only.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from gateway.errors import Mistake, Mistakes
from gateway.inspection.encoder import CATEGORIES
from gateway.model import Action, Severity

TRAPS: Final = {
    "statement-extract": "a statement, exhibit or interview that quotes the offender",
    "victim-quoted": "the victim's own words or thread, quoted or pasted",
    "fraud-quote": "romance fraud or grooming messages, quoted",
    "safeguarding-question": "DASH and other intrusive questions with a purpose",
    "welfare": "a welfare check, concern, praise for courage",
    "condolence": "condolences, anniversaries, funerals",
    "warmth": "warm first-person mail, thanks, regional address left out",
    "appointment": "arranging a meeting, a visit or a call at a date, also late or at home",
    "lift": "a lift to or from court, station, hospital",
    "duty-phone": "work mobiles, team boxes, out-of-hours numbers",
    "evidence-upload": "asking for photographs, screenshots, messages, social media evidence",
    "safe-contact": "what to delete, when not to call, whom not to tell, for the victim's safety",
    "special-measures": "screens, pre-trial visits, court familiarisation, clothes for court",
    "sexual-offence": "forensic or legal words about sexual offences",
    "appearance-forensic": "descriptions, injuries, identification, clothing as exhibits",
    "leave-and-handover": "leave, shifts, illness, handover of the case, retirement",
    "community": "surveys, drop-ins, coffee mornings, recruitment",
    "refusal-by-officer": "an officer who declines an approach, a gift, a friend request",
    "standards": "professional standards or a supervisor quoting a colleague's improper words",
    "complaint-process": "how to complain, outcome letters, apologies",
    "gift-lawful": "compensation, expenses, property returned, vouchers through a charity",
    "names": "names, places, roads, pubs, exhibit letters, x as a mark",
    "humour": "dry humour, weather, football, small talk that stays proper",
    "bad-news": "no further action, delay, bail, release",
    "plain": "ordinary business without a trap",
}
"""What proper mail is about that might be mistaken for a crossing."""

REAL_WORLD: Final = (
    (re.compile(r"[\w.+-]+@(?![\w.-]+\.example\b)[\w-]+\.[\w.-]+"), "an address outside .example"),
    (re.compile(r"(?<!\d)0(?!7700 ?900)\d{3,4}[ -]?\d{3}[ -]?\d{3,4}(?!\d)"), "a telephone number that may be someone's"),
    (re.compile(r"https?://(?![\w.-]+\.example\b)"), "a link outside .example"),
)  # fmt: skip
"""What would make invented mail less than invented. Drama numbers: Ofcom's 07700 900000-900999, and 01632 960xxx."""
_DRAMA: Final = re.compile(r"01632 ?960 ?\d{3}|020 ?7946 ?0\d{3}|0808 ?157 ?0\d{3}|0113 ?496 ?0\d{3}")


class Split(StrEnum):
    """What a batch may be used for."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class Label(StrEnum):
    """What a mail or passage is."""

    CROSSING = "crossing"
    PROPER = "proper"


class Kind(StrEnum):
    """What a passage is an instance of."""

    CROSSING = "crossing"
    LOOK_ALIKE = "look-alike"
    REFUSAL = "refusal"
    QUOTATION = "quotation"
    WELFARE = "welfare"
    ARRANGEMENT = "arrangement"


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a crossing stands: code points of ``part``, the subject or the body."""

    category: str
    start: int
    end: int
    part: str = "body"


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One whole mail as sent, quotes and signature included. ``due`` is what should become of it."""

    id: str
    subject: str
    body: str
    label: Label
    due: Action
    spans: tuple[Span, ...] = ()
    severity: Severity | None = None
    subtlety: str = ""
    trap: str = ""
    twin: str = ""
    """The id of the mail with the same words and the other label."""
    reply: bool = False
    """It answers a mail of the contact: it goes out with In-Reply-To."""
    batch: str = ""

    @property
    def text(self) -> str:
        """Return subject and body, for measures that need one text."""
        return f"{self.subject}\n{self.body}"

    def part(self, name: str) -> str:
        """Return the text that spans of part ``name`` count in."""
        return self.subject if name == "subject" else self.body


class Passage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A sentence or two of an officer's own words."""

    id: str
    text: str
    label: Label
    kind: Kind
    spans: tuple[Span, ...] = ()
    trap: str = ""
    batch: str = ""

    def part(self, name: str) -> str:  # noqa: ARG002 - the face of `Mail`
        """Return the text that spans count in."""
        return self.text


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wrote a batch: the brief, when, and what it may be used for."""

    split: Split
    brief: str
    written: str
    """ISO date."""
    labelled_by: str
    sealed: str = ""
    """SHA-256 of the file for a batch that was closed before training."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything in a folder. Entries know their batch, batches their split."""

    batches: dict[str, Batch]
    mails: tuple[Mail, ...]
    passages: tuple[Passage, ...]

    @property
    def open_mails(self) -> tuple[Mail, ...]:
        """The mails of all batches but the sealed ones, whose writers had briefs of their own."""
        return tuple(mail for mail in self.mails if not self.batches[mail.batch].sealed)

    def mails_of(self, split: Split) -> tuple[Mail, ...]:
        """Return the mails of the batches of one split."""
        return tuple(mail for mail in self.mails if self.batches[mail.batch].split is split)

    def passages_of(self, split: Split) -> tuple[Passage, ...]:
        """Return the passages of the batches of one split."""
        return tuple(one for one in self.passages if self.batches[one.batch].split is split)


def load(folder: Path) -> Corpus:
    """Return the corpus in ``folder``; raises `Mistakes` with file and line of everything that is wrong with it."""
    mistakes: list[Mistake] = []
    batches = _batches(folder / "batches.yaml", mistakes)
    mails = _entries(folder, "mails", Mail, batches, mistakes)
    passages = _entries(folder, "passages", Passage, batches, mistakes)
    if not mails and not passages:
        remedy = "add batches with `gateway corpus add`"
        mistakes.append(Mistake(file=str(folder), what="no entries", remedy=remedy))
    mistakes += _problems(mails, passages)
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return Corpus(batches, tuple(mail for mail, _ in mails), tuple(one for one, _ in passages))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry stands."""

    file: str
    line: int | None

    def mistake(self, what: str, remedy: str) -> Mistake:
        return Mistake(file=self.file, line=self.line, what=what, remedy=remedy)


def _batches(path: Path, mistakes: list[Mistake]) -> dict[str, Batch]:
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
        return msgspec.convert(found, dict[str, Batch])
    except OSError as missing:
        what, remedy = str(missing.strerror), "name a folder with batches.yaml in it"
    except (yaml.YAMLError, msgspec.ValidationError) as wrong:
        what, remedy = str(wrong), "give each batch: split, brief, written, labelled_by"
    mistakes.append(Mistake(file=str(path), what=what, remedy=remedy))
    return {}


def _entries(
    folder: Path, below: str, kind: type[Any], batches: dict[str, Batch], mistakes: list[Mistake]
) -> list[tuple[Any, _Place]]:
    entries: list[tuple[Any, _Place]] = []
    for path in sorted((folder / below).glob("*.jsonl")):
        if path.stem not in batches:
            what, remedy = "no such batch", f"describe {path.stem} in batches.yaml"
            mistakes.append(Mistake(file=str(path), what=what, remedy=remedy))
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            place = _Place(str(path), number)
            try:
                entry = msgspec.json.decode(line, type=kind)
            except msgspec.DecodeError as wrong:
                mistakes.append(place.mistake(str(wrong), "write it with `gateway corpus add`"))
                continue
            entries.append((msgspec.structs.replace(entry, batch=path.stem), place))
    return entries


def problems(mails: Iterable[Mail], passages: Iterable[Passage], file: str) -> tuple[Mistake, ...]:
    """Return what is wrong with the entries of a draft; they are named by their ids in ``file``."""
    placed_mails = [(mail, _Place(f"{file}, {mail.id}", None)) for mail in mails]
    placed_passages = [(one, _Place(f"{file}, {one.id}", None)) for one in passages]
    return tuple(_problems(placed_mails, placed_passages))


def _problems(mails: list[tuple[Mail, _Place]], passages: list[tuple[Passage, _Place]]) -> Iterator[Mistake]:
    yield from _doubles([*mails, *passages])
    known = {mail.id: mail for mail, _ in mails}
    for mail, place in mails:
        yield from _of_mail(mail, known, place)
    for passage, place in passages:
        yield from _of_passage(passage, place)


def folded(text: str) -> str:
    """Return ``text`` in lower case without anything but letters and digits: what makes two entries the same."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def _doubles(entries: Iterable[tuple[Any, _Place]]) -> Iterator[Mistake]:
    ids: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for entry, place in entries:
        ids[entry.id] += 1
        if ids[entry.id] == 2:
            yield place.mistake(f"the id {entry.id} is given twice", "number entries within their batch")
        text = folded(entry.text)
        if text in texts:
            yield place.mistake(f"{entry.id} says the same as {texts[text]}", "write another, or delete it")
        texts.setdefault(text, entry.id)


def _of_mail(mail: Mail, known: dict[str, Mail], place: _Place) -> Iterator[Mistake]:
    yield from _of_spans(mail, place)
    crossing = mail.label is Label.CROSSING
    if crossing != (mail.due is not Action.PASS):
        yield place.mistake(
            f"{mail.label} mail that is due to {mail.due}", "a crossing is due flag or hold, proper mail pass"
        )
    if crossing and (mail.severity is None or mail.subtlety not in SUBTLETIES):
        yield place.mistake(
            "a crossing without severity or subtlety", f"give a severity, and one of {', '.join(SUBTLETIES)}"
        )
    if not crossing and mail.trap not in TRAPS:
        yield place.mistake(f"no such trap: {mail.trap or 'none given'}", f"one of {', '.join(TRAPS)}")
    if mail.twin:
        twin = known.get(mail.twin)
        if twin is None or twin.label is mail.label or twin.twin != mail.id:
            yield place.mistake(
                f"{mail.twin} is no twin of {mail.id}", "twins name each other, and differ in label"
            )
    if not mail.body.strip():
        yield place.mistake("an empty body", "write one, or delete the entry")
    yield from _of_text(mail.text, place)


SUBTLETIES: Final = ("plain", "veiled", "subtle")
"""Plain: the words say it. Veiled: a hint, an idiom, a pretext. Subtle: plain case prose that goes too far."""


def _of_passage(passage: Passage, place: _Place) -> Iterator[Mistake]:
    yield from _of_spans(passage, place)
    if (passage.kind is Kind.CROSSING) != (passage.label is Label.CROSSING):
        yield place.mistake(f"a {passage.label} passage of kind {passage.kind}", "let label and kind agree")
    if passage.trap and passage.trap not in TRAPS:
        yield place.mistake(f"no such trap: {passage.trap}", f"one of {', '.join(TRAPS)}")
    yield from _of_text(passage.text, place)


def _of_spans(entry: Mail | Passage, place: _Place) -> Iterator[Mistake]:
    if bool(entry.spans) != (entry.label is Label.CROSSING):
        yield place.mistake(
            "spans and label disagree", "mark what crosses with {category|words}; proper text has no marks"
        )
    for span in entry.spans:
        if span.category not in CATEGORIES:
            yield place.mistake(f"no such category: {span.category}", f"one of {', '.join(CATEGORIES)}")
        text = entry.part(span.part)[span.start : span.end]
        if not text.strip() or text != text.strip() or len(text) != span.end - span.start:
            yield place.mistake(
                f"the span {span.start}-{span.end} marks {text!r}",
                "mark whole words, without the space around them",
            )


def _of_text(text: str, place: _Place) -> Iterator[Mistake]:
    invented = _DRAMA.sub("", text)
    for pattern, what in REAL_WORLD:
        if found := pattern.search(invented):
            remedy = "use .example domains and 07700 900xxx, 01632 960xxx or 020 7946 0xxx"
            yield place.mistake(f"{what}: {found[0]}", remedy)
