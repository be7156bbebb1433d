"""What the rules are written for, as short texts to learn from: who doubts a rule must know what the rule means.

Owns what of a rule folder is a lesson: the hits of rules over words, marked where the rule fires; near misses, and ordinary mail
that must be delivered, as proper. What the rules themselves soften, take for somebody else's words, or act on although it is
another rule's near miss, is none. The figures on test and sealed mail stay what they are: no rule was written from those.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway import inspection
from gateway.inspection.encoder import CATEGORIES
from gateway.inspection.examples import stage
from gateway.inspection.rules import Rule
from gateway.model import Attribution, Finding
from gateway.rehearsal.benign import baseline_of
from gateway.rehearsal.judging import Judge
from gateway.training.corpus import Span
from gateway.training.labelled import Text, plain_text
from gateway.training.systems import ACTING

BATCH: Final = "rules"
_AT: Final = datetime(2026, 3, 4, 11, tzinfo=UTC)
"""When examples are judged: the same day for every run, so that an exception that ends changes no model."""


def primer(folders: tuple[Path, ...]) -> tuple[Text, ...]:
    """Return the lessons in the rule folders; raises `Mistakes` when they do not load."""
    bundle = inspection.read(folders)
    judge = Judge(bundle, language=True, with_encoder=False)
    rules = [rule for rule in inspection.rules_of(bundle).rules if not rule.is_pattern]
    texts = [text for rule in rules for text in _of_rule(rule, judge)]
    ordinary = baseline_of(inspection.read_benign(folders)).mails
    texts += [plain_text(f"rules:{mail.name}", BATCH, mail.entry.body, kind="body") for mail in ordinary]
    return tuple({(text.kind, text.sentences): text for text in texts}.values())


def _of_rule(rule: Rule, judge: Judge) -> Iterator[Text]:
    """Yield the examples of one rule whose meaning is plain: words alone, with nothing quoted beside them."""
    examples = rule.entry.examples
    for number, example in enumerate((*examples.hit, *examples.miss)):
        if not isinstance(example, str):
            continue
        staged = stage(example, rule, _AT)
        found = judge.engine.judge(staged.authored, staged.parties, staged.history, staged.at).findings
        found = tuple(finding for finding in found if finding.status in ACTING and finding.start is not None)
        source = f"{rule.id}:{number}"
        is_hit = number < len(examples.hit) and rule.category in CATEGORIES
        if not found and not is_hit:
            yield plain_text(source, BATCH, example, kind="passage")
        elif found and is_hit and all(map(_is_plain, found)):
            spans = {
                Span(category=one.category, start=one.start, end=one.end, part="body")
                for one in found
                if one.start is not None and one.end is not None and one.category in CATEGORIES
            }
            yield plain_text(source, BATCH, example, kind="passage", spans=tuple(sorted(spans, key=str)))


def _is_plain(finding: Finding) -> bool:
    return finding.part == "body" and not finding.softened and finding.attribution is Attribution.OWN
