"""Stage 2, who: from the addresses of a message to the officer who wrote it and the contacts it goes to.

Owns when two spellings are one mailbox (`match_key`, `keys_of`), who counts as the author, which recipients are
registered contacts or private addresses of the sender, and which staff a text names. Pure, over the `Registry`
it is given: it reads no file, knows no rule and judges nothing. `registry` builds its look-up tables with the
same functions, so a spelling that registers is a spelling that matches.

Where a spelling is ambiguous it matches: inspecting one mail too many is the safer error. docs/registry.md
lists every reading and the ones that are out of reach.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from email_validator import EmailNotValidError, validate_email

from gateway.model import (
    ClaimedSender,
    Contact,
    ContactMatch,
    Envelope,
    Headers,
    Parties,
    Registry,
    StaffId,
    StaffMember,
    StaffRole,
)

LITERAL = "[]"
"""Stands for every address literal: `[192.0.2.1]` may be the mail host of any domain, so only the local part
can be compared."""

_MAX_READINGS = 16
_MAX_ADDRESS_CHARS = 1024
"""Bounds of the walk through the readings of one address. Beyond them it `is_overrouted`: refused, never nobody's."""
_MAX_ADDRESSES_IN_TEXT = 10_000
_MAX_NAME_WORDS = 6
_TITLE = re.compile(
    "mrs?|ms|miss|mx|dr|prof|sir|dame|rev|wpc|pc|pcso|t?dc|ps|sgt|sergeant|ds|di|insp|inspector|ch|cinsp|dci|"
    "supt|superintendent|dsu|dcs|acc|d?cc|chief|constable|detective|cso|sc|spc|scc"
)


class Folding(Protocol):
    """What of the registry decides whether two local parts are one mailbox. `Registry` is one."""

    @property
    def dotless_domains(self) -> tuple[str, ...]:
        """Domains, as `domain_key`, where dots do not count."""

    @property
    def plus_tag_domains(self) -> tuple[str, ...]:
        """Domains, as `domain_key`, where ``+tag`` does not count; ``*`` is every domain."""

    @property
    def same_domains(self) -> Mapping[str, str]:
        """Domains, as `domain_key`, that are another domain's mailboxes."""


# --- one mailbox, many spellings ----------------------------------------------------------------------------


def match_key(address: str, folding: Folding) -> str:
    """Return the key under which every spelling of one mailbox meets. Never raises; idempotent.

    Compared without case, quoting, escapes, invisible characters and compatibility forms (NFKC); the domain by
    its U-label, so that ``xn--`` and Unicode are one (email-validator; IDNA 2008 and, for sharp s and final
    sigma, 2003), without a trailing dot; plus-tags and dots as ``folding`` says. What email-validator cannot
    parse is folded as it stands: the local part takes one road only, so no parse failure can make a
    registered mailbox look like another.
    """
    return _key(_cleaned(address), folding)


def keys_of(address: str, folding: Folding) -> tuple[str, ...]:
    """Return `match_key` first, then the keys of every mailbox that this spelling may be routed on to.

    ``victim%home.example@relay.example``, ``home.example!victim@relay.example``, a quoted address as local
    part, source routes, comments, and Exchange, SRS and BATV encapsulation. Never raises. Of an address that
    `is_overrouted` only the first readings, and it may reach any mailbox besides.
    """
    readings, _ = _readings(_cleaned(address))
    return _keys(readings, folding)


def is_overrouted(address: str) -> bool:
    """True when ``address`` has more readings than are looked at, so that nobody can say whom it reaches.

    No program writes such an address, but a smarthost may follow it to its end. Not being found behind it must
    never count as nobody: `pipeline` refuses it at RCPT, and `contacts_for` takes it for somebody's.
    """
    _, whole = _readings(_cleaned(address))
    return not whole


def _keys(readings: Iterable[str], folding: Folding) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_key(reading, folding) for reading in readings))


def _readings(text: str) -> tuple[tuple[str, ...], bool]:
    """Return ``text`` and the addresses it may be routed on to, and whether these are all of them."""
    if not _DETOUR.search(text):
        return (text,), True
    if len(text) > _MAX_ADDRESS_CHARS:
        return (text,), False
    readings: dict[str, None] = {}
    waiting = [text]
    while waiting:
        reading = waiting.pop(0)
        if reading in readings:
            continue
        if len(readings) == _MAX_READINGS:
            return tuple(readings), False
        readings[reading] = None
        waiting.extend(_detours(reading))
    return tuple(readings), True


def literal_key(key: str) -> str:
    """Return the match key of the same mailbox at an address literal; `registry` files contacts under it too."""
    return f"{_undotted(_untagged(key.rpartition('@')[0]))}@{LITERAL}"


@lru_cache(maxsize=16_384)
def domain_key(domain: str) -> str:
    """Return the one form of a domain that all its spellings share. Never raises; idempotent."""
    text = _cleaned(domain).replace("\u3002", ".").strip(".")
    if text.startswith("[") or _IS_NUMERIC.fullmatch(text):
        return LITERAL
    if _IS_PLAIN.fullmatch(text) and "xn--" not in text.lower():
        return text.lower()  # email-validator would say the same, a hundred times slower
    # What is registered has passed email-validator, so a domain that it refuses can only equal a registered one
    # by what the cleaning above already took away.
    with suppress(EmailNotValidError, ValueError):
        text = validate_email(
            f"x@{text}", check_deliverability=False, test_environment=True, globally_deliverable=False
        ).domain
    return _folded(text).replace("\u3002", ".").strip(".")


_IS_PLAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
# As inet_aton reads them: one to four numbers, hexadecimal too. No top-level domain looks like one.
_IS_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", re.IGNORECASE)
_ASCII_NOISE = dict.fromkeys((*range(33), 127, *map(ord, '"\\<>')))
_ASCII_ODD = re.compile(r'[\x00-\x20\x7f"\\<>]')
_NOISE = re.compile('["\\\\<>\\s\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe00-\ufe0f\U000e0000-\U000e0fff]')
_DETOUR = re.compile(r"[%!:(=]|@.*@|^imcea", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")
_IMCEA = re.compile(r"imcea[a-z0-9]+-(.+)", re.IGNORECASE)
_IMCEA_ESCAPE = re.compile(r"\+([0-9a-f]{2})", re.IGNORECASE)
_SRS0 = re.compile(r"(?:srs1[=+-][^=]*=[^=]*=)?(?:srs0)?[=+-][^=]*=[^=]*=([^=]+)=(.+)", re.IGNORECASE)
_BATV = re.compile(r"prvs=[^=]*=(.+)", re.IGNORECASE)


def _cleaned(text: str) -> str:
    """Return ``text`` in compatibility form without quoting and whatever cannot be seen; case is kept."""
    if text.isascii():
        return text.translate(_ASCII_NOISE) if _ASCII_ODD.search(text) else text
    text = _NOISE.sub("", unicodedata.normalize("NFKC", text))
    return "".join(char for char in text if unicodedata.category(char) not in {"Cc", "Cf"})


def _folded(text: str) -> str:
    """Return ``text`` case-folded and in compatibility form; folding it again changes nothing."""
    if text.isascii():
        return text.lower()
    # Each of the two may undo the other once (Unicode Standard, D146: NFKC_Casefold repeats them as well).
    for _ in range(3):
        text = _cleaned(text.casefold())
    return text


def _key(text: str, folding: Folding) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        return _folded(text)
    local, domain = _folded(local), domain_key(domain)
    domain = folding.same_domains.get(domain, domain)
    # Behind an address literal may be any domain, so there the most generous of them is taken.
    if "+" in local and (
        domain == LITERAL or "*" in folding.plus_tag_domains or domain in folding.plus_tag_domains
    ):
        local = _untagged(local)
    if "." in local and (domain == LITERAL or domain in folding.dotless_domains):
        local = _undotted(local)
    return f"{local}@{domain}"


def _untagged(local: str) -> str:
    return local.partition("+")[0] or local


def _undotted(local: str) -> str:
    return local.replace(".", "") or local


def _detours(text: str) -> Iterator[str]:
    """Yield the addresses that some mail host would make of ``text``; each is shorter or has one mark less."""
    local, at, domain = text.rpartition("@")
    local = local if at else text
    if "@" in local:
        yield local
    if "%" in local:
        yield "@".join(local.rsplit("%", 1))
    if "!" in local:
        site, _, rest = local.partition("!")
        yield f"{rest}@{site}"
    if ":" in text:
        yield text.rpartition(":")[2]
    if "(" in text:
        yield _COMMENT.sub("", text)
    if found := _IMCEA.fullmatch(local):
        # What was escaped was seen by no cleaning yet: quotes, spaces, brackets.
        octets = _IMCEA_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), found[1])
        yield _cleaned(octets)
        with suppress(UnicodeError):
            yield _cleaned(octets.encode("latin-1").decode("utf-8"))
    if found := _SRS0.fullmatch(local):
        yield f"{found[2]}@{found[1]}"
    if found := _BATV.fullmatch(local):
        yield f"{found[1]}@{domain}"


# --- people -------------------------------------------------------------------------------------------------


def contacts_for(registry: Registry, recipient: str) -> ContactMatch | None:
    """Return the registered people whom ``recipient`` reaches, or None when it reaches nobody registered.

    One address may be several people's. Staff who are contacts count like anybody else, at a force address too:
    what makes a contact is the row, not the domain. ``also_staff`` then names them, so that they do not
    review mail to themselves. An address that `is_overrouted` is a contact's even if none is found behind it.
    """
    contacts: dict[str, Contact] = {}
    readings, whole = _readings(_cleaned(recipient))
    for key in _keys(readings, registry):
        for contact in registry.contacts_by_key.get(key, ()):
            contacts.setdefault(contact.person_id, contact)
    if not contacts and whole:
        return None
    addresses = (recipient, *(email for contact in contacts.values() for email in contact.emails))
    staff = (staff_for(registry, address) for address in dict.fromkeys(addresses))
    return ContactMatch(
        recipient=recipient,
        contacts=tuple(contacts.values()),
        also_staff=next((member.staff_id for member in staff if member), None),
    )


def staff_for(registry: Registry, address: str) -> StaffMember | None:
    """Return the member of staff whose address or alias this is, or None."""
    found = (registry.staff_by_key.get(key) for key in keys_of(address, registry))
    return next((member for member in found if member), None)


def superiors(registry: Registry, staff_id: StaffId) -> tuple[StaffId, ...]:
    """Return everybody ``staff_id`` reports to, nearest first; a cycle in the staff list ends the line."""
    line: list[StaffId] = []
    member = registry.staff_by_id.get(staff_id)
    while member is not None and member.manager:
        member = registry.staff_by_email.get(member.manager)
        if member is None or member.staff_id in line or member.staff_id == staff_id:
            break
        line.append(member.staff_id)
    return tuple(line)


def reports(registry: Registry, staff_id: StaffId) -> tuple[StaffMember, ...]:
    """Return everybody who reports to ``staff_id`` at any distance: whose `superiors` they are among. Nearest first."""
    found: dict[StaffId, StaffMember] = {}
    heads = [registry.staff_by_id[staff_id]] if staff_id in registry.staff_by_id else []
    for head in heads:  # grows as it is gone through
        for member in registry.staff_by_manager.get(head.email, ()):
            if member.staff_id != staff_id and member.staff_id not in found:
                found[member.staff_id] = member
                heads.append(member)
    return tuple(found.values())


def is_conflicted(
    registry: Registry, staff_id: StaffId, senders: Collection[StaffId], involved: Collection[StaffId]
) -> bool:
    """Return whether a member of staff may not know of a message: involved in it, or reporting to a sender (P7)."""
    return staff_id in involved or not frozenset(senders).isdisjoint(superiors(registry, staff_id))


def is_force_address(registry: Registry, address: str) -> bool:
    """True when the address lies in one of the force's domains or below it."""
    domain = domain_key(address.rpartition("@")[2])
    return any(domain == own or domain.endswith(f".{own}") for own in registry.domains)


def parties(registry: Registry, envelope: Envelope, headers: Headers) -> Parties:
    """Return who wrote to whom, as far as envelope, headers and registry tell. Never raises.

    The author is the first person on the staff list among Sender, From and MAIL FROM; a shared mailbox is taken
    only when no person is claimed. All claims are kept. Contacts are looked for in the envelope alone, since
    headers deliver nothing; a recipient is a contact, or private to the sender, or one of the others.
    """
    claims = tuple(_claims(registry, envelope, headers))
    members = tuple(member for _, member in claims if member)
    people = tuple(dict.fromkeys(member for member in members if member.role is not StaffRole.MAILBOX))
    matches: list[ContactMatch] = []
    rest: list[str] = []
    for recipient in envelope.recipients:
        if match := contacts_for(registry, recipient):
            matches.append(match)
        else:
            rest.append(recipient)
    private = _private(registry, rest, claims, people)
    others = tuple(recipient for recipient in rest if recipient not in private)
    return Parties(
        officer=next(iter((*people, *members)), None),
        claimed=tuple(claim for claim, _ in claims),
        senders_disagree=_disagree(registry, claims),
        contacts=tuple(matches),
        private=tuple(recipient for recipient in rest if recipient in private),
        others=others,
        involved=_involved(registry, members, envelope, headers, matches),
        registry_version=registry.version,
        registry_stale=registry.stale,
        unregistered=_second_addresses(registry, others, matches),
        also_claimed=people[1:],
    )


_Claim = tuple[ClaimedSender, StaffMember | None]


def _claims(registry: Registry, envelope: Envelope, headers: Headers) -> Iterator[_Claim]:
    """Yield every claimed sender in the order in which they are believed; the null sender claims nobody."""
    sources = (
        *(("sender", address) for address in headers.sender),
        *(("from", address) for address in headers.from_),
        ("mail-from", envelope.mail.reverse_path),
    )
    for source, address in sources:
        if address:
            member = staff_for(registry, address)
            staff_id = member.staff_id if member else None
            yield ClaimedSender(source=source, address=address, staff_id=staff_id), member


def _disagree(registry: Registry, claims: tuple[_Claim, ...]) -> bool:
    """True when the claims name more than one person. A shared mailbox is nobody: its users write for it."""
    named = {
        member.staff_id if member else match_key(claim.address, registry)
        for claim, member in claims
        if member is None or member.role is not StaffRole.MAILBOX
    }
    return len(named) > 1


def _private(
    registry: Registry,
    recipients: Collection[str],
    claims: Iterable[_Claim],
    people: tuple[StaffMember, ...],
) -> frozenset[str]:
    """Return those of ``recipients`` that are private mailboxes of whom the mail claims to come from."""
    if not recipients:  # as in most mail to a contact
        return frozenset()
    claimed_keys = frozenset(match_key(claim.address, registry) for claim, _ in claims)
    own_names = _LocalNames((person.name, ()) for person in people)
    return frozenset(
        recipient
        for recipient in recipients
        if _is_private(registry, recipient, claimed_keys, people, own_names)
    )


def _is_private(
    registry: Registry,
    recipient: str,
    claimed_keys: frozenset[str],
    people: tuple[StaffMember, ...],
    own_names: "_LocalNames",
) -> bool:
    """True when ``recipient`` is a mailbox of a claimed sender that is not the force's (cue M5).

    That is an alias on the staff list, an address that the mail itself claims to be from, or a consumer mailbox
    whose local part is the sender's full name: officers seldom register their own.
    """
    if is_force_address(registry, recipient):
        return False
    member = staff_for(registry, recipient)
    if member is not None:
        at_work = match_key(member.email, registry) == match_key(recipient, registry)
        return not at_work and any(member.staff_id == person.staff_id for person in people)
    key = match_key(recipient, registry)
    if key in claimed_keys:
        return True
    return key.rpartition("@")[2] in registry.consumer_domains and any(
        True for _ in own_names.carried_by(recipient)
    )


def _second_addresses(
    registry: Registry, others: Collection[str], matches: Iterable[ContactMatch]
) -> tuple[str, ...]:
    """Return those of ``others`` that look like an unregistered mailbox of a contact addressed here (cue M10).

    That is a contact's full name as the local part, at a consumer domain or where the contact has a mailbox. Linear:
    a thousand recipients are asked about a thousand contacts.
    """
    contacts = {id(contact): contact for match in matches for contact in match.contacts}
    if not contacts or not others:
        return ()
    bearers = ((contact.names, _domains(registry, contact)) for contact in contacts.values())
    names = _LocalNames((name, domains) for called, domains in bearers for name in called)
    return tuple(other for other in others if _is_second_address(registry, other, names))


def _is_second_address(registry: Registry, recipient: str, names: "_LocalNames") -> bool:
    if is_force_address(registry, recipient):
        return False
    domain = match_key(recipient, registry).rpartition("@")[2]
    is_consumer = domain in registry.consumer_domains
    return any(is_consumer or domain in domains for domains in names.carried_by(recipient))


def _domains(registry: Registry, contact: Contact) -> frozenset[str]:
    """Return the domains, as in match keys, where ``contact`` has a mailbox."""
    keys = (match_key(email, registry).rpartition("@") for email in contact.emails)
    return frozenset(domain for _, at, domain in keys if at)


def _involved(
    registry: Registry,
    claimed: Iterable[StaffMember],
    envelope: Envelope,
    headers: Headers,
    matches: Iterable[ContactMatch],
) -> tuple[StaffId, ...]:
    """Return the staff who wrote, were addressed, or are contacts themselves, in that order, each once."""
    addressed = (*envelope.recipients, *headers.to, *headers.cc, *headers.bcc, *headers.reply_to)
    found = (staff_for(registry, address) for address in dict.fromkeys(addressed))
    ids = (
        *(member.staff_id for member in claimed),
        *(member.staff_id for member in found if member),
        *(match.also_staff for match in matches if match.also_staff),
    )
    return tuple(dict.fromkeys(ids))


# --- names --------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_LETTERS = re.compile(r"[^\W\d_]+")
_ADDRESS_END = re.compile(r"[^\s<>()\[\]{},;:\"'|@]+\Z")
_ADDRESS_START = re.compile(r"[\w.-]+")


def named_staff(registry: Registry, text: str) -> tuple[StaffId, ...]:
    """Return the staff whom ``text`` names, each once, in the order of first mention. Never raises.

    Named is whoever's address or alias stands in it, or whose full name does, either way round, if only one
    member of staff bears it (DECISIONS 13). The caller leaves signatures out. Linear in the text; of more than
    10,000 addresses the rest is not looked at.
    """
    found: dict[StaffId, None] = {}
    for address in _addresses_in(text):
        if member := staff_for(registry, address):
            found[member.staff_id] = None
    words = _words(text)
    index = registry.staff_by_name
    for first in range(len(words)):
        name = words[first]
        last = first
        while (bearers := index.get(name)) is not None:
            if len(bearers) == 1:
                found[bearers[0]] = None
            last += 1
            if last == len(words):
                break
            name = f"{name} {words[last]}"
    return tuple(found)


def name_index(staff: Iterable[StaffMember]) -> dict[str, tuple[StaffId, ...]]:
    """Return the table that `named_staff` reads: each name, and with nobody each beginning of a name."""
    index: dict[str, tuple[StaffId, ...]] = {}
    for member in staff:
        words = _name_words(member.name)
        if len(words) < 2 or member.role is StaffRole.MAILBOX:
            continue
        first, *_, last = words
        for spelling in {words, (first, last), (last, first), (last, *words[:-1])}:
            for end in range(1, len(spelling)):
                index.setdefault(" ".join(spelling[:end]), ())
            name = " ".join(spelling)
            index[name] = tuple(sorted({*index.get(name, ()), member.staff_id}))
    return index


def _words(text: str) -> list[str]:
    """Return the words of ``text`` as names are compared: no case, no accents, no apostrophes, no possessive."""
    if text.isascii():  # nearly all mail, and ten times as fast
        plain = text.lower()
    else:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    words = _WORD.findall(plain)
    if "'" not in plain and "\u2019" not in plain:
        return words
    return [word.replace("\u2019", "'").removesuffix("'s").replace("'", "") for word in words]


def _name_words(name: str) -> tuple[str, ...]:
    """Return the words of a person's name without titles and ranks; of more than six the first six."""
    words = [word for word in _words(name) if word]
    while len(words) > 2 and _TITLE.fullmatch(words[0]):
        words.pop(0)
    return tuple(words[:_MAX_NAME_WORDS])


class _LocalNames:
    """Full names, and the domains of whoever bears them, to be known again in local parts by look-up."""

    __slots__ = ("_joined", "_lasts")

    def __init__(self, bearers: Iterable[tuple[str, Iterable[str]]]) -> None:
        """``bearers`` are names, and domains to be told of; a name of one word, or of initials, is none."""
        self._lasts: dict[str, dict[str, set[str]]] = {}
        self._joined: dict[str, set[str]] = {}
        for name, domains in bearers:
            words = _name_words(name)
            if len(words) < 2 or min(len(words[0]), len(words[-1])) < 2:
                continue
            first, last = words[0], words[-1]
            self._lasts.setdefault(first, {}).setdefault(last, set()).update(domains)
            for joined in {first + last, last + first, "".join(words)}:
                self._joined.setdefault(joined, set()).update(domains)

    def carried_by(self, address: str) -> Iterator[set[str]]:
        """Yield the domains of each name that the local part is, in either order, with digits and separators as one likes."""
        local = _cleaned(address).rpartition("@")[0].partition("+")[0]
        parts = _LETTERS.findall(" ".join(_words(local.replace(".", " ").replace("_", " "))))
        if (domains := self._joined.get("".join(parts))) is not None:
            yield domains
        there = frozenset(parts)
        for first in there & self._lasts.keys():
            lasts = self._lasts[first]
            yield from (lasts[last] for last in there if last in lasts)


def _addresses_in(text: str) -> Iterator[str]:
    """Yield what looks like an address around each ``@``, the first 10,000; each is bounded as SMTP bounds it."""
    position = text.find("@")
    for _ in range(_MAX_ADDRESSES_IN_TEXT):
        if position < 0:
            return
        local = _ADDRESS_END.search(text[max(0, position - 64) : position])
        domain = _ADDRESS_START.match(text[position + 1 : position + 255])
        if local and domain:
            yield f"{local[0]}@{domain[0]}"
        position = text.find("@", position + 1)
