"""Rules on trial: in how many messages of each day a rule in shadow came true."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add a table. There is no way back: restore the backup made before the upgrade."""
    op.create_table(
        "rule_trials",
        sa.Column("rule", sa.String(length=255), nullable=False, comment="The rule."),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False, comment="Its version."),
        sa.Column("day", sa.String(length=10), nullable=False, comment="The day, UTC: 2026-03-01."),
        sa.Column("messages", sa.Integer(), nullable=False, comment="Messages in which it came true."),
        sa.PrimaryKeyConstraint("rule", "version", "day", name=op.f("pk_rule_trials")),
        comment="How often rules in shadow come true. No message, officer or contact is named.",
    )
