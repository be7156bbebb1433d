"""How a time stands in the store: UTC text of fixed width, which both databases compare alike and a person can read.

Stands beneath `schema`. Knows no table.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String, TypeDecorator

WIDTH = len("2026-01-31T12:00:00.000000Z")
"""Characters of that text."""


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as ``2026-01-31T12:00:00.000000Z``. A naive one is a bug and raises ValueError."""

    impl = String(WIDTH)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the UTC text of ``value``."""
        del dialect
        return None if value is None else instant_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the aware time of the text."""
        del dialect
        return None if value is None else instant_of(str(value))


def instant_text(value: datetime) -> str:
    """Return the one text form of an aware time; ValueError for a naive one."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored; pass an aware datetime")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant_of(text: str) -> datetime:
    """Return the aware time that `instant_text` wrote."""
    return datetime.fromisoformat(text)
