"""Files as people have them: what a folder holds, reads within bounds, and names that can be shown."""

import errno
import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# What macOS, Windows and network disks put beside people's files: thumbnails, halves of files, bins.
SYSTEM_FOLDERS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")
# Control and format characters (which may steer a terminal or turn the order of letters), halves of
# letters, and line ends.
UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")
LEADS_OUT = "it is a link that leads out of the folders that are open to imports"


@dataclass(frozen=True)
class Found:
    """One file below a folder.

    Attributes
    ----------
    path : Path
    name : str
        Where it lies in the folder, with forward slashes, to be shown.
    left_out : str
        Why it must not be read; empty for a regular file.
    """

    path: Path
    name: str
    left_out: str = ""


def shown(name: str | os.PathLike[str]) -> str:
    """A file's name as text that can be written, printed and sent anywhere.

    Bytes that are no UTF-8, and characters that steer a terminal, are spelled out with a backslash.
    """
    return "".join(
        _spelled(letter) if unicodedata.category(letter) in UNSHOWN else letter for letter in os.fspath(name)
    )


def is_hidden(name: PurePosixPath) -> bool:
    """Whether a file, or a folder that it lies in, is hidden or the system's own."""
    return any(part.startswith(".") or part in SYSTEM_FOLDERS for part in name.parts)


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or lies below it, itself or what it leads to; neither need be there."""
    whole = os.path.realpath(folder)
    # Of ".." only the folder that it leads to is left.
    itself = os.path.normpath(Path(os.path.realpath(path.parent), path.name))
    return any(Path(one).is_relative_to(whole) for one in (itself, os.path.realpath(path)))


def leads_out(path: Path, within: Collection[Path] | None) -> bool:
    """Whether a path, links followed, leads out of some folders; where these are None, none does."""
    if within is None:
        return False
    real = Path(os.path.realpath(path))
    return not any(real.is_relative_to(folder) for folder in within)


def walk(folder: Path, within: Collection[Path] | None = None) -> Iterator[Found]:
    """Every file below a folder that is not hidden; linked folders are followed, each folder once.

    Links to nothing, devices, pipes and sockets come with the reason to leave them out.

    Parameters
    ----------
    folder : Path
    within : collection of Path, optional
        Folders, links followed: a link that leads to none of them comes with the reason to leave it out, and
        nothing is told of what it leads to. By default, a link may lead anywhere.

    Raises
    ------
    OSError
        Where a folder cannot be opened.
    """
    root = Path(folder)
    seen = {_identity(root.stat())}
    folders, links = [root], []
    while folders or links:
        # Links last: a folder is listed under its own name where it has one below the root.
        where = folders.pop() if folders else links.pop(0)
        if where is not root and where.is_symlink():
            identity = _identity(where.stat())
            if identity in seen:
                yield Found(where, _name(where, root), "it leads to a folder that was read already")
                continue
            seen.add(identity)
        below = []
        for path in sorted(where.iterdir()):
            if is_hidden(PurePosixPath(path.name)):
                continue
            # Asked first: not even whether something is there is to be told.
            if leads_out(path, within):
                yield Found(path, _name(path, root), LEADS_OUT)
                continue
            try:
                status = path.stat()
            except OSError as error:
                why = "it is a link to nothing" if path.is_symlink() else error.strerror or "unknown reason"
                yield Found(path, _name(path, root), why)
                continue
            if not stat.S_ISDIR(status.st_mode):
                why = "" if stat.S_ISREG(status.st_mode) else "it is a device or a pipe, not a file"
                yield Found(path, _name(path, root), why)
            elif path.is_symlink():
                links.append(path)
            elif (identity := _identity(status)) not in seen:
                seen.add(identity)
                below.append(path)
        folders += reversed(below)


def read(path: Path, most: int) -> bytes:
    """Read a regular file; of one that is larger than ``most`` bytes, one byte more than that.

    Raises
    ------
    OSError
        Where it cannot be read, or is a device or a pipe.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is a device, a pipe or a folder", str(path))
    with path.open("rb") as file:
        return file.read(most + 1)


def _spelled(letter: str) -> str:
    # Python keeps a byte that it cannot decode as half a letter from here on.
    byte = ord(letter) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else letter.encode("unicode_escape").decode()


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _name(path: Path, root: Path) -> str:
    return shown(path.relative_to(root).as_posix())
