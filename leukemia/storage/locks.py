"""One process at a time: a lock between processes, with a time-out."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from leukemia.storage.private import make_folder


@contextlib.contextmanager
def exclusive(path: Path, timeout: float, busy: Exception) -> Iterator[None]:
    """Hold the lock file ``path``; its folder is made where it is missing, for this account alone.

    The system lets go of it where the process is killed.

    Parameters
    ----------
    path : Path
        The lock file; it stays where it is.
    timeout : float
        Seconds to wait for another process; 0 for not at all.
    busy : Exception
        Raised where another process still holds it then.

    Raises
    ------
    OSError
        Where the lock file cannot be made.
    """
    make_folder(path.parent)
    lock = FileLock(path, timeout=timeout)
    try:
        lock.acquire()
    except Timeout as error:
        raise busy from error
    try:
        yield
    finally:
        lock.release()
