"""The first schema: items, ledger, decisions, outbox, rules, registry, accounts and the audit chain."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NEVER_CHANGED = ("audit_entries",)
_NEVER_DELETED = (
    "audit_entries",
    "audit_tip",
    "decisions",
    "item_contacts",
    "item_excluded",
    "item_messages",
    "item_recipients",
    "items",
)


def upgrade() -> None:
    """Make the tables. There is no way back: restore the backup made before the upgrade."""
    _make_accounts()
    _make_audit_entries()
    _make_audit_payloads()
    _make_audit_tip()
    _make_canaries()
    _make_items()
    _make_ledger()
    _make_meta()
    _make_registry_versions()
    _make_rule_reports()
    _make_rule_sets()
    _make_decisions()
    _make_item_contacts()
    _make_item_excluded()
    _make_item_messages()
    _make_item_recipients()
    _make_ledger_categories()
    _make_ledger_persons()
    _make_outbox()
    _make_outbox_recipients()
    op.execute(
        sa.text("INSERT INTO audit_tip (one, seq, hash) VALUES (1, 0, :none)").bindparams(none="0" * 64)
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    """Refuse, in the database itself, to change the chain or to delete what was held or decided."""
    guards = [("UPDATE", table) for table in _NEVER_CHANGED] + [("DELETE", table) for table in _NEVER_DELETED]
    for change, table in guards:
        op.execute(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: rows are kept as they are'); END"
        )


def _guard_postgresql() -> None:
    """As `_guard_sqlite`; TRUNCATE is refused too."""
    op.execute(
        "CREATE FUNCTION gateway_keep() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%: rows are kept as they are', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in _NEVER_DELETED:
        changes = "UPDATE OR DELETE" if table in _NEVER_CHANGED else "DELETE"
        op.execute(
            f"CREATE TRIGGER {table}_keep_rows BEFORE {changes} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gateway_keep()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_keep_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION gateway_keep()"
        )


def _make_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column(
            "email",
            sa.String(length=320),
            nullable=False,
            comment="Normalised address: the name of the account.",
        ),
        sa.Column("roles", sa.Text(), nullable=False, comment="Roles, separated by spaces."),
        sa.Column(
            "staff_id", sa.String(length=255), nullable=True, comment="The person, if on the staff list."
        ),
        sa.Column(
            "local", sa.Boolean(), nullable=False, comment="Signs in here, not through the force's directory."
        ),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When it was added or changed. UTC."),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_accounts")),
        comment="Who may do what in the console and with decision commands.",
    )


def _make_audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column(
            "seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="From 1, without gaps."
        ),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When. UTC. Text, since it is hashed."),
        sa.Column("event", sa.String(length=64), nullable=False, comment="What happened."),
        sa.Column(
            "actor",
            sa.String(length=320),
            nullable=False,
            comment="Who did it: an account or a part of the gateway.",
        ),
        sa.Column("subject", sa.String(length=255), nullable=False, comment="Id of what it was done to."),
        sa.Column(
            "commitment", sa.String(length=64), nullable=False, comment="Salted SHA-256 of the payload."
        ),
        sa.Column("prev", sa.String(length=64), nullable=False, comment="Hash of the entry before."),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of this entry."),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entries")),
        comment="The hash chain. Triggers refuse any change.",
    )


def _make_audit_payloads() -> None:
    op.create_table(
        "audit_payloads",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="The entry."),
        sa.Column("salt", sa.LargeBinary(), nullable=False, comment="32 random octets."),
        sa.Column("payload", sa.Text(), nullable=False, comment="Canonical JSON."),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_payloads")),
        comment="What the entries commit to. A row may be erased; the chain still verifies.",
    )


def _make_audit_tip() -> None:
    op.create_table(
        "audit_tip",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1."),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="Number of the last entry, 0 before the first."
        ),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="Hash of the last entry."),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_audit_tip")),
        comment="Where the chain ends. Its row lock puts the appends of all processes in order.",
    )


def _make_canaries() -> None:
    op.create_table(
        "canaries",
        sa.Column("key_id", sa.String(length=255), nullable=False, comment="Sealing key of this store."),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="A known text sealed with that key."),
        sa.Column(
            "at", sa.String(length=27), nullable=False, comment="When the key was taken into use. UTC."
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_canaries")),
        comment="One row a sealing key: whoever opens the store must be able to open every row.",
    )


def _make_items() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.String(length=255), nullable=False, comment="Random; the id in the 250."),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="Hold or flag."),
        sa.Column(
            "state",
            sa.String(length=32),
            nullable=False,
            comment="DECISIONS 26: where the item is on its way.",
        ),
        sa.Column("label", sa.String(length=32), nullable=False, comment="The reviewer's word on it."),
        sa.Column(
            "retry_key",
            sa.String(length=64),
            nullable=True,
            comment="Knows the same message again; emptied after some days.",
        ),
        sa.Column(
            "held_at", sa.String(length=27), nullable=False, comment="When the message was received. UTC."
        ),
        sa.Column(
            "officer", sa.String(length=255), nullable=True, comment="Staff id of the author, if known."
        ),
        sa.Column(
            "unit",
            sa.String(length=255),
            nullable=False,
            comment="The author's unit, for the queue of its supervisors.",
        ),
        sa.Column(
            "urgent",
            sa.Boolean(),
            nullable=False,
            comment="A person must look at once; why is in the verdict.",
        ),
        sa.Column("mode", sa.String(length=32), nullable=False, comment="Mode in force when it was judged."),
        sa.Column("action", sa.String(length=32), nullable=False, comment="What was done."),
        sa.Column(
            "proposed",
            sa.String(length=32),
            nullable=False,
            comment="What would have been done in hold mode.",
        ),
        sa.Column("message_id", sa.Text(), nullable=False, comment="Message-ID header, as decoded."),
        sa.Column(
            "sha256", sa.String(length=64), nullable=False, comment="Of the bytes as received, dot-unstuffed."
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="Octets of those bytes."),
        sa.Column(
            "sender_told_failed", sa.Boolean(), nullable=False, comment="The sender got a 5xx for the rest."
        ),
        sa.Column(
            "rest_taken",
            sa.Text(),
            nullable=False,
            comment="Hash of the recipients whose copies did not wait and went.",
        ),
        sa.Column(
            "delivery",
            sa.Text(),
            nullable=False,
            comment="Flags: the code the smarthost gave; empty until known.",
        ),
        sa.Column("envelope", sa.LargeBinary(), nullable=False, comment="Envelope, JSON. Sealed."),
        sa.Column("subject", sa.LargeBinary(), nullable=False, comment="Subject, decoded. Sealed."),
        sa.Column(
            "verdict", sa.LargeBinary(), nullable=False, comment="Verdict with its findings, JSON. Sealed."
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("retry_key", name=op.f("uq_items_retry_key")),
        comment="What waits for a reviewer or was decided by one. Rows are never deleted.",
    )
    op.create_index("ix_items_officer", "items", ["officer", "held_at"], unique=False)
    op.create_index("ix_items_queue", "items", ["kind", "state", "held_at", "id"], unique=False)


def _make_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.String(length=255), nullable=False, comment="Id in the 250."),
        sa.Column(
            "retry_key",
            sa.String(length=64),
            nullable=True,
            comment="Knows the same message again; emptied after some days.",
        ),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When the message was received. UTC."),
        sa.Column(
            "officer", sa.String(length=255), nullable=True, comment="Staff id of the author, if known."
        ),
        sa.Column(
            "case_refs", sa.Text(), nullable=False, comment="Case references of the contacts, one a line."
        ),
        sa.Column(
            "thread",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the thread; empty if it has none.",
        ),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="Of the bytes as received."),
        sa.Column("action", sa.String(length=32), nullable=False, comment="What was done: pass, flag, hold."),
        sa.Column(
            "outcome",
            sa.String(length=32),
            nullable=False,
            comment="What the smarthost said: offered, accepted, refused, unknown, held.",
        ),
        sa.Column("outcome_at", sa.String(length=27), nullable=True, comment="When it said so. UTC."),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("retry_key", name=op.f("uq_ledger_retry_key")),
        comment="One row a message to a contact, no content: what conduct is counted from.",
    )
    op.create_index("ix_ledger_at", "ledger", ["at"], unique=False)
    op.create_index("ix_ledger_officer_at", "ledger", ["officer", "at"], unique=False)


def _make_meta() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=64), nullable=False, comment="What is kept."),
        sa.Column("value", sa.Text(), nullable=False, comment="Its value."),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
        comment="Facts about the store itself: store_id, made_at, outbox_mark, outbox_suspended.",
    )


def _make_registry_versions() -> None:
    op.create_table(
        "registry_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="Order, from 1."),
        sa.Column("version", sa.String(length=64), nullable=False, comment="SHA-256 of the content."),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When it was put in force. UTC."),
        sa.Column("contacts", sa.Integer(), nullable=False, comment="Contacts in it."),
        sa.Column("staff", sa.Integer(), nullable=False, comment="Members of staff in it."),
        sa.Column("by", sa.String(length=320), nullable=False, comment="Who put it in force."),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_registry_versions")),
        comment="Versions of the registry that were in force.",
    )


def _make_rule_reports() -> None:
    op.create_table(
        "rule_reports",
        sa.Column("process", sa.String(length=255), nullable=False, comment="A process that judges mail."),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="The set it judges with."),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When it said so. UTC."),
        sa.Column(
            "trouble", sa.Text(), nullable=False, comment="Why it did not take a newer one; empty if it did."
        ),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_rule_reports")),
        comment="Which process judges with which rules.",
    )


def _make_rule_sets() -> None:
    op.create_table(
        "rule_sets",
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of the bundle."),
        sa.Column("bundle", sa.Text(), nullable=False, comment="Every file of the set, JSON."),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When it was last put in force. UTC."),
        sa.Column("by", sa.String(length=320), nullable=False, comment="Who put it in force."),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rule_sets")),
        comment="Every rule set ever in force, so that a verdict can be computed again.",
    )


def _make_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=255), nullable=False, comment="Random."),
        sa.Column("item_id", sa.String(length=255), nullable=False, comment="The item decided."),
        sa.Column("position", sa.Integer(), nullable=False, comment="Order of the item's decisions, from 0."),
        sa.Column("at", sa.String(length=27), nullable=False, comment="When. UTC."),
        sa.Column("actor", sa.String(length=320), nullable=False, comment="Account of who decided."),
        sa.Column(
            "action",
            sa.String(length=32),
            nullable=False,
            comment="What was decided: release, return, refer, confirm, false-alarm.",
        ),
        sa.Column("reason", sa.LargeBinary(), nullable=False, comment="The reason given. Sealed."),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_decisions_item_id_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        comment="Every decision on an item. Rows are never deleted.",
    )
    op.create_index("uq_decisions_item_position", "decisions", ["item_id", "position"], unique=True)


def _make_item_contacts() -> None:
    op.create_table(
        "item_contacts",
        sa.Column("item_id", sa.String(length=255), nullable=False, comment="The item."),
        sa.Column(
            "person_id", sa.String(length=255), nullable=False, comment="A registered person addressed."
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_contacts_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_item_contacts")),
        comment="Which registered persons an item concerns.",
    )
    op.create_index("ix_item_contacts_person", "item_contacts", ["person_id"], unique=False)


def _make_item_excluded() -> None:
    op.create_table(
        "item_excluded",
        sa.Column("item_id", sa.String(length=255), nullable=False, comment="The item."),
        sa.Column(
            "staff_id", sa.String(length=255), nullable=False, comment="May not see or decide the item."
        ),
        sa.Column("is_sender", sa.Boolean(), nullable=False, comment="The message claims to come from them."),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_excluded_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", "staff_id", name=op.f("pk_item_excluded")),
        comment="Staff who wrote, got or are named in the message.",
    )


def _make_item_messages() -> None:
    op.create_table(
        "item_messages",
        sa.Column("item_id", sa.String(length=255), nullable=False, comment="The item."),
        sa.Column(
            "message",
            sa.LargeBinary(),
            nullable=False,
            comment="The message, dot-unstuffed, as received. Sealed.",
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_messages_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_messages")),
        comment="The bytes of holds and flags, apart from items so that lists stay small.",
    )


def _make_item_recipients() -> None:
    op.create_table(
        "item_recipients",
        sa.Column("item_id", sa.String(length=255), nullable=False, comment="The item."),
        sa.Column("position", sa.Integer(), nullable=False, comment="Order in the envelope, from 0."),
        sa.Column(
            "address",
            sa.LargeBinary(),
            nullable=False,
            comment="Envelope recipient, its own characters. Sealed.",
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_item_recipients_item_id_items")),
        sa.PrimaryKeyConstraint("item_id", "position", name=op.f("pk_item_recipients")),
        comment="Recipients whose copy waits (hold) or who are contacts (flag).",
    )


def _make_ledger_categories() -> None:
    op.create_table(
        "ledger_categories",
        sa.Column("ledger_id", sa.String(length=255), nullable=False, comment="The message."),
        sa.Column("category", sa.String(length=64), nullable=False, comment="A category with a finding."),
        sa.ForeignKeyConstraint(
            ["ledger_id"],
            ["ledger.id"],
            name=op.f("fk_ledger_categories_ledger_id_ledger"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ledger_id", "category", name=op.f("pk_ledger_categories")),
        comment="Which categories a message had findings of.",
    )


def _make_ledger_persons() -> None:
    op.create_table(
        "ledger_persons",
        sa.Column("ledger_id", sa.String(length=255), nullable=False, comment="The message."),
        sa.Column(
            "person_id", sa.String(length=255), nullable=False, comment="A registered person addressed."
        ),
        sa.ForeignKeyConstraint(
            ["ledger_id"], ["ledger.id"], name=op.f("fk_ledger_persons_ledger_id_ledger"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ledger_id", "person_id", name=op.f("pk_ledger_persons")),
        comment="Which registered persons a message went to.",
    )
    op.create_index("ix_ledger_persons_person", "ledger_persons", ["person_id"], unique=False)


def _make_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=255), nullable=False, comment="Random."),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="Release, return or notice."),
        sa.Column("item_id", sa.String(length=255), nullable=True, comment="The item it is about."),
        sa.Column("state", sa.String(length=32), nullable=False, comment="Queued, leased, sent or failed."),
        sa.Column(
            "tries", sa.Integer(), nullable=False, comment="Dialogues begun since it was queued or retried."
        ),
        sa.Column(
            "interrupted",
            sa.Integer(),
            nullable=False,
            comment="Leases that ended without a result: maybe a duplicate.",
        ),
        sa.Column("queued_at", sa.String(length=27), nullable=False, comment="When it was approved. UTC."),
        sa.Column("next_at", sa.String(length=27), nullable=False, comment="Not tried before. UTC."),
        sa.Column("lease_owner", sa.String(length=255), nullable=True, comment="Who works on it."),
        sa.Column("lease_until", sa.String(length=27), nullable=True, comment="End of the lease. UTC."),
        sa.Column(
            "sent_at", sa.String(length=27), nullable=True, comment="When the last recipient was taken. UTC."
        ),
        sa.Column(
            "mail", sa.LargeBinary(), nullable=False, comment="MAIL FROM with its parameters, JSON. Sealed."
        ),
        sa.Column(
            "message", sa.LargeBinary(), nullable=True, comment="Bytes to send; empty: the item's. Sealed."
        ),
        sa.Column(
            "last_reply", sa.LargeBinary(), nullable=True, comment="What stopped the last try. Sealed."
        ),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_outbox_item_id_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        comment="Mail to be sent by serve: approved releases, returns and notices.",
    )
    op.create_index("ix_outbox_item", "outbox", ["item_id"], unique=False)
    op.create_index("ix_outbox_state_next", "outbox", ["state", "next_at"], unique=False)


def _make_outbox_recipients() -> None:
    op.create_table(
        "outbox_recipients",
        sa.Column("outbox_id", sa.String(length=255), nullable=False, comment="The delivery."),
        sa.Column("position", sa.Integer(), nullable=False, comment="Order, from 0."),
        sa.Column("state", sa.String(length=32), nullable=False, comment="Pending, sent or failed."),
        sa.Column("at", sa.String(length=27), nullable=True, comment="Last answer. UTC."),
        sa.Column("address", sa.LargeBinary(), nullable=False, comment="Envelope recipient. Sealed."),
        sa.Column(
            "last_reply",
            sa.LargeBinary(),
            nullable=True,
            comment="The smarthost's last answer for it. Sealed.",
        ),
        sa.ForeignKeyConstraint(
            ["outbox_id"], ["outbox.id"], name=op.f("fk_outbox_recipients_outbox_id_outbox")
        ),
        sa.PrimaryKeyConstraint("outbox_id", "position", name=op.f("pk_outbox_recipients")),
        comment="What became of each recipient of a delivery.",
    )
