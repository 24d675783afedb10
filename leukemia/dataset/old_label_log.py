"""Corrections that an earlier program kept in a file of its own, brought into the records once, in order.

The file stays as it is. Each row becomes a row of the log and an entry of the trail, which says where it came
from and when it was made.
"""

import contextlib
import hashlib
import json
import sqlite3
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.audit.trail import TRAIL, Entry
from leukemia.errors import DatasetError
from leukemia.storage import database
from leukemia.storage.workspace import Workspace

COLUMNS = ("number", "image_id", "at", "who", "reason", "original", "old", "new", "undoes")
KEY = "corrections.db:"

_done: set[tuple[Path, int, int]] = set()


def bring_over(data: Path, log: sa.Table) -> None:
    """Bring over what the file holds and the log does not; nothing where the records can only be read.

    Parameters
    ----------
    data : Path
        The data folder.
    log : sqlalchemy.Table
        The log of corrections.

    Raises
    ------
    DatasetError
        Where the file cannot be read.
    RecordsError
        Where the records cannot be read, or something is to be brought over and they cannot be written.
    """
    file = Workspace(Path(data).resolve()).corrections
    try:
        status = file.stat()
    except OSError:
        return
    state = (file, status.st_mtime_ns, status.st_size)
    if state in _done:
        return
    rows = _read(file)
    # Most often all was brought over long ago: that is seen without writing.
    if _any_missing(data, rows):
        if database.is_read_only(data):
            return
        with database.writing(data) as connection:
            _write(connection, log, rows)
    _done.add(state)


def _read(file: Path) -> list[dict]:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as old:
            if not old.execute("SELECT 1 FROM sqlite_master WHERE name = 'corrections'").fetchone():
                return []
            rows = old.execute(f"SELECT {', '.join(COLUMNS)} FROM corrections ORDER BY number")  # noqa: S608
            return [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    except sqlite3.Error as error:
        raise DatasetError(f"{file} (the corrected labels) cannot be read.") from error


def _any_missing(data: Path, rows: list[dict]) -> bool:
    if not rows or database.is_absent(data):
        return bool(rows)
    with database.reading(data) as connection:
        return not {_key(row) for row in rows} <= _known(connection)


def _known(connection: sa.Connection) -> set[str]:
    """Keys of the rows that were brought over."""
    there = sa.select(TRAIL.c.key).where(TRAIL.c.key.startswith(KEY, autoescape=True))
    return set(connection.scalars(there))


def _key(row: dict) -> str:
    return KEY + hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()


def _write(connection: sa.Connection, log: sa.Table, rows: list[dict]) -> None:
    known = _known(connection)
    last = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(log.c.number), 0)))
    numbers: dict[int, int] = {}
    for row in rows:
        key = _key(row)
        if key in known:
            continue
        # Its own number, unless another folder's log took that before.
        last = numbers[row["number"]] = max(last + 1, row["number"])
        undoes = row["undoes"] and numbers.get(row["undoes"], row["undoes"])
        connection.execute(log.insert(), row | {"number": last, "undoes": undoes})
        trail.append(connection, [_entry(row, last, undoes, key)])


def _entry(row: dict, number: int, undoes: int | None, key: str) -> Entry:
    details = {"imported_from": "corrections.db", "at": row["at"], "number": number, "undoes": undoes}
    return Entry(
        trail.CORRECTION_UNDONE if undoes else trail.CORRECTED,
        row["who"],
        image_id=row["image_id"],
        old=row["old"],
        new=row["new"],
        reason=row["reason"],
        details=json.dumps(details, sort_keys=True),
        key=key,
    )
