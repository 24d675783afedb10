"""The records in PostgreSQL, by its own programs: ``pg_dump`` and ``pg_restore``."""

import os
import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit.trail import HEAD
from leukemia.backup.contents import BackupError, Contents

MISSING = "{} is not installed here: it comes with PostgreSQL's client (Debian: postgresql-client)."


def dump(url: str, file: Path, snapshot: str) -> None:
    """Write a database to a file, as one transaction saw it.

    Parameters
    ----------
    url : str
        Of the database; it may carry a password.
    file : Path
    snapshot : str
        Of that transaction, by ``pg_export_snapshot()``.

    Raises
    ------
    BackupError
        In the program's words.
    """
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    _run("pg_dump", url, *options, f"--file={file}")


def is_loaded(url: str, listed: Contents, interrupted: bool) -> bool:
    """Whether a database holds a backup already, because a restore was killed once that was loaded.

    Parameters
    ----------
    url : str
    listed : Contents
        Of the backup.
    interrupted : bool
        Whether a restore was killed; otherwise whatever is in the database is somebody's.

    Raises
    ------
    BackupError
        Where the database holds anything else, or does not answer.
    """
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            if not tables:
                return False
            if interrupted and HEAD.name in tables:
                head = connection.execute(sa.select(HEAD.c.count, HEAD.c.hash)).one_or_none()
                if head == (listed.count, listed.head):
                    return True
    except sa.exc.SQLAlchemyError as error:
        raise BackupError("The database that LEUKEMIA_DATABASE_URL names does not answer.") from error
    finally:
        engine.dispose()
    raise BackupError(
        f"The database that LEUKEMIA_DATABASE_URL names is not empty (it has {len(tables)} tables). "
        "Nothing was restored. Make an empty one and name that."
    )


def load(url: str, file: Path) -> None:
    """Load a dump into an empty database, whole or not at all; raises BackupError."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    try:
        _run("pg_restore", url, *options, str(file))
    except BackupError as error:
        raise BackupError(f"Nothing was restored. {error}") from error


def _run(program: str, url: str, *arguments: str) -> None:
    found = shutil.which(program) or next(
        map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)), None
    )
    if found is None:
        raise BackupError(MISSING.format(program))
    address = sa.make_url(url)
    # Arguments are seen by everybody on the machine; ``set`` takes no password away.
    given = address.password or address.normalized_query.get("password", ("",))[-1]
    password = {"PGPASSWORD": given} if given else {}
    bare = address.set(drivername="postgresql")._replace(password=None).difference_update_query(["password"])
    shown = bare.render_as_string()
    done = subprocess.run(
        [found, f"--dbname={shown}", *arguments],
        env=os.environ | password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[0]
        raise BackupError(f"{program} failed: {said}")
