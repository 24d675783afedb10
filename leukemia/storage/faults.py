"""What a database says is wrong, in words for whoever reads it."""

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError


def reason(error: SQLAlchemyError) -> str:
    """Why, in a clause; never with the statement's values or the database's address."""
    text = str(getattr(error, "orig", "") or error).lower()
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
