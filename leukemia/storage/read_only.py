"""Records where nothing can be written, such as a copy that an auditor is given: read, and left as they are.

SQLite keeps two files beside a database that is in use, ``-wal`` and ``-shm``. Where it cannot make them, it
opens the database only if told that it will not change. What is still in a ``-wal`` would then be overlooked.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from leukemia.errors import RecordsUnavailableError

COPY_FIRST = (
    "The records cannot be read where they are: nothing can be written there, and a part of them is still in "
    "{} beside their file. Copy the whole folder to where you can write, then use the copy."
)
CHANGED = "The records were changed while they were read. Try again."


def is_read_only(file: Path) -> bool:
    """Whether a file is there and cannot be written, or none beside it."""
    # Who asks may not be who started the program.
    effective = os.access in os.supports_effective_ids
    places = (file, file.parent)
    return file.exists() and not all(os.access(one, os.W_OK, effective_ids=effective) for one in places)


@contextlib.contextmanager
def reading(file: Path) -> Iterator[sa.Connection]:
    """A transaction on such a file that sees one state of it throughout.

    Raises
    ------
    RecordsUnavailableError
        Where a part of it cannot be read from there, or another machine wrote to it meanwhile.
    sqlalchemy.exc.SQLAlchemyError
        As SQLite says it.
    """
    shared, before = _is_shared(file), _state(file)
    with _engine(file).connect() as connection, connection.begin():
        yield connection
    # SQLite itself looks out for it only with both files beside.
    if not shared and _state(file) != before:
        raise RecordsUnavailableError(CHANGED)


def open_file(file: Path) -> sqlite3.Connection:
    """Open such a file.

    Raises
    ------
    RecordsUnavailableError
        Where a part of it cannot be read from there.
    sqlite3.Error
        As SQLite says it.
    """
    shared = _is_shared(file)
    for one in (_beside(file, "journal"), *[_beside(file, "wal")] * (not shared)):
        if _size(one):
            raise RecordsUnavailableError(COPY_FIRST.format(one.name))
    options = "mode=ro" if shared else "mode=ro&immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(file))}?{options}", uri=True, isolation_level=None, check_same_thread=False
    )


@cache
def _engine(file: Path) -> sa.Engine:
    engine = sa.create_engine(
        "sqlite://", creator=lambda: open_file(file), poolclass=sa.NullPool, hide_parameters=True
    )
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _is_shared(file: Path) -> bool:
    return all(_beside(file, end).exists() for end in ("wal", "shm"))


def _beside(file: Path, end: str) -> Path:
    return file.with_name(f"{file.name}-{end}")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _state(file: Path) -> tuple[int, ...]:
    now = file.stat()
    return now.st_ino, now.st_mtime_ns, now.st_size, _size(_beside(file, "wal"))
