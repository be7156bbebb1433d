"""Statements that every message runs: written once as SQLAlchemy Core, compiled once, run on the driver's own cursor.

SQLAlchemy looks after what is rare. For what each message does, finding the compiled form again and dressing the
result costs ten times the statement itself (docs/decisions/0010). What comes back is the driver's: plain text and
numbers, with no column types applied; what goes in passes through the column types as it always does. A failure is
the one that SQLAlchemy would raise, and a lost connection is marked as lost. Stands beside `database`, under the
functions over a transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, Connection, Dialect, Insert, Table, insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

Row = Mapping[str, object]


class Prepared:
    """One statement in the words of whatever database it meets. Safe to use from several threads."""

    __slots__ = ("_columns", "_forms", "_statement")

    def __init__(self, statement: ClauseElement, columns: Iterable[str] | None = None) -> None:
        """Prepare ``statement``; for an insert, ``columns`` are those its rows will have."""
        self._statement = statement
        self._columns = None if columns is None else list(columns)
        self._forms: dict[str, _Form] = {}

    def run(self, connection: Connection, values: Row) -> DBAPICursor:
        """Run it with ``values`` and return the driver's cursor. Raises what `Connection.execute` would."""
        form = self._forms.get(connection.dialect.name) or self._form(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(form.sql, form.bound(values))
        except form.error as problem:
            raise _told(connection, problem) from problem
        return cursor

    def run_for_each(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it once for each of ``rows``. Raises what `Connection.execute` would."""
        form = self._forms.get(connection.dialect.name) or self._form(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(form.sql, [form.bound(row) for row in rows])
        except form.error as problem:
            raise _told(connection, problem) from problem

    def _form(self, dialect: Dialect) -> "_Form":
        form = self._forms[dialect.name] = _Form(self._statement, self._columns, dialect)
        return form


class _Form:
    """The text of a statement for one database, and how its values are bound."""

    __slots__ = ("_by_position", "_constants", "_processors", "error", "sql")

    def __init__(self, statement: ClauseElement, columns: list[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql: Final = str(compiled)
        self.error: Final = dialect.loaded_dbapi.Error
        names = compiled.bind_names.values()
        given = {name: compiled.binds[name] for name in names}
        makers: dict[str, Callable[[Any], Any] | None] = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in given.items()
        }
        self._processors = tuple((name, processor) for name, processor in makers.items() if processor)
        self._constants = {
            name: bind.value for name, bind in given.items() if not bind.required and bind.value is not None
        }
        self._by_position: tuple[str, ...] | None = (
            tuple(compiled.positiontup) if compiled.positional else None
        )

    def bound(self, values: Row) -> Any:
        """Return ``values`` as the driver takes them."""
        all_values: dict[str, Any] = {**self._constants, **values}
        for name, processor in self._processors:
            all_values[name] = processor(all_values[name])
        if self._by_position is None:
            return all_values
        return [all_values[name] for name in self._by_position]


def insert_into(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert ``rows``, which all have the same columns; none is fine."""
    if len(rows) == 1:
        _insert(table, tuple(rows[0])).run(connection, rows[0])
    elif rows:
        _insert(table, tuple(rows[0])).run_for_each(connection, rows)


def insert_unless_there(connection: Connection, table: Table, row: Row, unique: Column[Any]) -> bool:
    """Insert ``row`` unless another has its value in ``unique``; return whether it was inserted.

    On PostgreSQL this waits for a transaction that is inserting the same value, and then sees its row.
    """
    statement = _insert_unless_there(connection.dialect.name, table, unique, tuple(row))
    return statement.run(connection, row).rowcount == 1


def insert_or_replace(connection: Connection, table: Table, row: Row, unique: Column[Any]) -> None:
    """Insert ``row``, or give the one that has its value in ``unique`` the other values.

    Never delete and insert instead: on PostgreSQL two who do that at once end in a broken constraint.
    """
    _insert_or_replace(connection.dialect.name, table, unique, tuple(row)).run(connection, row)


@cache
def _insert(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table), columns)


@cache
def _insert_unless_there(
    dialect: str, table: Table, unique: Column[Any], columns: tuple[str, ...]
) -> Prepared:
    statement: Insert = _insert_of(dialect, table).on_conflict_do_nothing(index_elements=[unique])
    return Prepared(statement, columns)


@cache
def _insert_or_replace(dialect: str, table: Table, unique: Column[Any], columns: tuple[str, ...]) -> Prepared:
    statement = _insert_of(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name != unique.name}
    return Prepared(statement.on_conflict_do_update(index_elements=[unique], set_=others), columns)


def _insert_of(dialect: str, table: Table) -> Any:
    return postgresql_insert(table) if dialect == "postgresql" else sqlite_insert(table)


def _told(connection: Connection, problem: BaseException) -> BaseException:
    """Return the driver's ``problem`` as SQLAlchemy tells it, without values; a lost connection is given up."""
    dialect = connection.dialect
    driver: Any = problem
    if dialect.is_disconnect(driver, None, None):
        connection.invalidate(driver)
    told: BaseException = DBAPIError.instance(
        "", None, driver, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )
    return told
