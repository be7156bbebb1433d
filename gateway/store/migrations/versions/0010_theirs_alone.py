"""What is professional standards' alone says so itself and says why, a flag too; who is kept away for what came before."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_URGENT = ["kind", "state", "urgent", "held_at", "id", "officer", "unit"]


def upgrade() -> None:
    """Add a column, also to the index that answers for the queue. There is no way back.

    Of a flag from before nobody wrote down that it should have been theirs alone, so it stays as it was.
    """
    op.add_column(
        "items",
        sa.Column(
            "psd_only",
            sa.Text(),
            nullable=False,
            server_default=sa.text("''"),
            comment="Why they alone may know of it, from the start; empty: others may.",
        ),
    )
    op.drop_index("ix_items_urgent", "items")
    op.create_index("ix_items_urgent", "items", [*_URGENT, "psd_only"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "items",
            "psd_copy",
            existing_type=sa.Boolean(),
            existing_nullable=False,
            existing_server_default=sa.false(),
            comment="Professional standards are to see it; why is in the verdict, or in psd_only.",
        )
        says = "It, or an earlier one it tells of, claims to come from them: their line may not see it."
        op.alter_column(
            "item_excluded", "is_sender", existing_type=sa.Boolean(), existing_nullable=False, comment=says
        )
        op.alter_column(
            "item_excluded",
            "why",
            existing_type=sa.String(length=32),
            existing_nullable=False,
            comment="Sender, addressed, named, reports or earlier; empty in old rows.",
        )
        op.create_table_comment("item_excluded", "Staff who may not know of an item, and why.")
