"""Outside mail as further proper text: what teaches a model of composed mail how ordinary mail reads.

Owns which public sets may be learnt from, how they are read, and the half of each that is kept for judging: what trains
does not judge. None of it is in this repository; the folder is given, and its files go into the manifest by hash.
Without it training is from the corpus alone, which is the default.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gateway.errors import Mistake, Mistakes
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


_SETS: Final[dict[str, tuple[str, Callable[[Path], Iterator[str]]]]] = {
    "spamassassin_ham": ("*.jsonl", _jsonl),
    "email_intent": ("*.txt", _tabbed),
}
"""Folder, its files, and their reader: CC0 and Apache-2.0. Sets whose licence forbids learning from them are not here."""


def to_learn_from(folder: Path) -> tuple[Text, ...]:
    """Return the half of the sets in ``folder`` that is learnt from; raises `Mistakes` when there is none."""
    return tuple(text for text, learnt in _texts(folder) if learnt)


def to_judge_by(folder: Path) -> tuple[Text, ...]:
    """Return the other half."""
    return tuple(text for text, learnt in _texts(folder) if not learnt)


def _texts(folder: Path) -> Iterator[tuple[Text, bool]]:
    """Yield each text and whether it is learnt from, which hangs on its words alone."""
    found = False
    for name, (files, read) in _SETS.items():
        taken = {True: 0, False: 0}
        for path in sorted((folder / name).glob(files)):
            for words in read(path):
                digest = hashlib.sha256(words.encode()).hexdigest()
                learnt = int(digest[0], 16) % 2 == 0
                text = plain_text(f"{name}-{digest[:12]}", name, words[:_LONGEST])
                if not text.sentences or taken[learnt] >= MAX_TEXTS:
                    continue
                found = True
                taken[learnt] += 1
                yield text, learnt
    if not found:
        remedy = f"name a folder that holds one of {', '.join(_SETS)}"
        raise Mistakes((Mistake(file=str(folder), what="no outside mail", remedy=remedy),))
