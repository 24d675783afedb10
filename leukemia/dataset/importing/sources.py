"""A downloaded folder or .zip as a list of files that can be read, with every limit checked first.

Nothing is ever unpacked: a file in a zip is read into memory when its turn comes, and its name is
only looked at, never written to.
"""

import errno
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from leukemia.dataset.importing import places
from leukemia.errors import ArchiveError
from leukemia.settings import MAX_ARCHIVE_FILES, MAX_FILE_BYTES
from leukemia.storage import files
from leukemia.storage.files import Found

ENCRYPTED = 0x1  # bit of a zip entry's flags
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
DRIVE = re.compile(r"[A-Za-z]:/")


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


@dataclass(frozen=True)
class Listing:
    """The files of a source, sorted by origin, and what is left out, each with its reason."""

    entries: list[Entry]
    left_out: dict[str, str]


def open_source(source: Path, stack: ExitStack) -> Listing:
    """List every file of a folder or zip, zips that lie in the folder opened too, sorted by origin.

    Of a source in a folder that is open to imports, links that lead out of these folders are left out.

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
    source, left_out = Path(source), {}
    within = places.limits(source)
    if source.is_dir():
        listed = _in_folder(source, within, stack, left_out)
    elif source.is_file():
        listed = _in_zip(source, "", stack, left_out)
    elif source.exists():
        raise ArchiveError(f"{source} is a device or a pipe, neither a folder nor a .zip file.")
    else:
        raise ArchiveError(f"No such file or folder: {source}.")
    entries = []
    for entry in listed:
        entries.append(entry)
        if len(entries) + len(left_out) > MAX_ARCHIVE_FILES:
            raise ArchiveError(f"{source} holds more than {MAX_ARCHIVE_FILES:,} files: not a C-NMC 2019 set.")
    if not entries:
        if not left_out:
            raise ArchiveError(f"{source} is empty.")
        name, why = next(iter(left_out.items()))
        raise ArchiveError(f"{source} holds nothing that can be read. {name or '(no name)'}: {why}.")
    return Listing(sorted(entries, key=lambda entry: entry.origin), left_out)


def _in_folder(
    folder: Path, within: Collection[Path] | None, stack: ExitStack, left_out: dict[str, str]
) -> Iterator[Entry]:
    try:
        for found in files.walk(folder, within):
            if found.left_out:
                left_out[found.name] = found.left_out
            elif found.path.suffix.lower() == ".zip":
                prefix = found.name.removesuffix(found.path.suffix) + "/"
                yield from _in_zip(found.path, prefix, stack, left_out)
            else:
                yield _file(found, within)
    except OSError as error:
        raise ArchiveError(f"{error.filename} cannot be opened: {error.strerror}.") from error


def _file(found: Found, within: Collection[Path] | None) -> Entry:
    status = found.path.stat()
    stamp = f"{status.st_size}-{status.st_mtime_ns}"

    def load() -> bytes:
        # A link may have taken its place since it was listed.
        if files.leads_out(found.path, within):
            raise OSError(errno.EPERM, files.LEADS_OUT, str(found.path))
        return files.read(found.path, status.st_size)

    return Entry(found.name, status.st_size, stamp, load)


def _in_zip(path: Path, prefix: str, stack: ExitStack, left_out: dict[str, str]) -> Iterator[Entry]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except OSError as error:
        raise ArchiveError(f"{path} cannot be opened: {error.strerror}.") from error
    # ValueError: a name that is not text; NotImplementedError: a .zip of a later version.
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ArchiveError(f"{path} is neither a folder nor a complete .zip file.") from error
    for info in archive.infolist():
        name = info.filename.replace("\\", "/")
        if name.endswith("/"):
            continue
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or DRIVE.match(name):
            raise ArchiveError(f"{path} contains a path that leads outside it: {info.filename!r}.")
        if info.flag_bits & ENCRYPTED:
            raise ArchiveError(f"{path} is locked with a password: unpack it and name the folder.")
        if files.is_hidden(inside):
            continue
        origin = prefix + files.shown(str(inside))
        if why := _unreadable(info, inside):
            left_out[origin] = why
            continue

        def load(info: zipfile.ZipInfo = info) -> bytes:
            with archive.open(info) as file:
                # One byte more than was promised tells a bomb from an image.
                return file.read(info.file_size + 1)

        yield Entry(origin, info.file_size, f"{info.file_size}-{info.CRC:08x}", load)


def _unreadable(info: zipfile.ZipInfo, inside: PurePosixPath) -> str:
    """Why an entry of a zip is left out; empty where it is not."""
    if not inside.parts:
        return "an entry of the .zip without a name"
    if info.compress_type not in COMPRESSIONS:
        method = zipfile.compressor_names.get(info.compress_type, f"method {info.compress_type}")
        return f"compressed with {method}, which cannot be read here: unpack the .zip and name the folder"
    if inside.suffix.lower() == ".zip":
        return "a .zip in a .zip: unpack the outer one and name the folder"
    return ""
