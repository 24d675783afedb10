"""Processes that may have been started by another one: begun, told apart, and ended."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

# Seconds by which two readings of one process's start may differ.
SAME_START = 2.0


def begin(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path, niceness: int
) -> psutil.Popen:
    """Start a process that outlives this one, yielding to others.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Where it works.
    environment : mapping of str to str
        All of it.
    log : Path
        Takes what it says; replaced if there is one.
    niceness : int
        0 to 19: how far it stands back where others want the processor.

    Raises
    ------
    OSError
        Where it cannot be started or the log not be written.
    """
    with log.open("wb") as said:
        # Never a fork of this process, and in a session of its own: a page, a terminal and the
        # dashboard may close.
        process = psutil.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It has one thread yet, and those that it starts stand as far back.
    with contextlib.suppress(psutil.Error):
        process.create_time()  # kept from here on, even where the process ends at once
        process.nice(niceness)
    # Linux may share the processor out between sessions first: then this counts, and not the above.
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/autogroup").write_text(str(niceness))
    # Takes note of the end, so that no dead process is left in the system's table.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


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


def end(process: psutil.Process, grace: float, then: Callable[[], object] | None = None) -> None:
    """Ask a process to end; after ``grace`` seconds, :func:`force` it. Returns at once.

    ``then`` is called where it has ended, in a thread of its own.
    """

    def follow() -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            _, alive = psutil.wait_procs([process], timeout=grace)
            if alive:
                force(process)
                psutil.wait_procs([process], timeout=grace)
        if then:
            then()

    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        threading.Thread(target=follow, daemon=True).start()


def force(process: psutil.Process) -> None:
    """Kill a process with all that it started, but for what it gave a session of its own."""
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        session = os.getsid(process.pid)
        for member in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getsid(member.pid) == session:
                    member.kill()
