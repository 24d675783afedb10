"""Zips, opened once a process: of one with many images, listing takes as long as reading some."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from leukemia.dataset.importing import sources
from leukemia.dataset.importing.sources import Entry
from leukemia.errors import ArchiveError
from leukemia.storage import files


@dataclass(frozen=True)
class Listed:
    """What a zip holds by its place there, and what in it cannot be read, with the reason."""

    entries: dict[str, Entry]
    left_out: dict[str, str]


def listed(path: Path) -> Listed:
    """What a zip holds; not to be called by several threads at once.

    Raises
    ------
    ArchiveError
        Where it is not there, damaged, locked with a password, or leads outside itself.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise ArchiveError(f"No such file: {files.shown(path)}.") from error
    return _listed(path, status.st_size, status.st_mtime_ns)


# Each is open until others take its place, or the process ends.
@lru_cache(maxsize=4)
def _listed(path: Path, size: int, changed: int) -> Listed:
    found = sources.open_source(path, ExitStack())
    return Listed({entry.origin: entry for entry in found.entries}, found.left_out)
