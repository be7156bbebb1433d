"""Conduct over time: what of a header block is kept, which rules came true, and items that PSD is to see."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NEW = (
    ("ledger", sa.String(length=64), "message_key", "Hash of its own Message-ID; empty if none."),
    ("ledger", sa.String(length=64), "answers", "Hash of the mail it answers; empty if none."),
    ("ledger", sa.Text(), "copies", "Hashes of who was copied, separated by spaces."),
    ("ledger", sa.Boolean(), "refused", "It quotes words of the contact that say no."),
    ("ledger", sa.Text(), "weak", "Categories of weak cues, separated by spaces; emptied."),
    ("items", sa.Boolean(), "psd_copy", "Professional standards are to see it; why is in the verdict."),
)


def upgrade() -> None:
    """Add the columns, and give each finding a row that is found by its officer. There is no way back."""
    for table, kind, name, says in _NEW:
        nothing = sa.false() if isinstance(kind, sa.Boolean) else sa.text("''")
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=nothing, comment=says))
    op.create_table(
        "ledger_findings",
        sa.Column("ledger_id", sa.String(length=255), nullable=False, comment="The message."),
        sa.Column(
            "rule",
            sa.String(length=120),
            nullable=False,
            comment="A rule that came true; its category is before the dot.",
        ),
        sa.Column(
            "officer",
            sa.String(length=255),
            nullable=True,
            comment="Author of the message, once more, to look patterns up by.",
        ),
        sa.Column(
            "at",
            sa.String(length=27),
            nullable=False,
            comment="When the message was received, once more. UTC.",
        ),
        sa.ForeignKeyConstraint(
            ["ledger_id"], ["ledger.id"], name=op.f("fk_ledger_findings_ledger_id_ledger"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ledger_id", "rule", name=op.f("pk_ledger_findings")),
        comment="Which rules came true of a message: what patterns are counted from.",
    )
    op.create_index("ix_ledger_findings_officer_at", "ledger_findings", ["officer", "at"], unique=False)
    # Of earlier messages only the category is known: it stands where the id of a rule will.
    op.execute(
        "INSERT INTO ledger_findings (ledger_id, rule, officer, at) "
        "SELECT c.ledger_id, c.category, l.officer, l.at FROM ledger_categories c JOIN ledger l ON l.id = c.ledger_id"
    )
    op.drop_table("ledger_categories")
