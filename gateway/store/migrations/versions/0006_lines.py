"""Lines that we sent: keyed marks, by which a quote of them is known again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add a column. There is no way back: restore the backup made before the upgrade."""
    op.add_column(
        "ledger",
        sa.Column(
            "lines",
            sa.LargeBinary(),
            nullable=False,
            server_default=sa.text("''"),
            comment="Keyed marks of the lines its author wrote, eight octets each.",
        ),
    )
