"""The small records: rule sets, registry versions, accounts, and facts about the store itself.

Functions over a transaction.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, func, insert, select, update

from gateway.model import Role, StaffId
from gateway.store.database import Tx, revision
from gateway.store.rows import Account, RegistryVersion, RuleReport, RuleSetRow
from gateway.store.schema import accounts, meta, registry_versions, rule_reports, rule_sets
from gateway.store.statements import Prepared, insert_or_replace, insert_unless_there

_FACT = Prepared(select(meta.c.value).where(meta.c.name == bindparam("which")))
_FACT_TO_CHANGE = Prepared(select(meta.c.value).where(meta.c.name == bindparam("which")).with_for_update())

# --- rules --------------------------------------------------------------------------------------------------


def save_rule_set(tx: Tx, new: RuleSetRow) -> None:
    """Keep a rule set that passed its checks and make it the latest; a set kept before becomes it again."""
    row = {"hash": new.hash, "bundle": new.bundle, "at": new.at, "by": new.by}
    if not insert_unless_there(tx.connection, rule_sets, row, rule_sets.c.hash):
        tx.connection.execute(
            update(rule_sets).where(rule_sets.c.hash == new.hash).values(at=new.at, by=new.by)
        )


def latest_rule_set(tx: Tx) -> RuleSetRow | None:
    """Return the set that was last put in force, or None."""
    latest = latest_rules_hash(tx)
    return rule_set(tx, latest) if latest else None


def latest_rules_hash(tx: Tx) -> str:
    """Return the hash of that set, empty when there is none."""
    return latest_rules(tx)[0]


def latest_rules(tx: Tx) -> tuple[str, datetime]:
    """Return that hash, and when the set was last put in force, long ago when there is none: cheap enough to ask every second.

    Hash and time are in one index and both go down: no bundle is read past, and nothing is sorted.
    """
    newest_first = select(rule_sets.c.hash, rule_sets.c.at).order_by(
        rule_sets.c.at.desc(), rule_sets.c.hash.desc()
    )
    found = tx.connection.execute(newest_first.limit(1)).one_or_none()
    return (found.hash, found.at) if found else ("", datetime.min.replace(tzinfo=UTC))


def rule_set(tx: Tx, rules_hash: str) -> RuleSetRow | None:
    """Return the set with that hash, or None."""
    row = tx.connection.execute(select(rule_sets).where(rule_sets.c.hash == rules_hash)).one_or_none()
    return RuleSetRow(hash=row.hash, bundle=row.bundle, at=row.at, by=row.by) if row else None


def rule_sets_called(tx: Tx, beginning: str) -> tuple[str, ...]:
    """Return the hashes of kept sets that begin so, at most two: enough to know whether it is one."""
    query = select(rule_sets.c.hash).where(rule_sets.c.hash.startswith(beginning, autoescape=True)).limit(2)
    return tuple(tx.connection.scalars(query))


def report_rules(tx: Tx, report: RuleReport) -> None:
    """Record with which rules a process judges, in place of what it said before."""
    tx.connection.execute(delete(rule_reports).where(rule_reports.c.process == report.process))
    tx.connection.execute(
        insert(rule_reports).values(
            process=report.process, hash=report.hash, at=report.at, trouble=report.trouble
        )
    )


def rule_reports_since(tx: Tx, since: datetime) -> tuple[RuleReport, ...]:
    """Return what the processes said that have spoken since ``since``."""
    query = select(rule_reports).where(rule_reports.c.at >= since).order_by(rule_reports.c.process)
    return tuple(
        RuleReport(process=row.process, hash=row.hash, at=row.at, trouble=row.trouble)
        for row in tx.connection.execute(query)
    )


def withdraw_report(tx: Tx, process: str) -> None:
    """Forget a process that stops: nobody need wait for it."""
    tx.connection.execute(delete(rule_reports).where(rule_reports.c.process == process))


# --- registry -----------------------------------------------------------------------------------------------


def save_registry_version(tx: Tx, new: RegistryVersion) -> bool:
    """Record a version put in force; false when it is the latest already."""
    latest = latest_registry_version(tx)
    if latest is not None and latest.version == new.version:
        return False
    number = int(tx.connection.scalar(select(func.coalesce(func.max(registry_versions.c.number), 0))) or 0)
    row = {
        "number": number + 1,
        "version": new.version,
        "at": new.at,
        "contacts": new.contacts,
        "staff": new.staff,
        "by": new.by,
    }
    return insert_unless_there(tx.connection, registry_versions, row, registry_versions.c.number)


def latest_registry_version(tx: Tx) -> RegistryVersion | None:
    """Return the version that was last put in force, or None."""
    query = select(registry_versions).order_by(registry_versions.c.number.desc()).limit(1)
    row = tx.connection.execute(query).first()
    if row is None:
        return None
    return RegistryVersion(version=row.version, at=row.at, contacts=row.contacts, staff=row.staff, by=row.by)


# --- accounts -----------------------------------------------------------------------------------------------


def add_account(tx: Tx, account: Account) -> bool:
    """Add an account; false, changing nothing, when its address has one."""
    row = {
        "email": account.email,
        "roles": " ".join(sorted(account.roles)),
        "staff_id": account.staff_id,
        "local": account.local,
        "at": account.at,
    }
    return insert_unless_there(tx.connection, accounts, row, accounts.c.email)


def change_account(tx: Tx, account: Account) -> bool:
    """Replace roles, person and kind of an account; false when there is none."""
    changed = tx.connection.execute(
        update(accounts)
        .where(accounts.c.email == account.email)
        .values(
            roles=" ".join(sorted(account.roles)),
            staff_id=account.staff_id,
            local=account.local,
            at=account.at,
        )
    )
    return changed.rowcount == 1


def account(tx: Tx, email: str) -> Account | None:
    """Return the account of a normalised address, or None."""
    found = _accounts(tx, (email,))
    return found[0] if found else None


def list_accounts(tx: Tx) -> tuple[Account, ...]:
    """Return all accounts by address."""
    return _accounts(tx, None)


def _accounts(tx: Tx, emails: Iterable[str] | None) -> tuple[Account, ...]:
    query = select(accounts).order_by(accounts.c.email)
    if emails is not None:
        query = query.where(accounts.c.email.in_(tuple(emails)))
    return tuple(
        Account(
            email=row.email,
            roles=frozenset(Role(role) for role in row.roles.split()),
            staff_id=StaffId(row.staff_id) if row.staff_id else None,
            local=row.local,
            at=row.at,
        )
        for row in tx.connection.execute(query)
    )


# --- facts --------------------------------------------------------------------------------------------------


def schema_of(tx: Tx) -> str:
    """Return the schema the database has."""
    return revision(tx.connection)


def fact(tx: Tx, name: str) -> str | None:
    """Return a fact about the store itself, or None."""
    return _value(_FACT, tx, name)


def fact_to_change(tx: Tx, name: str) -> str | None:
    """As `fact`, for who will set it from what it is now: others who ask the same wait for this transaction."""
    return _value(_FACT_TO_CHANGE, tx, name)


def _value(statement: Prepared, tx: Tx, name: str) -> str | None:
    found = statement.run(tx.connection, {"which": name}).fetchone()
    return str(found[0]) if found else None


def set_fact(tx: Tx, name: str, value: str | None) -> None:
    """Set a fact about the store itself; None removes it. Of two processes at once the later one's stands."""
    if value is None:
        tx.connection.execute(delete(meta).where(meta.c.name == name))
    else:
        insert_or_replace(tx.connection, meta, {"name": name, "value": value}, meta.c.name)
