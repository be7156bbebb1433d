"""How often a delivery was interrupted since a person last had it tried: how often in all does not end it a second time."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add a column; old rows begin anew. There is no way back: restore the backup made before the upgrade."""
    says = "Of those, the ones since it was queued or retried."
    op.add_column("outbox", sa.Column("lost", sa.Integer(), nullable=False, server_default="0", comment=says))
