"""What speaks against an introduced quote: labels and headers to labels with their doubts.

Owns the cheap checks of a claim (DECISIONS 14): an officer who types under an invented "On ... wrote:" has to get
speaker, date, subject and thread right. Refuses to judge the words. Stands in *extract* after `quotes`; `inspection`
reads a doubted quote, where what it finds flags at most, so an honest mail with an odd quote is never held for it.

Every doubt here has honest causes too: a second address, an answer to one's own mail, a changed subject. Only a date
after the mail itself has next to none; such a quote is taken back to the sender's words, marked uncertain.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from gateway.extract.dates import dates_in
from gateway.extract.introductions import field_of
from gateway.extract.quotes import UNSURE, Label
from gateway.model import CutReason, Doubt, Headers

_SLACK = timedelta(days=2)
"""Clocks and time zones of two honest mail programs differ by no more."""
_PREFIXES = re.compile(r"^(?:\s*(?:[A-Za-z]{1,7}(?:\[\d+\])?\s*:|\[[^\]]{1,40}\]))+\s*")
_SPACE = re.compile(r"\s+")


def doubted(labels: Sequence[Label], headers: Headers) -> list[Label]:
    """Return ``labels`` with the doubts about each introduced quote; what cannot be becomes uncertain."""
    known: dict[Label, Label] = {}
    for label in labels:
        if label not in known:
            known[label] = _doubted(label, headers)
    return [known[label] for label in labels]


def _doubted(label: Label, headers: Headers) -> Label:
    if label.reason is None or not label.introduction:
        return label
    doubts = tuple(_doubts(label, headers))
    return UNSURE if Doubt.FUTURE in doubts else label._replace(doubts=doubts)


def _doubts(label: Label, headers: Headers) -> Iterator[Doubt]:
    if _is_future(label.introduction, headers):
        yield Doubt.FUTURE
    if label.reason is CutReason.FORWARDED:
        return  # a forwarded mail may be anybody's, about anything
    yield from _of_speaker(label.speaker, headers)
    if _is_other_subject(label.introduction, headers.subject):
        yield Doubt.OTHER_SUBJECT


def _of_speaker(speaker: str, headers: Headers) -> Iterator[Doubt]:
    own = frozenset(address.lower() for address in (*headers.from_, *headers.sender))
    domains = frozenset(address.rpartition("@")[2] for address in own) - {""}
    speaker = speaker.lower()
    if speaker in own:
        yield Doubt.OWN_WORDS
        return
    domain = speaker.rpartition("@")[2] if "@" in speaker else ""
    answered = frozenset(
        each.strip("<> \t").rpartition("@")[2].lower() for each in (headers.in_reply_to, *headers.references)
    ) - {""}
    if answered and answered <= domains and domain not in domains:
        yield Doubt.OWN_THREAD
    recipients = frozenset(address.lower() for address in (*headers.to, *headers.cc, *headers.bcc))
    if domain and speaker not in recipients:
        yield Doubt.COLLEAGUE if domain in domains else Doubt.STRANGER


def _is_future(introduction: str, headers: Headers) -> bool:
    """Return whether every date in ``introduction`` is after the mail's own, however it is read."""
    if headers.date is None:
        return False
    found = list(dates_in(introduction))
    return bool(found) and min(found) > headers.date.date() + _SLACK


def _is_other_subject(introduction: str, subject: str) -> bool:
    """Return whether the header block names a subject with which the mail's own has nothing in common."""
    fields = (field_of(line) for line in introduction.split("\n"))
    quoted = next((value for name, value in filter(None, fields) if name == "subject"), "")
    theirs, ours = _plain_subject(quoted), _plain_subject(subject)
    return bool(theirs and ours) and theirs not in ours and ours not in theirs


def _plain_subject(subject: str) -> str:
    return _SPACE.sub(" ", _PREFIXES.sub("", subject)).strip().casefold()
