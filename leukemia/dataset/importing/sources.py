"""A downloaded folder or .zip as a list of files that can be read, with every limit checked first.

Nothing is ever unpacked: a file in a zip is read into memory when its turn comes, and its name is
only looked at, never written to.
"""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from leukemia.errors import ArchiveError
from leukemia.settings import MAX_ARCHIVE_FILES, MAX_FILE_BYTES

ENCRYPTED = 0x1  # bit of a zip entry's flags


@dataclass(frozen=True)
class Entry:
    """One file of a source.

    Attributes
    ----------
    origin : str
        Where it lies in the source, with forward slashes; a zip inside a folder counts as a folder.
    size : int
        Bytes, as the folder or the zip's directory says.
    stamp : str
        Changes when the file does: size and time of change, or the checksum in the zip.
    """

    origin: str
    size: int
    stamp: str
    _load: Callable[[], bytes] = field(repr=False, compare=False)

    def load(self) -> bytes:
        """Read the whole file.

        Raises
        ------
        ArchiveError
            Where it is over the size limit, cannot be read, or is not what was listed.
        """
        if self.size > MAX_FILE_BYTES:
            raise ArchiveError(f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB.")
        try:
            data = self._load()
        # A damaged zip raises many kinds of error (BadZipFile, zlib.error, EOFError, NotImplementedError).
        except Exception as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise ArchiveError(f"The file cannot be read: {reason}.") from error
        if len(data) != self.size:
            raise ArchiveError("The file changed while it was being read.")
        return data


def open_source(source: Path, stack: ExitStack) -> list[Entry]:
    """List every file of a folder or zip, zips that lie in the folder opened too, sorted by origin.

    Parameters
    ----------
    source : Path
        A folder or a .zip file.
    stack : ExitStack
        Closes what was opened.

    Raises
    ------
    ArchiveError
        Where the source is missing, empty, neither folder nor zip, encrypted, holds a path that
        leads outside, or more than ``MAX_ARCHIVE_FILES`` files.
    """
    source = Path(source)
    if source.is_dir():
        listed = _in_folder(source, stack)
    elif source.is_file():
        listed = _in_zip(source, "", stack)
    else:
        raise ArchiveError(f"No such file or folder: {source}.")
    entries = []
    for entry in listed:
        entries.append(entry)
        if len(entries) > MAX_ARCHIVE_FILES:
            raise ArchiveError(f"{source} holds more than {MAX_ARCHIVE_FILES:,} files: not a C-NMC 2019 set.")
    if not entries:
        raise ArchiveError(f"{source} is empty.")
    return sorted(entries, key=lambda entry: entry.origin)


def _in_folder(folder: Path, stack: ExitStack) -> Iterator[Entry]:
    def refuse(error: OSError) -> None:
        raise ArchiveError(f"{error.filename} cannot be opened: {error.strerror}.") from error

    for where, below, names in os.walk(folder, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            path = Path(where, name)
            origin = path.relative_to(folder).as_posix()
            if path.suffix.lower() == ".zip":
                yield from _in_zip(path, origin.removesuffix(path.suffix) + "/", stack)
            else:
                yield _file(path, origin)


def _file(path: Path, origin: str) -> Entry:
    try:
        status = path.stat()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be opened: {error.strerror}.") from error
    return Entry(origin, status.st_size, f"{status.st_size}-{status.st_mtime_ns}", path.read_bytes)


def _in_zip(path: Path, prefix: str, stack: ExitStack) -> Iterator[Entry]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except OSError as error:
        raise ArchiveError(f"{path} cannot be opened: {error.strerror}.") from error
    except zipfile.BadZipFile as error:
        raise ArchiveError(f"{path} is neither a folder nor a complete .zip file.") from error
    for info in archive.infolist():
        if info.is_dir():
            continue
        inside = PurePosixPath(info.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]:
            raise ArchiveError(f"{path} contains a path that leads outside it: {info.filename!r}.")
        if info.flag_bits & ENCRYPTED:
            raise ArchiveError(f"{path} is locked with a password: unpack it and name the folder.")
        if inside.parts[0] == "__MACOSX" or inside.name.startswith("."):
            continue

        def load(info: zipfile.ZipInfo = info) -> bytes:
            with archive.open(info) as file:
                # One byte more than was promised tells a bomb from an image.
                return file.read(info.file_size + 1)

        yield Entry(f"{prefix}{inside}", info.file_size, f"{info.file_size}-{info.CRC:08x}", load)
