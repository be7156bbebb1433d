"""What was referred to professional standards, or reopened by them, is theirs alone for good, when it is decided too."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ITEMS = sa.table(
    "items",
    sa.column("id", sa.String),
    sa.column("kind", sa.String),
    sa.column("state", sa.String),
    sa.column("psd_only", sa.Text),
    sa.column("psd_copy", sa.Boolean),
)
_DECISIONS = sa.table("decisions", sa.column("item_id", sa.String), sa.column("action", sa.String))


def upgrade() -> None:
    """Write it down for holds that are with them, or were. There is no way back: restore the backup made before.

    A referred flag stays as it is: they are shown it, beside the line.
    """
    handed = sa.exists().where(
        _DECISIONS.c.item_id == _ITEMS.c.id, _DECISIONS.c.action.in_(("refer", "reopen"))
    )
    theirs = sa.and_(
        _ITEMS.c.kind == "hold", _ITEMS.c.psd_only == "", sa.or_(_ITEMS.c.state == "referred", handed)
    )
    op.execute(sa.update(_ITEMS).where(theirs).values(psd_only="it was referred to them", psd_copy=True))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "items",
            "psd_only",
            existing_type=sa.Text(),
            existing_nullable=False,
            existing_server_default=sa.text("''"),
            comment="Why they alone may know of it; empty: others may.",
        )
