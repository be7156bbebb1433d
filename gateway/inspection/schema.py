"""What a rule, a list and policy.yaml may hold: the words of the rule language, and their bounds.

Owns names, types and ranges of single values. Refuses to know files, places and how values of different files hang
together: `rules` does. Fields here are the fields of rules/schema.json.
"""

import zoneinfo
from datetime import date, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    model_validator,
)

from gateway.inspection.cues import CATEGORIES
from gateway.model import (
    Action,
    CategoryPolicy,
    Combinations,
    ContactRole,
    CueThresholds,
    PartyPolicy,
    PassageKind,
    RuleStatus,
    Severity,
    UnreadableReason,
)


def _one_or_many(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


Text = Annotated[str, Field(min_length=1, max_length=2000)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_many), Field(min_length=1, max_length=2000)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
RuleId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$", max_length=120)]
Within = Literal["sentence", "neighbours", "message"]
Where = Literal["anywhere", "sign-off"]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _stretch(value: Any) -> timedelta:
    text = str(value).strip()
    if not (text[:-1].isdigit() and text[-1] in _UNITS and 0 < int(text[:-1]) <= 10_000):
        raise ValueError("write a number and m, h or d, such as 24h or 21d")
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def _hours(value: Any) -> tuple[time, time]:
    try:
        begin, end = (time.fromisoformat(each.strip()) for each in str(value).split("-"))
    except ValueError:
        raise ValueError('write two times in quotation marks, such as "06:00-22:00"') from None
    if begin >= end or begin.tzinfo or end.tzinfo:
        raise ValueError("the first time of the day comes first; what lies outside is meant")
    return begin, end


def _category(name: str) -> str:
    if name not in (*CATEGORIES, "default"):
        raise ValueError(f"there are cues of {', '.join(CATEGORIES)}, and `default` for the rest")
    return name


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("there is no such time zone; write one such as Europe/London") from None
    return name


Stretch = Annotated[timedelta, BeforeValidator(_stretch, json_schema_input_type=str)]
Hours = Annotated[tuple[time, time], BeforeValidator(_hours, json_schema_input_type=str)]
Effect = Literal["flag", "hold"]
Probability = Annotated[float, Field(strict=True, gt=0, le=1)]
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
    """A language cue by its category, or a relation between people in a sentence by its name."""

    cue: Slug
    min: Probability | None = None
    """How sure it must be; left out: for a category what policy.yaml says under `cues`, for a relation 0.5."""
    within: Within = "sentence"


class RefusalCondition(_Entry):
    """The contact said no in the thread: the list named refusals is found in quoted text."""

    quoted_refusal: Literal[True]
    within: Literal["message"] = "message"


class Count(_Entry):
    """More than so many messages within a stretch of time that ends with this one, which counts too."""

    more_than: Annotated[int, Field(strict=True, ge=0, le=1000)]
    within: Stretch


class ConductEntry(_Entry):
    """What may be asked of a message beside its words; all keys of one condition must be true.

    Times are those of the zone in policy.yaml: when the message arrived, or its Date for `gateway scan`.
    """

    sent_outside: Hours | None = None
    """Sent outside these hours of the day."""
    sent_on: Annotated[
        tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...],
        BeforeValidator(_one_or_many),
    ] = ()
    """Sent on one of these days."""
    messages_to_contact: Count | None = None
    """The officer wrote to one of the contacts more often than this."""
    unanswered: Count | None = None
    """... since the contact last wrote, as far as our own mail shows it (In-Reply-To, quotes)."""
    first_message: StrictBool | None = None
    """The officer has written to none of the contacts before, as far back as the history goes."""
    case: Literal["open", "closed"] | None = None
    """closed: a contact has no open case, and none closed within policy's `closed_case_days`."""
    assigned: StrictBool | None = None
    """The officer, or the officer's team, is on a case of every contact."""
    case_reference: StrictBool | None = None
    """The new words name a case of the contact by the registry's reference."""
    copied_to: Literal["private-address", "unregistered-address"] | None = None
    """A private address of the sender's, or one that looks like the contact's and is not registered."""
    dropped_copy: StrictBool | None = None
    """Somebody who was copied earlier in the thread no longer is."""
    earlier_refusal: StrictBool | None = None
    """Earlier mail to one of the contacts quoted a refusal of theirs."""
    contact: Annotated[
        tuple[Literal["vulnerable", "child", "do-not-contact", "no-email-consent"], ...],
        BeforeValidator(_one_or_many),
    ] = ()
    """One of the contacts is marked as one of these in the registry."""

    @model_validator(mode="after")
    def _asks_something(self) -> "ConductEntry":
        if not self.model_fields_set:
            raise ValueError(f"ask for something: {', '.join(type(self).model_fields)}")
        return self


class ConductCondition(_Entry):
    """What is known of a message beside its words: when, how often, to whom, on which case."""

    conduct: ConductEntry
    within: Literal["message"] = "message"


CONDITION_KINDS = ("phrase", "regex", "list", "cue", "quoted_refusal", "conduct")


def _kind(value: Any) -> str | None:
    found = [kind for kind in CONDITION_KINDS if isinstance(value, dict) and kind in value]
    return found[0] if len(found) == 1 else None


Condition = Annotated[
    Annotated[PhraseCondition, Tag("phrase")]
    | Annotated[RegexCondition, Tag("regex")]
    | Annotated[ListCondition, Tag("list")]
    | Annotated[CueCondition, Tag("cue")]
    | Annotated[RefusalCondition, Tag("quoted_refusal")]
    | Annotated[ConductCondition, Tag("conduct")],
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


class EarlierEntry(_Entry):
    """An earlier finding of the officer in an example: of which rule or category, how long ago, with whom."""

    of: Text
    ago: Stretch
    contact: Literal["same", "other"] | Slug = "same"


class ConductFacts(_Entry):
    """What is known of an example beside its words. Left out: an assigned officer, an open case, a first mail at 11."""

    sent_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d$")] = "2026-03-04 11:00"
    """Local time; a Wednesday, if nothing is said."""
    sent: tuple[Stretch, ...] = ()
    """How long before this one the officer's earlier mails went to the contact."""
    received: tuple[Stretch, ...] = ()
    """How long before this one the contact wrote mail that the officer answered."""
    copied: tuple[Text, ...] = ()
    """Who was copied earlier in the thread. Who is copied now stands under headers."""
    refused: StrictBool = False
    """Earlier mail quoted a refusal."""
    case: Literal["open", "closed"] = "open"
    closed_ago: Stretch | None = None
    """How long before this one the case was closed; left out for a closed case: nobody knows."""
    case_ref: Text = "42/1807/26"
    assigned: StrictBool = True
    contact: Annotated[
        tuple[Literal["vulnerable", "child", "do-not-contact", "no-email-consent"], ...],
        BeforeValidator(_one_or_many),
    ] = ()
    copied_to: Annotated[
        tuple[Literal["private-address", "unregistered-address"], ...], BeforeValidator(_one_or_many)
    ] = ()
    found: tuple[EarlierEntry, ...] = ()
    """Earlier findings, for rules of kind pattern."""


class HeadersEntry(_Entry):
    """Header fields of an example."""

    from_: Annotated[Text, Field(alias="from")] = "officer@force.example"
    cc: Annotated[tuple[Text, ...], BeforeValidator(_one_or_many)] = ()
    in_reply_to: str = ""
    """A Message-ID; mail with the same one is of the same thread."""


class ExampleEntry(_Entry):
    """A message as an example: its words, what it quotes, what is known of it, and whether the finding is softened."""

    subject: str = ""
    body: str = ""
    quoted: str = ""
    attachment_name: str = ""
    headers: HeadersEntry = HeadersEntry()
    conduct: ConductFacts | None = None
    softened: StrictBool | None = None


Example = Annotated[Text | ExampleEntry, Field(union_mode="left_to_right")]


class ExamplesEntry(_Entry):
    """Messages that must make the rule fire, and near misses that must not."""

    hit: tuple[Example, ...] = ()
    miss: tuple[Example, ...] = ()


class RuleEntry(_Entry):
    """One rule file. ``kind: pattern`` looks at findings and has ``of`` and ``at_least`` in place of ``match``."""

    id: RuleId
    """The folder and the name of the file, joined by a dot. Stands in the audit log; never used for another rule."""
    version: Annotated[int, Field(strict=True, ge=1)]
    """Raise it whenever what the rule catches changes."""
    kind: Literal["content", "safety", "pattern"] = "content"
    status: RuleStatus
    """draft: tests only; shadow: counted, never acts; flag: at most flags; enforce: acts as policy says."""
    changed: date | None = None
    """The day of the last change, such as 2026-11-23."""
    title: Text
    """A few words that a reviewer reads first: Asks the contact out."""
    why: Text
    """What it catches and why that matters, in a sentence."""
    guidance: Text
    """The guidance or policy it rests on."""
    severity: Severity = Severity.LOW
    """How serious one finding is; policy.yaml says from which severity a category holds."""
    points: Annotated[int, Field(strict=True, ge=0, le=20)] = 0
    """What a finding adds to the score of a message, 0 to 20."""
    scope: ScopeEntry = ScopeEntry()
    """To whom and in which parts of a message; left out: all, and what the officer wrote now."""
    match: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][\w-]*$", max_length=60)], Condition] = {}
    """Named conditions; `when` says how they hang together."""
    of: Annotated[tuple[RuleId | Slug, ...], BeforeValidator(_one_or_many), Field(max_length=100)] = ()
    """For kind pattern: the categories or rules whose findings count."""
    group_by: Literal["officer"] = "officer"
    distinct: Literal["contact", "message"] = "contact"
    at_least: Annotated[int, Field(strict=True, ge=2, le=1000)] | None = None
    """For kind pattern: from how many different contacts or messages on."""
    within: Stretch | None = None
    """For kind pattern: within which stretch of time, such as 365d."""
    when: Text | None = None
    """Names of conditions with and, or, not and `2 of (a, b, c)`; left out: any of them."""
    softened_by: Text | None = None
    """Conditions that turn a hold into a flag, never into a pass."""
    attribution: StrictBool = True
    exceptions: tuple[ExceptionEntry, ...] = ()
    """Words whose own text cannot make the rule fire, each with owner, reason and end."""
    false_positives: Texts
    """The nearest honest mail that it will find too."""
    blind_spots: Texts
    """What it misses."""
    for_reviewer: Text
    """The question that a reviewer should ask."""
    examples: ExamplesEntry
    """At least three hits and three near misses."""


class ListEntry(_Entry):
    """One file under lists/."""

    list: Slug
    owner: Text
    reason: Text
    softens_only: StrictBool = False
    """It may soften a finding and must not silence one."""
    by: Literal["lemma", "form"] = "lemma"
    case: Literal["ignore", "exact"] = "ignore"
    phrases: tuple[Text, ...] = ()
    regexes: tuple[Text, ...] = ()


class CategoryEntry(_Entry):
    """What findings of one category do alone."""

    hold_from: Literal["low", "medium", "high", "critical", "never"]
    again: Effect = "flag"
    psd: StrictBool = False

    def policy(self) -> CategoryPolicy:
        """Return it as the core's value."""
        hold_from = None if self.hold_from == "never" else Severity(self.hold_from)
        return CategoryPolicy(hold_from=hold_from, again=Action(self.again), psd=self.psd)


def action_of(value: str) -> Action:
    """Return the action that an effect stands for; ``none`` asks for nothing."""
    return Action.PASS if value == "none" else Action(value)


class CombinationsEntry(_Entry):
    """What a finding that only flags does in company."""

    two_categories: Combined
    two_sentences: Combined = "none"
    vulnerable_contact: Combined
    sender_not_assigned: Combined
    closed_case: Combined
    earlier_findings: Combined
    pattern: Combined = "hold"

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


class CuesEntry(_Entry):
    """From which probability on a language cue counts."""

    weak: Probability = 0.35
    """Remembered for later mail to the contact, as one bit."""
    company: Probability = 0.6
    """Counts where another one stands elsewhere in the mail, or earlier mail to the contact had a weak one of its category."""
    flag: Probability = 0.8
    """Counts."""
    hold: Probability = 0.9
    """Counts in full: the effect of its category applies."""

    @model_validator(mode="after")
    def _in_order(self) -> "CuesEntry":
        if not self.weak <= self.company <= self.flag <= self.hold:
            raise ValueError("weak, company, flag and hold do not fall: each is at least the one before")
        return self

    def policy(self) -> CueThresholds:
        """Return it as the core's value."""
        return CueThresholds(**self.model_dump())


class PolicyEntry(_Entry):
    """policy.yaml: the only place with numbers that act."""

    version: Annotated[int, Field(strict=True, ge=1)]
    flag_at: Annotated[int, Field(strict=True, ge=1, le=1000)]
    hold_at: Annotated[int, Field(strict=True, ge=1, le=1000)]
    categories: dict[Slug, CategoryEntry]
    combinations: CombinationsEntry
    cues: dict[Annotated[str, AfterValidator(_category)], CuesEntry] = {}
    """Of a category, or ``default``: how sure a language cue must be for what."""
    doubt: Annotated[float, Field(strict=True, ge=0.0, le=0.5)] = 0.0
    """Below which probability of crossing the language model may doubt a rule; 0: never."""
    doubt_surely: Annotated[float, Field(strict=True, ge=0.0, le=0.5)] = 0.0
    """Below which it may doubt a rule that a frame agrees with, and a rule in a passage of 20 to 30 words; 0: never."""
    closed_case_days: Annotated[int, Field(strict=True, ge=0, le=3650)]
    parties: PartiesEntry
    unreadable: dict[UnreadableReason, Combined]
    known_files: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    secure_mail: tuple[Annotated[str, Field(pattern=r"^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$")], ...] = ()
    also_hold: tuple[Text, ...] = ()
    languages: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...], Field(min_length=1, max_length=50)
    ] = ("en",)
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    notification_senders: tuple[Text, ...] = ()
    weights: tuple[RuleId, ...] = ()
