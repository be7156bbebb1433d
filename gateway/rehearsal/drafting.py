"""A rule that somebody is writing: what is wrong with it, and what the set with it in would make of a message.

Pure. Owns where an unfinished rule stands in a set, and which mistakes are its own. The rest of the set is taken as it is in
force. Refuses to know who writes it and whether it is ever kept.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gateway import inspection
from gateway.errors import Mistake, Mistakes
from gateway.inspection import lint
from gateway.inspection.bundle import MAX_FILE_BYTES, Bundle, BundleFile
from gateway.inspection.nodes import parse
from gateway.rehearsal.explanation import Explanation, explain
from gateway.rehearsal.judging import Judge, Sample

_UNNAMED = "pasted/rule.yaml"
"""Where a text stands that does not say what it is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What became of an unfinished rule.

    ``rule`` is its id, empty where the text has none; ``mistakes`` are those of load and gate grade, ``loads`` whether the
    set would be loaded with it. ``explanation`` is of the message, if there was one, by the set with the rule in.
    """

    rule: str
    loads: bool
    mistakes: tuple[Mistake, ...]
    explanation: Explanation | None = None


def drafted(judge: Judge, text: str, sample: Sample | None, *, language: bool, at: datetime) -> Draft:
    """Return what becomes of the set of ``judge`` with ``text`` as one of its rules. Never raises on odd text.

    A rule of the same id is replaced. ``at`` is now, for exceptions that end. Draft rules run, and never act.
    """
    if len(text.encode("utf-8", "replace")) > MAX_FILE_BYTES:
        what = f"larger than {MAX_FILE_BYTES} octets"
        return Draft(rule="", loads=False, mistakes=(Mistake(file=_UNNAMED, what=what, remedy="split it"),))
    bundle, rule_id = _with(judge.bundle, text)
    try:
        tried = Judge(bundle, language=language, drafts=True)
        rules = inspection.rules_of(bundle)
    except Mistakes as wrong:
        return Draft(rule=rule_id, loads=False, mistakes=wrong.mistakes)
    alone = replace(
        rules,
        rules=tuple(rule for rule in rules.rules if rule.id == rule_id),
        lists_used=frozenset(rules.lists),
    )
    return Draft(
        rule=rule_id,
        loads=True,
        mistakes=lint.gate(alone, tried.engine, at),
        explanation=None if sample is None else explain(tried, sample),
    )


def _with(bundle: Bundle, text: str) -> tuple[Bundle, str]:
    """Return ``bundle`` with ``text`` where its id says it stands, and that id."""
    document, _ = parse("", text)
    value = document.value if document is not None else None
    found = value.get("id") if isinstance(value, dict) else None
    rule_id = found if isinstance(found, str) else ""
    folder, dot, stem = rule_id.partition(".")
    is_path = dot and all(part.replace("-", "").isalnum() and part.isascii() for part in (folder, stem))
    name = f"{folder}/{stem}.yaml" if is_path else _UNNAMED
    layer = max((file.layer for file in bundle.files if file.name == name), default=len(bundle.folders) - 1)
    others = tuple(file for file in bundle.files if (file.layer, file.name) != (layer, name))
    ordered = sorted((*others, BundleFile(layer, name, text)), key=lambda file: (file.layer, file.name))
    return replace(bundle, files=tuple(ordered)), rule_id
