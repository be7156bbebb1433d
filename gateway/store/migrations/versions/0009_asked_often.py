"""Indices for what is asked often of tables that only grow: the rules in force, what the audit log says of rules."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ABOUT_RULES = "event = 'rules:loaded' OR event = 'rules:refused' OR event = 'rule:promoted'"


def upgrade() -> None:
    """Add two indices. There is no way back."""
    op.create_index("ix_rule_sets_at", "rule_sets", ["at", "hash"], unique=False)
    op.create_index(
        "ix_audit_entries_rules",
        "audit_entries",
        ["seq"],
        unique=False,
        sqlite_where=sa.text(_ABOUT_RULES),
        postgresql_where=sa.text(_ABOUT_RULES),
    )
