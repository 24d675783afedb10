"""One image, by the words that say where it lies: small enough to be sent to whoever shall read it.

What several images lie in is opened once a process.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from leukemia.errors import ArchiveError, ImageError
from leukemia.imaging import reader
from leukemia.inference.inputs import archives, buckets, tables
from leukemia.storage import files

_one_at_a_time = threading.Lock()


class Image(Protocol):
    """An image that can be read.

    Attributes
    ----------
    place : str
        The file that it is or lies in, from the root; or its address in a bucket.
    name : str
        What it is called in a table of answers.
    stamp : str
        Changes when the image does, as far as can be told without reading it.
    """

    place: str
    name: str
    stamp: str

    def load(self) -> bytes:
        """Read the image file.

        Raises
        ------
        ImageError
            Where it is not there, cannot be read or is too large.
        """


@dataclass(frozen=True)
class FileImage:
    """An image that is a file of its own."""

    place: str
    name: str
    stamp: str

    @classmethod
    def at(cls, path: Path) -> "FileImage":
        """The image at a path, which need not be there."""
        return cls(str(path.absolute()), files.shown(path), stamp_of(path))

    def load(self) -> bytes:
        """Read the image file; see :meth:`Image.load`."""
        return reader.read(Path(self.place))


@dataclass(frozen=True)
class ZippedImage:
    """An image in a zip; ``origin`` is where it lies there."""

    place: str
    name: str
    stamp: str
    origin: str

    def load(self) -> bytes:
        """Read the image file; see :meth:`Image.load`."""
        try:
            with _one_at_a_time:
                entry = archives.listed(Path(self.place)).entries.get(self.origin)
            if entry is None or entry.stamp != self.stamp:
                raise ImageError("The .zip file was changed while it was being read.")
            return entry.load()
        except ArchiveError as error:
            raise ImageError(str(error)) from error


@dataclass(frozen=True)
class TableImage:
    """An image in a Parquet table: its group of rows, and the row in it."""

    place: str
    name: str
    stamp: str
    group: int
    row: int

    def load(self) -> bytes:
        """Read the image file; see :meth:`Image.load`."""
        with _one_at_a_time:
            return tables.read(self.place, self.group, self.row, self.stamp)


@dataclass(frozen=True)
class StoredImage:
    """An image that is an object in a bucket."""

    place: str
    name: str
    stamp: str

    def load(self) -> bytes:
        """Read the image file; see :meth:`Image.load`."""
        return buckets.read(self.place)


def stamp_of(path: Path) -> str:
    """Size and time of change of a file; empty where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"
