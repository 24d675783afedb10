"""Buckets: objects by their address, through Arrow's file systems. Asked only where a user names one.

The address may carry a key (``s3://KEY:SECRET@BUCKET/…?endpoint_override=…``), so it is shown nowhere: an
object is called by its scheme, bucket and path alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pyarrow import ArrowException, NativeFile, fs

from leukemia.errors import DatasetError, ImageError
from leukemia.imaging.limits import CELL
from leukemia.storage import files

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
SCHEMES = ("s3", "gs", "file")
# Without what the library says: that may hold the key.
NOT_READ = "{} cannot be read. Check the address, the key and the network."
NO_SCHEME = "{} is no address that can be read: begin it with s3://, gs:// or file://."


@dataclass(frozen=True)
class Stored:
    """One object of a bucket: its address, what it is called, and what changes when it does."""

    url: str
    name: str
    stamp: str


def is_address(text: str) -> bool:
    """Whether a text is the address of a bucket, not a path."""
    return ADDRESS.match(text) is not None


def shown(url: str) -> str:
    """An address without the key that it may carry."""
    parts = urlsplit(url)
    return files.shown(f"{parts.scheme}://{_path(url)}")


def find(url: str) -> Iterator[Stored]:
    """The object of an address, or all objects below it in order, but hidden ones.

    Raises
    ------
    DatasetError
        Where the address is none, or the bucket cannot be read.
    """
    path = _path(url).rstrip("/")
    try:
        system = _system(url)
        (info,) = system.get_file_info([path])
        if info.type == fs.FileType.NotFound:
            raise DatasetError(f"There is nothing at {shown(url)}.")
        found = [info] if info.is_file else system.get_file_info(fs.FileSelector(path, recursive=True))
    except (OSError, ArrowException, ValueError) as error:
        raise DatasetError(NOT_READ.format(shown(url))) from error
    for one in sorted(found, key=lambda one: one.path):
        below = one.path[len(path) :].strip("/")
        if one.is_file and not files.is_hidden(PurePosixPath(below)):
            address = _below(url, below) if below else url
            yield Stored(address, shown(address), f"{one.size}-{one.mtime_ns}")


def read(url: str) -> bytes:
    """Read an object, refusing one over the size limit of an image.

    Raises
    ------
    ImageError
        Where it cannot be read, or is too large.
    """
    try:
        with open_object(url) as stream:
            data = stream.read(CELL.file_bytes + 1)
    except (OSError, ArrowException, ValueError, DatasetError) as error:
        raise ImageError("The file cannot be read from where it is stored.") from error
    if len(data) > CELL.file_bytes:
        raise ImageError(CELL.too_many_bytes)
    return data


def open_object(url: str) -> NativeFile:
    """Open an object for reading at any place; errors as Arrow raises them."""
    return _system(url).open_input_file(_path(url))


def _system(url: str) -> fs.FileSystem:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise DatasetError(NO_SCHEME.format(shown(url)))
    return _opened(urlunsplit(parts._replace(path="/")))


# By its query and key: a bucket is opened once a process, however many objects are read.
@lru_cache(maxsize=8)
def _opened(root: str) -> fs.FileSystem:
    return fs.FileSystem.from_uri(root)[0]


def _path(url: str) -> str:
    """Where an address lies in its file system: below the bucket, or from the root."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + unquote(parts.path)


def _below(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}"))
