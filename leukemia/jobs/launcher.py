"""Long work as a process of its own: a ``python -m leukemia …`` command, seen through a folder.

A job outlives the page and the dashboard that started it. Its folder below ``jobs/`` in the data
folder holds ``job.json`` (what was started, as which process), ``progress.json`` and ``end.json``
(written by the command, see :mod:`leukemia.jobs.progress`) and ``log.txt``. Whoever reads the folder
knows the job (:mod:`leukemia.jobs.job`); no process remembers anything.
"""

import contextlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from leukemia import settings
from leukemia.errors import BusyError, JobError
from leukemia.jobs import process as processes
from leukemia.jobs import progress
from leukemia.jobs.job import (
    CANCEL,
    JOBS,
    LOG,
    RECORD,
    Job,
    State,
    all_jobs,
    history,
    latest,
    log_tail,
    read,
    running,
    state,
)
from leukemia.storage.atomic import write_text

__all__ = ["Job", "State", "again", "cancel", "history", "latest", "log_tail", "running", "start", "state"]

LOCK = "lock"
KEPT = 20  # folders of ended jobs of a kind: what a page starts by itself must not drive out trainings
STALE = 24 * 3600.0  # seconds after which a folder that never became a job's is removed
# Seconds that a cancelled job has for a clean end before it is forced: a training comes to the end of
# its batch, and the first one is slow.
GRACE = 30.0
# A job yields to the pages; what works for hours, further still.
NICENESS = 5
NICENESS_OF_LONG = 15
LONG = ("train", "crossvalidate", "sweep")

# What works on the set itself (an import, a training), what only looks at it, and what a page starts
# by itself.
CHANGE, LOOK, MEASURE = "change", "look", "measure"
BUSY = {
    CHANGE: "an import or a training works on this data folder",
    LOOK: "another look through the images is under way",
    MEASURE: "the cells are being measured",
}


def start(
    data: Path, kind: str, title: str, arguments: Sequence[str], *, lane: str = CHANGE, by: str = ""
) -> Job:
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
    by : str, optional
        Who asks for it.

    Raises
    ------
    BusyError
        Where a job of this lane is at work on the data folder.
    JobError
        Where the folder cannot be written or the process not be started.
    """
    with alone(data) as data:
        if other := running(data, lane):
            raise BusyError(f"Busy: {BUSY[lane]} ({other.title}). Wait for its end, or cancel it.")
        return begin(data, kind, title, arguments, lane=lane, by=by)


@contextlib.contextmanager
def alone(data: Path) -> Iterator[Path]:
    """Keep every other process from starting a job on a data folder, and from changing its queue.

    Yields
    ------
    Path
        The data folder, absolute; made where it was missing.

    Raises
    ------
    BusyError
        Where another one does not let go.
    JobError
        In place of an OSError, from in here or from what it is used for.
    """
    data = Path(data).resolve()
    try:
        (data / JOBS).mkdir(parents=True, exist_ok=True)
        with FileLock(data / JOBS / LOCK, timeout=10):
            yield data
    except Timeout as error:
        raise BusyError("Busy: another job is just being started on this data folder.") from error
    except OSError as error:
        raise JobError(
            f"No job can be started in {data}: {error.strerror or 'the folder cannot be written'}."
        ) from error


def begin(
    data: Path,
    kind: str,
    title: str,
    arguments: Sequence[str],
    *,
    lane: str = CHANGE,
    by: str = "",
    waited: str = "",
) -> Job:
    """Start a job, come what may: for whoever is :func:`alone` and has seen that the lane is free.

    Parameters are those of :func:`start` and attributes of :class:`Job`.

    Raises
    ------
    OSError
        Where the folder cannot be written or the process not be started; nothing is left of it.
    """
    _forget_old(data)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    folder = data / JOBS / f"{stamp}-{kind}-{secrets.token_hex(3)}"
    folder.mkdir()
    environment = os.environ | {
        progress.FOLDER: str(folder),
        progress.BY: by,
        "LEUKEMIA_DATA": str(data),
        "PYTHONUNBUFFERED": "1",
    }
    given = settings.load()
    if given.model_given:
        environment["LEUKEMIA_MODEL"] = str(given.model.resolve())
    process = None
    try:
        (folder / progress.ROOM).write_bytes(os.urandom(progress.ROOM_BYTES))
        process = processes.begin(
            [sys.executable, "-m", "leukemia", *arguments],
            folder=settings.PROJECT,
            environment=environment,
            log=folder / LOG,
            niceness=NICENESS_OF_LONG if kind in LONG else NICENESS,
        )
        job = Job(
            folder,
            kind,
            title,
            tuple(arguments),
            lane,
            process.pid,
            process.create_time(),
            _now(),
            by,
            waited,
        )
        # Until this is there, the command waits; see reporting.on_record.
        write_text(folder / RECORD, json.dumps(asdict(job) | {"folder": folder.name}))
    except BaseException:
        if process:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return job


def again(job: Job) -> Job:
    """Start an ended job's command again: commands go on from where they were broken off."""
    return start(job.folder.parent.parent, job.kind, job.title, job.arguments, lane=job.lane, by=job.by)


def cancel(job: Job, *, grace: float = GRACE) -> None:
    """Ask a job to end; force it, with all that it started, where it has not after ``grace`` seconds.

    Returns at once. What an import or a training has finished stays, and :func:`again` goes on from
    there.
    """
    process = processes.find(job.pid, job.born)
    if process is None:
        return
    with contextlib.suppress(OSError):
        write_text(job.folder / CANCEL, json.dumps({"at": _now(), "until": time.time() + grace}))
    processes.end(process, grace, lambda: _next_one(job))


def force_overdue(data: Path) -> None:
    """Force cancelled jobs whose time for a clean end is over: who cancelled them may be gone."""
    for job in all_jobs(data):
        asked = read(job.folder / CANCEL) or {}
        if time.time() > asked.get("until", float("inf")) and (process := processes.find(job.pid, job.born)):
            processes.force(process)


def _next_one(job: Job) -> None:
    """A job was ended from outside, perhaps before it could start the one that waits."""
    from leukemia.jobs import queue

    with contextlib.suppress(JobError):
        queue.advance(job.folder.parent.parent)


def _forget_old(data: Path) -> None:
    ended: dict[str, int] = {}
    for job in all_jobs(data):
        if not state(job).active:
            ended[job.kind] = ended.get(job.kind, 0) + 1
            if ended[job.kind] > KEPT:
                shutil.rmtree(job.folder, ignore_errors=True)
    for folder in (data / JOBS).glob("*/"):
        with contextlib.suppress(OSError):
            if not (folder / RECORD).exists() and time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
