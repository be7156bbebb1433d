"""The tables: every column once, with the sentence that says what it holds.

Times are UTC text of fixed width, so that SQLite and PostgreSQL compare them alike and a person can read them.
Columns marked *sealed* hold what `sealing` made, bound to their table, column and row. `migrations/` makes these
tables; a test compares the two. Knows nothing of what the rows mean to the other stages.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from gateway.store.instants import WIDTH, Instant

HEAD = "0013"
"""The schema this code knows, as Alembic names it."""
ABOUT_RULES = "event = 'rules:loaded' OR event = 'rules:refused' OR event = 'rule:promoted'"
"""Which audit entries `ix_audit_entries_rules` has. A question uses it by saying this in the same words: SQLite looks no further."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str, says: str, *, primary: bool = False, nullable: bool = False) -> Column[str]:
    """Return a column for a random id of ours, or of staff, persons and rules."""
    return Column(name, String(255), primary_key=primary, nullable=nullable, comment=says)


def _word(name: str, says: str, words: type[StrEnum] | None = None, *, nullable: bool = False) -> Column[str]:
    """Return a column for one word of a closed set."""
    listed = f" One of: {', '.join(words)}." if words else ""
    return Column(name, String(32), nullable=nullable, comment=says + listed)


def _or_empty(name: str, kind: String, says: str) -> Column[str]:
    """Return a column that came after the first schema, for text: rows from before have none in it."""
    return Column(name, kind, nullable=False, server_default=text("''"), comment=says)


def _at(name: str, says: str, *, nullable: bool = False) -> Column[datetime]:
    """Return a column for a time."""
    return Column(name, Instant(), nullable=nullable, comment=f"{says} UTC.")


def _sealed(name: str, says: str, *, nullable: bool = False) -> Column[bytes]:
    """Return a column whose every value is sealed, and is sealed again when the key changes."""
    return Column(
        name, LargeBinary(), nullable=nullable, comment=f"{says} Sealed.", info={"sealed": True, "says": says}
    )


def _of(name: str, target: str, says: str, *, primary: bool = False, nullable: bool = False) -> Column[str]:
    """Return a column that names a row of another table."""
    return Column(name, String(255), ForeignKey(target), primary_key=primary, nullable=nullable, comment=says)


meta = Table(
    "meta",
    metadata,
    Column("name", String(64), primary_key=True, comment="What is kept."),
    Column("value", Text(), nullable=False, comment="Its value."),
    comment="Facts about the store itself: store_id, made_at, outbox_mark, outbox_suspended.",
)

canaries = Table(
    "canaries",
    metadata,
    _id("key_id", "Sealing key of this store.", primary=True),
    Column("sealed", LargeBinary(), nullable=False, comment="A known text sealed with that key."),
    _at("at", "When the key was taken into use."),
    comment="One row a sealing key: whoever opens the store must be able to open every row.",
)

items = Table(
    "items",
    metadata,
    _id("id", "Random; the id in the 250.", primary=True),
    _word("kind", "Hold or flag."),
    _word("state", "DECISIONS 26: where the item is on its way."),
    _word("label", "The reviewer's word on it."),
    Column(
        "retry_key", String(64), unique=True, comment="Knows the same message again; emptied after some days."
    ),
    _at("held_at", "When the message was received."),
    _id("officer", "Staff id of the author, if known.", nullable=True),
    Column(
        "unit", String(255), nullable=False, comment="The author's unit, for the queue of its supervisors."
    ),
    Column("urgent", Boolean(), nullable=False, comment="A person must look at once; why is in the verdict."),
    Column(
        "psd_copy",
        Boolean(),
        nullable=False,
        server_default=false(),
        comment="Professional standards are to see it; why is in the verdict, or in psd_only.",
    ),
    _or_empty("psd_only", Text(), "Why they alone may know of it; empty: others may."),
    _word("mode", "Mode in force when it was judged."),
    _word("action", "What was done."),
    _word("proposed", "What would have been done in hold mode."),
    Column("message_id", Text(), nullable=False, comment="Message-ID header, as decoded."),
    Column("sha256", String(64), nullable=False, comment="Of the bytes as received, dot-unstuffed."),
    Column("size", BigInteger(), nullable=False, comment="Octets of those bytes."),
    Column("sender_told_failed", Boolean(), nullable=False, comment="The sender got a 5xx for the rest."),
    Column(
        "rest_taken",
        Text(),
        nullable=False,
        comment="Hash of the recipients whose copies did not wait and went.",
    ),
    Column(
        "delivery", Text(), nullable=False, comment="Flags: the code the smarthost gave; empty until known."
    ),
    _or_empty(
        "release_id", String(255), "The delivery approved last; a release goes out only while it stands here."
    ),
    _or_empty("undo_to", String(32), "State that undoing that release goes back to."),
    _sealed("envelope", "Envelope, JSON."),
    _sealed("subject", "Subject, decoded."),
    _sealed("verdict", "Verdict with its findings, JSON."),
    Index("ix_items_queue", "kind", "state", "held_at", "id"),
    Index("ix_items_officer", "officer", "held_at"),
    Index("ix_items_urgent", "kind", "state", "urgent", "held_at", "id", "officer", "unit", "psd_only"),
    Index("ix_items_received", "held_at", "id"),
    Index("ix_items_message_id", "message_id", postgresql_using="hash"),  # of any length: the sender chose it
    Index("ix_items_sha256", "sha256"),
    Index(
        "ix_items_psd_copy",
        "kind",
        "state",
        "urgent",
        "held_at",
        "id",
        sqlite_where=text("psd_copy = 1"),
        postgresql_where=text("psd_copy"),
    ),
    comment="What waits for a reviewer or was decided by one. Rows are never deleted.",
)

item_messages = Table(
    "item_messages",
    metadata,
    _of("item_id", "items.id", "The item.", primary=True),
    _sealed("message", "The message, dot-unstuffed, as received."),
    comment="The bytes of holds and flags, apart from items so that lists stay small.",
)

item_recipients = Table(
    "item_recipients",
    metadata,
    _of("item_id", "items.id", "The item.", primary=True),
    Column("position", Integer(), primary_key=True, comment="Order in the envelope, from 0."),
    _sealed("address", "Envelope recipient, its own characters."),
    comment="Recipients whose copy waits (hold) or who are contacts (flag).",
)

item_contacts = Table(
    "item_contacts",
    metadata,
    _of("item_id", "items.id", "The item.", primary=True),
    Column("person_id", String(255), primary_key=True, comment="A registered person addressed."),
    Index("ix_item_contacts_person", "person_id"),
    comment="Which registered persons an item concerns.",
)

item_excluded = Table(
    "item_excluded",
    metadata,
    _of("item_id", "items.id", "The item.", primary=True),
    Column("staff_id", String(255), primary_key=True, comment="May not see or decide the item."),
    Column(
        "is_sender",
        Boolean(),
        nullable=False,
        comment="It, or an earlier one it tells of, claims to come from them: their line may not see it.",
    ),
    _or_empty("why", String(32), "Sender, addressed, named, reports or earlier; empty in old rows."),
    Index("ix_item_excluded_staff", "staff_id", "is_sender", "item_id"),
    comment="Staff who may not know of an item, and why.",
)

decisions = Table(
    "decisions",
    metadata,
    _id("id", "Random.", primary=True),
    _of("item_id", "items.id", "The item decided."),
    Column("position", Integer(), nullable=False, comment="Order of the item's decisions, from 0."),
    _at("at", "When."),
    Column("actor", String(320), nullable=False, comment="Account of who decided."),
    Column("directory_roles", String(255), comment="Roles that the force's directory gave them, if it did."),
    _word(
        "action",
        "What was decided: release, return, refer, confirm, false-alarm, note, approve, undo, reopen.",
    ),
    _sealed("reason", "The reason given."),
    Index("uq_decisions_item_position", "item_id", "position", unique=True),
    Index("ix_decisions_at", "at"),
    comment="Every decision on an item. Rows are never deleted.",
)

claims = Table(
    "claims",
    metadata,
    _of("item_id", "items.id", "The item.", primary=True),
    Column("actor", String(320), nullable=False, comment="Account of who works on it."),
    _at("since", "When they began."),
    _at("until", "End of the lease."),
    comment="Which reviewer works on which item, so that two never collide. A row past its end says nothing.",
)

ledger = Table(
    "ledger",
    metadata,
    _id("id", "Id in the 250.", primary=True),
    Column(
        "retry_key", String(64), unique=True, comment="Knows the same message again; emptied after some days."
    ),
    _at("at", "When the message was received."),
    _id("officer", "Staff id of the author, if known.", nullable=True),
    Column("case_refs", Text(), nullable=False, comment="Case references of the contacts, one a line."),
    Column("thread", String(64), nullable=False, comment="Hash of the thread; empty if it has none."),
    _or_empty("message_key", String(64), "Hash of its own Message-ID; empty if none."),
    _or_empty("answers", String(64), "Hash of the mail it answers; empty if none."),
    _or_empty("copies", Text(), "Hashes of who was copied, separated by spaces."),
    Column(
        "refused",
        Boolean(),
        nullable=False,
        server_default=false(),
        comment="It quotes words of the contact that say no.",
    ),
    _or_empty("weak", Text(), "Categories of weak cues, separated by spaces; emptied."),
    Column(
        "lines",
        LargeBinary(),
        nullable=False,
        server_default=text("''"),
        comment="Keyed marks of the lines its author wrote, eight octets each.",
    ),
    Column("sha256", String(64), nullable=False, comment="Of the bytes as received."),
    _word("action", "What was done: pass, flag, hold."),
    _word("outcome", "What the smarthost said: offered, accepted, refused, unknown, held."),
    _at("outcome_at", "When it said so.", nullable=True),
    Index("ix_ledger_officer_at", "officer", "at"),
    Index("ix_ledger_at", "at"),
    comment="One row a message to a contact, no content: what conduct is counted from.",
)

ledger_persons = Table(
    "ledger_persons",
    metadata,
    Column(
        "ledger_id",
        String(255),
        ForeignKey("ledger.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The message.",
    ),
    Column("person_id", String(255), primary_key=True, comment="A registered person addressed."),
    Index("ix_ledger_persons_person", "person_id"),
    comment="Which registered persons a message went to.",
)

ledger_findings = Table(
    "ledger_findings",
    metadata,
    Column(
        "ledger_id",
        String(255),
        ForeignKey("ledger.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The message.",
    ),
    Column(
        "rule",
        String(120),
        primary_key=True,
        comment="A rule that came true; its category is before the dot.",
    ),
    _id("officer", "Author of the message, once more, to look patterns up by.", nullable=True),
    _at("at", "When the message was received, once more."),
    Index("ix_ledger_findings_officer_at", "officer", "at"),
    comment="Which rules came true of a message: what patterns are counted from.",
)

outbox = Table(
    "outbox",
    metadata,
    _id("id", "Random.", primary=True),
    _word("kind", "Release, return or notice."),
    _of("item_id", "items.id", "The item it is about.", nullable=True),
    _word("state", "Queued, leased, sent or failed."),
    Column("tries", Integer(), nullable=False, comment="Dialogues begun since it was queued or retried."),
    Column(
        "interrupted",
        Integer(),
        nullable=False,
        comment="Leases that ended without a result: maybe a duplicate.",
    ),
    Column(
        "lost",
        Integer(),
        nullable=False,
        server_default="0",
        comment="Of those, the ones since it was queued or retried.",
    ),
    _at("queued_at", "When it was approved."),
    _at("next_at", "Not tried before."),
    Column("lease_owner", String(255), comment="Who works on it."),
    _at("lease_until", "End of the lease.", nullable=True),
    _at("sent_at", "When the last recipient was taken.", nullable=True),
    _sealed("mail", "MAIL FROM with its parameters, JSON."),
    _sealed("message", "Bytes to send; empty: the item's.", nullable=True),
    _sealed("last_reply", "What stopped the last try.", nullable=True),
    Index("ix_outbox_state_next", "state", "next_at"),
    Index("ix_outbox_item", "item_id"),
    comment="Mail to be sent by serve: approved releases, returns and notices.",
)

outbox_recipients = Table(
    "outbox_recipients",
    metadata,
    _of("outbox_id", "outbox.id", "The delivery.", primary=True),
    Column("position", Integer(), primary_key=True, comment="Order, from 0."),
    _word("state", "Pending, sent or failed."),
    _at("at", "Last answer.", nullable=True),
    _sealed("address", "Envelope recipient."),
    _sealed("last_reply", "The smarthost's last answer for it.", nullable=True),
    comment="What became of each recipient of a delivery.",
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("hash", String(64), primary_key=True, comment="SHA-256 of the bundle."),
    Column("bundle", Text(), nullable=False, comment="Every file of the set, JSON."),
    _at("at", "When it was last put in force."),
    Column("by", String(320), nullable=False, comment="Who put it in force."),
    Index("ix_rule_sets_at", "at", "hash"),
    comment="Every rule set ever in force, so that a verdict can be computed again.",
)

rule_reports = Table(
    "rule_reports",
    metadata,
    Column("process", String(255), primary_key=True, comment="A process that judges mail."),
    Column("hash", String(64), nullable=False, comment="The set it judges with."),
    _at("at", "When it said so."),
    Column("trouble", Text(), nullable=False, comment="Why it did not take a newer one; empty if it did."),
    comment="Which process judges with which rules.",
)

rule_trials = Table(
    "rule_trials",
    metadata,
    _id("rule", "The rule.", primary=True),
    Column("version", Integer(), primary_key=True, autoincrement=False, comment="Its version."),
    Column("day", String(10), primary_key=True, comment="The day, UTC: 2026-03-01."),
    Column("messages", Integer(), nullable=False, comment="Messages in which it came true."),
    comment="How often rules in shadow come true. No message, officer or contact is named.",
)

registry_versions = Table(
    "registry_versions",
    metadata,
    Column("number", Integer(), primary_key=True, autoincrement=False, comment="Order, from 1."),
    Column("version", String(64), nullable=False, comment="SHA-256 of the content."),
    _at("at", "When it was put in force."),
    Column("contacts", Integer(), nullable=False, comment="Contacts in it."),
    Column("staff", Integer(), nullable=False, comment="Members of staff in it."),
    Column("by", String(320), nullable=False, comment="Who put it in force."),
    comment="Versions of the registry that were in force.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("email", String(320), primary_key=True, comment="Normalised address: the name of the account."),
    Column("roles", Text(), nullable=False, comment="Roles, separated by spaces."),
    _id("staff_id", "The person, if on the staff list.", nullable=True),
    Column("local", Boolean(), nullable=False, comment="Signs in here, not through the force's directory."),
    _at("at", "When it was added or changed."),
    comment="Who may do what in the console and with decision commands.",
)

credentials = Table(
    "credentials",
    metadata,
    Column(
        "email",
        String(320),
        ForeignKey("accounts.email"),
        primary_key=True,
        comment="The account that signs in here.",
    ),
    _sealed("password", "Argon2id hash of the password."),
    _at("password_at", "When it was set."),
    _sealed("totp", "Secret of the second factor.", nullable=True),
    Column(
        "totp_step",
        BigInteger(),
        nullable=False,
        server_default=text("0"),
        comment="Time step of the last code accepted: no code is taken twice.",
    ),
    comment="How local accounts prove who they are.",
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column(
        "email",
        String(320),
        ForeignKey("credentials.email"),
        primary_key=True,
        comment="The account it is for.",
    ),
    Column("hash", String(64), primary_key=True, comment="SHA-256 of the code, which is random."),
    comment="Codes that stand in for a lost second factor, once each; a used one is gone.",
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True, comment="SHA-256 of the id in the cookie."),
    Column("email", String(320), nullable=False, comment="Who signed in."),
    _word("stage", "How far the sign-in is: signed-in, code, enrol."),
    _word("method", "How they proved it: password, oidc."),
    Column(
        "roles", Text(), comment="Roles the force's directory gave, separated by spaces; else the account's."
    ),
    _at("made_at", "When it began."),
    _at("seen_at", "When it was last used, to the minute."),
    _at("ends_at", "When it ends, used or not."),
    _sealed("pending", "Secret of a second factor that is being set up.", nullable=True),
    Index("ix_sessions_email", "email"),
    Index("ix_sessions_ends", "ends_at"),
    comment="Who is signed in to the console. A row that is gone signs out.",
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("key", String(64), primary_key=True, comment="Hash of an address tried, or of where from."),
    Column("failures", Integer(), nullable=False, comment="Failures in a row."),
    _at("last_at", "The last one."),
    _at("locked_until", "No try before."),
    Index("ix_sign_in_failures_last", "last_at"),
    comment="Failed sign-ins, of accounts that exist and of ones that do not alike.",
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("email", String(320), primary_key=True, comment="Whose view it is."),
    Column("name", String(80), primary_key=True, comment="What they call it."),
    _sealed("query", "The filters, as in the address of the page: names may stand in them."),
    _at("at", "When it was saved."),
    comment="Filters of the queue that somebody keeps.",
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(16), primary_key=True, comment="Random; the part of the token that is no secret."),
    Column(
        "name", String(64), nullable=False, unique=True, comment="What its holder is called in the audit log."
    ),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the token, which is random."),
    Column(
        "may", Text(), nullable=False, comment="What it is good for, separated by spaces: contacts, states."
    ),
    _at("made_at", "When it was made."),
    Column("made_by", String(320), nullable=False, comment="Who made it."),
    _at("used_at", "When it was last used, to the minute.", nullable=True),
    _at("revoked_at", "When it was revoked; its name stays taken.", nullable=True),
    comment="Tokens of other systems for the HTTP API. A token itself is shown once, and kept nowhere.",
)

pushed_sets = Table(
    "pushed_sets",
    metadata,
    _id("name", "contacts or staff.", primary=True),
    Column("revision", String(64), nullable=False, comment="Another with each change: the entity tag."),
    Column("entries", Integer(), nullable=False, comment="Entries in it."),
    _at("changed_at", "When its content changed last."),
    _at("pushed_at", "When it was pushed last, changed or not: how old the registry is."),
    Column("by", String(320), nullable=False, comment="Who pushed it last."),
    _sealed("content", "The whole set as it was pushed last, JSON, compressed."),
    comment="What the records system pushed: in place of the two files, where registry.source is api.",
)

pushed_changes = Table(
    "pushed_changes",
    metadata,
    _of("name", "pushed_sets.name", "The set.", primary=True),
    Column("entry", String(128), primary_key=True, comment="What the records system calls the entry."),
    _sealed("content", "The entry, JSON; none: it is gone.", nullable=True),
    comment="Single entries that changed since their whole set was pushed.",
)

text_grants = Table(
    "text_grants",
    metadata,
    _id("id", "Random.", primary=True),
    _of("item_id", "items.id", "The item whose text may be read."),
    Column("holder", String(320), nullable=False, comment="Account of who may read it."),
    Column("by", String(320), nullable=False, comment="Who granted it."),
    _at("at", "When."),
    _at("ends_at", "When it ends by itself."),
    _at("ended_at", "When somebody ended it before.", nullable=True),
    _sealed("reason", "Why."),
    Index("ix_text_grants_item", "item_id", "holder"),
    comment="Leave for those who oversee the process to read the text of one item. Rows are never deleted.",
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("seq", BigInteger(), primary_key=True, autoincrement=False, comment="From 1, without gaps."),
    Column("at", String(WIDTH), nullable=False, comment="When. UTC. Text, since it is hashed."),
    Column("event", String(64), nullable=False, comment="What happened."),
    Column("actor", String(320), nullable=False, comment="Who did it: an account or a part of the gateway."),
    Column("subject", String(255), nullable=False, comment="Id of what it was done to."),
    Column("commitment", String(64), nullable=False, comment="Salted SHA-256 of the payload."),
    Column("prev", String(64), nullable=False, comment="Hash of the entry before."),
    Column("hash", String(64), nullable=False, comment="SHA-256 of this entry."),
    Index(
        "ix_audit_entries_rules", "seq", sqlite_where=text(ABOUT_RULES), postgresql_where=text(ABOUT_RULES)
    ),
    comment="The hash chain. Triggers refuse any change.",
)

audit_payloads = Table(
    "audit_payloads",
    metadata,
    Column("seq", BigInteger(), primary_key=True, autoincrement=False, comment="The entry."),
    Column("salt", LargeBinary(), nullable=False, comment="32 random octets."),
    Column("payload", Text(), nullable=False, comment="Canonical JSON."),
    comment="What the entries commit to. A row may be erased; the chain still verifies.",
)

audit_tip = Table(
    "audit_tip",
    metadata,
    Column("one", Integer(), primary_key=True, autoincrement=False, comment="Always 1."),
    Column("seq", BigInteger(), nullable=False, comment="Number of the last entry, 0 before the first."),
    Column("hash", String(64), nullable=False, comment="Hash of the last entry."),
    comment="Where the chain ends. Its row lock puts the appends of all processes in order.",
)
