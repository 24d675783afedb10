"""A backup is made: databases as one transaction sees them, files as they are, all of it or nothing."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit.trail import FIRST, HEAD
from leukemia.backup import contents, postgres
from leukemia.backup.contents import DATA, DUMP, BackupError, Contents
from leukemia.storage import database, databases, private, read_only
from leukemia.storage.atomic import partial_folder
from leukemia.storage.workspace import Workspace

# Called with done, total and what is being done.
Progress = Callable[[int, int, str], None]


def make(data: Path, target: Path, progress: Progress = lambda *_: None) -> Contents:
    """Copy a data folder and its records while they are in use.

    Parameters
    ----------
    data : Path
        The data folder.
    target : Path
        The folder to make, for this account alone; it must not be there yet.
    progress : callable, optional

    Raises
    ------
    BackupError
        Where there is nothing to copy, ``target`` is there already or lies in the data folder, a link in it
        leads nowhere or in a circle, or a database cannot be copied.
    RecordsError
        Where the records cannot be read.
    OSError
        Such as a full disk; then there is no backup.
    """
    data, target = data.resolve(), target.absolute()
    if not data.is_dir():
        raise BackupError(f"There is no data folder at {data}.")
    if target.exists():
        raise BackupError(
            f"{target} is there already. Name a folder that is not: a backup is never written over."
        )
    if target.resolve().is_relative_to(data):
        raise BackupError("A backup inside the data folder would go with it. Name a folder elsewhere.")
    private.make_folder(target.parent)
    with partial_folder(target.parent) as partial:
        whole = partial / target.name
        private.make_folder(whole / DATA)
        # First: files that the records name are written before them.
        count, head, kind = _records(data, whole)
        _files(data, whole / DATA, list(contents.wanted(data, target)), progress)
        files = {
            path.relative_to(whole).as_posix(): contents.digest(path)
            for path in sorted(whole.rglob("*"))
            if path.is_file()
        }
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        listed = Contents(made_at, str(data), count, head, kind, files)
        listed.write(whole)
        private.close(whole)
        whole.rename(target)
    return listed


def _records(data: Path, whole: Path) -> tuple[int, str, str]:
    """Copy the records; how far their trail goes, and what kind of database they are in."""
    if database.is_absent(data):
        return 0, FIRST, "none"
    url = database.address(data)
    with database.reading(data) as connection:
        if connection.dialect.name == "postgresql":
            # It is idle for as long as pg_dump takes.
            connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            snapshot = connection.scalar(sa.select(sa.func.pg_export_snapshot()))
            count, head = connection.execute(sa.select(HEAD.c.count, HEAD.c.hash)).one()
            postgres.dump(url, whole / DUMP, snapshot)
            return count, head, "postgresql"
    copy = whole / DATA / Workspace(data).records.name
    _copy_sqlite(databases.file(url), copy)
    with contextlib.closing(sqlite3.connect(copy)) as copied:
        count, head = copied.execute("SELECT count, hash FROM trail_head").fetchone()
    return count, head, "sqlite"


def _files(data: Path, target: Path, wanted: list[Path], progress: Progress) -> None:
    for done, path in enumerate(wanted):
        progress(done, len(wanted), "Copying")
        copy = target / path.relative_to(data)
        if copy.exists():
            continue  # the records
        private.make_folder(copy.parent)
        if contents.is_sqlite(path):
            _copy_sqlite(path, copy)
        else:
            # A file that went since it was listed is no longer part of the data.
            with contextlib.suppress(FileNotFoundError):
                shutil.copy2(path, copy)
    progress(len(wanted), len(wanted), "Copying")


def _opened(file: Path) -> sqlite3.Connection:
    # What SQLite keeps beside a database lies beside the file itself, not beside a link to it.
    file = file.resolve()
    if read_only.is_read_only(file):
        return read_only.open_file(file)
    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


def _copy_sqlite(file: Path, copy: Path) -> None:
    """Copy a database that others may be writing to, by SQLite's own backup."""
    try:
        with (
            contextlib.closing(_opened(file)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            # One file, which needs no other beside it.
            target.execute("PRAGMA journal_mode = DELETE")
            (said,) = target.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise BackupError(
                "No backup was made: the disk is full. Free some space, then try again."
            ) from error
        raise BackupError(f"{file} cannot be copied: {error}.") from error
    if said != "ok":
        raise BackupError(f"{file} is damaged: {said}.")
