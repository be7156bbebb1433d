"""Opening a store: made once, refused when it is not understood, and migrated by serve alone."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from stores import NOW, Sqlite

from gateway.errors import NotStored, StoreUnfit
from gateway.settings import StoreSettings
from gateway.store import Store, database, initialise, instants, records, schema
from gateway.store.sealing import KeyFile, Place


@pytest.fixture
def nothing(backend, tmp_path):
    """Settings of a store that is not made yet."""
    folder = tmp_path / "new"
    if backend.name == "sqlite":
        return Sqlite.settings(folder / "var")
    return backend.settings(folder / "var", backend.new_database())


def execute(settings, statement, **values):
    engine = database.connect(settings)
    with database.transaction(engine, writes=True) as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def test_a_store_is_made_once_and_opened_ever_after(nothing):
    """Making it again opens it and changes nothing."""
    made = initialise(nothing, NOW)
    made.store.close()
    assert (made.fresh, made.fresh_key) == (True, True)
    key = nothing.key_file.read_bytes()
    again = initialise(nothing, NOW)
    again.store.close()
    assert (again.fresh, again.fresh_key) == (False, False)
    assert again.store.store_id == made.store.store_id
    assert nothing.key_file.read_bytes() == key
    with Store.open(nothing) as store:
        assert store.read_now(lambda tx: records.fact(tx, "made_at")) == "2026-03-01T12:00:00.000000Z"


def test_files_of_the_store_are_its_owners_alone(tmp_path):
    """Database, write-ahead log, key and mark: nobody else reads them."""
    os.umask(0)
    try:
        made = initialise(Sqlite.settings(tmp_path / "var"), NOW)
        made.store.write_now(lambda tx: records.set_fact(tx, "a", "1"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "var").iterdir()}
        made.store.close()
    finally:
        os.umask(0o022)
    assert set(modes) == {
        "gateway.db",
        "gateway.db-shm",
        "gateway.db-wal",
        "sealing.key",
        "sealing.key.outbox-mark",
    }
    assert set(modes.values()) == {0o600}


def test_opening_makes_nothing(nothing, backend):
    """Without `gateway store init` there is no store, and none comes to be."""
    with pytest.raises(StoreUnfit, match="gateway store init"):
        Store.open(nothing, migrate=True)
    assert not nothing.key_file.exists()
    if backend.name == "sqlite":
        assert list(nothing.key_file.parent.iterdir()) == []


def test_a_store_without_its_key_is_refused_and_gets_no_new_one(settings):
    """A new key would open nothing: init and open both send to the escrow."""
    settings.key_file.unlink()
    for attempt in (lambda: Store.open(settings), lambda: initialise(settings, NOW)):
        with pytest.raises(StoreUnfit, match="escrow"):
            attempt()
    assert not settings.key_file.exists()


def test_another_stores_key_is_refused_by_name(settings, tmp_path):
    """The message says which key id is missing."""
    own = KeyFile.read(settings.key_file).active
    settings.key_file.unlink()
    KeyFile.make(settings.key_file)
    with pytest.raises(StoreUnfit, match=f"does not hold the store's key {own}.*escrow"):
        Store.open(settings)


def test_a_key_of_the_right_name_but_other_octets_is_refused(settings):
    """The canary is opened, not looked up."""
    content = settings.key_file.read_text()
    key = content.split('"keys"')[1].split('"')[3]
    settings.key_file.write_text(content.replace(key, "A" * 43 + "="))
    with pytest.raises(StoreUnfit, match="another key of that id"):
        Store.open(settings)


def test_an_active_key_that_the_store_does_not_know_is_refused(settings):
    """Nothing is sealed with a key whose canary is missing: the backup of the database would not tell of it."""
    file, key_id = KeyFile.read(settings.key_file).with_new_key()
    file.with_active(key_id)
    with pytest.raises(StoreUnfit, match=f"the active key {key_id} .* is not one of this store"):
        Store.open(settings)


def test_a_canary_or_an_id_that_was_changed_is_refused(settings):
    """What the store is recognised by is not taken on trust."""
    with Store.open(settings) as store:
        key_id = store.keys.active
        other = store.keys.seal(b"another text", Place(table="canaries", column="sealed", row=key_id))
    execute(settings, "DELETE FROM meta WHERE name = 'store_id'")
    with pytest.raises(StoreUnfit, match="the store has no id"):
        Store.open(settings)
    execute(settings, "UPDATE canaries SET sealed = :sealed", sealed=other)
    with pytest.raises(StoreUnfit, match=f"the canary of key {key_id} was changed"):
        Store.open(settings)


def test_a_new_database_with_a_key_from_escrow_uses_that_key(settings, tmp_path):
    """After a lost database the old key goes on, so that old backups still open."""
    fresh = Sqlite.settings(tmp_path / "again")
    shutil.copy(settings.key_file, fresh.key_file)
    made = initialise(fresh, NOW)
    made.store.close()
    assert (made.fresh, made.fresh_key) == (True, False)
    assert made.store.keys.active == KeyFile.read(settings.key_file).active


def test_a_newer_schema_is_refused_by_everybody(settings):
    """An older program does not guess at a newer store."""
    execute(settings, "UPDATE alembic_version SET version_num = '9999'")
    for migrate in (False, True):
        with pytest.raises(StoreUnfit, match="schema 9999, this version knows up to"):
            Store.open(settings, migrate=migrate)


def test_an_older_schema_is_brought_up_to_date_by_serve_alone():
    """Commands do not migrate; they say who does. Serve may."""
    database.check_schema(schema.HEAD, may_migrate=False)
    with pytest.raises(StoreUnfit, match="start `gateway serve` first"):
        database.check_schema("0001", may_migrate=False, head="0002")
    database.check_schema("0001", may_migrate=True, head="0002")


def test_the_code_knows_the_schema_the_migrations_make():
    """HEAD is the last migration."""
    assert max(database.known_revisions()) == schema.HEAD


def test_a_migration_may_take_its_time(postgresql, tmp_path):
    """An index over years of entries is made under no limit for statements; what comes after has the limit again."""
    told = []

    def look(connection):
        told.append(connection.execute(text("SHOW statement_timeout")).scalar())

    engine = database.connect(postgresql.copy(tmp_path / "s"))
    database.migrate(engine, look)
    with database.transaction(engine, writes=True) as connection:
        look(connection)
    engine.dispose()
    assert told[0] == "0" != told[1]


def test_the_migrations_make_the_tables_of_the_code(settings, backend):
    """Column by column, index by index; the comments too where the database keeps them."""
    engine = database.connect(settings)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_what_was_found_before_patterns_is_kept(nothing):
    """A store of the first schema, brought up to date, still knows the categories of its mail, and by whom and when."""
    nothing.key_file.parent.mkdir(parents=True, exist_ok=True)
    engine = database.connect(nothing)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with database.transaction(engine, writes=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO ledger (id, at, officer, case_refs, thread, sha256, action, outcome) "
                "VALUES ('m1', '2026-02-01T12:00:00.000000Z', 's1', '', '', '', 'flag', 'accepted')"
            )
        )
        connection.execute(text("INSERT INTO ledger_categories VALUES ('m1', 'secrecy')"))
    database.migrate(engine, lambda connection: None)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT ledger_id, rule, officer, at FROM ledger_findings")).all()
        (row,) = connection.execute(text("SELECT copies, refused, weak FROM ledger")).all()
    engine.dispose()
    assert [tuple(each) for each in found] == [("m1", "secrecy", "s1", "2026-02-01T12:00:00.000000Z")]
    assert (row.copies, bool(row.refused), row.weak) == ("", False, "")


def test_every_table_and_column_says_what_it_holds():
    """The schema is documentation."""
    for table in schema.metadata.sorted_tables:
        assert table.comment
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_several_processes_may_start_at_once(nothing):
    """Made at the same moment by several: one store, one key, and everybody else opens it or says to try again."""

    def attempt(_):
        try:
            made = initialise(nothing, NOW)
        except (StoreUnfit, NotStored) as problem:
            return str(problem)
        made.store.close()
        return made.store.store_id

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, range(4)))
    with Store.open(nothing) as store:
        assert store.store_id in results
        assert len(store.keys.file.keys) == 1
    for other in set(results) - {store.store_id}:
        assert "init" in other or "locked" in other or "exists" in other or "lock timeout" in other


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x.db?mode=ro",
        "mysql://h/d",
        "oracle://h/d",
    ],
)
def test_a_url_that_is_no_store_is_refused_with_the_remedy(url, tmp_path):
    """Settings are told what to write."""
    with pytest.raises(StoreUnfit, match="sqlite"):
        database.connect(StoreSettings(url=url, key_file=tmp_path / "k"))


def test_a_postgresql_url_needs_no_driver(postgresql, tmp_path):
    """postgresql:// means psycopg 3."""
    settings = postgresql.copy(tmp_path / "s")
    with Store.open(settings.model_copy(update={"url": settings.url.replace("+psycopg", "")})) as store:
        assert store.store_id


def test_a_server_that_is_not_there_is_not_stored(tmp_path):
    """A database that cannot be reached is trouble, not a reason to make another."""
    url = f"postgresql+psycopg://gateway@/none?host={tmp_path}"
    with pytest.raises(NotStored, match="the store failed"):
        Store.open(StoreSettings(url=url, key_file=tmp_path / "k"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """The place is in the message."""
    (tmp_path / "file").touch()
    settings = StoreSettings(url=f"sqlite:///{tmp_path}/file/g.db", key_file=tmp_path / "k")
    with pytest.raises(StoreUnfit, match=r"file/g\.db could not be made"):
        initialise(settings, NOW)
    assert not Path(tmp_path / "k").exists()


def test_times_without_a_zone_are_not_stored(store):
    """A naive time would mean another moment on another machine."""
    with pytest.raises(ValueError, match="a time without a zone"):
        instants.instant_text(NOW.replace(tzinfo=None))
    assert instants.instant_of(instants.instant_text(NOW)) == NOW
