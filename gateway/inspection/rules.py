"""Bundle -> RuleSet: what the rule files mean together, and everything that is wrong with them.

Owns how files hang together: where a rule may stand, which names refer to which, what overrides what. Values of one
file are `schema`'s, YAML is `nodes`'s, patterns are compiled by `matching`. All mistakes are found in one run, each
with file, line and column. These are the *load* grade (DECISIONS 17): a set that has one is not loaded. What only a
promotion needs (examples that come true, lists that are used) is `lint`'s.
"""

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.errors import Mistake
from gateway.inspection import schema
from gateway.inspection.bundle import Bundle, BundleFile
from gateway.inspection.complaints import closest, complaint
from gateway.inspection.cues import CATEGORIES
from gateway.inspection.matching import pattern_problem
from gateway.inspection.nodes import MAX_SHOWN, Document, parse
from gateway.inspection.relations.named import RELATIONS
from gateway.inspection.weight import overweight
from gateway.inspection.when import AtLeast, Expression, Name, WhenMistake, names
from gateway.inspection.when import parse as parse_when
from gateway.model import (
    ContactRole,
    HouseStyle,
    PassageKind,
    Policy,
    RuleStatus,
    Severity,
    UnreadableReason,
)

REFUSALS: Final = "refusals"
"""The list that `quoted_refusal` looks for in quoted text."""
DISCLAIMERS: Final = "disclaimers"
"""The list that no rule uses: its texts are set aside before any rule sees them."""
_Entry = TypeVar("_Entry", bound=BaseModel)
_WRAPPED: Final = re.compile(r"\(\?mi?\)\(\?:(.*)\)\Z", re.DOTALL)
"""What `matching` puts around an expression, in a complaint of RE2 that quotes the whole of it."""
PATTERNS: Final = "patterns"
"""The folder, and the category, of rules over findings."""


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """Something to find in a sentence: ``kind`` is lemma, form, regex or regex-exact."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of ``match``: patterns, a relation or a cue by its name; the others are facts of the message.

    ``min`` is 0 where policy's threshold of the cue applies.
    """

    name: str
    patterns: tuple[Pattern, ...] = ()
    within: str = "sentence"
    sign_off: bool = False
    relation: str = ""
    cue: str = ""
    min: float = 0.0
    refusal: bool = False
    conduct: schema.ConductEntry | None = None

    @property
    def is_fact(self) -> bool:
        """Return whether it is true or false of the message as a whole, not of a sentence."""
        return self.refusal or self.conduct is not None


@dataclass(frozen=True, slots=True)
class RuleException:
    """Words that cannot make the rule fire, until the end of ``expires``."""

    name: str
    patterns: tuple[Pattern, ...]
    expires: date


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, its names resolved. ``roles`` and ``parts`` empty mean all; a pattern has ``of`` and no conditions."""

    id: str
    version: int
    status: RuleStatus
    safety: bool
    title: str
    why: str
    severity: Severity
    points: int
    roles: frozenset[ContactRole]
    parts: frozenset[PassageKind]
    conditions: Mapping[str, Condition]
    when: Expression
    softened_by: Expression | None
    attribution: bool
    exceptions: tuple[RuleException, ...]
    for_reviewer: str
    entry: schema.RuleEntry
    document: Document
    of: frozenset[str] = frozenset()
    distinct: str = ""
    at_least: int = 0
    within: timedelta = timedelta()

    @property
    def is_pattern(self) -> bool:
        """Return whether the rule looks at findings, not at a message."""
        return bool(self.of)

    @property
    def category(self) -> str:
        """Return the category: the part of the id before the dot."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in the order of their ids, the refusal patterns, and the policy."""

    rules: tuple[Rule, ...]
    refusals: tuple[Pattern, ...]
    policy: Policy
    lists: Mapping[str, Document]
    lists_used: frozenset[str]
    overridden: tuple[str, ...]


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    mistakes: list[Mistake] = field(default_factory=list)
    lists: dict[str, tuple[schema.ListEntry, Document]] = field(default_factory=dict)
    rules: dict[str, tuple[int, schema.RuleEntry, Document]] = field(default_factory=dict)
    broken_lists: set[str] = field(default_factory=set)
    retired: dict[str, str] = field(default_factory=dict)
    policy: tuple[schema.PolicyEntry, Document] | None = None
    policy_text: str = ""
    used: set[str] = field(default_factory=set)
    overridden: list[str] = field(default_factory=list)


def rule_set(bundle: Bundle) -> tuple[RuleSet | None, tuple[Mistake, ...]]:
    """Return the rules of ``bundle``, or None and every mistake of load grade. Never raises."""
    reading = _Reading()
    for file in bundle.files:
        _read_one(bundle, file, reading)
    read = ((entry, document) for _, entry, document in reading.rules.values())
    too_heavy = overweight(reading.lists.values(), read)
    if too_heavy is not None:
        return None, (*reading.mistakes, too_heavy)
    for entry, document in reading.lists.values():
        reading.mistakes += _list_mistakes(entry, document)
    policy = _policy(bundle, reading)
    rules = tuple(rule for entry in sorted(reading.rules) if (rule := _rule(entry, reading)) is not None)
    if reading.mistakes or policy is None:
        return None, tuple(reading.mistakes)
    refusals = _list_patterns(reading.lists[REFUSALS][0]) if REFUSALS in reading.lists else ()
    lists = MappingProxyType({name: document for name, (_, document) in reading.lists.items()})
    used = frozenset(reading.used)
    return RuleSet(rules, refusals, policy, lists, used, tuple(reading.overridden)), ()


def policy_of_bundle(bundle: Bundle) -> tuple[Policy | None, tuple[Mistake, ...]]:
    """Return policy.yaml alone, without reading a single rule."""
    reading = _Reading()
    for file in bundle.files:
        if file.name == "policy.yaml":
            _read_one(bundle, file, reading)
    policy = _policy(bundle, reading, alone=True)
    return policy, tuple(reading.mistakes)


def house_style_of_bundle(bundle: Bundle) -> tuple[HouseStyle, tuple[Mistake, ...]]:
    """Return what `extract` must know of the force: its disclaimers. No list is none; reads no rule."""
    reading = _Reading()
    for file in bundle.files:
        if file.name == f"lists/{DISCLAIMERS}.yaml":
            _read_one(bundle, file, reading)
    entry = reading.lists.get(DISCLAIMERS)
    return HouseStyle(disclaimers=entry[0].phrases if entry else ()), tuple(reading.mistakes)


# --- one file -----------------------------------------------------------------------------------------------


def _read_one(bundle: Bundle, file: BundleFile, reading: _Reading) -> None:
    name = bundle.shown(file)
    document, mistakes = parse(name, file.text)
    reading.mistakes += mistakes
    if document is None:
        return
    folder, _, leaf = file.name.rpartition("/")
    stem = leaf.removesuffix(".yaml")
    if not isinstance(document.value, dict):
        reading.mistakes.append(document.mistake((), "not a mapping", "write `key: value` lines"))
    elif file.name == "policy.yaml":
        _read_policy(document, file, reading)
    elif folder == "lists":
        _read_list(document, stem, reading)
    elif folder == "retired":
        reading.retired[str(document.value.get("id", stem))] = name
    elif not folder or "/" in folder:
        remedy = "a rule stands in the folder of its category: CATEGORY/NAME.yaml"
        reading.mistakes.append(document.mistake((), "a rule in the wrong place", remedy))
    else:
        _read_rule(document, file, f"{folder}.{stem}", reading)


def _validated(model: type[_Entry], document: Document, reading: _Reading) -> _Entry | None:
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        reading.mistakes += [complaint(document, model, problem) for problem in error.errors()[:MAX_SHOWN]]
        return None


# --- policy and lists ---------------------------------------------------------------------------------------


def _read_policy(document: Document, file: BundleFile, reading: _Reading) -> None:
    entry = _validated(schema.PolicyEntry, document, reading)
    if entry is None:
        return
    if reading.policy is not None:
        reading.overridden.append("policy.yaml")
    reading.policy = (entry, document)
    reading.policy_text = file.text
    for reason in UnreadableReason:
        if reason not in entry.unreadable:
            what = f"policy says nothing about {reason.value}"
            reading.mistakes.append(document.mistake(("unreadable",), what, f"write `{reason.value}: hold`"))
    if entry.hold_at < entry.flag_at:
        what = "hold_at is below flag_at"
        reading.mistakes.append(
            document.mistake(("hold_at",), what, "holding asks for more points than flagging")
        )
    for key in ("also_hold", "notification_senders"):
        for number, address in enumerate(getattr(entry, key)):
            if "@" not in address:
                remedy = "write an address, or @domain for all of a domain"
                reading.mistakes.append(document.mistake((key, number), f"{address!r} is no address", remedy))


def _policy(bundle: Bundle, reading: _Reading, *, alone: bool = False) -> Policy | None:
    if reading.policy is None:
        folder = bundle.folders[0] if bundle.folders else "rules"
        if not any(mistake.file.endswith("policy.yaml") for mistake in reading.mistakes):
            remedy = "copy policy.yaml from the gateway's own rules"
            reading.mistakes.append(
                Mistake(file=f"{folder}/policy.yaml", what="there is no policy", remedy=remedy)
            )
        return None
    entry, document = reading.policy
    if not alone:
        _check_categories(entry, document, reading)
    return Policy(
        hash=hashlib.sha256(reading.policy_text.encode()).hexdigest(),
        rules_hash=bundle.hash,
        flag_at=entry.flag_at,
        hold_at=entry.hold_at,
        categories={name: category.policy() for name, category in entry.categories.items()},
        combinations=entry.combinations.policy(),
        parties=entry.parties.policy(),
        unreadable={reason: schema.action_of(effect) for reason, effect in entry.unreadable.items()},
        known_files=frozenset(entry.known_files),
        secure_mail=frozenset(entry.secure_mail),
        closed_case_days=entry.closed_case_days,
        also_hold=tuple(address.lower() for address in entry.also_hold),
        languages=entry.languages,
        timezone=entry.timezone,
        notification_senders=frozenset(address.lower() for address in entry.notification_senders),
        weights=frozenset(entry.weights),
        cues={name: cue.policy() for name, cue in entry.cues.items()},
        doubt=entry.doubt,
        doubt_surely=entry.doubt_surely,
    )


def _check_categories(entry: schema.PolicyEntry, document: Document, reading: _Reading) -> None:
    for rule_id, (_, rule, rule_document) in reading.rules.items():
        category = rule_id.partition(".")[0]
        if rule.kind != "safety" and category not in {*entry.categories, "safety"}:
            what = f"policy says nothing about the category {category!r}"
            remedy = f"add it under `categories` in {document.name}"
            reading.mistakes.append(rule_document.mistake(("id",), what, remedy))
    for number, rule_id in enumerate(entry.weights):
        if rule_id not in reading.rules:
            what, remedy = f"there is no rule {rule_id!r}", closest(rule_id, reading.rules)
            reading.mistakes.append(document.mistake(("weights", number), what, remedy))


def _read_list(document: Document, stem: str, reading: _Reading) -> None:
    entry = _validated(schema.ListEntry, document, reading)
    if entry is None:
        reading.broken_lists.add(stem)
        return
    if entry.list != stem:
        remedy = f"write `list: {stem}`, or rename the file"
        reading.mistakes.append(
            document.mistake(("list",), f"the list is called {entry.list!r} in {stem}.yaml", remedy)
        )
    if not entry.phrases and not entry.regexes:
        reading.mistakes.append(document.mistake((), "the list is empty", "give it phrases or regexes"))
    if entry.list in reading.lists:
        reading.overridden.append(f"lists/{entry.list}")
    reading.lists[entry.list] = (entry, document)
    if entry.list == DISCLAIMERS:
        reading.used.add(DISCLAIMERS)
        if entry.regexes:
            remedy = "write the sentences themselves under phrases"
            reading.mistakes.append(document.mistake(("regexes",), "a disclaimer is no regex", remedy))


def _list_mistakes(entry: schema.ListEntry, document: Document) -> Iterator[Mistake]:
    if entry.list == DISCLAIMERS:
        return
    for key, kind in (("phrases", entry.by), ("regexes", _regex_kind(entry.case))):
        yield from _pattern_mistakes(document, (key,), kind, getattr(entry, key))


def _regex_kind(case: str) -> str:
    return "regex" if case == "ignore" else "regex-exact"


def _list_patterns(entry: schema.ListEntry) -> tuple[Pattern, ...]:
    phrases = (Pattern(entry.by, text) for text in entry.phrases)
    return (*phrases, *(Pattern(_regex_kind(entry.case), text) for text in entry.regexes))


def _pattern_mistakes(
    document: Document, path: tuple[str | int, ...], kind: str, texts: Iterable[str]
) -> Iterator[Mistake]:
    for number, text in enumerate(texts):
        problem = pattern_problem(kind, text)
        if problem is not None:
            what = _WRAPPED.sub(r"\1", problem[0])
            refused = text.find(what.rpartition(": ")[2]) if what.startswith("RE2 ") else 0
            yield document.mistake((*path, number), what, problem[1], shift=max(refused, 0))


# --- rules --------------------------------------------------------------------------------------------------


def _read_rule(document: Document, file: BundleFile, expected: str, reading: _Reading) -> None:
    entry = _validated(schema.RuleEntry, document, reading)
    if entry is None:
        return
    if entry.id != expected:
        remedy = f"write `id: {expected}`, or move the file to {entry.id.replace('.', '/')}.yaml"
        reading.mistakes.append(
            document.mistake(("id",), f"the id {entry.id!r} does not say where the file is", remedy)
        )
    if (entry.kind == "safety") != expected.startswith("safety."):
        remedy = "rules of kind safety, and only they, stand in safety/"
        reading.mistakes.append(document.mistake(("kind",), f"a rule of kind {entry.kind}", remedy))
    if (entry.kind == "pattern") != expected.startswith(f"{PATTERNS}."):
        remedy = "rules of kind pattern, and only they, stand in patterns/"
        reading.mistakes.append(document.mistake(("kind",), f"a rule of kind {entry.kind}", remedy))
    else:
        reading.mistakes += _shape_mistakes(entry, document)
    if entry.kind != "safety" and not {"severity", "points"} <= entry.model_fields_set:
        remedy = "give severity (low, medium, high, critical) and points (0 to 20)"
        reading.mistakes.append(document.mistake(("id",), "severity or points are missing", remedy))
    earlier = reading.rules.get(entry.id)
    if earlier is not None and earlier[0] == file.layer:
        what = f"the id {entry.id!r} stands in {earlier[2].name} too"
        reading.mistakes.append(document.mistake(("id",), what, "an id belongs to one rule"))
    elif earlier is not None:
        reading.overridden.append(entry.id)
    reading.rules[entry.id] = (file.layer, entry, document)


_OF_PATTERNS: Final = ("of", "at_least", "within")
_OF_WORDS: Final = ("match", "when", "softened_by", "exceptions")


def _shape_mistakes(entry: schema.RuleEntry, document: Document) -> Iterator[Mistake]:
    """Yield what a rule over findings lacks or has too much of, and what one over messages does."""
    needed, wrong = (_OF_PATTERNS, _OF_WORDS) if entry.kind == "pattern" else (("match",), _OF_PATTERNS)
    for key in needed:
        if not getattr(entry, key):
            yield document.mistake((key,), f"the key {key!r} is missing", f"write `{key}:` here")
    for key in wrong:
        if getattr(entry, key):
            remedy = "take it out" if entry.kind == "pattern" else "take it out, or write `kind: pattern`"
            yield document.mistake((key,), f"a rule of kind {entry.kind} has no {key!r}", remedy)


def _pattern_rule(rule_id: str, reading: _Reading) -> Rule | None:
    """Return a rule over findings."""
    _, entry, document = reading.rules[rule_id]
    before = len(reading.mistakes)
    known = {*reading.rules, *(name.partition(".")[0] for name in reading.rules)}
    for number, name in enumerate(entry.of):
        if name not in known:
            what, remedy = f"there is no rule and no category {name!r}", closest(name, known)
            reading.mistakes.append(document.mistake(("of", number), what, remedy))
        elif name.partition(".")[0] == PATTERNS:
            what, remedy = f"{name!r} is itself a pattern", "name what it is made of"
            reading.mistakes.append(document.mistake(("of", number), what, remedy))
    if len(reading.mistakes) > before or entry.at_least is None or entry.within is None:
        return None
    return Rule(
        id=entry.id, version=entry.version, status=entry.status, safety=False, title=entry.title, why=entry.why,
        severity=entry.severity, points=entry.points, roles=frozenset(entry.scope.contact_role), parts=frozenset(),
        conditions=MappingProxyType({}), when=AtLeast(1, ()), softened_by=None, attribution=False, exceptions=(),
        for_reviewer=entry.for_reviewer, entry=entry, document=document, of=frozenset(entry.of),
        distinct=entry.distinct, at_least=entry.at_least, within=entry.within,
    )  # fmt: skip


def _rule(rule_id: str, reading: _Reading) -> Rule | None:
    _, entry, document = reading.rules[rule_id]
    if rule_id in reading.retired:
        what = f"the id {rule_id!r} is retired ({reading.retired[rule_id]})"
        reading.mistakes.append(document.mistake(("id",), what, "take an id that was never used"))
    if entry.kind == "pattern":
        return _pattern_rule(rule_id, reading)
    if not entry.match:
        return None
    before = len(reading.mistakes)
    conditions = {name: _condition(name, entry, document, reading) for name in entry.match}
    exceptions = tuple(
        _exception(number, entry, document, reading) for number in range(len(entry.exceptions))
    )
    softened_by = _expression("softened_by", entry, document, reading)
    condition_names = [name for name in conditions if softened_by is None or name not in _named(softened_by)]
    written = _expression("when", entry, document, reading) if entry.when is not None else None
    expression = written or AtLeast(1, tuple(Name(name, 0) for name in condition_names))
    reading.mistakes += _name_mistakes(entry, document, expression, softened_by, reading)
    if len(reading.mistakes) > before:
        return None
    return Rule(
        id=entry.id, version=entry.version, status=entry.status, safety=entry.kind == "safety", title=entry.title,
        why=entry.why, severity=entry.severity, points=entry.points, roles=frozenset(entry.scope.contact_role),
        parts=frozenset(entry.scope.part), conditions=MappingProxyType(conditions), when=expression,
        softened_by=softened_by, attribution=entry.attribution, exceptions=exceptions,
        for_reviewer=entry.for_reviewer, entry=entry, document=document,
    )  # fmt: skip


def _named(expression: Expression) -> set[str]:
    return {name.name for name, _ in names(expression)}


def _expression(
    key: str, entry: schema.RuleEntry, document: Document, reading: _Reading
) -> Expression | None:
    text: str | None = getattr(entry, key)
    if text is None:
        return None
    try:
        return parse_when(text)
    except WhenMistake as problem:
        reading.mistakes.append(document.mistake((key,), problem.what, problem.remedy, shift=problem.offset))
        return None


def _name_mistakes(
    entry: schema.RuleEntry,
    document: Document,
    expression: Expression,
    softened_by: Expression | None,
    reading: _Reading,
) -> Iterator[Mistake]:
    used: set[str] = set()
    for key, tree in (("when", expression), ("softened_by", softened_by)):
        for name, negated in names(tree) if tree is not None else ():
            used.add(name.name)
            if name.name not in entry.match:
                close = difflib.get_close_matches(name.name, entry.match, n=1)
                remedy = f"did you mean {close[0]!r}?" if close else f"`match` names {', '.join(entry.match)}"
                what = f"{name.name!r} is no condition of this rule"
                yield document.mistake((key,), what, remedy, shift=name.offset)
            elif negated and key == "when" and getattr(entry.match[name.name], "cue", "") in CATEGORIES:
                remedy = "let `softened_by` name it: how sure a model is may never silence a rule"
                what = f"{name.name!r} stands under not, and it is a language cue"
                yield document.mistake((key,), what, remedy, shift=name.offset)
            elif negated and key == "when" and _is_silenced(entry, name.name, reading):
                remedy = "move it to softened_by: a case anchor may soften a finding, never silence it"
                what = f"{name.name!r} stands under not, and its list only softens"
                yield document.mistake((key,), what, remedy, shift=name.offset)
    for unused in entry.match:
        if unused not in used and (entry.when is not None or entry.softened_by is not None):
            yield document.mistake(
                ("match", unused), f"the condition {unused!r} is never used", "use it, or delete it"
            )
    positive = {name.name for name, negated in names(expression) if not negated}
    spoken = [entry.match[name] for name in positive if name in entry.match]
    if spoken and all(isinstance(condition, schema.RefusalCondition) for condition in spoken):
        remedy = "join it with a condition over the officer's own words"
        yield document.mistake(("when",), "the rule asks for nothing in the officer's own words", remedy)
    if not positive:
        yield document.mistake(("when",), "the rule asks only what must not be", "name what must be found")


def _is_silenced(entry: schema.RuleEntry, name: str, reading: _Reading) -> bool:
    """Return whether a list that only softens is made to silence. Conduct may ask whether the case is named at all."""
    return not entry.id.startswith("conduct.") and _softens_only(entry.match[name], reading)


def _softens_only(condition: object, reading: _Reading) -> bool:
    names = condition.list if isinstance(condition, schema.ListCondition) else ()
    return any(reading.lists[name][0].softens_only for name in names if name in reading.lists)


def _condition(name: str, entry: schema.RuleEntry, document: Document, reading: _Reading) -> Condition:
    condition = entry.match[name]
    path = ("match", name)
    match condition:
        case schema.PhraseCondition():
            patterns = tuple(Pattern(condition.by, text) for text in condition.phrase)
            reading.mistakes += _pattern_mistakes(document, (*path, "phrase"), condition.by, condition.phrase)
        case schema.RegexCondition():
            kind = _regex_kind(condition.case)
            patterns = tuple(Pattern(kind, text) for text in condition.regex)
            reading.mistakes += _pattern_mistakes(document, (*path, "regex"), kind, condition.regex)
        case schema.ListCondition():
            patterns = _from_lists(condition, document, path, reading)
        case schema.CueCondition():
            reading.mistakes += _cue_mistakes(condition, document, path)
            relation = condition.cue if condition.cue in RELATIONS else ""
            cue, least = ("", condition.min or 0.5) if relation else (condition.cue, condition.min or 0.0)
            return Condition(name, within=condition.within, relation=relation, cue=cue, min=least)
        case schema.RefusalCondition():
            if REFUSALS not in reading.lists:
                what, remedy = f"quoted_refusal needs the list {REFUSALS!r}", f"write lists/{REFUSALS}.yaml"
                reading.mistakes.append(document.mistake(path, what, remedy))
            reading.used.add(REFUSALS)
            return Condition(name, within="message", refusal=True)
        case schema.ConductCondition():
            return Condition(name, within="message", conduct=condition.conduct)
    return Condition(name, patterns, condition.within, sign_off=condition.where == "sign-off")


def _from_lists(
    condition: schema.ListCondition, document: Document, path: tuple[str | int, ...], reading: _Reading
) -> tuple[Pattern, ...]:
    patterns: list[Pattern] = []
    for name in condition.list:
        reading.used.add(name)
        if name == DISCLAIMERS:
            what = "no rule can use the disclaimers: they are set aside before rules look"
            reading.mistakes.append(document.mistake((*path, "list"), what, "name another list"))
            continue
        if name in reading.lists:
            patterns += _list_patterns(reading.lists[name][0])
            continue
        if name in reading.broken_lists:
            continue
        close = difflib.get_close_matches(name, reading.lists, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"write lists/{name}.yaml"
        reading.mistakes.append(document.mistake((*path, "list"), f"there is no list {name!r}", remedy))
    return tuple(patterns)


def _cue_mistakes(
    condition: schema.CueCondition, document: Document, path: tuple[str | int, ...]
) -> Iterator[Mistake]:
    known = (*CATEGORIES, *RELATIONS)
    if condition.cue not in known:
        close = difflib.get_close_matches(condition.cue, known, n=1)
        remedy = f"did you mean {close[0]!r}?" if close else f"known cues: {', '.join(known)}"
        yield document.mistake((*path, "cue"), f"there is no cue {condition.cue!r}", remedy)


def _exception(number: int, entry: schema.RuleEntry, document: Document, reading: _Reading) -> RuleException:
    exception = entry.exceptions[number]
    path = ("exceptions", number)
    if (exception.phrase is None) == (exception.regex is None):
        what = f"the exception {exception.name!r} needs a phrase or a regex, one of them"
        reading.mistakes.append(document.mistake(path, what, "give the words it is about"))
    phrases, regexes = exception.phrase or (), exception.regex or ()
    reading.mistakes += _pattern_mistakes(document, (*path, "phrase"), exception.by, phrases)
    reading.mistakes += _pattern_mistakes(document, (*path, "regex"), "regex", regexes)
    patterns = (
        *(Pattern(exception.by, text) for text in phrases),
        *(Pattern("regex", text) for text in regexes),
    )
    return RuleException(exception.name, patterns, exception.expires)
