"""What a backup holds: its folder, and the list that says what must be in it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from leukemia.errors import LeukemiaError
from leukemia.storage.workspace import Workspace

LIST, DATA, DUMP = "backup.json", "data", "records.dump"
FORMAT = 1
# What a database in use has beside it: a copy of the database holds it already.
BESIDE_SQLITE = ("-wal", "-shm", "-journal")
# Of a disk, not of ours; often only root may look into it.
NO_CONTENT = frozenset({"lost+found"})
SQLITE_HEADER = b"SQLite format 3\0"


class BackupError(LeukemiaError):
    """A backup cannot be made, is not whole, or cannot be put back as asked."""


@dataclass(frozen=True)
class Contents:
    """The list of a backup, as ``backup.json`` has it.

    Attributes
    ----------
    made_at : str
        ISO 8601, UTC.
    data : str
        The data folder that it was made of, as a whole path.
    count, head : int and str
        Of the trail in it: what ``audit verify --known`` compares with.
    database : str
        ``sqlite`` (a file among the others), ``postgresql`` (:data:`DUMP`), or ``none``.
    files : dict of str to str
        SHA-256 by path in the backup, with forward slashes.
    """

    made_at: str
    data: str
    count: int
    head: str
    database: str
    files: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the list into a backup: the last of its files."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True)
        (folder / LIST).write_text(text, encoding="utf-8")


def read(folder: Path) -> Contents:
    """The list of a backup, each of its files checked.

    Raises
    ------
    BackupError
        Where it is none, is of a newer program, or a file is missing or altered.
    """
    try:
        listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
        form = listed.pop("format")
        contents = Contents(**listed) if form == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(
            f"{folder} is not a backup of this program: it has no {LIST} that can be read."
        ) from error
    if contents is None:
        raise BackupError(f"{folder} was made by another version of this program. Use that one.")
    for name, expected in contents.files.items():
        path = folder / name
        if ".." in Path(name).parts or Path(name).is_absolute() or path.is_symlink() or not path.is_file():
            raise BackupError(f"The backup is not whole: {name} is missing.")
        if digest(path) != expected:
            raise BackupError(f"The backup is not whole: {name} was altered.")
    return contents


def wanted(data: Path) -> Iterator[Path]:
    """The files of a data folder that a backup takes, databases first.

    What can be computed again, what a job is doing now, and what is half written stays out; links and the
    dashboard's token, too.
    """
    space = Workspace(data)
    left_out = {space.cache, space.staging, space.jobs, space.access_token, space.restoring}
    left_out |= {data / name for name in NO_CONTENT}
    found = [path for path in _walk(data, left_out) if not path.name.endswith(BESIDE_SQLITE)]
    yield from sorted(found, key=lambda path: (not is_sqlite(path), path))


def digest(path: Path) -> str:
    """SHA-256 of a file: 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER
    except OSError:
        return False


def _walk(folder: Path, left_out: set[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        partial = path.name.startswith((".partial-", ".old-")) or path.name.endswith(".lock")
        if path in left_out or path.is_symlink() or partial:
            continue
        if path.is_dir():
            yield from _walk(path, left_out)
        elif path.is_file():
            yield path
