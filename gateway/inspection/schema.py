"""What a rule, a list and policy.yaml may hold: the words of the rule language, and their bounds.

Owns names, types and ranges of single values. Refuses to know files, places and how values of different files hang
together: `rules` does. Fields here are the fields of rules/schema.json.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, StrictBool, Tag

from gateway.model import (
    Action,
    CategoryPolicy,
    Combinations,
    ContactRole,
    PartyPolicy,
    PassageKind,
    RuleStatus,
    Severity,
    UnreadableReason,
)


def _one_or_many(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


Text = Annotated[str, Field(min_length=1, max_length=2000)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=2000)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
RuleId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
Within = Literal["sentence", "neighbours", "message"]
Where = Literal["anywhere", "sign-off"]
Effect = Literal["flag", "hold"]
Combined = Literal["flag", "hold", "none"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PhraseCondition(_Entry):
    """Words in order, by their lemmas (fancied a drink = fancy a drink) or exactly as they stand."""

    phrase: Texts
    by: Literal["lemma", "form"] = "lemma"
    within: Within = "sentence"
    where: Where = "anywhere"


class RegexCondition(_Entry):
    """RE2 patterns over one sentence as folded by `shadow`."""

    regex: Texts
    case: Literal["ignore", "exact"] = "ignore"
    within: Within = "sentence"
    where: Where = "anywhere"


class ListCondition(_Entry):
    """Shared lists, by name."""

    list: Annotated[tuple[Slug, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=20)]
    within: Within = "sentence"
    where: Where = "anywhere"


class CueCondition(_Entry):
    """A relation between people in a sentence, by its name in `cues`."""

    cue: Slug
    min: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.5
    within: Within = "sentence"


class RefusalCondition(_Entry):
    """The contact said no in the thread: the list named refusals is found in quoted text."""

    quoted_refusal: Literal[True]
    within: Literal["message"] = "message"


CONDITION_KINDS = ("phrase", "regex", "list", "cue", "quoted_refusal")


def _kind(value: Any) -> str | None:
    found = [kind for kind in CONDITION_KINDS if isinstance(value, dict) and kind in value]
    return found[0] if len(found) == 1 else None


Condition = Annotated[
    Annotated[PhraseCondition, Tag("phrase")]
    | Annotated[RegexCondition, Tag("regex")]
    | Annotated[ListCondition, Tag("list")]
    | Annotated[CueCondition, Tag("cue")]
    | Annotated[RefusalCondition, Tag("quoted_refusal")],
    Discriminator(
        _kind,
        custom_error_type="condition_kind",
        custom_error_message="a condition needs exactly one of " + ", ".join(CONDITION_KINDS),
    ),
]


class ScopeEntry(_Entry):
    """Which contacts and which parts of a message a rule is about; left out: all."""

    contact_role: Annotated[tuple[ContactRole, ...], BeforeValidator(_one_or_many)] = ()
    part: Annotated[tuple[PassageKind, ...], BeforeValidator(_one_or_many)] = ()


class ExceptionEntry(_Entry):
    """Words whose own text cannot make the rule fire, who answers for that, why, and until when."""

    name: Slug
    phrase: Texts | None = None
    regex: Texts | None = None
    by: Literal["lemma", "form"] = "lemma"
    owner: Text
    reason: Text
    expires: date


class ExampleEntry(_Entry):
    """A message as an example: its new text, subject, what it quotes, and whether the finding is softened."""

    subject: str = ""
    body: str = ""
    quoted: str = ""
    attachment_name: str = ""
    softened: StrictBool | None = None


Example = Annotated[Text | ExampleEntry, Field(union_mode="left_to_right")]


class ExamplesEntry(_Entry):
    """Messages that must make the rule fire, and near misses that must not."""

    hit: tuple[Example, ...] = ()
    miss: tuple[Example, ...] = ()


class RuleEntry(_Entry):
    """One rule file."""

    id: RuleId
    version: Annotated[int, Field(strict=True, ge=1)]
    kind: Literal["content", "safety"] = "content"
    status: RuleStatus
    changed: date | None = None
    title: Text
    why: Text
    guidance: Text
    severity: Severity = Severity.LOW
    points: Annotated[int, Field(strict=True, ge=0, le=20)] = 0
    scope: ScopeEntry = ScopeEntry()
    match: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z_][\w-]*$", max_length=60)], Condition],
        Field(min_length=1),
    ]
    when: Text | None = None
    softened_by: Text | None = None
    attribution: StrictBool = True
    exceptions: tuple[ExceptionEntry, ...] = ()
    false_positives: Texts
    blind_spots: Texts
    for_reviewer: Text
    examples: ExamplesEntry


class ListEntry(_Entry):
    """One file under lists/."""

    list: Slug
    owner: Text
    reason: Text
    softens_only: StrictBool = False
    by: Literal["lemma", "form"] = "lemma"
    case: Literal["ignore", "exact"] = "ignore"
    phrases: tuple[Text, ...] = ()
    regexes: tuple[Text, ...] = ()


class CategoryEntry(_Entry):
    """What findings of one category do alone."""

    hold_from: Literal["low", "medium", "high", "critical", "never"]
    again: Effect = "flag"

    def policy(self) -> CategoryPolicy:
        """Return it as the core's value."""
        hold_from = None if self.hold_from == "never" else Severity(self.hold_from)
        return CategoryPolicy(hold_from=hold_from, again=Action(self.again))


def action_of(value: str) -> Action:
    """Return the action that an effect stands for; ``none`` asks for nothing."""
    return Action.PASS if value == "none" else Action(value)


class CombinationsEntry(_Entry):
    """What a finding that only flags does in company."""

    two_categories: Combined
    vulnerable_contact: Combined
    sender_not_assigned: Combined
    closed_case: Combined
    earlier_findings: Combined

    def policy(self) -> Combinations:
        """Return it as the core's value."""
        return Combinations(**{name: action_of(value) for name, value in self.model_dump().items()})


class PartiesEntry(_Entry):
    """What the people and addresses of a message do."""

    do_not_contact: Combined
    no_email_consent: Combined
    senders_disagree: Combined
    private_copy: Combined

    def policy(self) -> PartyPolicy:
        """Return it as the core's value."""
        return PartyPolicy(**{name: action_of(value) for name, value in self.model_dump().items()})


class PolicyEntry(_Entry):
    """policy.yaml: the only place with numbers that act."""

    version: Annotated[int, Field(strict=True, ge=1)]
    flag_at: Annotated[int, Field(strict=True, ge=1, le=1000)]
    hold_at: Annotated[int, Field(strict=True, ge=1, le=1000)]
    categories: dict[Slug, CategoryEntry]
    combinations: CombinationsEntry
    closed_case_days: Annotated[int, Field(strict=True, ge=0, le=3650)]
    parties: PartiesEntry
    unreadable: dict[UnreadableReason, Combined]
    known_files: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    also_hold: tuple[Text, ...] = ()
    languages: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...], Field(min_length=1, max_length=50)
    ] = ("en",)
