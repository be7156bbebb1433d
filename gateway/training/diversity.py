"""How much a composed corpus repeats itself: within a writer's batch, and across all.

Composed text drifts towards stock phrases, and a model learns them. Three measures, all on the officer's own new
words: the share of 5-word runs that stand in another mail too, the likeness of each mail to its nearest neighbour (Jaccard
of 3-word runs), and the openings and closings that come back most often.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.training.corpus import Mail, Passage

_WORD = re.compile(r"[a-z0-9']+")
_CLOSING = re.compile(
    r"^(?:(?:kind|best|warm|many)? ?regards|(?:many )?thanks|ta|cheers|yours (?:sincerely|faithfully|truly)|--) ?,?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_RUN = 5
_SHINGLE = 3
_COMMON = 60
"""A run of three words that stands in more texts than this says nothing about which two are alike."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """``repeated``: share of 5-word runs that stand in another entry. ``nearest``: likeness to the nearest, 0 to 1."""

    entries: int
    words: int
    repeated: float
    nearest_median: float
    nearest: tuple[tuple[float, str, str], ...]
    """The likest pairs, first the likest: likeness and the two ids."""
    openings: tuple[tuple[int, str], ...]
    closings: tuple[tuple[int, str], ...]
    runs: tuple[tuple[int, str], ...]
    """The 5-word runs that stand in most entries."""


def own_words(entry: Mail | Passage) -> str:
    """Return the text without lines that are marked as quoted."""
    text = entry.body if isinstance(entry, Mail) else entry.text
    kept: list[str] = []
    for line in text.splitlines():
        if re.match(r"(On .{5,120} wrote:|-----Original Message|From: .*@)", line):
            break
        if not line.startswith(">"):
            kept.append(line)
    return "\n".join(kept)


def diversity(entries: Sequence[Mail | Passage], *, shown: int = 15) -> Diversity:
    """Return how much ``entries`` repeat each other; of twins, which repeat on purpose, the first counts.

    Linear but for runs of words that many share.
    """
    entries = _without_twins(entries)
    texts = [own_words(entry) for entry in entries]
    words = [_WORD.findall(text.lower()) for text in texts]
    runs = [set(_runs(each, _RUN)) for each in words]
    standing = Counter(run for each in runs for run in each)
    total = sum(map(len, runs))
    repeated = sum(standing[run] > 1 for each in runs for run in each)
    pairs = _nearest([set(_runs(each, _SHINGLE)) for each in words])
    likest = sorted(((likeness, one, other) for one, (likeness, other) in enumerate(pairs)), reverse=True)
    nearest = sorted(likeness for likeness, _ in pairs)
    once = {
        (min(one, other), max(one, other)): likeness
        for likeness, one, other in reversed(likest)
        if other >= 0
    }
    ranked = sorted(((likeness, *pair) for pair, likeness in once.items()), reverse=True)[:shown]
    return Diversity(
        entries=len(entries),
        words=sum(map(len, words)),
        repeated=repeated / total if total else 0.0,
        nearest_median=nearest[len(nearest) // 2] if nearest else 0.0,
        nearest=tuple((likeness, entries[one].id, entries[other].id) for likeness, one, other in ranked),
        openings=_most(_edge(text, first=True) for text in texts)[:shown],
        closings=_most(_edge(text, first=False) for text in texts)[:shown],
        runs=tuple((count, run) for run, count in standing.most_common(shown) if count > 1),
    )


def _without_twins(entries: Sequence[Mail | Passage]) -> Sequence[Mail | Passage]:
    seen: set[str] = set()
    kept: list[Mail | Passage] = []
    for entry in entries:
        seen.add(entry.id)
        if not (isinstance(entry, Mail) and entry.twin in seen):
            kept.append(entry)
    return kept


def _runs(words: Sequence[str], length: int) -> Iterable[str]:
    return (" ".join(words[at : at + length]) for at in range(len(words) - length + 1))


def _edge(text: str, *, first: bool) -> str:
    """Return the first or the last line with words that is neither greeting nor name: four words or more.

    What stands under a closing formula is a signature, which an officer repeats by right.
    """
    text = _CLOSING.split(text, maxsplit=1)[0]
    lines = [" ".join(_WORD.findall(line.lower())[:6]) for line in text.splitlines()]
    long = [line for line in lines if line.count(" ") >= 3]
    return (long[0] if first else long[-1]) if long else ""


def _most(texts: Iterable[str]) -> tuple[tuple[int, str], ...]:
    counted = Counter(filter(None, texts)).most_common()
    return tuple((count, text) for text, count in counted if count > 1)


def _nearest(shingles: Sequence[set[str]]) -> list[tuple[float, int]]:
    """Return for each set its likeness to the likest other, and which that is; (0, -1) when it shares nothing."""
    places: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(shingles):
        for shingle in each:
            places[shingle].append(number)
    best: list[tuple[float, int]] = []
    for number, each in enumerate(shingles):
        shared: Counter[int] = Counter()
        for shingle in each:
            if 1 < len(places[shingle]) <= _COMMON:
                shared.update(places[shingle])
        shared.pop(number, None)
        likest = max(
            ((both / (len(each) + len(shingles[other]) - both), other) for other, both in shared.items()),
            default=(0.0, -1),
        )
        best.append(likest)
    return best
