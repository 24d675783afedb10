"""What is put back is what was copied: all or nothing, into a mount too, and after one that was killed."""

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from leukemia.audit import verify
from leukemia.backup import contents, make, restore
from leukemia.backup.contents import BackupError
from leukemia.cases import worklist
from leukemia.cli.main import ANSWERED, main
from leukemia.settings import PROJECT
from leukemia.storage import database
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace
from tests.support.backed_up import told
from tests.support.case_factory import make_case

# Ends the process as a kill does, at a point of a restore.
KILLED = """
import os, sys
from pathlib import Path
from leukemia.backup import postgres, restore

def killed(*_):
    os._exit(9)

def after(first):
    def go(*given):
        go.times += 1
        return first(*given) if go.times == 1 else killed()
    go.times = 0
    return go

folder, data, point = sys.argv[1:]
load = postgres.load
if point == "copying":
    restore.shutil.copy2 = after(restore.shutil.copy2)
elif point == "placing":
    Path.rename = after(Path.rename)
elif point == "loading":
    postgres.load = killed
elif point == "loaded":
    postgres.load = lambda *given: killed(load(*given))
restore.restore(Path(folder), Path(data))
"""


def test_what_is_put_back_is_what_was_copied(data, records, empty_again):
    before, head = told(data), verify.verify(data)
    made = make.make(data, records / "backup")
    assert (made.count, made.head) == (head.count, head.head)
    new = empty_again()
    listed, note = restore.restore(records / "backup", new)
    assert (listed, note) == (made, "")
    assert told(new) == before
    assert verify.verify(new, (head.count, head.head)).is_whole
    assert (new / "cells/one.png").read_text() == "cells/one.png"
    assert (new / "mlruns/0/run/bundle.json").exists()
    assert not any((new / left_out).exists() for left_out in ("cache", "jobs", ".access-token"))
    with sqlite3.connect(new / "other.db") as other:
        assert other.execute("SELECT x FROM t").fetchall() == [(7,)]
    other.close()
    assert [path.name for path in new.parent.iterdir()] == ["data"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda made: (made / "data/cells/one.png").write_text("another"), "cells/one.png was altered"),
        (lambda made: (made / "data/cells/one.png").unlink(), "cells/one.png is missing"),
        (lambda made: (made / contents.LIST).unlink(), "is not a backup"),
        (lambda made: (made / contents.LIST).write_text("{}"), "is not a backup"),
        (lambda made: edit(made, format=99), "another version"),
        (lambda made: edit(made, files={"../../etc/passwd": ""}), "is missing"),
    ],
)
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(tmp_path, spoil, said):
    data = tmp_path / "data"
    (data / "cells").mkdir(parents=True)
    (data / "cells/one.png").write_text("one")
    make_case(data)
    make.make(data, tmp_path / "backup")
    spoil(tmp_path / "backup")
    with pytest.raises(BackupError, match=said):
        restore.restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def edit(made, **changed):
    file = made / contents.LIST
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def test_nothing_is_restored_over_what_is_there(data, records):
    make.make(data, records / "backup")
    before = told(data)
    with pytest.raises(BackupError, match="is not empty"):
        restore.restore(records / "backup", data)
    assert told(data) == before


def test_a_database_that_is_not_empty_is_left_as_it_is(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    data = tmp_path / "data"
    data.mkdir()
    make_case(data)
    make.make(data, tmp_path / "backup")
    with pytest.raises(BackupError, match="is not empty"):
        restore.restore(tmp_path / "backup", tmp_path / "new")
    assert not (tmp_path / "new").exists() and len(worklist.worklist(data)) == 1
    monkeypatch.delenv("LEUKEMIA_DATABASE_URL")
    with pytest.raises(BackupError, match="were in PostgreSQL"):
        restore.restore(tmp_path / "backup", tmp_path / "new")


def test_runs_that_name_another_path_are_told_of(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(Workspace(data).mlflow_db) as runs:
        runs.execute("CREATE TABLE t (x)")
    runs.close()
    assert main(["backup", str(tmp_path / "backup"), "--data", str(data)]) == ANSWERED
    _, note = restore.restore(tmp_path / "backup", tmp_path / "new")
    assert str(data) in note
    shutil.rmtree(data)
    assert restore.restore(tmp_path / "backup", data)[1] == ""


@pytest.fixture
def mount(tmp_path):
    """A disk of its own, as a volume is; it cannot be renamed or removed."""
    place = tmp_path / "volume"
    place.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "none", place], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no mount can be made here")
    try:
        (place / "lost+found").mkdir(0o700)
        yield place
    finally:
        # The engine of the records holds its file open.
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.process
def test_a_mount_is_restored_into(data, records, empty_again, mount):
    before = told(data)
    make.make(data, records / "backup")
    empty_again()
    around = sorted(mount.parent.iterdir())
    restore.restore(records / "backup", mount)
    assert told(mount) == before
    there = {path.name for path in mount.iterdir()}
    assert {"lost+found", "cells", "other.db"} <= there and ".restoring" not in there
    assert sorted(mount.parent.iterdir()) == around
    make.make(mount, records / "again")
    assert not (records / "again" / "data" / "lost+found").exists()


@pytest.mark.process
def test_after_a_restore_that_was_killed_the_next_one_puts_all_of_it_back(
    data, records, empty_again, monkeypatch
):
    before = told(data)
    make.make(data, records / "backup")
    loads = bool(os.environ.get("LEUKEMIA_DATABASE_URL"))
    for point in ("copying", "placing", *(("loading", "loaded") if loads else ())):
        new = empty_again()
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, records / "backup", new, point], check=False, cwd=PROJECT
        )
        assert killed.returncode == 9 and (new / ".restoring").exists(), point
        # A full disk of the second try costs the third nothing.
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
            patch.setattr(shutil, "copy2", full)
            restore.restore(records / "backup", new)
        restore.restore(records / "backup", new)
        assert told(new) == before, point
        assert not (new / ".restoring").exists()
        shutil.rmtree(new)


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_was_written_since_a_restore_was_killed_is_kept(tmp_path):
    data, new = tmp_path / "data", tmp_path / "new"
    (data / "cells").mkdir(parents=True)
    (data / "cells" / "one.png").write_text("one")
    make.make(data, tmp_path / "backup")
    (new / ".restoring" / "data").mkdir(parents=True)
    (new / "cells").mkdir()
    (new / "cells" / "two.png").write_text("two")
    with pytest.raises(BackupError, match=r"was interrupted, and cells.two\.png in it is not"):
        restore.restore(tmp_path / "backup", new)
    assert (new / "cells" / "two.png").read_text() == "two"


def test_files_that_cannot_be_put_in_place_leave_nothing(data, records, empty_again, monkeypatch):
    before = told(data)
    make.make(data, records / "backup")
    new, rename = empty_again(), Path.rename

    def once(self, target):
        if self.name == "mlruns":
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    for is_there in (False, True):
        if is_there:
            (new / "lost+found").mkdir(parents=True)
        with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
            patch.setattr(Path, "rename", once)
            restore.restore(records / "backup", new)
        assert new.exists() == is_there
    assert [path.name for path in new.iterdir()] == ["lost+found"]
    restore.restore(records / "backup", new)
    assert told(new) == before


def test_a_dump_that_cannot_be_loaded_leaves_neither_files_nor_tables(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    data, new, backup = tmp_path / "data", tmp_path / "new", tmp_path / "backup"
    data.mkdir()
    make_case(data)
    listed = make.make(data, backup)
    dump = backup / contents.DUMP
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) * 9 // 10])
    edit(backup, files=listed.files | {contents.DUMP: contents.digest(dump)})
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    new.mkdir()
    with pytest.raises(BackupError, match=r"Nothing was restored\. pg_restore failed"):
        restore.restore(backup, new)
    assert list(new.iterdir()) == []
    engine = sa.create_engine(database.address(new))
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
    dump.write_bytes(whole)
    edit(backup, files=listed.files)
    restore.restore(backup, new)
    assert len(worklist.worklist(new)) == 1


def test_two_restores_into_one_folder_do_not_meet(tmp_path):
    data, new = tmp_path / "data", tmp_path / "new"
    data.mkdir()
    (data / "one.png").write_text("one")
    make.make(data, tmp_path / "backup")
    with (
        exclusive(Workspace(new).restoring / "lock", 0, AssertionError()),
        pytest.raises(BackupError, match="is at work"),
    ):
        restore.restore(tmp_path / "backup", new)
    restore.restore(tmp_path / "backup", new)
    assert [path.name for path in new.iterdir()] == ["one.png"]
