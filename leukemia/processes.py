"""Processes that may have been started by another one: told apart, and ended."""

import contextlib
import threading

import psutil

# Seconds by which two readings of one process's start may differ.
SAME_START = 2.0


def find(pid: int, born: float) -> psutil.Process | None:
    """The process of this number while it lives, if it is the one that started then.

    Parameters
    ----------
    pid : int
        A number is given out again when its process has ended.
    born : float
        When it started, in seconds since 1970.
    """
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - born) > SAME_START or process.status() == psutil.STATUS_ZOMBIE:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def end(process: psutil.Process, grace: float) -> None:
    """Ask a process to end; after ``grace`` seconds, kill it with all that it started. Returns at once."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        threading.Thread(target=_force, args=(process, grace), daemon=True).start()


def _force(process: psutil.Process, grace: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        _, alive = psutil.wait_procs([process], timeout=grace)
        for member in [*process.children(recursive=True), process] if alive else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
