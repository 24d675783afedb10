"""What a database says is wrong, in words for whoever reads it."""

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

UNDEFINED_TABLE = "42P01"  # PostgreSQL's code; its words are in the server's language
NO_TABLES = (
    "their tables are not there. Restore a backup or, to begin new records, restart the program on an empty "
    "database, where it makes them"
)


def reason(error: SQLAlchemyError) -> str:
    """Why, in a clause; never with the statement's values or the database's address."""
    origin = getattr(error, "orig", None)
    text = str(origin or error).lower()
    if "no such table" in text or getattr(origin, "pgcode", None) == UNDEFINED_TABLE:
        return NO_TABLES
    causes = {
        "disk is full": "the disk is full. Free some space, then try again",
        "no space left": "the database's disk is full. Free some space, then try again",
        # What SQLite says of a full disk where it cannot make its files beside the database.
        "disk i/o error": "the disk is full, or has a fault. Free some space, then try again",
        "locked": "someone else is writing at the moment. Try again",
        "lock timeout": "someone else is writing at the moment. Try again",
        "readonly": "their file is read-only",
        "read-only": "the database is read-only",
        "only grows": "what is on record is never changed or removed",
        "malformed": "their file is damaged",
        "not a database": "their file is damaged",
        "unable to open": "their file is not there, or may not be opened",
        "queuepool": "too many people use them at the moment. Try again",
    }
    for words, cause in causes.items():
        if words in text:
            return cause
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) or getattr(
        error, "connection_invalidated", False
    ):
        return "the database does not answer. Try again, or ask whoever looks after it"
    return f"the database refused it ({type(error).__name__})"
