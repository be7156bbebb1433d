"""Counts of rules on trial: by version and day, for all messages, naming none."""

from datetime import date

from stores import NOW

from gateway.store import trials

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def test_counts_add_up(store):
    """Each message counts once for each rule and version, and days are kept apart to know first and last."""
    store.write_now(lambda tx: trials.count(tx, [("a.b", 1), ("a.b", 1), ("a.c", 3)], MONDAY))
    store.write_now(lambda tx: trials.count(tx, [("a.b", 1)], TUESDAY))
    store.write_now(lambda tx: trials.count(tx, [("a.b", 2)], TUESDAY))
    found = store.read_now(trials.counts)
    assert [(one.rule, one.version, one.messages, one.first, one.last) for one in found] == [
        ("a.b", 2, 1, TUESDAY, TUESDAY), ("a.b", 1, 2, MONDAY, TUESDAY), ("a.c", 3, 1, MONDAY, MONDAY),
    ]  # fmt: skip


def test_sets_in_force_come_from_the_audit_log(store):
    """When a set came into force is what the audit log says, in its order."""
    from gateway import audit
    from gateway.model import Event

    for subject in ("one", "two", "one"):
        store.write_now(
            lambda tx, subject=subject: audit.append(
                tx, Event.RULES_LOADED, actor="relay", subject=subject, payload={}, at=NOW
            )
        )
    found = store.read_now(lambda tx: tuple(trials.in_force(tx)))
    assert [one.rules_hash for one in found] == ["one", "two", "one"]
    assert found[0].at == NOW
