"""Indices for the lists of the console: by time alone, a Message-ID, a hash, what professional standards are to see."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add four indices. There is no way back."""
    op.create_index("ix_items_received", "items", ["held_at", "id"], unique=False)
    # a Message-ID is as long as its sender likes, and PostgreSQL refuses rows too long for a B-tree
    op.create_index("ix_items_message_id", "items", ["message_id"], unique=False, postgresql_using="hash")
    op.create_index("ix_items_sha256", "items", ["sha256"], unique=False)
    op.create_index(
        "ix_items_psd_copy",
        "items",
        ["kind", "state", "urgent", "held_at", "id"],
        unique=False,
        sqlite_where=sa.text("psd_copy = 1"),
        postgresql_where=sa.text("psd_copy"),
    )
