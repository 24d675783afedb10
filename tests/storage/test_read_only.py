"""Records where nothing can be written: read whole or not at all, and never changed."""

import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy as sa

from leukemia.audit import trail, verify
from leukemia.audit.trail import Entry
from leukemia.errors import RecordsError, RecordsUnavailableError
from leukemia.settings import PROJECT
from leukemia.storage import database, read_only
from leukemia.storage.workspace import Workspace
from tests.support.read_only import closed, folder


@pytest.fixture
def data():
    with folder() as made:
        yield made


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch):
    monkeypatch.delenv("LEUKEMIA_DATABASE_URL", raising=False)


def leave(data):
    """Close all connections, as a program does that ends: then SQLite keeps no file beside the records."""
    database._engine(database.address(data)).dispose()


def names(data):
    return sorted(path.name for path in data.iterdir())


def test_a_copy_is_read_and_left_as_it_is(data):
    trail.record(data, Entry("x", "Ada"), Entry("y", "Ada"))
    leave(data)
    before = names(data)
    with closed(data):
        assert database.is_read_only(data)
        assert verify.verify(data).count == 2
        assert [one.event for one in trail.entries(data)] == ["y", "x"]
        with pytest.raises(RecordsError, match="Nothing was saved"):
            trail.record(data, Entry("z", "Ada"))
    assert names(data) == before
    assert not database.is_read_only(data)


@pytest.mark.process
def test_what_a_killed_program_left_beside_the_file_is_read_or_said_to_be_missed(data):
    trail.record(data, Entry("x", "Ada"))
    leave(data)
    killed = (
        "import os, pathlib, sys\n"
        "from leukemia.audit import trail\n"
        "trail.record(pathlib.Path(sys.argv[1]), trail.Entry('y', 'Ada'))\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", killed, data], cwd=PROJECT, check=True)
    wal, shm = (Workspace(data).records.with_name(f"records.db-{end}") for end in ("wal", "shm"))
    assert wal.stat().st_size and shm.exists()
    with closed(data):
        assert [one.event for one in trail.entries(data)] == ["y", "x"]
    shm.unlink()
    with (
        closed(data),
        pytest.raises(RecordsUnavailableError, match=r"records\.db-wal .*Copy the whole folder"),
    ):
        trail.entries(data)


def test_a_change_that_was_not_finished_is_not_overlooked(data):
    trail.record(data, Entry("x", "Ada"))
    leave(data)
    (data / "records.db-journal").write_bytes(b"x")
    with closed(data), pytest.raises(RecordsUnavailableError, match="Copy the whole folder"):
        trail.entries(data)


def test_records_that_change_while_they_are_read_are_not_trusted(data):
    trail.record(data, Entry("x", "Ada"))
    leave(data)
    file = Workspace(data).records
    with (
        pytest.raises(RecordsUnavailableError, match="changed while they were read"),
        read_only.reading(file),
    ):
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE further (x)")
        other.close()


@pytest.mark.parametrize(("version", "said"), [("0001", "earlier version"), ("9999", "newer version")])
def test_records_of_another_version_are_refused(data, version, said):
    trail.record(data, Entry("x", "Ada"))
    with database.writing(data) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    leave(data)
    with closed(data), pytest.raises(RecordsError, match=said):
        trail.entries(data)
