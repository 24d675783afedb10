"""Long work as a process of its own: a ``python -m leukemia …`` command, seen through a folder.

A job outlives the page and the dashboard that started it. Its folder below ``jobs/`` in the data
folder holds ``job.json`` (what was started, as which process), ``progress.json`` and ``end.json``
(written by the command, see :mod:`leukemia.reporting`) and ``log.txt``. Whoever reads the folder
knows the job; no process remembers anything.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from leukemia import processes, reporting, settings
from leukemia.errors import BusyError, JobError
from leukemia.files import write_text

JOBS = "jobs"
RECORD, LOG, CANCEL, LOCK = "job.json", "log.txt", "cancel.json", "lock"
KEPT = 30  # folders of ended jobs
# Seconds that a cancelled job has for a clean end before it is forced.
GRACE = 15.0
# A job yields to the pages.
NICENESS = 5
STOPPED = 130  # exit status of a command that was told to stop

# What works on the set itself (an import, a training), what only looks at it, and what a page starts
# by itself.
CHANGE, LOOK, MEASURE = "change", "look", "measure"
LOST = "The process is gone and left no word: it was ended from outside, or the machine restarted."
BUSY = {
    CHANGE: "an import or a training works on this data folder",
    LOOK: "another look through the images is under way",
    MEASURE: "the cells are being measured",
}


@dataclass(frozen=True)
class Job:
    """One started command.

    Attributes
    ----------
    folder : Path
        Where it tells of itself.
    kind : str
        What it is: ``import``, ``similar``, ``map``, ...
    title : str
        The same for a reader.
    arguments : tuple of str
        Of ``python -m leukemia``.
    lane : str
        :data:`CHANGE`, :data:`LOOK` or :data:`MEASURE`; one job at a time in each.
    pid, born : int, float
        The process, and when it started (seconds since 1970): a pid alone is given out again.
    started : str
        ISO 8601, UTC.
    """

    folder: Path
    kind: str
    title: str
    arguments: tuple[str, ...]
    lane: str
    pid: int
    born: float
    started: str


@dataclass(frozen=True)
class State:
    """How a job stands.

    Attributes
    ----------
    phase : str
        ``running``, ``stopping`` (cancelled, not yet ended), ``done``, ``stopped``, ``failed``, or
        ``lost``: the process is gone and left no word.
    message : str
        How it ended, in a sentence; empty while it runs.
    done, total, what : int, int, str
        How far it is with the step that is under way.
    counts : dict of str to int
        What was counted so far.
    problems, problem_count : list of str, int
        What was found wrong: the first ones in words, and how many in all.
    facts : dict
        What else the command tells.
    """

    phase: str
    message: str = ""
    done: int = 0
    total: int = 0
    what: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether the process is still at work."""
        return self.phase in ("running", "stopping")

    @property
    def share(self) -> float:
        """How much of the step is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def start(data: Path, kind: str, title: str, arguments: Sequence[str], *, lane: str = CHANGE) -> Job:
    """Start ``python -m leukemia ARGUMENTS`` as a process of its own.

    Parameters
    ----------
    data : Path
        The data folder that the command works on; made where it is missing.
    kind, title : str
        For :func:`latest`, and for a reader.
    arguments : sequence of str
        Paths among them must be absolute.
    lane : str, optional
        :data:`CHANGE`, :data:`LOOK` or :data:`MEASURE`.

    Raises
    ------
    BusyError
        Where a job of this lane is at work on the data folder.
    JobError
        Where the folder cannot be written or the process not be started.
    """
    data = Path(data).resolve()
    try:
        (data / JOBS).mkdir(parents=True, exist_ok=True)
        with FileLock(data / JOBS / LOCK, timeout=10):
            if other := running(data, lane):
                raise BusyError(f"Busy: {BUSY[lane]} ({other.title}). Wait for its end, or cancel it.")
            _forget_old(data)
            return _launch(data, kind, title, tuple(arguments), lane)
    except Timeout as error:
        raise BusyError("Busy: another job is just being started on this data folder.") from error
    except OSError as error:
        raise JobError(
            f"No job can be started in {data}: {error.strerror or 'the folder cannot be written'}."
        ) from error


def again(job: Job) -> Job:
    """Start an ended job's command again: commands go on from where they were broken off."""
    return start(job.folder.parent.parent, job.kind, job.title, job.arguments, lane=job.lane)


def latest(data: Path, kind: str) -> Job | None:
    """The job of a kind that was started last, or None."""
    return next((job for job in _all(data) if job.kind == kind), None)


def running(data: Path, lane: str | None = None) -> Job | None:
    """The job that is at work on a data folder (in a lane), or None."""
    for job in _all(data):
        if lane in (None, job.lane) and state(job).active:
            return job
    return None


def state(job: Job) -> State:
    """Read how a job stands."""
    # In this order: a process that ends between the two readings has left its word.
    alive = processes.find(job.pid, job.born) is not None
    end = _read(job.folder / reporting.END)
    told = _read(job.folder / reporting.PROGRESS) or {}
    cancelled = (job.folder / CANCEL).exists()
    if end:
        word = {0: "done", STOPPED: "stopped"}.get(end.get("status"), "failed")
        return State(word, end.get("message", ""), **told)
    if alive:
        return State("stopping" if cancelled else "running", **told)
    if cancelled:
        return State(
            "stopped", "It did not end by itself and was forced to. What was finished stays.", **told
        )
    return State("lost", LOST, **told)


def cancel(job: Job, *, grace: float = GRACE) -> None:
    """Ask a job to end; force it, with all that it started, where it has not after ``grace`` seconds.

    Returns at once. What an import or a training has finished stays, and :func:`again` goes on from
    there.
    """
    process = processes.find(job.pid, job.born)
    if process is None:
        return
    with contextlib.suppress(OSError):
        write_text(job.folder / CANCEL, json.dumps({"at": _now()}))
    processes.end(process, grace)


def log_tail(job: Job, lines: int = 40) -> str:
    """The last lines of what a job wrote to its terminal."""
    try:
        with (job.folder / LOG).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    # A progress bar overwrites its line: only its last state is of interest.
    shown = [line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join([line for line in shown if line.strip()][-lines:])


def _launch(data: Path, kind: str, title: str, arguments: tuple[str, ...], lane: str) -> Job:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    folder = data / JOBS / f"{stamp}-{kind}-{secrets.token_hex(3)}"
    folder.mkdir()
    environment = os.environ | {
        reporting.FOLDER: str(folder),
        "LEUKEMIA_DATA": str(data),
        "PYTHONUNBUFFERED": "1",
    }
    given = settings.load()
    if given.model_given:
        environment["LEUKEMIA_MODEL"] = str(given.model.resolve())
    with (folder / LOG).open("wb") as log:
        # Never a fork of this process, and in a session of its own: a page, a terminal and the
        # dashboard may close.
        process = subprocess.Popen(
            [sys.executable, "-m", "leukemia", *arguments],
            cwd=settings.PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    born = 0.0
    with contextlib.suppress(psutil.Error):
        born = psutil.Process(process.pid).create_time()
        psutil.Process(process.pid).nice(NICENESS)
    # Takes note of the end, so that no dead process is left in the system's table.
    threading.Thread(target=process.wait, daemon=True).start()
    job = Job(folder, kind, title, arguments, lane, process.pid, born, _now())
    try:
        write_text(folder / RECORD, json.dumps(asdict(job) | {"folder": folder.name}))
    except OSError:
        process.kill()
        raise
    return job


def _all(data: Path) -> list[Job]:
    """Jobs of a data folder, the newest first; a folder without a whole record is none."""
    jobs = []
    for record in sorted(Path(data).resolve().glob(f"{JOBS}/*/{RECORD}"), reverse=True):
        found = _read(record)
        if found:
            found |= {"folder": record.parent, "arguments": tuple(found["arguments"])}
            jobs.append(Job(**found))
    return jobs


def _forget_old(data: Path) -> None:
    ended = [job for job in _all(data) if not state(job).active]
    for job in ended[KEPT:]:
        shutil.rmtree(job.folder, ignore_errors=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
