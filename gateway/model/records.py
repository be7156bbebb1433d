"""Of records: items and their states, roles, and what the audit log names."""

from enum import StrEnum


class ItemKind(StrEnum):
    """What waits for a reviewer."""

    HOLD = "hold"
    FLAG = "flag"


class ItemState(StrEnum):
    """DECISIONS 26. Holds: held, releasing, released, release_failed, partly_released, returned, referred. Flags: open, closed.

    ``partly_released``: a release reached some, or may have, and the rest is not sent (docs/decisions/0039).
    """

    HELD = "held"
    RELEASING = "releasing"
    RELEASED = "released"
    RELEASE_FAILED = "release_failed"
    PARTLY_RELEASED = "partly_released"
    RETURNED = "returned"
    REFERRED = "referred"
    OPEN = "open"
    CLOSED = "closed"


class Label(StrEnum):
    """A reviewer's word on the item, apart from its state."""

    NONE = "none"
    CROSSING = "crossing"
    FALSE_ALARM = "false_alarm"


class OutboxKind(StrEnum):
    """Why a row is in the outbox."""

    RELEASE = "release"
    RETURN = "return"
    NOTICE = "notice"
    WEBHOOK = "webhook"
    """A call to the on-call system about an urgent hold: no mail, and nothing of the message."""


class Role(StrEnum):
    """What an account may do. An administrator sees no mail."""

    REVIEWER = "reviewer"
    PSD = "psd"
    RULE_AUTHOR = "rule-author"
    OVERSIGHT = "oversight"
    ADMINISTRATOR = "administrator"


class Event(StrEnum):
    """What the audit log records, ``subject:action``."""

    STORE_CREATED = "store:created"
    STORE_KEY_ROTATED = "store:key-rotated"
    SERVE_STARTED = "serve:started"
    SERVE_STOPPED = "serve:stopped"
    MESSAGE_HELD = "message:held"
    MESSAGE_FLAGGED = "message:flagged"
    MESSAGE_REPEATED = "message:repeated"
    MESSAGE_REST_SENT = "message:rest-sent"
    MESSAGE_REST_REFUSED = "message:rest-refused"
    FLAG_DELIVERED = "flag:delivered"
    FLAG_NOT_DELIVERED = "flag:not-delivered"
    ITEM_VIEWED = "item:viewed"
    ITEM_LISTED = "item:listed"
    ITEM_CLAIMED = "item:claimed"
    ITEM_CLAIM_ENDED = "item:claim-ended"
    ITEM_NOTED = "item:noted"
    ITEM_LABELLED = "item:labelled"
    ITEM_REOPENED = "item:reopened"
    FLAG_REFERRED = "flag:referred"
    HOLD_RELEASE_PROPOSED = "hold:release-proposed"
    HOLD_RELEASE_APPROVED = "hold:release-approved"
    HOLD_RELEASE_UNDONE = "hold:release-undone"
    HOLD_RELEASED = "hold:released"
    HOLD_RELEASE_FAILED = "hold:release-failed"
    HOLD_RETURNED = "hold:returned"
    HOLD_REFERRED = "hold:referred"
    DECISION_REFUSED = "decision:refused"
    NOTICE_QUEUED = "notice:queued"
    NOTICE_SENT = "notice:sent"
    NOTICE_FAILED = "notice:failed"
    OUTBOX_RETRIED = "outbox:retried"
    OUTBOX_SUSPENDED = "outbox:suspended"
    OUTBOX_RESUMED = "outbox:resumed"
    REGISTRY_LOADED = "registry:loaded"
    REGISTRY_PUSHED = "registry:pushed"
    REGISTRY_REFUSED = "registry:refused"
    REGISTRY_STALE = "registry:stale"
    CONTACT_SHOWN = "contact:shown"
    RULES_LOADED = "rules:loaded"
    RULES_REFUSED = "rules:refused"
    RULES_BACKTESTED = "rules:backtested"
    RULES_TRIED = "rules:tried"
    RULE_PROMOTED = "rule:promoted"
    MODE_CHANGED = "mode:changed"
    ACCOUNT_ADDED = "account:added"
    ACCOUNT_PASSWORD_SET = "account:password-set"  # noqa: S105 - the name of an event
    ACCOUNT_FACTOR_SET = "account:factor-set"
    ACCOUNT_FACTOR_REMOVED = "account:factor-removed"
    ACCOUNT_UNLOCKED = "account:unlocked"
    TOKEN_ADDED = "token:added"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token:revoked"  # noqa: S105 - the name of an event
    TOKEN_REFUSED = "token:refused"  # noqa: S105 - the name of an event
    TEXT_GRANTED = "text:granted"
    TEXT_GRANT_ENDED = "text:grant-ended"
    SESSION_STARTED = "session:started"
    SESSION_ENDED = "session:ended"
    SIGN_IN_REFUSED = "sign-in:refused"
    CHECKPOINT_WRITTEN = "checkpoint:written"
    LEDGER_PRUNED = "ledger:pruned"
    PAYLOAD_ERASED = "payload:erased"
