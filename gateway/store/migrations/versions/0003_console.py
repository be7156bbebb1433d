"""Signing in to the console: credentials, sessions, failures; saved views; and the indices of its queue."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AT = sa.String(length=27)


def upgrade() -> None:
    """Add five tables and three indices. There is no way back."""
    _credentials()
    _sessions()
    op.create_table(
        "saved_views",
        sa.Column("email", sa.String(length=320), nullable=False, comment="Whose view it is."),
        sa.Column("name", sa.String(length=80), nullable=False, comment="What they call it."),
        sa.Column(
            "query",
            sa.LargeBinary(),
            nullable=False,
            comment="The filters, as in the address of the page: names may stand in them. Sealed.",
        ),
        sa.Column("at", _AT, nullable=False, comment="When it was saved. UTC."),
        sa.PrimaryKeyConstraint("email", "name", name=op.f("pk_saved_views")),
        comment="Filters of the queue that somebody keeps.",
    )
    op.create_index(
        "ix_items_urgent",
        "items",
        ["kind", "state", "urgent", "held_at", "id", "officer", "unit"],
        unique=False,
    )
    op.create_index(
        "ix_item_excluded_staff", "item_excluded", ["staff_id", "is_sender", "item_id"], unique=False
    )
    op.create_index("ix_decisions_at", "decisions", ["at"], unique=False)


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("email", sa.String(length=320), nullable=False, comment="The account that signs in here."),
        sa.Column(
            "password", sa.LargeBinary(), nullable=False, comment="Argon2id hash of the password. Sealed."
        ),
        sa.Column("password_at", _AT, nullable=False, comment="When it was set. UTC."),
        sa.Column("totp", sa.LargeBinary(), nullable=True, comment="Secret of the second factor. Sealed."),
        sa.Column(
            "totp_step",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Time step of the last code accepted: no code is taken twice.",
        ),
        sa.ForeignKeyConstraint(["email"], ["accounts.email"], name=op.f("fk_credentials_email_accounts")),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_credentials")),
        comment="How local accounts prove who they are.",
    )
    op.create_table(
        "recovery_codes",
        sa.Column("email", sa.String(length=320), nullable=False, comment="The account it is for."),
        sa.Column(
            "hash", sa.String(length=64), nullable=False, comment="SHA-256 of the code, which is random."
        ),
        sa.ForeignKeyConstraint(
            ["email"], ["credentials.email"], name=op.f("fk_recovery_codes_email_credentials")
        ),
        sa.PrimaryKeyConstraint("email", "hash", name=op.f("pk_recovery_codes")),
        comment="Codes that stand in for a lost second factor, once each; a used one is gone.",
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of the id in the cookie."),
        sa.Column("email", sa.String(length=320), nullable=False, comment="Who signed in."),
        sa.Column(
            "stage",
            sa.String(length=32),
            nullable=False,
            comment="How far the sign-in is: signed-in, code, enrol.",
        ),
        sa.Column(
            "method", sa.String(length=32), nullable=False, comment="How they proved it: password, oidc."
        ),
        sa.Column(
            "roles",
            sa.Text(),
            nullable=True,
            comment="Roles the force's directory gave, separated by spaces; else the account's.",
        ),
        sa.Column("made_at", _AT, nullable=False, comment="When it began. UTC."),
        sa.Column("seen_at", _AT, nullable=False, comment="When it was last used, to the minute. UTC."),
        sa.Column("ends_at", _AT, nullable=False, comment="When it ends, used or not. UTC."),
        sa.Column(
            "pending",
            sa.LargeBinary(),
            nullable=True,
            comment="Secret of a second factor that is being set up. Sealed.",
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sessions")),
        comment="Who is signed in to the console. A row that is gone signs out.",
    )
    op.create_index("ix_sessions_email", "sessions", ["email"], unique=False)
    op.create_index("ix_sessions_ends", "sessions", ["ends_at"], unique=False)
    op.create_table(
        "sign_in_failures",
        sa.Column(
            "key", sa.String(length=64), nullable=False, comment="Hash of an address tried, or of where from."
        ),
        sa.Column("failures", sa.Integer(), nullable=False, comment="Failures in a row."),
        sa.Column("last_at", _AT, nullable=False, comment="The last one. UTC."),
        sa.Column("locked_until", _AT, nullable=False, comment="No try before. UTC."),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failures")),
        comment="Failed sign-ins, of accounts that exist and of ones that do not alike.",
    )
    op.create_index("ix_sign_in_failures_last", "sign_in_failures", ["last_at"], unique=False)
