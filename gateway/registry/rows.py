"""Records into rows of people: what each column may hold. The second step of `registry.load`.

Owns the columns, their types, and what an empty or wrong field is taken for; docs/registry.md is the table for
people. A field that cannot be read is a mistake, and its row keeps its last good version; the values here are
then the strict ones, so that a new person is not missed for a slip in their row. Knows nothing of other rows.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar, cast

from email_validator import EmailNotValidError, validate_email

from gateway.errors import Mistake
from gateway.identify import domain_key
from gateway.model import CaseStatus, ContactRole, StaffRole
from gateway.registry.reading import Columns, Record, Table, unreadable_character

CONTACT_COLUMNS = Columns(
    required=(
        *("email", "name", "role", "case_ref", "case_status", "opened", "closed"),
        *("officers", "vulnerable", "safe_contact"),
    ),
    optional=("person_id", "do_not_contact", "email_consent", "is_child", "team"),
)
STAFF_COLUMNS = Columns(
    required=("email", "name", "rank", "unit", "manager", "role", "aliases"), optional=("staff_id",)
)

_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN_LOCAL = re.compile(r"[a-z0-9_+'=-]+(?:\.[a-z0-9_+'=-]+)*")
_Choice = TypeVar("_Choice", bound=StrEnum)


class ContactRow(NamedTuple):
    """One row of contacts.csv; a tuple, since there may be a million. ``email`` is empty when it cannot be read; ``wrong`` when any field cannot."""

    line: int
    email: str
    name: str
    role: ContactRole
    case_ref: str
    status: CaseStatus
    opened: date | None
    closed: date | None
    officers: tuple[str, ...]
    team: str
    vulnerable: bool
    is_child: bool
    do_not_contact: bool
    email_consent: bool
    safe_contact: str
    person: str
    wrong: bool


class StaffRow(NamedTuple):
    """One row of staff.csv, as `ContactRow`."""

    line: int
    email: str
    name: str
    rank: str
    unit: str
    manager: str
    role: StaffRole
    aliases: tuple[str, ...]
    staff_id: str
    wrong: bool


@dataclass(slots=True)
class Complaints:
    """What is wrong with a file (the row does not take effect as written), and what only looks so.

    ``names`` are what rows are called that are no lines of a file; ``wrong`` the lines of rows that cannot be read.
    """

    file: str
    names: tuple[str, ...] = ()
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    wrong: set[int] = field(default_factory=set)

    def row(self, line: int) -> str:
        """Return what people call a row: by its line in a file, by its name where it has one."""
        return f"entry {self.names[line - 1]!r}" if self.names else f"line {line}"


def contact_rows(
    table: Table, complaints: Complaints, *, max_chars: int, force_domains: tuple[str, ...]
) -> Iterator[ContactRow]:
    """Yield the rows of contacts.csv in the file's order, their mistakes and warnings put down in ``complaints``."""
    cells = _Cells(table, complaints, max_chars, force_domains)
    for record in table.records:
        cells.begin(record)
        opened, closed = cells.day("opened"), cells.day("closed")
        if opened and closed and closed < opened:
            cells.wrong("closed", f"closed on {closed}, before it was opened on {opened}", "mend the dates")
        status = cells.choice("case_status", CaseStatus, CaseStatus.OPEN, empty=CaseStatus.OPEN)
        if status in {CaseStatus.CLOSED, CaseStatus.NFA} and closed is None and not cells.amiss:
            cells.odd("closed", f"the case is {status} but has no closing date", "add the date")
        yield ContactRow(
            line=record.line,
            email=cells.address("email", required=True),
            name=cells.text("name"),
            role=cells.choice("role", ContactRole, ContactRole.VICTIM),
            case_ref=cells.text("case_ref", required=True),
            status=status,
            opened=opened,
            closed=closed,
            officers=cells.addresses("officers"),
            team=cells.text("team"),
            vulnerable=cells.yes("vulnerable", empty=False, strict=True),
            is_child=cells.yes("is_child", empty=False, strict=True),
            do_not_contact=cells.yes("do_not_contact", empty=False, strict=True),
            email_consent=cells.yes("email_consent", empty=True, strict=False),
            safe_contact=cells.text("safe_contact"),
            person=cells.text("person_id"),
            wrong=cells.amiss,
        )


def staff_rows(
    table: Table, complaints: Complaints, *, max_chars: int, force_domains: tuple[str, ...]
) -> Iterator[StaffRow]:
    """Yield the rows of staff.csv in the file's order, their mistakes and warnings put down in ``complaints``."""
    cells = _Cells(table, complaints, max_chars, force_domains)
    for record in table.records:
        cells.begin(record)
        yield StaffRow(
            line=record.line,
            email=cells.address("email", required=True),
            name=cells.text("name", required=True),
            rank=cells.text("rank"),
            unit=cells.text("unit"),
            manager=cells.address("manager"),
            role=cells.choice("role", StaffRole, StaffRole.OFFICER, empty=StaffRole.OFFICER),
            aliases=cells.addresses("aliases"),
            staff_id=cells.text("staff_id"),
            wrong=cells.amiss,
        )


class _Cells:
    """The fields of one record after another, by column. ``amiss`` is true once one cannot be read."""

    def __init__(
        self, table: Table, complaints: Complaints, max_chars: int, force_domains: tuple[str, ...]
    ) -> None:
        self._table = table
        self._complaints = complaints
        self._max_chars = max_chars
        self._force_domains = force_domains
        self._record = Record(0, "", ())
        self._fields: dict[str, str] = {}
        self.amiss = False

    def begin(self, record: Record) -> None:
        """Go on to ``record``."""
        self._record = record
        self._fields = dict(zip(self._table.index, record.fields, strict=False))
        self.amiss = not record.whole
        if self.amiss:
            self._complaints.wrong.add(record.line)

    def wrong(self, column: str, what: str, remedy: str) -> None:
        """Put down a mistake in ``column``; the row does not take effect as written."""
        self.amiss = True
        self._complaints.wrong.add(self._record.line)
        # Where the fields do not fit the header, that is the mistake; the rest would only follow from it.
        if self._record.whole:
            self._complaints.mistakes.append(self._mistake(column, what, remedy))

    def odd(self, column: str, what: str, remedy: str) -> None:
        """Put down a warning about ``column``; the row takes effect."""
        self._complaints.warnings.append(self._mistake(column, what, remedy))

    def _mistake(self, column: str, what: str, remedy: str) -> Mistake:
        line, place = self._table.place(self._record, column)
        return Mistake(
            file=self._table.file, line=line, column=place, what=f"{column}: {what}", remedy=remedy
        )

    def text(self, column: str, *, required: bool = False) -> str:
        """Return the field, or an empty string when there is none or it cannot be read."""
        value = self._fields.get(column, "")
        if value and len(value) <= self._max_chars and value.isprintable():
            return value
        if not value:
            if required:
                self.wrong(column, "is empty", "fill it in, or leave the row out")
            return ""
        if len(value) > self._max_chars:
            what = f"is longer than {self._max_chars} characters"
            self.wrong(column, what, "shorten it, or raise registry.max_field_chars")
            return ""
        if what := unreadable_character(value):
            self.wrong(column, what, "export the file as UTF-8 text")
            return ""
        return value

    def choice(
        self, column: str, choices: type[_Choice], strict: _Choice, *, empty: _Choice | None = None
    ) -> _Choice:
        """Return which of ``choices`` the field names; case, spaces and underscores do not count."""
        value = self.text(column, required=empty is None)
        if not value:
            return empty or strict
        found = _choice(value, choices)
        if found is not None:
            return cast("_Choice", found)
        names = tuple(str(choice) for choice in choices)
        near = difflib.get_close_matches(_hyphened(value), names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(names)}"
        self.wrong(column, f"{_shown(value)} is not known", remedy)
        return strict

    def yes(self, column: str, *, empty: bool, strict: bool) -> bool:
        """Return a yes or no; ``empty`` when nothing is given, ``strict`` when it is neither."""
        value = self.text(column).lower()
        if not value:
            return strict if self.amiss and not self._record.whole else empty
        if value in _YES or value in _NO:
            return value in _YES
        self.wrong(column, f"{_shown(value)} is neither yes nor no", "use yes or no")
        return strict

    def day(self, column: str) -> date | None:
        """Return an ISO date, or None when nothing is given."""
        value = self.text(column)
        if not value:
            return None
        found = _day(value)
        if found is None:
            self.wrong(column, f"{_shown(value)} is not a date", "write it as 2026-03-31 (year-month-day)")
        return found

    def address(self, column: str, *, required: bool = False) -> str:
        """Return one normalised address, or an empty string."""
        value = self.text(column, required=required)
        return self._normalised(column, value) if value else ""

    def addresses(self, column: str) -> tuple[str, ...]:
        """Return the normalised addresses of a list with semicolons, each once; empty pieces do not count."""
        value = self.text(column)
        if not value:
            return ()
        found = _addresses(value, self._force_domains)
        if found is None:
            pieces = (self._normalised(column, piece) for piece in _pieces(value))
            found = tuple(dict.fromkeys(address for address in pieces if address))
        return found

    def _normalised(self, column: str, value: str) -> str:
        try:
            return normalised(value, self._force_domains)
        except EmailNotValidError as error:
            what = str(error).rstrip(".")
            self.wrong(column, f"{_shown(value)} is not an address: {what}", "write it as name@domain")
            return ""


def normalised(address: str, force_domains: tuple[str, ...] = ()) -> str:
    """Return the address as email-validator normalises it, in lower case.

    Raises `EmailNotValidError`. The force's own domains may be of a kind that email-validator refuses, such as
    ``force.local``. An ASCII local part of letters, digits and ``_+'=-.`` needs no look by the library once its
    domain has had one: that keeps 200,000 rows to seconds.
    """
    local, at, domain = address.rpartition("@")
    local = local.lower()
    if at and len(local) <= 64 and len(address) <= 254 and _PLAIN_LOCAL.fullmatch(local):
        return f"{local}@{_normal_domain(domain, domain_key(domain) in force_domains)}"
    stand_in = _is_local(domain) and domain_key(domain) in force_domains
    whole = validate_email(
        f"{address}.example" if stand_in else address,
        check_deliverability=False,
        allow_quoted_local=True,
        test_environment=True,
        strict=True,
    ).normalized.lower()
    return whole.removesuffix(".example") if stand_in else whole


@lru_cache(maxsize=65_536)
def _normal_domain(domain: str, ours: bool) -> str:
    """Return the domain as email-validator normalises it, or raise what it raises."""
    stand_in = ours and _is_local(domain)
    found = validate_email(
        f"x@{domain}.example" if stand_in else f"x@{domain}",
        check_deliverability=False,
        test_environment=True,
    ).domain
    return found.removesuffix(".example") if stand_in else found


def _is_local(domain: str) -> bool:
    """True for names of the special kind that email-validator refuses and that private networks use."""
    return domain.lower().endswith((".local", ".localhost")) or domain.lower() == "localhost"


# Most columns hold the same few texts again and again; what is wrong with one is worked out at its place.


@lru_cache(maxsize=65_536)
def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _choice(value: str, choices: type[StrEnum]) -> StrEnum | None:
    hyphened = _hyphened(value)
    return next((choice for choice in choices if choice == hyphened), None)


@lru_cache(maxsize=65_536)
def _addresses(value: str, force_domains: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the addresses of a list, or None when one of them cannot be read."""
    try:
        return tuple(dict.fromkeys(normalised(piece, force_domains) for piece in _pieces(value)))
    except EmailNotValidError:
        return None


def _pieces(value: str) -> Iterator[str]:
    return (piece for piece in map(str.strip, value.split(";")) if piece)


def _hyphened(value: str) -> str:
    return re.sub(r"[\s_-]+", "-", value.lower())


def _shown(value: str) -> str:
    """Return a field fit for a message: what was given, cut short."""
    return repr(value if len(value) <= 60 else f"{value[:60]}...")
