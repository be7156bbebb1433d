"""In which roles somebody decided whom the force's directory gave them: nobody here can ask it again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add a column; old rows have nothing in it. There is no way back: restore the backup made before the upgrade."""
    says = "Roles that the force's directory gave them, if it did."
    op.add_column(
        "decisions", sa.Column("directory_roles", sa.String(length=255), nullable=True, comment=says)
    )
