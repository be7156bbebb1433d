"""The evaluation of a release: every system over the mail of one split, against the goals, and what it says of where.

Owns which mail a split is, the log of openings, and how the table is put together and told. Test and sealed mail may be
looked at for the figures of a release only: each opening is written down before any of it is read
(``corpus/openings.jsonl``), with who opened it, why, and what was judged.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import Mistake, Mistakes
from gateway.inspection.encoder import Encoder
from gateway.training import figures
from gateway.training.corpus import Corpus, Mail, Split
from gateway.training.figures import FIGURES, Pairs, Share
from gateway.training.labelled import Text, texts_of_mail
from gateway.training.systems import System

OPENINGS: Final = "openings.jsonl"
_BINS: Final = 10


class Mails(StrEnum):
    """What may be judged."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"
    SEALED = "sealed"
    """Batches that were closed by hash before training, whatever their split."""

    @property
    def is_closed(self) -> bool:
        """True for mail whose opening is written down."""
        return self in {Mails.TEST, Mails.SEALED}


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One look at closed mail."""

    at: str
    by: str
    why: str
    mails: str
    sha256: str
    """Of the mail that was judged."""
    model: str
    rules: str


@dataclass(frozen=True, slots=True)
class Row:
    """One system: its name, the share for each figure in the order of `FIGURES`, spans, twins, precision."""

    name: str
    shares: tuple[Share, ...]
    spans: Share
    twins: Share
    precision: float
    outside: Share


@dataclass(frozen=True, slots=True)
class Bin:
    """Sentences whose probability lay in one tenth: the mean of it, the share that crosses, and how many."""

    said: float
    true: float
    sentences: int


@dataclass(frozen=True, slots=True)
class Report:
    """The table, and for the last system, the gateway as it is, where its catches and false alarms lie."""

    mails: Mails
    rows: tuple[Row, ...]
    categories: tuple[tuple[str, Share], ...]
    subtleties: tuple[tuple[str, Share], ...]
    traps: tuple[tuple[str, Share], ...]
    calibration: tuple[Bin, ...]
    absent: tuple[str, ...]
    """Baselines that could not be had, and why."""

    def to_json(self) -> bytes:
        """Return the report for programs."""
        return msgspec.json.encode(self)


def mails_of(corpus: Corpus, wanted: Mails, folder: Path) -> tuple[Mail, ...]:
    """Return the mail of ``wanted``; raises `Mistakes` when a sealed batch is not what was sealed."""
    if wanted is not Mails.SEALED:
        return tuple(mail for mail in corpus.mails_of(Split(wanted)) if not corpus.batches[mail.batch].sealed)
    mistakes = [
        Mistake(file=str(folder / "mails" / f"{name}.jsonl"), what="not the batch that was sealed",
                remedy="take the file back from the repository's history")
        for name, batch in corpus.batches.items()
        if batch.sealed and batch.sealed != _sealed_digest(folder, name)
    ]  # fmt: skip
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return tuple(mail for mail in corpus.mails if corpus.batches[mail.batch].sealed)


def _sealed_digest(folder: Path, name: str) -> str:
    """Return the digest that `gateway corpus add --seal` wrote down for the files of a batch."""
    digest = ""
    for below in ("mails", "passages"):
        path = folder / below / f"{name}.jsonl"
        if path.exists():
            digest = hashlib.sha256(digest.encode() + path.read_bytes()).hexdigest()
    return digest


def open_closed(
    folder: Path,
    wanted: Mails,
    mails: Sequence[Mail],
    *,
    at: datetime,
    by: str,
    why: str,
    model: str,
    rules: str,
) -> Opening:
    """Write down that closed mail is looked at, and return what was written; it stands on the disk before this returns."""
    digest = hashlib.sha256(b"\n".join(msgspec.json.encode(mail) for mail in mails)).hexdigest()
    opening = Opening(
        at=at.isoformat(timespec="seconds"),
        by=by,
        why=why,
        mails=wanted,
        sha256=digest,
        model=model,
        rules=rules,
    )
    with (folder / OPENINGS).open("ab") as log:
        log.write(msgspec.json.encode(opening) + b"\n")
    return opening


def evaluate(
    wanted: Mails, mails: Sequence[Mail], systems: Sequence[System], model: Encoder | None, log: Callable[[str], None],
    *, absent: Sequence[str] = (), outside: Sequence[Mail] = (),
) -> Report:  # fmt: skip
    """Return the report over ``mails`` and over ``outside`` ones; the last of ``systems`` is looked at closely."""
    rows: list[Row] = []
    pairs: Pairs = ()
    for system in systems:
        log(f"{system.name}: {len(mails)} mails, {len(outside)} from outside")
        every = (*mails, *outside)
        judged = tuple(zip(every, system.judge(every), strict=True))
        pairs = judged[: len(mails)]
        rows.append(_row(system.name, pairs, judged[len(mails) :]))
    return Report(
        wanted,
        tuple(rows),
        figures.by([pair for pair in pairs if pair[0].spans], figures.categories_of),
        figures.by(pairs, figures.subtlety_of),
        figures.by(pairs, figures.trap_of),
        calibration(model, [text for mail in mails for text in texts_of_mail(mail)]) if model else (),
        tuple(absent),
    )


def _row(name: str, pairs: Pairs, outside: Pairs) -> Row:
    return Row(
        name,
        tuple(figures.share(figure, pairs) for figure in FIGURES),
        figures.spans_share(pairs),
        figures.twins_share(pairs),
        figures.precision(pairs),
        figures.share(figures.OUTSIDE, outside),
    )


def calibration(model: Encoder, texts: Sequence[Text]) -> tuple[Bin, ...]:
    """Return, for each tenth of probability, how often a sentence that got it crosses."""
    found: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for text in texts:
        readings = model.read([sentence.text for sentence in text.sentences])
        for sentence, reading in zip(text.sentences, readings, strict=True):
            found[min(int(reading.crossing * _BINS), _BINS - 1)].append(
                (reading.crossing, sentence.label != 0)
            )
    return tuple(
        Bin(sum(said for said, _ in one) / len(one), sum(true for _, true in one) / len(one), len(one))
        for one in found
        if one
    )


def told(report: Report) -> Iterator[str]:
    """Yield the lines of the report as people read them; per cent with 95 % intervals."""
    yield f"{report.mails} split; per cent with 95 % intervals"
    for number, figure in enumerate(FIGURES):
        wanted = f"at {'most' if figure.low else 'least'} {100 * figure.goal:g}"
        yield f"\n{figure.name} (goal: {wanted})"
        for row in report.rows:
            share = row.shares[number]
            yield f"  {row.name:<34} {share!s:<28} {'reached' if figure.reached(share) else 'not reached'}"
    yield f"\n{figures.SPAN.name} (goal: at least {100 * figures.SPAN.goal:g})"
    yield from (f"  {row.name:<34} {row.spans}" for row in report.rows if row.spans.of)
    if any(row.outside.of for row in report.rows):
        yield f"\n{figures.OUTSIDE.name} (goal: at most {100 * figures.OUTSIDE.goal:g})"
        yield from (f"  {row.name:<34} {row.outside}" for row in report.rows)
    yield "\ntwins: crossing caught and proper twin delivered"
    yield from (f"  {row.name:<34} {row.twins}" for row in report.rows)
    yield "\nprecision, were 1 mail in 2,000 a crossing"
    yield from (f"  {row.name:<34} {100 * row.precision:.2f}" for row in report.rows)
    for title, group in (
        ("caught, by category", report.categories),
        ("caught, by subtlety", report.subtleties),
        ("flagged or held, by trap", report.traps),
    ):
        yield f"\n{report.rows[-1].name}: {title}"
        yield from (f"  {name:<34} {share}" for name, share in group)
    if report.calibration:
        yield "\nencoder: probability said, share that crosses, sentences"
        yield from (f"  {one.said:.2f}  {one.true:.2f}  {one.sentences}" for one in report.calibration)
    yield from (f"left out: {each}" for each in report.absent)


def openings(folder: Path) -> tuple[Opening, ...]:
    """Return every opening that was written down, first the first."""
    path = folder / OPENINGS
    if not path.exists():
        return ()
    return tuple(msgspec.json.decode(line, type=Opening) for line in path.read_bytes().splitlines())


def recipe_of(model: Encoder) -> dict[str, str | int | float]:
    """Return the recipe that ``model`` was made by."""
    found: dict[str, str | int | float] = json.loads(str(model.manifest.made["recipe"]))
    return found
