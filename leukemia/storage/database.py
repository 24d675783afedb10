"""The records: one SQL database for cases, verdicts, corrections and the trail of all changes.

It is an SQLite file in the data folder, or PostgreSQL where ``LEUKEMIA_DATABASE_URL`` names one. On both, one
transaction writes at a time: what it read is still so when it writes, and the trail has one order. A write is
whole or absent. The tables are made, and brought up to date, by the migrations beside this module.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from leukemia import settings
from leukemia.errors import RecordsError, RecordsUnavailableError, SettingError
from leukemia.storage import databases, faults, read_only
from leukemia.storage.atomic import partial_folder
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace

# The tables of all modules; the newest migration makes exactly these.
METADATA = sa.MetaData()
REVISION = "0010"  # of the newest migration
MIGRATIONS = Path(__file__).parent / "migrations"

# Seconds for another writer to finish; and for the tables to be made on a busy machine.
PATIENCE, SETUP_PATIENCE = 15.0, 120.0
# Numbers by which PostgreSQL knows our two locks: any that no other program in the database takes.
WRITING, MIGRATING = 0x1EC0, 0x1EC1
NOTHING_SAVED = "Nothing was saved."
OLDER = (
    "The records were written by an earlier version of this program, and cannot be brought up to date where "
    "nothing can be written. Copy the whole folder to where you can write, then use the copy."
)
CHANGED = (
    "The records are no longer those of this version of the program. Restart it, which brings them up to "
    "date; if that does not help, restore a backup."
)
NO_URL = (
    "The environment variable LEUKEMIA_DATABASE_URL is not a database's address. Write it as "
    "postgresql://NAME:PASSWORD@HOST:5432/DATABASE; in the password, write @ as %40, / as %2F and % as %25."
)
NO_DATABASE = (
    "The environment variable LEUKEMIA_DATABASE_URL must name PostgreSQL (postgresql://…) or an SQLite file "
    "(sqlite:////…), not a folder or a database in memory."
)

_ready: set[tuple[str, object]] = set()


def is_absent(data: Path) -> bool:
    """Whether nothing was recorded yet: then there is nothing to read, and no file is made for it."""
    url = address(data)
    file = databases.file(url)
    return file is not None and not file.exists() and not _was_here(url)


def is_read_only(data: Path) -> bool:
    """Whether the records are a file where nothing can be written: then they can only be read."""
    file = databases.file(address(data))
    return file is not None and read_only.is_read_only(file)


@contextlib.contextmanager
def reading(data: Path) -> Iterator[sa.Connection]:
    """A transaction that sees one state of the records throughout; they may lie where nothing can be written.

    Raises
    ------
    RecordsError
        Where the records cannot be read.
    """
    with _translated("The records cannot be read", data), contextlib.ExitStack() as stack:
        if is_read_only(data):
            connection = stack.enter_context(read_only.reading(databases.file(address(data))))
            if not _is_up_to_date(connection):
                raise RecordsError(OLDER)
            yield connection
            return
        connection = stack.enter_context(_connect(data))
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextlib.contextmanager
def writing(data: Path) -> Iterator[sa.Connection]:
    """A transaction that no other one can come between; it is undone where anything is raised.

    Raises
    ------
    RecordsError
        Where it could not be written; then nothing of it was.
    """
    with _translated(f"{NOTHING_SAVED} The records cannot be written", data), _connect(data) as connection:
        connection = connection.execution_options(leukemia_writes=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITING)))
            yield connection


def check(data: Path) -> None:
    """See that each table can be read, and is this program's; nothing recorded yet is no fault.

    Raises
    ------
    RecordsError
        Where that is not so, in a sentence.
    """
    if is_absent(data):
        return
    # A row of each, or none, in one statement.
    rows = (sa.exists(sa.select(sa.literal(1)).select_from(table)) for table in METADATA.sorted_tables)
    with reading(data) as connection:
        connection.execute(sa.select(*rows)).one()
        if not _is_up_to_date(connection):
            raise RecordsUnavailableError(CHANGED)


def address(data: Path) -> str:
    """The URL of the records of a data folder; it may carry a password.

    Raises
    ------
    SettingError
        Where ``LEUKEMIA_DATABASE_URL`` names no database that can be used.
    """
    given = settings.load().database_url
    if not given:
        return databases.url(Workspace(Path(data).resolve()).records)
    try:
        given.encode()
        url = sa.make_url(given)
    except (SQLAlchemyError, ValueError):
        # What was raised may have a part of the password in it.
        raise SettingError(NO_URL) from None
    if url.get_backend_name() in ("postgresql", "postgres"):
        # SQLAlchemy would take another driver.
        return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    if not (file := databases.file(given)) or file.is_dir():
        raise SettingError(NO_DATABASE)
    return given


def engine(data: Path) -> sa.Engine:
    """The engine of the records of a data folder: one in a process. Raises as :func:`address` does.

    Tables are there once something was written or read by :func:`writing` or :func:`reading`.
    """
    return _engine(address(data))


def _connect(data: Path) -> sa.Connection:
    url = address(data)
    engine = _engine(url)
    file = databases.file(url)
    if (url, _inode(file)) not in _ready:
        _set_up(url, file, engine)
    return engine.connect()


@cache
def _engine(url: str) -> sa.Engine:
    file = databases.file(url)
    if file is None:
        options = f"-c lock_timeout={PATIENCE * 1000:.0f} -c idle_in_transaction_session_timeout=60000"
        return sa.create_engine(
            url,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "options": options},
        )
    engine = sa.create_engine(
        "sqlite://",
        creator=lambda: _open(file),
        poolclass=sa.QueuePool,
        pool_size=10,
        max_overflow=20,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine, "connect")
    def note_file(_: object, record: Any) -> None:
        record.info["inode"] = _inode(file)

    @sa.event.listens_for(engine, "checkout")
    def is_the_same_file(_: object, record: Any, __: object) -> None:
        # What is written to a file that was deleted is lost without an error.
        if record.info["inode"] != _inode(file):
            raise sa.exc.DisconnectionError

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # Left to itself, sqlite3 begins a transaction only at the first write, after what was read.
        writes = connection.get_execution_options().get("leukemia_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _open(file: Path) -> sqlite3.Connection:
    """Open a file that is there: one that went is not begun anew in silence."""
    database = sqlite3.connect(
        f"file:{quote(str(file))}?mode=rw",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            database.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _set_up(url: str, file: Path | None, engine: sa.Engine) -> None:
    """Make the tables, or bring them up to date, once."""
    if file is None:
        with engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATING)))
            _migrate(connection)
    else:
        if not file.exists() and _was_here(url):
            raise RecordsUnavailableError(
                f"The records ({file}) are gone: nothing can be read or saved. Put the file back. To begin "
                "new records without it, restart the program."
            )
        busy = RecordsUnavailableError("Another process is setting up the records. Try again in a minute.")
        with exclusive(file.with_name(f".{file.name}.lock"), SETUP_PATIENCE, busy):
            if not file.exists():
                _make(file)
            else:
                with engine.connect() as connection:
                    writes = connection.execution_options(leukemia_writes=True)
                    with writes.begin():
                        _migrate(writes)
    _ready.add((url, _inode(file)))


def _make(file: Path) -> None:
    """Make the file aside and put it in place once it is whole."""
    with partial_folder(file.parent) as partial:
        new = partial / file.name
        new.touch()
        engine = _engine.__wrapped__(databases.url(new))
        try:
            with engine.begin() as connection:
                _migrate(connection)
        finally:
            engine.dispose()  # which also empties the write-ahead log into the file
        new.replace(file)


def _migrate(connection: sa.Connection) -> None:
    if _is_up_to_date(connection):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _is_up_to_date(connection: sa.Connection) -> bool:
    """Whether the tables are those of this program; raises RecordsError where they are of a newer one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return False
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if found not in (None, REVISION) and not list((MIGRATIONS / "versions").glob(f"r{found}_*.py")):
        raise RecordsError(
            "The records were written by a newer version of this program. Update the program to use them."
        )
    return found == REVISION


def _was_here(url: str) -> bool:
    return any(known == url for known, _ in _ready)


def _inode(file: Path | None) -> object:
    try:
        return file and (file.stat().st_dev, file.stat().st_ino)
    except OSError:
        return None


@contextlib.contextmanager
def _translated(what: str, data: Path) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordsUnavailableError(f"{what}: {faults.reason(error)}.") from error
    except OSError as error:
        raise RecordsUnavailableError(f"{what}: {error.strerror or error}.") from error
    except OverflowError as error:
        raise RecordsError(f"{what}: no number can be as large as one that was given.") from error
