"""A backup is put back: each file checked first, then all of it in place, or nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

from leukemia.audit import verify
from leukemia.backup import contents, postgres
from leukemia.backup.contents import DATA, DUMP, BackupError, Contents
from leukemia.storage import database, databases
from leukemia.storage.atomic import partial_folder
from leukemia.storage.workspace import Workspace

Progress = Callable[[int, int, str], None]
OTHER_PATH = (
    "The runs in MLflow name their files below {}. Model versions are found again once the data folder has "
    "that path."
)


def restore(folder: Path, data: Path, progress: Progress = lambda *_: None) -> tuple[Contents, str]:
    """Put a backup back into a data folder that is not there, or empty.

    Parameters
    ----------
    folder : Path
        The backup.
    data : Path
        The data folder. Where the backup's records were in PostgreSQL, they go into the database that
        ``LEUKEMIA_DATABASE_URL`` names, which must be empty.
    progress : callable, optional

    Returns
    -------
    Contents, str
        What was put back, and what to know of it; empty for nothing.

    Raises
    ------
    BackupError
        Where the backup is not whole, or there is something in its place already. Then nothing was changed.
    """
    listed = contents.read(folder)
    data = data.absolute()
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise BackupError(f"{data} is not empty. Nothing was restored. Move it away first.")
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
    data.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(data.parent) as partial:
        whole = partial / data.name
        whole.mkdir()
        for done, name in enumerate(listed.files):
            progress(done, len(listed.files), "Restoring")
            if name.startswith(f"{DATA}/"):
                copy = whole / name.removeprefix(f"{DATA}/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(folder / name, copy)
        progress(len(listed.files), len(listed.files), "Restoring")
        if listed.database == "postgresql":
            postgres.load(url, folder / DUMP)
        if data.exists():
            data.rmdir()
        whole.rename(data)
    _check(data, listed)
    moved = str(data.resolve()) != listed.data and Workspace(data).mlflow_db.exists()
    return listed, OTHER_PATH.format(listed.data) if moved else ""


def _check(data: Path, listed: Contents) -> None:
    """The trail must be the one that was copied."""
    if listed.database == "none":
        return
    found = verify.verify(data, (listed.count, listed.head))
    if not found.is_whole:
        raise BackupError(
            f"The files are back, but the record of changes in them is broken at entry {found.broken_at}: "
            f"{found.problem}"
        )


def _name(kind: str) -> str:
    return {"postgresql": "PostgreSQL", "sqlite": "an SQLite file"}[kind]
