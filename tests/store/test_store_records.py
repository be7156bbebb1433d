"""The small records: the latest rule set, registry version and accounts are what was last said."""

from stores import NOW, after

from gateway.model import Role, StaffId
from gateway.store import records
from gateway.store.rows import Account, RegistryVersion, RuleReport, RuleSetRow


def a_set(letter, at=NOW):
    return RuleSetRow(hash=letter * 64, bundle=f'{{"{letter}": "é"}}', at=at, by="author@force.example")


def test_the_latest_rule_set_is_the_one_last_put_in_force(store):
    """Going back to an earlier set makes it the latest again; every set stays by its hash."""
    assert store.read_now(records.latest_rule_set) is None
    assert store.read_now(records.latest_rules_hash) == ""
    for one in (a_set("a"), a_set("b", after(minutes=1)), a_set("a", after(minutes=2))):
        store.write_now(lambda tx, one=one: records.save_rule_set(tx, one))
        assert store.read_now(records.latest_rule_set) == one
        assert store.read_now(records.latest_rules_hash) == one.hash
    assert store.read_now(lambda tx: records.rule_set(tx, "b" * 64)) == a_set("b", after(minutes=1))
    assert store.read_now(lambda tx: records.rule_set(tx, "c" * 64)) is None


def test_each_process_has_one_report(store):
    """A reload waits for those that spoke lately; who stops is forgotten."""

    def report(process, letter, **time):
        made = RuleReport(process=process, hash=letter * 64, at=after(**time), trouble="")
        store.write_now(lambda tx: records.report_rules(tx, made))
        return made

    report("one", "a")
    one, two = report("one", "b", minutes=1), report("two", "a")
    assert store.read_now(lambda tx: records.rule_reports_since(tx, NOW)) == (one, two)
    assert store.read_now(lambda tx: records.rule_reports_since(tx, after(seconds=1))) == (one,)
    store.write_now(lambda tx: records.withdraw_report(tx, "one"))
    assert store.read_now(lambda tx: records.rule_reports_since(tx, NOW)) == (two,)


def test_registry_versions_are_kept_in_order(store):
    """The same version twice in a row is one; going back is a new one."""

    def save(version):
        row = RegistryVersion(version=version * 64, at=NOW, contacts=2, staff=3, by="serve")
        return store.write_now(lambda tx: records.save_registry_version(tx, row))

    assert store.read_now(records.latest_registry_version) is None
    assert [save(version) for version in ("a", "a", "b", "a")] == [True, False, True, True]
    latest = store.read_now(records.latest_registry_version)
    assert (latest.version, latest.contacts, latest.staff, latest.by) == ("a" * 64, 2, 3, "serve")


def test_accounts_are_added_once_and_changed_whole(store):
    """Roles and person of an account are what was last given."""
    account = Account(
        email="sgt@force.example",
        roles=frozenset({Role.REVIEWER, Role.PSD}),
        staff_id=StaffId("s3"),
        local=True,
        at=NOW,
    )
    changed = Account(
        email="sgt@force.example", roles=frozenset(), staff_id=None, local=False, at=after(days=1)
    )
    assert store.write_now(lambda tx: records.change_account(tx, account)) is False
    assert store.write_now(lambda tx: records.add_account(tx, account)) is True
    assert store.write_now(lambda tx: records.add_account(tx, changed)) is False
    assert store.read_now(lambda tx: records.account(tx, "sgt@force.example")) == account
    assert store.read_now(lambda tx: records.account(tx, "other@force.example")) is None
    assert store.write_now(lambda tx: records.change_account(tx, changed)) is True
    assert store.read_now(records.list_accounts) == (changed,)


def test_facts_are_set_changed_and_removed(store):
    """A fact has one value or none."""
    seen = []
    for value in ("1", "2", None):
        store.write_now(lambda tx, value=value: records.set_fact(tx, "n", value))
        seen.append(store.read_now(lambda tx: records.fact(tx, "n")))
    assert seen == ["1", "2", None]
