"""MLflow's SQLite file is made whole or not at all.

MLflow makes its tables one by one in the file itself: a kill meanwhile, or another process that does it too,
leaves some that it then can neither use nor make. So the file is made under another name, by one process at
a time, and renamed. One that was left half made, which nothing was recorded in, is made anew.
"""

import contextlib
import shutil
import sqlite3
from pathlib import Path

from leukemia.storage import databases
from leukemia.storage.locks import exclusive
from leukemia.storage.private import make_folder

# Seconds for another process to make it: it takes two, on a busy machine many more.
PATIENCE = 120.0
BUSY = "Another process is setting up the record of runs. Try again in a minute."
# What MLflow itself writes when it makes its tables: an experiment called Default.
RECORDED = (
    "SELECT 1 FROM runs",
    "SELECT 1 FROM registered_models",
    "SELECT 1 FROM experiments WHERE name <> 'Default'",
)

_whole: set[tuple[Path, int]] = set()


def ensure(file: Path, artifacts: Path) -> None:
    """Make MLflow's SQLite file where there is none, or only a half-made one with nothing recorded.

    Parameters
    ----------
    file : Path
    artifacts : Path
        The folder of files of runs; it is not made.

    Raises
    ------
    OSError
        Where it cannot be written, or another process takes too long to make it.
    """
    _leave_folders_to_us()
    if _is_whole(file):
        return
    make_folder(file.parent)
    with exclusive(file.with_name(f".{file.name}.lock"), PATIENCE, TimeoutError(BUSY)):
        if not _is_whole(file):
            _make(file, artifacts)
            _whole.add(_identity(file))


def _leave_folders_to_us() -> None:
    """Keep MLflow from making the folder of its SQLite file, which is there.

    It takes the URL's text for the path, escapes and all: beside a folder called ``a%20b`` it would make an
    empty one called ``a%2520b``.
    """
    from mlflow.store.db import utils

    utils._make_parent_dirs_if_sqlite = lambda _: None


def _identity(file: Path) -> tuple[Path, int]:
    return file, file.stat().st_ino


def _is_whole(file: Path) -> bool:
    """Whether MLflow can be asked: about a damaged or older file it knows best what to say."""
    if not file.exists():
        return False
    if (identity := _identity(file)) not in _whole:
        if _is_half_made(file):
            return False
        _whole.add(identity)
    return True


def _is_half_made(file: Path) -> bool:
    from mlflow.store.db.utils import _get_latest_schema_revision

    try:
        # For writing, so that what a killed process left half written is rolled back.
        with contextlib.closing(sqlite3.connect(file)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            version = "SELECT version_num FROM alembic_version"
            revisions = database.execute(version).fetchall() if "alembic_version" in tables else []
            if revisions == [(_get_latest_schema_revision(),)]:
                return False
            return not any(_holds(database, query) for query in RECORDED)
    except sqlite3.DatabaseError:
        return False  # locked, or no database


def _holds(database: sqlite3.Connection, query: str) -> bool:
    try:
        return database.execute(f"{query} LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError as error:
        if "no such" in str(error):  # table or column
            return False
        raise


def _make(file: Path, artifacts: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    # Of this one name, so that what a killed process left is swept by the next.
    partial = file.with_name(f".{file.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        new = partial / file.name
        # MLflow makes the folder of artifacts, too: one in its place would say that something was recorded.
        store = SqlAlchemyStore(databases.url(new), (partial / artifacts.name).as_uri())
        store.engine.dispose()
        with contextlib.closing(sqlite3.connect(new)) as database, database:
            place = f"{artifacts.as_uri()}/0"
            database.execute("UPDATE experiments SET artifact_location = ?", (place,))
        file.with_name(f"{file.name}-journal").unlink(missing_ok=True)
        new.replace(file)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
