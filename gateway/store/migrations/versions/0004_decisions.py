"""Deciding: who works on an item, which release stands and how it is undone, and why somebody may not review."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AT = sa.String(length=27)
_NEW = (
    (
        "items",
        "release_id",
        255,
        "The delivery approved last; a release goes out only while it stands here.",
    ),
    ("items", "undo_to", 32, "State that undoing that release goes back to."),
    ("item_excluded", "why", 32, "Sender, addressed or named; empty in old rows."),
)


def upgrade() -> None:
    """Add a table and three columns. There is no way back: restore the backup made before the upgrade."""
    for table, name, length, says in _NEW:
        column = sa.Column(
            name, sa.String(length=length), nullable=False, server_default=sa.text("''"), comment=says
        )
        op.add_column(table, column)
    op.create_table(
        "claims",
        sa.Column("item_id", sa.String(length=255), nullable=False, comment="The item."),
        sa.Column("actor", sa.String(length=320), nullable=False, comment="Account of who works on it."),
        sa.Column("since", _AT, nullable=False, comment="When they began. UTC."),
        sa.Column("until", _AT, nullable=False, comment="End of the lease. UTC."),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_claims_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_claims")),
        comment="Which reviewer works on which item, so that two never collide. A row past its end says nothing.",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "decisions",
            "action",
            existing_type=sa.String(length=32),
            existing_nullable=False,
            comment=(
                "What was decided: release, return, refer, confirm, false-alarm, note, approve, undo, reopen."
            ),
        )
