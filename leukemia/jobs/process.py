"""Processes that another one may have started: started, recognised, and ended."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from leukemia.jobs import clock

# Seconds by which two readings of one process's start may differ.
SAME_START = 2.0


@dataclass(frozen=True)
class ProcessId:
    """What tells a process from every other one: the system gives its number out again.

    Attributes
    ----------
    pid : int
    born : float
        When it started, in seconds since 1970. Linux derives this from the system clock, so that it
        changes when the clock is set; it decides only where ``start`` is not known.
    start : str
        The boot of the machine and the clock ticks from there to the start of the process, which no
        change of the system clock moves; empty where the system does not say.
    """

    pid: int
    born: float
    start: str = ""


def identify(pid: int) -> ProcessId:
    """Read what tells the living process of this number from others; raises psutil.NoSuchProcess."""
    return ProcessId(pid, psutil.Process(pid).create_time(), _start(pid))


def begin(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path, niceness: int
) -> tuple[psutil.Popen, ProcessId]:
    """Start a process that outlives this one and yields to others.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Its working directory.
    environment : mapping of str to str
        All of it.
    log : Path
        Takes its output; replaced if there is one.
    niceness : int
        0 to 19: how far it yields where others want the processor.

    Raises
    ------
    OSError
        Where it cannot be started or the log not be written.
    """
    with log.open("wb") as output:
        # Never a fork of this process, and in a session of its own: a page, a terminal and the
        # dashboard may close.
        process = psutil.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Read before anybody takes note of its end: until then it can be read even where it ends at once.
    identity = identify(process.pid)
    # It has one thread yet, and those that it starts yield as much.
    with contextlib.suppress(psutil.Error):
        process.nice(niceness)
    # Linux may share the processor out between sessions first: then this counts, and not the above.
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/autogroup").write_text(str(niceness))
    # Takes note of the end, so that no dead process is left in the system's table.
    threading.Thread(target=process.wait, daemon=True).start()
    return process, identity


def find(identity: ProcessId) -> psutil.Process | None:
    """The process while it lives; None where it has ended, even if its number was given out again."""
    try:
        process = psutil.Process(identity.pid)
        start = _start(identity.pid) if identity.start else ""
        same = start == identity.start if start else abs(process.create_time() - identity.born) <= SAME_START
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


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
        if not process.is_running():
            return
        session = os.getsid(process.pid)
        # Read anew: children are those that started later, by the system clock, which may have been set.
        for member in [*psutil.Process(process.pid).children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getsid(member.pid) == session:
                    member.kill()


def _start(pid: int) -> str:
    try:
        # The 22nd field; the second is the name in brackets, which may hold blanks and brackets.
        ticks = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return ""
    return f"{clock.boot_id()}/{ticks}" if clock.boot_id() else ""
