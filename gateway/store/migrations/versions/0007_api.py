"""The HTTP API: tokens, what a records system pushed; and leave to read the text of one item."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AT = sa.String(length=27)


def upgrade() -> None:
    """Add four tables. There is no way back: restore the backup made before the upgrade."""
    op.create_table(
        "api_tokens",
        _text("id", 16, "Random; the part of the token that is no secret."),
        _text("name", 64, "What its holder is called in the audit log."),
        _text("hash", 64, "SHA-256 of the token, which is random."),
        _text("may", None, "What it is good for, separated by spaces: contacts, states."),
        _when("made_at", "When it was made."),
        _text("made_by", 320, "Who made it."),
        _when("used_at", "When it was last used, to the minute.", nullable=True),
        _when("revoked_at", "When it was revoked; its name stays taken.", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_api_tokens_name")),
        comment="Tokens of other systems for the HTTP API. A token itself is shown once, and kept nowhere.",
    )
    _pushed()
    op.create_table(
        "text_grants",
        _text("id", 255, "Random."),
        _text("item_id", 255, "The item whose text may be read."),
        _text("holder", 320, "Account of who may read it."),
        _text("by", 320, "Who granted it."),
        _when("at", "When."),
        _when("ends_at", "When it ends by itself."),
        _when("ended_at", "When somebody ended it before.", nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="Why. Sealed."),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_text_grants_item_id_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_grants")),
        comment="Leave for those who oversee the process to read the text of one item. Rows are never deleted.",
    )
    op.create_index("ix_text_grants_item", "text_grants", ["item_id", "holder"], unique=False)


def _pushed() -> None:
    op.create_table(
        "pushed_sets",
        _text("name", 255, "contacts or staff."),
        _text("revision", 64, "Another with each change: the entity tag."),
        sa.Column("entries", sa.Integer(), nullable=False, comment="Entries in it."),
        _when("changed_at", "When its content changed last."),
        _when("pushed_at", "When it was pushed last, changed or not: how old the registry is."),
        _text("by", 320, "Who pushed it last."),
        sa.Column(
            "content",
            sa.LargeBinary(),
            nullable=False,
            comment="The whole set as it was pushed last, JSON, compressed. Sealed.",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pushed_sets")),
        comment="What the records system pushed: in place of the two files, where registry.source is api.",
    )
    op.create_table(
        "pushed_changes",
        _text("name", 255, "The set."),
        _text("entry", 128, "What the records system calls the entry."),
        sa.Column(
            "content", sa.LargeBinary(), nullable=True, comment="The entry, JSON; none: it is gone. Sealed."
        ),
        sa.ForeignKeyConstraint(
            ["name"], ["pushed_sets.name"], name=op.f("fk_pushed_changes_name_pushed_sets")
        ),
        sa.PrimaryKeyConstraint("name", "entry", name=op.f("pk_pushed_changes")),
        comment="Single entries that changed since their whole set was pushed.",
    )


def _text(name: str, length: int | None, says: str) -> sa.Column[str]:
    kind = sa.String(length=length) if length else sa.Text()
    return sa.Column(name, kind, nullable=False, comment=says)


def _when(name: str, says: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _AT, nullable=nullable, comment=f"{says} UTC.")
