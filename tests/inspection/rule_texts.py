"""Rule sets written in a test: a rule, a list and a policy as text, and the engine they make."""

from dataclasses import replace
from datetime import UTC, datetime
from textwrap import dedent, indent

from gateway.errors import Mistake
from gateway.inspection import Bundle, BundleFile, Engine, check, load
from gateway.inspection.examples import authored_of, parties_to
from gateway.inspection.schema import ExampleEntry
from gateway.model import Authored, ContactRole, Finding, History, Inspection, StaffMember

AT = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)

POLICY = dedent("""\
    version: 1
    flag_at: 2
    hold_at: 10
    categories:
      advance: {hold_from: high}
      warmth: {hold_from: never, again: hold}
    combinations: {two_categories: hold, vulnerable_contact: hold, sender_not_assigned: hold,
      closed_case: hold, earlier_findings: hold}
    closed_case_days: 14
    parties: {do_not_contact: flag, no_email_consent: flag, senders_disagree: flag, private_copy: hold}
    unreadable: {ambiguous: hold, language: hold, attachment-not-read: flag, charset: hold, depth: hold, encoding: hold, encrypted: hold,
      macros: hold, malformed: hold, not-in-time: hold, picture: flag, size: hold, small-picture: none,
      too-many-parts: hold, worker-failed: hold}
    """)


def rule(match: str, *, rule_id: str = "advance.drink", more: str = "", examples: str = "") -> str:
    """Return a rule file; ``match`` and ``more`` are YAML without indentation."""
    return (
        dedent(f"""\
        id: {rule_id}
        version: 1
        status: enforce
        title: Asks out
        why: Proposes a meeting.
        guidance: Invented
        severity: high
        points: 4
        false_positives: [A meeting for a statement]
        blind_spots: [A picture of words]
        for_reviewer: Is there a police purpose?
        """)
        + f"examples: {examples or '{}'}\n"
        + f"match:\n{indent(dedent(match), '  ')}\n{dedent(more)}"
    )


def list_file(name: str, phrases: str, more: str = "") -> str:
    """Return a list file of phrases."""
    return f"list: {name}\nowner: Rules team\nreason: For a test.\nphrases: [{phrases}]\n{more}"


def bundle(*, policy: str = POLICY, **files: str) -> Bundle:
    """Return a rule set; a keyword ``advance__drink`` is the file advance/drink.yaml."""
    named = {f"{name.replace('__', '/').replace('_', '-')}.yaml": text for name, text in files.items()}
    entries = {"policy.yaml": policy} | named if policy else named
    return Bundle(
        folders=("rules",), files=tuple(BundleFile(0, name, text) for name, text in entries.items())
    )


def complaints(**files: str) -> tuple[Mistake, ...]:
    """Return what is wrong with a rule set."""
    return check(bundle(**files))


def engine(*, language: bool = False, drafts: bool = False, **files: str) -> Engine:
    """Return the engine of a rule set."""
    return load(bundle(**files), language=language, drafts=drafts, with_encoder=False)


def judge(
    made: Engine,
    message: str | ExampleEntry | Authored,
    *,
    history: History | None = None,
    role: ContactRole = ContactRole.VICTIM,
    at: datetime = AT,
    officer: StaffMember | None = None,
) -> Inspection:
    """Return the inspection of a message: a string is the whole new text of its body."""
    authored = message if isinstance(message, Authored) else authored_of(message)
    parties = replace(parties_to(frozenset({role})), officer=officer)
    return made.judge(authored, parties, history or History(), at)


def findings(match: str, message: str | ExampleEntry | Authored, **options: object) -> tuple[Finding, ...]:
    """Return what one rule with ``match`` finds in a message."""
    more = str(options.pop("more", ""))
    lists = {key: str(options.pop(key)) for key in list(options) if key.startswith("lists__")}
    language = bool(options.pop("language", False))
    made = engine(language=language, advance__drink=rule(match, more=more), **lists)
    return judge(made, message, **options).findings  # type: ignore[arg-type]
