"""What the console may do on PostgreSQL: the rights of a database role of its own (DECISIONS 24).

The console reads, records decisions and queues deliveries. It can neither change nor delete what is in the audit
log, nor say of a delivery that it was sent, nor make an account or a token or give a role; who is signed in, and how local
accounts prove who they are, and who works on which item, is its own affair. On SQLite there are no roles: relay and console are one trust domain.
"""

from gateway.store.schema import metadata

_READS = frozenset(metadata.tables) | {"alembic_version"}
_ADDS = ("decisions", "outbox", "outbox_recipients", "audit_entries", "audit_payloads", "text_grants")
_OWNS = (
    "claims",
    "pushed_changes",
    "pushed_sets",
    "recovery_codes",
    "saved_views",
    "sessions",
    "sign_in_failures",
)
_CHANGES = {
    "items": ("state", "label", "release_id", "undo_to", "psd_copy", "psd_only"),
    "audit_tip": ("seq", "hash"),
    "api_tokens": ("used_at",),
    "credentials": ("password", "password_at", "totp", "totp_step"),
    "text_grants": ("ended_at",),
}


def console_grants(role: str) -> tuple[str, ...]:
    """Return the SQL that gives ``role`` what the console needs and takes everything else from it."""
    quoted = '"' + role.replace('"', '""') + '"'
    lines = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}",
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
    ]
    lines.append(f"GRANT SELECT ON {', '.join(sorted(_READS))} TO {quoted}")
    lines.append(f"GRANT INSERT ON {', '.join(_ADDS)} TO {quoted}")
    lines.append(f"GRANT INSERT, UPDATE, DELETE ON {', '.join(_OWNS)} TO {quoted}")
    for table, columns in _CHANGES.items():
        lines.append(f"GRANT UPDATE ({', '.join(columns)}) ON {table} TO {quoted}")
    return tuple(lines)
