"""A small rule set in a folder, for the tools that compare, promote and break rules."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent

AUTHOR = "rule.author@force.example"
REVIEWER = "helen.brooks@force.example"
NOW = datetime(2026, 3, 5, 15, 0, tzinfo=UTC)
POLICY = dedent("""\
    version: 1
    flag_at: 2
    hold_at: 10
    categories:
      advance: {hold_from: high}
      warmth: {hold_from: never}
    combinations: {two_categories: hold, vulnerable_contact: hold, sender_not_assigned: hold,
      closed_case: hold, earlier_findings: hold}
    closed_case_days: 14
    parties: {do_not_contact: flag, no_email_consent: flag, senders_disagree: flag, private_copy: hold}
    unreadable: {ambiguous: hold, language: hold, attachment-not-read: flag, charset: hold, depth: hold,
      encoding: hold, encrypted: hold, macros: hold, malformed: hold, not-in-time: hold, picture: flag, size: hold,
      small-picture: none, too-many-parts: hold, worker-failed: hold}
    """)
DRINK_EXAMPLES = """\
  hit: ["Fancy a drink?", "Do you fancy a drink?", "I would fancy a drink with you."]
  miss: ["The drink was on the table.", "He fancied himself.", "Fancy that."]
"""
LUNCH_EXAMPLES = """\
  hit: ["Let us have lunch.", "We could have lunch.", "Shall we have lunch?"]
  miss: ["The lunch was late.", "Lunch is at one.", "I have had news."]
"""


def rule(rule_id: str, match: str, examples: str, **changes: str) -> str:
    """Return a rule file; ``match`` is YAML without indentation, ``changes`` replace or add lines."""
    lines = {
        "version": "1",
        "changed": "2026-01-10",
        "status": "enforce",
        "title": "Asks out",
        "why": "Proposes a meeting.",
        "guidance": "Invented",
        "severity": "high",
        "points": "4",
        "false_positives": "[A meeting for a statement]",
        "blind_spots": "[A picture of words]",
        "for_reviewer": "Is there a police purpose?",
    } | changes
    head = "".join(f"{key}: {value}\n" for key, value in lines.items())
    return f"id: {rule_id}\n{head}match:\n{indent(dedent(match), '  ')}\nexamples:\n{examples}"


def drink(**changes: str) -> str:
    """Return a rule that fires on an invitation to a drink."""
    return rule("advance.drink", "invite: {phrase: fancy a drink}", DRINK_EXAMPLES, **changes)


def lunch(**changes: str) -> str:
    """Return a rule that fires on a common lunch."""
    return rule(
        "warmth.lunch", "meal: {phrase: have lunch}", LUNCH_EXAMPLES, **({"severity": "low"} | changes)
    )


def write(folder: Path, **files: str) -> Path:
    """Write a rule set into ``folder`` and return it; a keyword ``advance__drink`` is the file advance/drink.yaml."""
    named = {name.replace("__", "/").replace("_", "-"): text for name, text in files.items()}
    for name, text in ({"policy": POLICY} | named).items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def mail(body: str, *, subject: str = "Your case", sender: str = "alex.marsh@force.example") -> bytes:
    """Return a plain mail from an officer to a contact."""
    head = f"From: {sender}\r\nTo: contact@mail.example\r\nSubject: {subject}\r\nDate: Wed, 4 Mar 2026 11:20:00 +0000\r\n"
    return f"{head}Message-ID: <1@force.example>\r\n\r\n{body}\r\n".encode()
