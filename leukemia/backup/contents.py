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
LOST = (
    "No backup was made: what the link {} leads to is not there, or cannot be reached. Bring it back, or "
    "remove the link."
)
CIRCLE = "No backup was made: the link {} leads in a circle, back to {}. Remove the link."
WITH_IT = "A backup in {} would go with the data folder, whose link {} leads there. Name a folder elsewhere."


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


def wanted(data: Path, target: Path) -> Iterator[Path]:
    """The files of a data folder that a backup takes, databases first.

    What can be computed again, what a job is doing now, and what is half written stays out; the dashboard's
    token, too. What a symbolic link leads to counts as a plain file or folder in the link's place.

    Parameters
    ----------
    data : Path
        The data folder, without links on its way.
    target : Path
        Where the backup is made.

    Raises
    ------
    BackupError
        Where a link leads nowhere, or to a folder that holds the link itself or the backup.
    OSError
        Where a folder cannot be read.
    """
    space = Workspace(data)
    left_out = {space.cache, space.staging, space.jobs, space.access_token, space.restoring}
    left_out |= {data / name for name in NO_CONTENT}
    every = _walk(data, left_out, target.resolve())
    found = [path for path in every if not path.name.endswith(BESIDE_SQLITE)]
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


def _walk(folder: Path, left_out: set[Path], target: Path, way: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Files below a folder that was reached by links that lie in the folders ``way``."""
    for path in sorted(folder.iterdir()):
        partial = path.name.startswith((".partial-", ".old-")) or path.name.endswith(".lock")
        if path in left_out or partial:
            continue
        below = way
        if path.is_symlink():
            below = (*way, folder.resolve())
            _check_link(path, below, target)
        if path.is_dir():
            yield from _walk(path, left_out, target, below)
        elif path.is_file():
            yield path


def _check_link(link: Path, way: tuple[Path, ...], target: Path) -> None:
    """Raise BackupError where a link cannot be followed, or would be followed for ever."""
    try:
        place = link.resolve(strict=True)
    # Links that lead to one another are a RuntimeError before Python 3.13.
    except (OSError, RuntimeError) as error:
        raise BackupError(LOST.format(link)) from error
    if any(folder.is_relative_to(place) for folder in way):
        raise BackupError(CIRCLE.format(link, place))
    if target.is_relative_to(place):
        raise BackupError(WITH_IT.format(place, link))
