"""A verdict taken apart: what each finding adds to the score, and what would become of the message without each sentence.

The engine call of `gateway explain` and of the console's playground. What would have passed without which sentence is
not guessed from the findings: the message is judged again with the sentence blanked, by the same engine and policy, so that
softening, exceptions, combinations and thresholds all have their say. Refuses to know how an answer is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from gateway.inspection import sentence_spans
from gateway.model import Action, Authored, Finding
from gateway.rehearsal.judging import Judge, Judged, Sample

MAX_SENTENCES: Final = 20
"""Sentences left out one at a time: each costs a judgement. Those whose findings weigh most come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What would become of the message without some of its words.

    ``text`` is the sentence, on one line, at ``start`` to ``end`` of ``part`` (code points of its decoded text); for all
    sentences together it is empty, as are the others. ``rules`` are those that no longer fire.
    """

    text: str
    part: str
    start: int
    end: int
    action: Action
    score: int
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A judged message, its findings in the order of their points, which sum to the score, and what hangs on what.

    ``without`` has each sentence that holds a finding, and last all of them together if there are several; ``left_out``
    says how many sentences were too many to be tried one by one.
    """

    judged: Judged
    contributions: tuple[Finding, ...]
    without: tuple[Without, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """One sentence: the number of its passage, and its span in the passage's text."""

    passage: int
    start: int
    end: int


def explain(judge: Judge, sample: Sample) -> Explanation:
    """Return the verdict on a message and what it stands on. Depends on its arguments alone; never raises on odd mail.

    Bounded: at most `MAX_SENTENCES` + 2 judgements, whatever the message holds.
    """
    judged = judge.judge(sample)
    findings = judged.verdict.findings
    points: dict[_Place, int] = {}
    for finding in findings:
        place = _sentence_of(judged.authored, finding)
        if place is not None:
            points[place] = points.get(place, 0) + finding.points
    heaviest = sorted(points, key=lambda place: (-points[place], place))[:MAX_SENTENCES]
    without = [_without(judge, judged, (place,)) for place in sorted(heaviest)]
    if len(points) > 1:
        without.append(_without(judge, judged, tuple(points)))
    return Explanation(
        judged=judged,
        contributions=tuple(sorted(findings, key=lambda finding: -finding.points)),
        without=tuple(without),
        left_out=len(points) - len(heaviest),
    )


def _sentence_of(authored: Authored, finding: Finding) -> _Place | None:
    """Return the sentence that a finding begins in, or None for one without words."""
    if finding.start is None:
        return None
    for number, passage in enumerate(authored.passages):
        if passage.part != finding.part:
            continue
        at = finding.start - passage.start
        for start, end in sentence_spans(passage.text):
            if start <= at < end:
                return _Place(number, start, end)
    return None


def _without(judge: Judge, judged: Judged, places: tuple[_Place, ...]) -> Without:
    """Return what becomes of the message with some sentences blanked; offsets stay as they are."""
    after = judge.judge_read(judged.sample, _blanked(judged.authored, places)).verdict
    fired = {finding.rule for finding in after.findings}
    gone = {finding.rule for finding in judged.verdict.findings} - fired
    text, part, first, last = "", "", 0, 0
    if len(places) == 1:
        (place,) = places
        passage = judged.authored.passages[place.passage]
        text, part = " ".join(passage.text[place.start : place.end].split()), passage.part
        first, last = passage.start + place.start, passage.start + place.end
    return Without(
        text=text, part=part, start=first, end=last, action=after.action, score=after.score, rules=tuple(sorted(gone))
    )  # fmt: skip


def _blanked(authored: Authored, places: Iterable[_Place]) -> Authored:
    passages = list(authored.passages)
    for place in places:
        text = passages[place.passage].text
        blank = "".join(char if char in "\r\n" else " " for char in text[place.start : place.end])
        blanked = f"{text[: place.start]}{blank}{text[place.end :]}"
        passages[place.passage] = replace(passages[place.passage], text=blanked)
    return replace(authored, passages=tuple(passages))
