"""SQLite files by the URL that SQLAlchemy and MLflow take."""

from pathlib import Path
from urllib.parse import unquote

SQLITE = "sqlite:///"


def url(file: Path) -> str:
    """The URL of an SQLite file, whatever its path is made of."""
    # What SQLAlchemy takes for an escape, and for the end of the path.
    return SQLITE + str(file).replace("%", "%25").replace("?", "%3F")


def file(url: str) -> Path | None:
    """The SQLite file of a URL; None where it is another database's, or names no file."""
    if not url.startswith(SQLITE):
        return None
    named = unquote(url.removeprefix(SQLITE).partition("?")[0])
    # SQLAlchemy keeps the first two in memory, and takes the third for a URL of SQLite's own.
    if named in ("", ":memory:") or named.startswith("file:") or named.endswith("/") or "\0" in named:
        return None
    return Path(named)
