"""MLflow's own tables, where they lie in an SQLite file: read as such, in milliseconds.

MLflow takes seconds to be imported and seconds to list a few hundred runs, whose reader waits. What is
not as expected here is asked through MLflow by whoever asks; tests hold that both say the same.
"""

import contextlib
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from leukemia.errors import RegistryError

DELETED = "Deleted_Internal"  # the stage that MLflow leaves of a model version that was deleted
PATIENCE = 1.0  # seconds for whoever is writing
LOCKED = "its database is locked by another process"
DAMAGED = "its database is damaged"


class Unexpected(Exception):
    """The tables are others than expected: MLflow itself knows more ways."""


@contextlib.contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Open MLflow's SQLite file; all that is read in here is of one moment.

    Yields
    ------
    sqlite3.Connection
        Its rows are named.

    Raises
    ------
    RegistryError
        Where it is locked or damaged; the message is a clause ("its database is damaged").
    Unexpected
        Where a table or a column is missing.
    """
    # Not read-only: what a killed process left half written is rolled back by the first who opens it.
    address = f"file:{urllib.parse.quote(str(file))}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as database:
            database.row_factory = sqlite3.Row
            database.execute("BEGIN")
            yield database
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            raise Unexpected from error
        raise RegistryError(LOCKED if "locked" in str(error) else f"its database: {error}") from error
    except sqlite3.DatabaseError as error:
        raise RegistryError(DAMAGED) from error
