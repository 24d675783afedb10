"""A backup is put back: each file checked first, then all of it in place, or nothing.

The data folder may be a mount, which cannot be renamed: files are copied into a folder in it, and renamed
into place together. A dump is loaded last, in one transaction; where that fails, they are moved back. The
folder stays where a restore is killed, so that the next one can undo it.
"""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

from leukemia.audit import verify
from leukemia.backup import contents, postgres
from leukemia.backup.contents import DATA, DUMP, NO_CONTENT, BackupError, Contents
from leukemia.errors import RecordsError
from leukemia.storage import database, databases
from leukemia.storage.locks import exclusive
from leukemia.storage.private import make_folder
from leukemia.storage.workspace import Workspace

Progress = Callable[[int, int, str], None]
OTHER_PATH = (
    "The runs in MLflow name their files below {}. Model versions are found again once the data folder has "
    "that path."
)
NOT_EMPTY = "{} is not empty. Nothing was restored. Move it away first."
MIXED = (
    "An earlier restore into {} was interrupted, and {} in it is not as this backup has it. Nothing was "
    "restored. Empty the folder first."
)
BUSY = "Another restore into {} is at work. Nothing was restored by this one."


def restore(folder: Path, data: Path, progress: Progress = lambda *_: None) -> tuple[Contents, str]:
    """Put a backup back into a data folder that is not there, or empty; it may be a mount.

    Parameters
    ----------
    folder : Path
        The backup.
    data : Path
        The data folder; made for this account alone where it is missing. What a restore of the same backup
        left that was killed counts as nothing, and so does ``lost+found``. Where the backup's records were in
        PostgreSQL, they go into the database that ``LEUKEMIA_DATABASE_URL`` names, which must be empty.
    progress : callable, optional

    Returns
    -------
    Contents, str
        What was put back, and what to know of it; empty for nothing.

    Raises
    ------
    BackupError
        Where the backup is not whole, there is something in its place already, or the database refuses it.
        Then nothing was changed.
    OSError
        Such as a full disk; then nothing was changed, either.
    """
    listed = contents.read(folder)
    data = data.absolute()
    url = _records_url(data, listed)
    aside = Workspace(data).restoring
    if not aside.exists():
        _check_empty(data)
    made = not data.exists()
    make_folder(data)
    try:
        with exclusive(aside / "lock", 0, BackupError(BUSY.format(data))):
            try:
                _put(folder, data, aside / DATA, listed, url, progress)
            finally:
                if not (aside / DATA).exists():
                    shutil.rmtree(aside, ignore_errors=True)
    except BaseException:
        if made:
            with contextlib.suppress(OSError):
                data.rmdir()
        raise
    _check(data, listed)
    moved = str(data.resolve()) != listed.data and Workspace(data).mlflow_db.exists()
    return listed, OTHER_PATH.format(listed.data) if moved else ""


def _records_url(data: Path, listed: Contents) -> str | None:
    """The database that the dump goes into; None where there is none to load."""
    url = database.address(data)
    elsewhere = databases.file(url) != Workspace(data.resolve()).records
    in_postgresql = databases.file(url) is None
    if listed.database != "none" and in_postgresql != (listed.database == "postgresql"):
        raise BackupError(
            f"The records of this backup were in {_name(listed.database)}. Set LEUKEMIA_DATABASE_URL to "
            "match: an empty PostgreSQL database, or not at all. Nothing was restored."
        )
    if listed.database == "sqlite" and elsewhere:
        raise BackupError(
            "LEUKEMIA_DATABASE_URL names an SQLite file: unset it. Records go into the data folder. "
            "Nothing was restored."
        )
    return url if listed.database == "postgresql" else None


def _put(
    folder: Path, data: Path, whole: Path, listed: Contents, url: str | None, progress: Progress
) -> None:
    """Copy all files into ``whole``, move them into place, and load the dump; or leave nothing."""
    interrupted = whole.exists()
    is_loaded = url is not None and postgres.is_loaded(url, listed, interrupted)
    if interrupted:
        _undo_interrupted(data, whole, listed)
    _check_empty(data)
    names: list[str] = []
    may_be_loaded = is_loaded
    try:
        make_folder(whole)
        _copy(folder, whole, listed, progress)
        _check_empty(data)
        names = sorted(entry.name for entry in whole.iterdir())
        for name in names:
            (whole / name).rename(data / name)
        if url and not is_loaded:
            may_be_loaded = True
            postgres.load(url, folder / DUMP)
    except BaseException:
        for name in names:
            if not (whole / name).exists():
                with contextlib.suppress(OSError):
                    (data / name).rename(whole / name)
        is_undone = all((whole / name).exists() for name in names)
        if is_undone and not (may_be_loaded and _may_hold_it(url, listed)):
            shutil.rmtree(whole, ignore_errors=True)
        raise
    shutil.rmtree(whole, ignore_errors=True)


def _copy(folder: Path, whole: Path, listed: Contents, progress: Progress) -> None:
    for done, name in enumerate(listed.files):
        progress(done, len(listed.files), "Restoring")
        if name.startswith(f"{DATA}/"):
            copy = whole / name.removeprefix(f"{DATA}/")
            make_folder(copy.parent)
            shutil.copy2(folder / name, copy)
    progress(len(listed.files), len(listed.files), "Restoring")


def _may_hold_it(url: str, listed: Contents) -> bool:
    """Whether the database may hold the dump though loading it failed: its last answer may have been lost."""
    try:
        return postgres.is_loaded(url, listed, interrupted=True)
    except BackupError:
        return True


def _check_empty(data: Path) -> None:
    if data.exists() and (not data.is_dir() or _entries(data)):
        raise BackupError(NOT_EMPTY.format(data))


def _undo_interrupted(data: Path, whole: Path, listed: Contents) -> None:
    """Remove what a restore that was killed left, if all of it is this backup's: nothing else is lost."""
    entries = _entries(data)
    for entry in entries:
        for path in [entry, *entry.rglob("*")] if entry.is_dir() else [entry]:
            if not path.is_dir() and not _is_ours(path, data, listed):
                raise BackupError(MIXED.format(data, path.relative_to(data)))
    for entry in entries:
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    # Not itself: it says that the database may be loaded already.
    for entry in whole.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _is_ours(path: Path, data: Path, listed: Contents) -> bool:
    known = listed.files.get(f"{DATA}/{path.relative_to(data).as_posix()}")
    return not path.is_symlink() and path.is_file() and contents.digest(path) == known


def _entries(data: Path) -> list[Path]:
    """What lies in a data folder, but for what is no content."""
    aside = Workspace(data).restoring
    return [entry for entry in data.iterdir() if entry != aside and entry.name not in NO_CONTENT]


def _check(data: Path, listed: Contents) -> None:
    """The trail must be the one that was copied."""
    if listed.database == "none":
        return
    try:
        found = verify.verify(data, (listed.count, listed.head))
    except RecordsError as error:
        raise BackupError(f"All of it is back, but its record of changes was not checked. {error}") from error
    if not found.is_whole:
        raise BackupError(
            f"All of it is back, but the record of changes in it is broken at entry {found.broken_at}: "
            f"{found.problem}"
        )


def _name(kind: str) -> str:
    return {"postgresql": "PostgreSQL", "sqlite": "an SQLite file"}[kind]
