"""A backup is whole or absent, and what is put back is what was copied, while others work."""

import errno
import json
import os
import shutil
import sqlite3
import stat
import threading

import pytest

from leukemia.access import keys
from leukemia.access.users import Role
from leukemia.audit import verify
from leukemia.backup import contents, make, restore
from leukemia.backup.contents import BackupError
from leukemia.cases import cells, verdicts, worklist
from leukemia.cli.main import ANSWERED, UNUSABLE, main
from leukemia.errors import RecordsError
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support.case_factory import make_case


@pytest.fixture
def data(records):
    """A data folder with two cases, verdicts, a key, other files, a cache and what a job left."""
    data = records / "data"
    data.mkdir()
    for identifier in ("P-1", "P-2"):
        case = make_case(data, identifier)
        verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    keys.add(data, "lab", [Role.READER], who="Ada")
    for name in (
        "cells/one.png",
        "mlruns/0/run/bundle.json",
        "cache/catalog.parquet",
        "jobs/1/log.txt",
        ".access-token",
    ):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    with sqlite3.connect(data / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("INSERT INTO t VALUES (7)")
    other.close()
    return data


@pytest.fixture
def empty_again(records, monkeypatch, request):
    """Make what a new machine has: no data folder, and an empty database if it is PostgreSQL."""

    def go():
        if "postgres" in request.fixturenames or "postgresql" in request.node.name:
            url = request.getfixturevalue("postgres").new_database()
            monkeypatch.setenv("LEUKEMIA_DATABASE_URL", url)
        return records / "new" / "data"

    return go


def told(data):
    """All that people see of the records."""
    listed = worklist.worklist(data, order=worklist.BY_IDENTIFIER)
    return [(one, cells.cells(data, one.case.id)) for one in listed], keys.every(data)


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


def test_what_is_written_meanwhile_is_in_the_backup_whole_or_not_at_all(data, records, empty_again):
    (case_id, *_) = [one.case.id for one in worklist.worklist(data)]
    done = threading.Event()

    def read():
        turn = 0
        while not done.is_set():
            turn += 1
            verdicts.give(data, case_id, [1, 2, 3], (ALL_LIKE, NORMAL_LIKE)[turn % 2], reader="Cy")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        backups = [make.make(data, records / f"backup-{turn}") for turn in range(3)]
    finally:
        done.set()
        reader.join()
    assert backups[0].count <= backups[-1].count <= verify.verify(data).count
    new = empty_again()
    restore.restore(records / "backup-2", new)
    found = {one.by("Cy").verdict if one.by("Cy") else "" for one in cells.cells(new, case_id)[:3]}
    assert len(found) == 1


def test_a_full_disk_leaves_no_backup_and_the_data_as_they_were(data, records, monkeypatch):
    before = told(data)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    assert main(["backup", str(records / "backup"), "--data", str(data)]) == UNUSABLE
    assert sorted(path.name for path in records.iterdir()) == ["data"]
    assert told(data) == before


@pytest.mark.skipif(os.name != "posix", reason="on Windows, a folder's own rights decide")
def test_a_backup_is_for_its_account_alone_in_each_of_its_files(data, records):
    backup, seen = records / "backups" / "today", []
    make.make(data, backup, lambda *_: seen.extend(map(mode, backup.parent.glob(".partial-*/today"))))
    assert set(seen) == {0o700}, "while it is made"
    found = [backup.parent, backup, *backup.rglob("*")]
    assert {mode(path) for path in found if path.is_dir()} == {0o700}
    assert {mode(path) for path in found if path.is_file()} == {0o600}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_disk_that_is_full_for_a_database_says_so(data, records, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    class Full(sqlite3.Connection):
        backup = full

    real = sqlite3.connect
    monkeypatch.setattr(make.sqlite3, "connect", lambda *a, **k: real(*a, **k, factory=Full))
    with pytest.raises(BackupError, match="the disk is full"):
        make.make(data, records / "backup")
    assert sorted(path.name for path in records.iterdir()) == ["data"]


def test_a_backup_is_never_written_over_or_into_the_data(data, records):
    made = records / "backup"
    make.make(data, made)
    stamp = (made / contents.LIST).read_bytes()
    for target, said in ((made, "there already"), (data / "backup", "inside the data folder")):
        with pytest.raises(BackupError, match=said):
            make.make(data, target)
    assert (made / contents.LIST).read_bytes() == stamp
    with pytest.raises(BackupError, match="no data folder"):
        make.make(records / "nowhere", records / "other")


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


def test_a_database_that_does_not_answer_is_named_and_leaves_no_backup(data, records, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/none")
    with pytest.raises(RecordsError, match="does not answer") as refused:
        make.make(data, records / "backup")
    assert "secret" not in str(refused.value)
    assert not (records / "backup").exists()


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


def test_the_commands_say_what_was_done(tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    make_case(data)
    assert main(["backup", str(tmp_path / "backup"), "--data", str(data)]) == ANSWERED
    said = capsys.readouterr().out
    known = said.split("--known ")[1].strip()
    assert main(["restore", str(tmp_path / "backup"), "--data", str(tmp_path / "new")]) == ANSWERED
    assert "each as it was written" in capsys.readouterr().out
    assert main(["audit", "verify", "--known", known, "--data", str(tmp_path / "new")]) == ANSWERED
    assert main(["restore", str(tmp_path / "nothing"), "--data", str(tmp_path / "x")]) == UNUSABLE
    assert "is not a backup" in capsys.readouterr().err
    database._ready.clear()
