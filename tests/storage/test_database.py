"""The records' database: made once and whole, brought up to date, never begun anew in silence."""

import multiprocessing
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import traceback

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from leukemia.access import keys, sessions  # noqa: F401
from leukemia.api import idempotency  # noqa: F401
from leukemia.audit import trail, verify
from leukemia.audit.trail import Entry
from leukemia.cases import tables  # noqa: F401
from leukemia.dataset import label_log  # noqa: F401
from leukemia.errors import RecordsError, RecordsUnavailableError, SettingError
from leukemia.settings import PROJECT
from leukemia.storage import database
from leukemia.storage.workspace import Workspace


def test_the_migrations_make_the_tables_that_the_program_uses(records):
    trail.record(records, Entry("x", "Ada"))
    with database.reading(records) as connection:
        assert compare_metadata(MigrationContext.configure(connection), database.METADATA) == []
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [database.REVISION]


def test_nothing_is_made_by_whoever_only_asks(tmp_path):
    assert database.is_absent(tmp_path)
    assert trail.entries(tmp_path) == []
    assert verify.verify(tmp_path).is_whole
    assert list(tmp_path.iterdir()) == []


def test_records_of_a_newer_program_are_refused(records):
    trail.record(records, Entry("x", "Ada"))
    with database.writing(records) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    database._ready.clear()
    with pytest.raises(RecordsError, match="newer version of this program"):
        trail.entries(records)


def _first_entry(data):
    trail.record(data, Entry("x", "Ada"))


@pytest.mark.process
def test_many_processes_may_be_the_first(records):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_first_entry, args=(records,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert verify.verify(records).count == 3
    assert [path.name for path in records.iterdir() if "partial" in path.name] == []


def test_many_threads_may_be_the_first(records):
    threads = [threading.Thread(target=_first_entry, args=(records,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify.verify(records).count == 8


def test_a_half_made_file_is_finished(tmp_path):
    Workspace(tmp_path).records.touch()
    trail.record(tmp_path, Entry("x", "Ada"))
    assert verify.verify(tmp_path).count == 1


def test_a_file_that_goes_in_mid_work_is_missed_and_taken_again_when_it_is_back(tmp_path):
    trail.record(tmp_path, Entry("x", "Ada"))
    file, away = Workspace(tmp_path).records, tmp_path / "away.db"
    with sqlite3.connect(file) as direct:
        direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.rename(away)
    for use in (lambda: trail.record(tmp_path, Entry("y", "Ada")), lambda: trail.entries(tmp_path)):
        with pytest.raises(RecordsError, match="are gone"):
            use()
    assert not file.exists()
    shutil.copyfile(away, file)
    trail.record(tmp_path, Entry("y", "Ada"))
    assert verify.verify(tmp_path).count == 2


def test_a_database_that_stops_says_so_and_goes_on_when_it_is_back(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    trail.record(tmp_path, Entry("x", "Ada"))
    postgres.stop()
    try:
        with pytest.raises(RecordsError, match=r"Nothing was saved\. .*does not answer") as caught:
            trail.record(tmp_path, Entry("y", "Ada"))
        assert "127.0.0.1" not in str(caught.value)
    finally:
        postgres.start()
    trail.record(tmp_path, Entry("y", "Ada"))
    assert [entry.event for entry in trail.entries(tmp_path)] == ["y", "x"]


def test_a_connection_that_is_cut_in_mid_transaction_leaves_nothing(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    trail.record(tmp_path, Entry("x", "Ada"))
    with pytest.raises(RecordsError, match="does not answer"), database.writing(tmp_path) as connection:
        trail.append(connection, [Entry("y", "Ada")])
        own = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with database.reading(tmp_path) as other:
            other.execute(sa.text(f"SELECT pg_terminate_backend({own})"))
        trail.append(connection, [Entry("z", "Ada")])
    assert verify.verify(tmp_path).count == 1


def test_a_full_disk_says_so_and_leaves_what_was(tmp_path):
    trail.record(tmp_path, Entry("x", "Ada"))
    with (
        pytest.raises(RecordsError, match=r"Nothing was saved\. .*the disk is full"),
        database.writing(tmp_path) as connection,
    ):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        try:
            trail.append(connection, [Entry("y", "Ada", reason="long " * 400) for _ in range(200)])
        finally:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert [entry.event for entry in trail.entries(tmp_path)] == ["x"]
    assert verify.verify(tmp_path).is_whole


@pytest.mark.skipif(sys.platform != "linux", reason="no limit on what a process writes")
def test_a_disk_too_full_to_open_the_records_says_so(tmp_path):
    import resource

    trail.record(tmp_path, Entry("x", "Ada"))
    database._engine(database.address(tmp_path)).dispose()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # SQLite's shared memory, a file of 32 kB beside the database, has no room.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        with pytest.raises(RecordsError, match="the disk is full, or has a fault"):
            trail.entries(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [entry.event for entry in trail.entries(tmp_path)] == ["x"]


def test_a_damaged_file_says_so(tmp_path):
    Workspace(tmp_path).records.write_bytes(b"not a database" * 100)
    with pytest.raises(RecordsError, match="damaged"):
        trail.record(tmp_path, Entry("x", "Ada"))


def drop(data, table):
    with database.writing(data) as connection:
        connection.exec_driver_sql(f'DROP TABLE "{table}"')


def empty(data):
    """Take all that is in the records' database from it."""
    with database.writing(data) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
        else:
            for table in sa.inspect(connection).get_table_names():
                connection.exec_driver_sql(f'DROP TABLE "{table}"')


def test_it_is_told_that_tables_are_not_there(records):
    trail.record(records, Entry("x", "Ada"))
    database.check(records)
    empty(records)
    for use in (lambda: trail.record(records, Entry("y", "Ada")), lambda: trail.entries(records)):
        with pytest.raises(RecordsUnavailableError, match=r"tables are not there\. Restore a backup"):
            use()
    with pytest.raises(RecordsUnavailableError, match="The records cannot be read: their tables"):
        database.check(records)
    # As it says: a program that starts on an empty database makes them.
    database._ready.clear()
    database.check(records)


@pytest.mark.parametrize(
    ("table", "says"), [("api_keys", "tables are not there"), ("alembic_version", "Restart it")]
)
def test_one_table_that_is_missing_is_a_fault(records, table, says):
    trail.record(records, Entry("x", "Ada"))
    drop(records, table)
    with pytest.raises(RecordsUnavailableError, match=says):
        database.check(records)


def test_records_of_another_version_are_a_fault_until_they_are_brought_up_to_date(records):
    trail.record(records, Entry("x", "Ada"))
    for version, says in (("0009", "Restart it"), ("9999", "newer version")):
        with database.writing(records) as connection:
            connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{version}'"))
        with pytest.raises(RecordsError, match=says):
            database.check(records)


def test_a_database_that_does_not_answer_is_a_fault_and_none_at_all_is_not(postgres, tmp_path, monkeypatch):
    database.check(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    database.check(tmp_path)
    postgres.stop()
    try:
        with pytest.raises(RecordsUnavailableError, match="does not answer"):
            database.check(tmp_path)
    finally:
        postgres.start()
    database.check(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/x",
        "nonsense",
        "sqlite://",
        "sqlite:///",
        "sqlite:////",
        "sqlite:////tmp",
        "sqlite:////x/",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///?mode=memory",
        "sqlite:////x%00y",
    ],
)
def test_another_kind_of_database_is_refused_in_a_sentence(tmp_path, monkeypatch, url):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    for use in (lambda: trail.record(tmp_path, Entry("x", "Ada")), lambda: database.is_absent(tmp_path)):
        with pytest.raises(SettingError, match="LEUKEMIA_DATABASE_URL"):
            use()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://leukemia:geheim",
        "postgresql://leukemia:x@h:geheim/d",
        "postgresql://leukemia:geheim\udcff@h/d",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(tmp_path, monkeypatch, url):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", url)
    with pytest.raises(SettingError, match="LEUKEMIA_DATABASE_URL is not a database's address") as refused:
        trail.record(tmp_path, Entry("x", "Ada"))
    told = "".join(traceback.format_exception(refused.value))
    assert "geheim" not in told.replace(url, "")


def test_whoever_waits_too_long_for_another_is_told(tmp_path, monkeypatch):
    trail.record(tmp_path, Entry("x", "Ada"))
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    database._engine.cache_clear()
    with database.writing(tmp_path), pytest.raises(RecordsError, match="someone else is writing"):
        trail.record(tmp_path, Entry("y", "Ada"))
    database._engine.cache_clear()


@pytest.fixture
def next_migration(monkeypatch, tmp_path_factory):
    """A newer program: returns how to give it a further migration."""
    folder, revision = tmp_path_factory.mktemp("newer") / "migrations", database.REVISION
    shutil.copytree(database.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def write(upgrade):
        (folder / "versions" / "r9998_next.py").write_text(
            "from alembic import op\nimport sqlalchemy as sa\n"
            f"revision, down_revision = '9998', '{revision}'\n"
            f"def upgrade():\n    op.create_table('further', sa.Column('x', sa.Integer))\n    {upgrade}\n"
        )
        shutil.rmtree(folder / "versions" / "__pycache__", ignore_errors=True)

    monkeypatch.setattr(database, "MIGRATIONS", folder)
    yield write
    database._ready.clear()


def made(data):
    with database._engine(database.address(data)).connect() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_records_are_brought_up_to_date_whole_or_not_at_all(records, next_migration, monkeypatch):
    trail.record(records, Entry("x", "Ada"))
    before = made(records)
    monkeypatch.setattr(database, "REVISION", "9998")
    database._ready.clear()
    next_migration("op.execute('SELECT nonsense FROM nowhere')")
    with pytest.raises(RecordsError):
        trail.entries(records)
    assert made(records) == before
    next_migration("op.execute('SELECT 1')")
    assert [entry.event for entry in trail.entries(records)] == ["x"]
    assert made(records) == before | {"further"}
    assert verify.verify(records).is_whole


@pytest.mark.process
def test_a_migration_whose_process_is_killed_leaves_the_records_as_they_were(
    records, next_migration, monkeypatch
):
    trail.record(records, Entry("x", "Ada"))
    before = made(records)
    next_migration("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    killed = (
        "import pathlib, sys\n"
        "from leukemia.audit import trail\n"
        "from leukemia.storage import database\n"
        f"database.MIGRATIONS, database.REVISION = pathlib.Path({str(database.MIGRATIONS)!r}), '9998'\n"
        "trail.entries(pathlib.Path(sys.argv[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", killed, records], cwd=PROJECT, check=False)
    assert done.returncode == -signal.SIGKILL
    monkeypatch.setattr(database, "REVISION", "9998")
    database._ready.clear()
    assert made(records) == before
    next_migration("op.execute('SELECT 1')")
    assert [entry.event for entry in trail.entries(records)] == ["x"]
    assert made(records) == before | {"further"}
    assert verify.verify(records).is_whole
