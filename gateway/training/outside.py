"""Outside mail as further proper text: what teaches a model of composed mail how ordinary mail reads.

Owns which public sets may be learnt from, how they are read, and the half of each that is kept for judging: what trains
does not judge. None of it is in this repository; the folder is given, and its files go into the manifest by hash.
Without it training is from the corpus alone, which is the default.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import Mistake, Mistakes
from gateway.model import Action
from gateway.training.corpus import Label, Mail
from gateway.training.labelled import Text, plain_text

MAX_TEXTS: Final = 600
"""Texts of one set that are learnt from: outside mail must not outweigh the corpus."""
_LONGEST: Final = 3000
"""Characters of a mail; list mail goes on into logs and source code."""


def _jsonl(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8", errors="replace").splitlines():
        yield str(json.loads(line).get("body", ""))


def _tabbed(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8", errors="replace").splitlines():
        yield line.partition("\t")[2]


@dataclass(frozen=True, slots=True)
class _Set:
    """A public set: its files in a folder of its name, how they are read, and whether its licence allows learning."""

    files: str
    read: Callable[[Path], Iterator[str]]
    learnable: bool


_SETS: Final[dict[str, _Set]] = {
    "spamassassin_ham": _Set("*.jsonl", _jsonl, learnable=True),  # CC0 1.0
    "email_intent": _Set("*.txt", _tabbed, learnable=True),  # Apache-2.0
    "aeslc": _Set("*.jsonl", _jsonl, learnable=False),  # CC BY-NC-SA 4.0: judged by, never learnt from
}


def to_learn_from(folder: Path) -> tuple[Text, ...]:
    """Return the half of the sets in ``folder`` that is learnt from; raises `Mistakes` when there is none."""
    return tuple(plain_text(mail.id, mail.batch, mail.body) for mail, learnt in _mails(folder) if learnt)


def to_judge_by(folder: Path) -> tuple[Mail, ...]:
    """Return what is not learnt from, as proper mail; raises `Mistakes` when there is none."""
    return tuple(mail for mail, learnt in _mails(folder) if not learnt)


def _mails(folder: Path) -> Iterator[tuple[Mail, bool]]:
    """Yield each mail and whether it is learnt from, which hangs on its words alone."""
    found = False
    for name, one in _SETS.items():
        taken = {True: 0, False: 0}
        for path in sorted((folder / name).glob(one.files)):
            for words in one.read(path):
                digest = hashlib.sha256(words.encode()).hexdigest()
                learnt = one.learnable and int(digest[0], 16) % 2 == 0
                if not words.strip() or taken[learnt] >= MAX_TEXTS:
                    continue
                found = True
                taken[learnt] += 1
                yield _mail(name, digest, words[:_LONGEST]), learnt
    if not found:
        remedy = f"name a folder that holds one of {', '.join(_SETS)}"
        raise Mistakes((Mistake(file=str(folder), what="no outside mail", remedy=remedy),))


def _mail(name: str, digest: str, words: str) -> Mail:
    return Mail(
        id=f"{name}-{digest[:12]}",
        subject="",
        body=words,
        label=Label.PROPER,
        due=Action.PASS,
        trap=name,
        batch=name,
    )
