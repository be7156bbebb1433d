"""What is known of a message beside its words: when, how often, to whom, on which case (cues M1 to M8 and M10).

Owns the meaning of every key under ``conduct:`` in a rule, and what of a header block the ledger must keep for it
(`traits`). Refuses to know rules, points and the store: what came before is an argument (`History`).

What cannot be known. Only our own mail is seen: that a contact wrote is inferred from what ours answers or quotes, and
an officer who invents an In-Reply-To can feign it. A reply to a mail of ours that is older than the history looks
like a reply to the contact. There is no roster: rest days and leave are unknown.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from gateway.inspection.schema import ConductEntry, Count
from gateway.model import Authored, CutReason, History, Parties, PersonId, Policy, SentMail, Traits

MAX_COPIES: Final = 50
"""Addresses copied beyond which a mail is a circular: nobody is then missed from the next."""
_DIGEST_BYTES: Final = 16
_SHORT_BYTES: Final = 8
_QUOTE_CHARS: Final = 2000
"""Of a quoted mail: enough to tell it from another."""
_OF_EARLIER_MAIL: Final = frozenset(
    {"messages_to_contact", "unanswered", "first_message", "dropped_copy", "earlier_refusal"}
)
_GAP: Final = r"[\W_]{0,3}"
_WORDS: Final = re.compile(r"[^\W_]+")


def traits(authored: Authored, parties: Parties) -> Traits:
    """Return what the ledger keeps of the header block of a message, as digests. Never raises."""
    headers = authored.headers
    root = next((each for each in (*headers.references, headers.in_reply_to, headers.message_id) if each), "")
    return Traits(
        message=_digest(headers.message_id),
        thread=_digest(root),
        answers=_digest(headers.in_reply_to or _quoted_mail(authored, parties)),
        copies=_copies(authored, parties),
    )


def counts_earlier_mail(asked: Iterable[ConductEntry | None]) -> bool:
    """Return whether any of these conditions is answered by earlier mail: whoever reads of it learns of that mail."""
    return any(each is not None and not _OF_EARLIER_MAIL.isdisjoint(each.model_fields_set) for each in asked)


def _digest(text: str, size: int = _DIGEST_BYTES) -> str:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=size).hexdigest() if text else ""


def _quoted_mail(authored: Authored, parties: Parties) -> str:
    """Return the words of the contact's newest mail that this one quotes, or nothing."""
    addresses = _registered(parties)
    for cut in authored.cuts:
        if cut.reason is CutReason.QUOTED and cut.attributed and not cut.inner and not cut.doubts:
            speaker = cut.speaker.lower()
            if any(address in speaker for address in addresses):
                return " ".join(_WORDS.findall(cut.text[:_QUOTE_CHARS].casefold()))
    return ""


def _registered(parties: Parties) -> frozenset[str]:
    matches = parties.contacts
    emails = (email.lower() for match in matches for contact in match.contacts for email in contact.emails)
    return frozenset((*emails, *(match.recipient.lower() for match in matches)))


def _copies(authored: Authored, parties: Parties) -> tuple[str, ...]:
    """Return digests of who is addressed besides the contacts and the sender.

    Headers count, since copies to colleagues often do not leave by this road; so does the envelope, for blind copies.
    """
    headers = authored.headers
    addressed = (*headers.to, *headers.cc, *parties.others, *parties.private)
    own = {claim.address.lower() for claim in parties.claimed}
    found = {address.lower() for address in addressed} - own - _registered(parties)
    if len(found) > MAX_COPIES:
        return ()
    return tuple(sorted(_digest(address, _SHORT_BYTES) for address in found))


class Conduct:
    """One message and what came before it, asked for what rules ask."""

    def __init__(
        self, authored: Authored, parties: Parties, history: History, at: datetime, policy: Policy
    ) -> None:
        """Take the message; ``at`` is when it arrived. Nothing is looked at before a rule asks."""
        self._authored = authored
        self._parties = parties
        self._history = history
        self._at = at
        self.policy = policy

    @cached_property
    def is_notification(self) -> bool:
        """Return whether everybody whom the mail claims to come from is a sender that is no person."""
        named = self.policy.notification_senders
        if not named:
            return False
        claimed = [claim.address.lower() for claim in self._parties.claimed]
        return bool(claimed) and all(
            each in named or f"@{each.rpartition('@')[2]}" in named for each in claimed
        )

    def meets(self, asked: ConductEntry) -> bool:
        """Return whether all that is asked is true. A notification has no conduct: nothing is."""
        return not self.is_notification and all(self._answers(asked))

    def _answers(self, asked: ConductEntry) -> Iterator[bool]:
        yield from self._of_time(asked)
        yield from self._of_mail(asked)
        yield from self._of_people(asked)

    def _of_time(self, asked: ConductEntry) -> Iterator[bool]:
        if asked.sent_outside is not None:
            begin, end = asked.sent_outside
            yield not begin <= self._local.time() < end
        if asked.sent_on:
            yield f"{self._local:%A}".lower() in asked.sent_on
        if asked.messages_to_contact is not None:
            yield any(self._is_beyond(asked.messages_to_contact, own) for own in self._own.values())
        if asked.unanswered is not None:
            unanswered = (self._unanswered(person) for person in self._own)
            yield any(self._is_beyond(asked.unanswered, mails) for mails in unanswered)
        if asked.first_message is not None:
            yield asked.first_message is not any(self._own.values())

    def _of_mail(self, asked: ConductEntry) -> Iterator[bool]:
        if asked.case_reference is not None:
            # Where the registry knows no reference, none can be missing.
            yield bool(self._references) and asked.case_reference is self._names_case
        if asked.dropped_copy is not None:
            yield asked.dropped_copy is self._drops_copy
        if asked.earlier_refusal is not None:
            refused = any(mail.refused for own in self._own.values() for mail in own)
            yield asked.earlier_refusal is refused

    def _of_people(self, asked: ConductEntry) -> Iterator[bool]:
        parties = self._parties
        if asked.case is not None:
            is_closed = parties.is_closed(self._local.date(), self.policy.closed_case_days)
            yield is_closed is (asked.case == "closed")
        if asked.assigned is not None:
            yield asked.assigned is parties.is_assigned
        if asked.copied_to is not None:
            yield bool(parties.private if asked.copied_to == "private-address" else parties.unregistered)
        if asked.contact:
            yield not self._marks.isdisjoint(asked.contact)

    @cached_property
    def _local(self) -> datetime:
        return self._at.astimezone(ZoneInfo(self.policy.timezone))

    @cached_property
    def _traits(self) -> Traits:
        return traits(self._authored, self._parties)

    @cached_property
    def _own(self) -> dict[PersonId, list[SentMail]]:
        """The officer's earlier mails to each contact."""
        mails: dict[PersonId, list[SentMail]] = {
            contact.person_id: [] for match in self._parties.contacts for contact in match.contacts
        }
        for mail in self._history.sent:
            if mail.own and mail.contact in mails:
                mails[mail.contact].append(mail)
        return mails

    def _is_beyond(self, count: Count, earlier: list[SentMail]) -> bool:
        """Return whether there are more than ``count`` allows, this message included."""
        since = self._at - count.within
        return 1 + sum(since < mail.at <= self._at for mail in earlier) > count.more_than

    def _unanswered(self, person: PersonId) -> list[SentMail]:
        """Return the officer's mails since the contact last wrote, the one that answered it included."""
        mails = sorted((mail for mail in self._history.sent if mail.contact == person), key=_by_time)
        ours = {mail.traits.message for mail in mails}
        known: set[str] = {"", *ours}
        if self._traits.answers not in known.union(mail.traits.answers for mail in mails):
            return []
        since = datetime.min.replace(tzinfo=self._at.tzinfo)
        for mail in mails:
            if mail.traits.answers not in known:
                known.add(mail.traits.answers)
                since = mail.at
        return [mail for mail in mails if mail.own and mail.at >= since]

    @cached_property
    def _references(self) -> tuple[str, ...]:
        contacts = (contact for match in self._parties.contacts for contact in match.contacts)
        return tuple(
            dict.fromkeys(case.case_ref for each in contacts for case in each.cases if case.case_ref)
        )

    @cached_property
    def _names_case(self) -> bool:
        """Whether the new words name a case; marks between the parts of a reference may differ."""
        references = [words for words in map(_WORDS.findall, self._references) if words]
        texts = [passage.text for passage in self._authored.passages]
        if not references:
            return bool(texts)  # nothing of them could be looked for
        near = [words for words in references if any(_has_numbers(words, text) for text in texts)]
        spelt = (rf"(?<![^\W_]){_GAP.join(map(re.escape, words))}(?![^\W_])" for words in near)
        named = re.compile("|".join(spelt), re.IGNORECASE)
        return bool(near) and any(map(named.search, texts))

    @cached_property
    def _drops_copy(self) -> bool:
        """Whether somebody copied by the officer earlier in this thread is not copied now."""
        now = self._traits
        if not now.thread:
            return False
        before = {
            copy
            for own in self._own.values()
            for mail in own
            if mail.traits.thread == now.thread
            for copy in mail.traits.copies
        }
        return not before <= set(now.copies)

    @cached_property
    def _marks(self) -> frozenset[str]:
        contacts = [contact for match in self._parties.contacts for contact in match.contacts]
        marks = {
            "vulnerable": any(contact.vulnerable for contact in contacts),
            "child": any(contact.is_child for contact in contacts),
            "do-not-contact": any(contact.do_not_contact for contact in contacts),
            "no-email-consent": not all(contact.email_consent for contact in contacts),
        }
        return frozenset(name for name, is_set in marks.items() if is_set)


def _has_numbers(words: list[str], text: str) -> bool:
    """Return whether every number among ``words`` is in ``text``: an expression for each reference is dear to make."""
    return all(word in text for word in words if word.isdigit())


def _by_time(mail: SentMail) -> datetime:
    return mail.at
