"""Which folders and files of the server somebody may name: for an import, and for a verification.

Where people sign in, only what lies below the folders of the setting ``LEUKEMIA_IMPORT_FROM``; of anything
else they do not learn whether it is there.
"""

import os
import zipfile
from pathlib import Path

from leukemia import settings
from leukemia.access import acting
from leukemia.errors import ArchiveError

EMPTY = "Enter a folder or a .zip file on the server."
NONE_OPEN = "No folder of the server is open to imports. Ask who manages access."
OUTSIDE = "Images can be brought from these folders of the server only: {folders}."


def named(text: str, *, tables: bool = False) -> Path:
    """The folder or file of the server that was named, absolute, links followed.

    Parameters
    ----------
    text : str
        As it was typed.
    tables : bool, optional
        Whether it may be a CSV, too.

    Raises
    ------
    ArchiveError
        Where it may not be named, is not there, or is neither a folder nor a whole .zip, in a sentence.
    """
    if not text.strip():
        raise ArchiveError(EMPTY)
    try:
        path = Path(text.strip()).expanduser()
        found = path.resolve()
        _check_open(found)
        if not found.exists():
            raise ArchiveError(f"No such file or folder on the server: {path}.")
        if not os.access(found, os.R_OK | (os.X_OK if found.is_dir() else 0)):
            raise ArchiveError(f"This program is not allowed to read {path}. Ask its owner for permission.")
        is_table = tables and found.suffix.lower() == ".csv"
        if found.is_file() and not is_table and not zipfile.is_zipfile(found):
            raise ArchiveError(f"{path} is neither a folder nor a complete .zip file.")
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is not a path"
        raise ArchiveError(f"This path cannot be opened: {why}.") from error
    return found


def limits(source: Path) -> tuple[Path, ...] | None:
    """The folders out of which nothing in a source may lead; None where links may lead anywhere.

    This is asked again when the source is read, perhaps in a job, which has the setting from whoever started
    it. A source that lies elsewhere was named on the command line, which asks nobody.

    Raises
    ------
    ArchiveError
        Where the source lies below an open folder and has become a link that leads out, in a sentence.
    """
    folders = settings.load().import_from
    # As it was named: a link in the place of what was named is not followed yet.
    here = Path(os.path.normpath(Path(source).absolute()))
    if not folders or not any(here.is_relative_to(folder) for folder in folders):
        return None
    _check_open(here.resolve())
    return folders


def _check_open(path: Path) -> None:
    folders = settings.load().import_from
    if folders is None and not acting.user().is_signed_in:
        return
    if not folders:
        raise ArchiveError(NONE_OPEN)
    if not any(path.is_relative_to(folder) for folder in folders):
        raise ArchiveError(OUTSIDE.format(folders=", ".join(map(str, folders))))
