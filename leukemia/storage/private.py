"""Folders that no other account of the machine can look into."""

import os
import stat
from pathlib import Path

MODE, FILE_MODE = 0o700, 0o600
OPEN = "Other accounts of this machine may look into the data folder {}. If they should not: chmod 700 {}"


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this account alone.

    One that is there keeps its mode. On Windows, the rights of the folder above decide.

    Raises
    ------
    OSError
        Where it cannot be made, or there is a file in its place.
    """
    if folder.is_dir():
        return
    # mkdir makes those above by the umask, whatever mode it is given.
    if folder.parent != folder:
        make_folder(folder.parent)
    folder.mkdir(MODE, exist_ok=True)


def close(folder: Path) -> None:
    """Leave a folder and all that is in it to this account alone, wherever it is copied."""
    folder.chmod(MODE)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(MODE if path.is_dir() else FILE_MODE)


def warning(data: Path) -> str:
    """What to say of a data folder that other accounts can look into; empty where they cannot."""
    try:
        mode = data.stat().st_mode
    except OSError:
        return ""
    is_open = os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO)
    return OPEN.format(data, data) if is_open else ""
