"""Images of a prepared set that are no longer what was imported.

An image that was decoded and found to be the manifest's is remembered by the digest of its file, so that
looking again takes no decoding. Digests are kept in the cache: without them, everything is decoded anew.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leukemia.dataset.quality import near_duplicates
from leukemia.errors import ImageError
from leukemia.imaging import reader
from leukemia.imaging.cell import measure_cell
from leukemia.jobs import threads
from leukemia.settings import MAX_FILE_BYTES
from leukemia.storage import files
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace

CHANGED = "It is not the image that was imported."
# Files of another size or date that a page looks into by itself: about a second's work.
FEW = 100

Progress = Callable[[int, int, str], None]
# Digest, bytes and time of change of a file that holds the image it should.
Known = dict[str, tuple[str, int, int]]


@dataclass(frozen=True)
class Damage:
    """What was found.

    Attributes
    ----------
    files : dict of str to str
        Path of each image that is there but damaged or changed, to the reason.
    unchecked : int
        Images whose files have another size or date than when they were verified, and were not read.
    """

    files: dict[str, str]
    unchecked: int = 0


def find(data: Path, cells: pd.DataFrame, *, workers: int, progress: Progress | None = None) -> Damage:
    """Read every image file of a set and compare it with what was imported.

    Parameters
    ----------
    data : Path
        The prepared folder.
    cells : pandas.DataFrame
        Manifest rows: path and image_id. Files that are not there are passed over.
    workers : int
        Threads that read and decode.
    progress : callable, optional
        Called with (done, total, what is being done).
    """
    return _find(Path(data), cells, list(cells["path"]), workers, progress)


def glance(data: Path, cells: pd.DataFrame, *, workers: int) -> Damage:
    """As :func:`find`, but read only files whose size or date changed, and those only where they are few."""
    data, known = Path(data), _read(data, cells)
    odd = [path for path in cells["path"] if _stamp(data / path) not in (None, known.get(path, ())[1:])]
    if len(odd) > FEW:
        return Damage({}, len(odd))
    return _find(data, cells, odd, workers, None)


def remember(data: Path, cells: pd.DataFrame, packed: Mapping[str, str]) -> None:
    """Take digests (:func:`digest`) of files that were just made from the images, by path."""
    known = _read(data, cells)
    for path, own in packed.items():
        if stamp := _stamp(Path(data) / path):
            known[path] = (own, *stamp)
    _write(data, cells, known)


def verified(data: Path, cells: pd.DataFrame) -> tuple[int, int] | None:
    """Changes whenever images were verified."""
    return _stamp(_file(data, cells))


def digest(data: bytes) -> str:
    """BLAKE2 of a file's bytes, 32 hex digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def holds(path: Path, own: str) -> bool:
    """Whether a file is there and has this digest."""
    try:
        return digest(files.read(path, MAX_FILE_BYTES)) == own
    except OSError:
        return False


def _find(
    data: Path, cells: pd.DataFrame, paths: list[str], workers: int, progress: Progress | None
) -> Damage:
    known, wrong = _read(data, cells), {}
    image_id = dict(zip(cells["path"], cells["image_id"], strict=True))

    def look(path: str) -> str:
        file, before = data / path, known.pop(path, ("",))
        stamp = _stamp(file)
        if stamp is None:
            return ""
        try:
            content = reader.read(file)
            own = digest(content)
            if own != before[0] and measure_cell(reader.decode(content)).image_id != image_id[path]:
                return CHANGED
        except ImageError as error:
            return str(error)
        known[path] = (own, *stamp)
        return ""

    with threads.pool(workers) as pool:
        for done, (path, why) in enumerate(zip(paths, pool.map(look, paths), strict=True), 1):
            if why:
                wrong[path] = why
            if progress:
                progress(done, len(paths), "Verifying images")
    if paths:
        with contextlib.suppress(OSError):  # a folder that may only be read is verified all the same
            _write(data, cells, known)
    return Damage(wrong)


def _stamp(file: Path) -> tuple[int, int] | None:
    """Bytes and time of change; None where there is no file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _read(data: Path, cells: pd.DataFrame) -> Known:
    try:
        record = json.loads(_file(data, cells).read_text(encoding="utf-8"))
        return {path: (str(own), int(size), int(changed)) for path, (own, size, changed) in record.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write(data: Path, cells: pd.DataFrame, known: Known) -> None:
    write_text(_file(data, cells), json.dumps(known))


def _file(data: Path, cells: pd.DataFrame) -> Path:
    return Workspace(data).cache / f"verified-{near_duplicates.key(cells)}.json"
