"""The form in which people write corpus entries, and the way from there to the corpus.

A draft is text: a line ``## crossing due=hold severity=high subtlety=plain`` or ``## proper trap=lift`` begins a mail,
``Subject:`` and a blank line its body. ``## sentence crossing`` or ``## sentence look-alike trap=lift`` begins a passage. What
crosses is marked as ``{category|words}``. ``twin=NAME`` on two mails of one draft makes them twins, ``reply`` an answer.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from gateway.errors import Mistake, Mistakes
from gateway.model import Action, Severity
from gateway.training.corpus import Kind, Label, Mail, Passage, Span

_MARK: Final = re.compile(r"\{([a-z-]+)\|([^{}]*)\}")
_E = TypeVar("_E", bound=StrEnum)
_KEYS: Final = frozenset({"due", "severity", "subtlety", "trap", "twin"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a draft as it stands: the words after ``##``, and the text under them."""

    line: int
    words: tuple[str, ...]
    fields: dict[str, str]
    text: str


def read_draft(text: str, batch: str, file: str) -> tuple[tuple[Mail, ...], tuple[Passage, ...]]:
    """Return the entries of a draft, numbered ``BATCH-001`` on; raises `Mistakes`, all with their lines."""
    mistakes: list[Mistake] = []
    mails: list[Mail] = []
    passages: list[Passage] = []
    twins: dict[str, list[int]] = {}
    for entry in _entries(text):
        try:
            if entry.words[:1] == ("sentence",):
                passages.append(_passage(entry, f"{batch}-s{len(passages) + 1:04}"))
                continue
            mails.append(_mail(entry, f"{batch}-{len(mails) + 1:03}"))
        except ValueError as wrong:
            what, _, remedy = str(wrong).partition(" | ")
            mistakes.append(Mistake(file=file, line=entry.line, what=what, remedy=remedy or "mend the entry"))
            continue
        if twin := entry.fields.get("twin"):
            twins.setdefault(twin, []).append(len(mails) - 1)
    for name, places in twins.items():
        if len(places) != 2:
            what = f"{len(places)} mails say twin={name}"
            mistakes.append(Mistake(file=file, what=what, remedy="twins are two: one crossing, one proper"))
            continue
        one, other = places
        mails[one] = msgspec.structs.replace(mails[one], twin=mails[other].id)
        mails[other] = msgspec.structs.replace(mails[other], twin=mails[one].id)
    if mistakes:
        raise Mistakes(tuple(mistakes))
    return tuple(mails), tuple(passages)


def _entries(text: str) -> list[_Entry]:
    found: list[_Entry] = []
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("## ")]
    for number, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        words = lines[number][3:].split()
        fields = dict(word.split("=", 1) for word in words if "=" in word)
        plain = tuple(word for word in words if "=" not in word)
        found.append(_Entry(number + 1, plain, fields, "\n".join(lines[number + 1 : end]).strip("\n")))
    return found


def _marked(text: str, part: str) -> tuple[str, tuple[Span, ...]]:
    """Return ``text`` without its marks, and the spans they make."""
    spans: list[Span] = []
    pieces: list[str] = []
    length = end = 0
    for mark in _MARK.finditer(text):
        before = text[end : mark.start()]
        start = length + len(before)
        spans.append(Span(category=mark[1], start=start, end=start + len(mark[2]), part=part))
        pieces += [before, mark[2]]
        length, end = start + len(mark[2]), mark.end()
    plain = "".join([*pieces, text[end:]])
    if "{" in plain or "}" in plain:
        raise ValueError("a mark that does not end | write {category|words}, without a mark inside a mark")
    return plain, tuple(spans)


def _mail(entry: _Entry, number: str) -> Mail:
    label = _one_of(Label, entry.words[0] if entry.words else "")
    if unknown := entry.fields.keys() - _KEYS:
        raise ValueError(
            f"no such field: {min(unknown)} | one of {', '.join(sorted(_KEYS))}, or the word reply"
        )
    head, _, rest = entry.text.partition("\n")
    if not head.lower().startswith("subject:"):
        raise ValueError("no subject | begin with `Subject: ...`, which may be empty")
    subject, in_subject = _marked(head[len("subject:") :].strip(), "subject")
    body, in_body = _marked(rest.strip("\n").rstrip(), "body")
    crossing = label is Label.CROSSING
    return Mail(
        id=number,
        subject=subject,
        body=f"{body}\n",
        label=label,
        due=_one_of(Action, entry.fields.get("due", "hold")) if crossing else Action.PASS,
        spans=(*in_subject, *in_body),
        severity=_one_of(Severity, entry.fields.get("severity", "")) if crossing else None,
        subtlety=entry.fields.get("subtlety", ""),
        trap=entry.fields.get("trap", ""),
        reply="reply" in entry.words[1:],
    )


def _passage(entry: _Entry, number: str) -> Passage:
    kind = _one_of(Kind, entry.words[1] if len(entry.words) > 1 else "")
    text, spans = _marked(entry.text.strip(), "body")
    label = Label.CROSSING if kind is Kind.CROSSING else Label.PROPER
    return Passage(
        id=number, text=text, label=label, kind=kind, spans=spans, trap=entry.fields.get("trap", "")
    )


def _one_of(kind: type[_E], word: str) -> _E:
    try:
        return kind(word)
    except ValueError:
        raise ValueError(
            f"{word or 'nothing'} is no {kind.__name__.lower()} | one of {', '.join(kind)}"
        ) from None
