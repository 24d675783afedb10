"""A backup is whole or absent, while others work; the commands."""

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import threading

import pytest

from leukemia.audit import verify
from leukemia.backup import contents, make, restore
from leukemia.backup.contents import BackupError
from leukemia.cases import cells, verdicts, worklist
from leukemia.cli.main import ANSWERED, UNUSABLE, main
from leukemia.errors import RecordsError
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.storage import database
from tests.support.backed_up import told
from tests.support.case_factory import make_case


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


@pytest.fixture
def disk(tmp_path):
    """Another disk, with a folder of fields, a database in use, a pipe, and a link to its own fields."""
    disk = tmp_path / "disk"
    (disk / "fields" / "more").mkdir(parents=True)
    (disk / "fields" / "more" / "one.png").write_text("one")
    os.mkfifo(disk / "fields" / "pipe")
    (disk / "again").symlink_to("fields/more")
    other = sqlite3.connect(disk / "other.db")
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE t (x)")
    other.execute("INSERT INTO t VALUES (7)")
    other.commit()
    yield disk
    other.close()


@pytest.fixture
def linked(tmp_path, disk):
    """A data folder whose records, fields and more lie on that disk."""
    data = tmp_path / "data"
    data.mkdir()
    make_case(data)
    database.engine(data).dispose()
    (data / "records.db").rename(disk / "records.db")
    for name, place in (
        ("records.db", "records.db"),
        ("fields", "fields"),
        ("again", "again"),
        ("linked.db", "other.db"),
        ("letter.png", "fields/more/one.png"),
        ("pipe", "fields/pipe"),
    ):
        (data / name).symlink_to(disk / place)
    # Of no use to a backup, wherever it is.
    (data / "cache").symlink_to(disk / "nowhere")
    yield data
    database.engine(data).dispose()


@pytest.mark.skipif(os.name != "posix", reason="on Windows, links need a right of their own")
def test_what_links_lead_to_is_copied_and_put_back_as_plain_files_and_folders(linked, tmp_path):
    before = told(linked)
    listed = make.make(linked, tmp_path / "backup")
    names = {name.removeprefix("data/") for name in listed.files if "bundle" not in name}
    plain = {"fields/more/one.png", "again/one.png", "letter.png"}
    assert names == plain | {"records.db", "linked.db"}
    new = tmp_path / "new"
    restore.restore(tmp_path / "backup", new)
    assert told(new) == before
    assert not any(path.is_symlink() for path in new.rglob("*"))
    assert {(new / name).read_text() for name in plain} == {"one"}
    with contextlib.closing(sqlite3.connect(new / "linked.db")) as other:
        assert other.execute("SELECT x FROM t").fetchall() == [(7,)]


@pytest.mark.skipif(os.name != "posix", reason="on Windows, links need a right of their own")
@pytest.mark.parametrize(
    ("link", "place", "said"),
    [
        ("data/lost", "disk/nowhere", "data/lost leads to is not there"),
        ("data/itself", "data/itself", "data/itself leads to is not there"),
        ("data/cells/up", "data", "data/cells/up leads in a circle"),
        ("data/cells/here", "data/cells", "data/cells/here leads in a circle"),
        ("data/root", ".", "data/root leads in a circle"),
        ("disk/fields/back", "data", "data/fields/back leads in a circle"),
        ("disk/fields/up", "disk", "data/fields/up leads in a circle"),
        ("data/backups", "backups", "would go with the data folder, whose link .*data/backups leads there"),
    ],
)
def test_a_link_that_cannot_be_followed_ends_the_backup_and_leaves_none(linked, tmp_path, link, place, said):
    (linked / "cells").mkdir()
    backups = tmp_path / "backups"
    backups.mkdir()
    (tmp_path / link).symlink_to(tmp_path / place)
    with pytest.raises(BackupError, match=said):
        make.make(linked, backups / "today")
    assert list(backups.iterdir()) == []


def test_a_database_that_does_not_answer_is_named_and_leaves_no_backup(data, records, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/none")
    with pytest.raises(RecordsError, match="does not answer") as refused:
        make.make(data, records / "backup")
    assert "secret" not in str(refused.value)
    assert not (records / "backup").exists()


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
