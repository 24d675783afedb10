"""Whose turn it is: a job is started, refused or queued by its kind, and what ends starts what waits.

One training at a time works on a data folder. What ends starts the next one (:func:`after_me`); where it
was killed and could not, whoever opens the page or lists the queue next does (:func:`advance`).
"""

import contextlib
import json
import logging
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from leukemia.access import ownership, permissions
from leukemia.access.permissions import Action
from leukemia.errors import BusyError, JobError
from leukemia.jobs import launcher, progress, queue
from leukemia.jobs import process as processes
from leukemia.jobs.clock import Moment
from leukemia.jobs.job import CANCEL, RECORD, Job, JobKind, Lane, history, running
from leukemia.jobs.queue import WaitingJob
from leukemia.jobs.step_times import read
from leukemia.storage.atomic import write_text

# Seconds that a cancelled job has for a clean end before it is forced: a training comes to the end of
# its batch, and the first one is slow.
GRACE = 30.0
# A disk with less than this is as good as full: one training after the other would fail on it.
LEAST_FREE = 256 * 1024**2
BUSY = {
    Lane.CHANGE: "an import or a training is running on this data folder",
    Lane.EXAMINE: "the images are already being checked",
    Lane.MEASURE: "the cells are being measured",
    Lane.VERIFY: "another verification is classifying its cells",
    Lane.SEARCH: "another slide is being searched",
}

ACTIONS = {
    JobKind.IMPORT: Action.IMPORT,
    JobKind.TRAIN: Action.TRAIN,
    JobKind.CROSSVALIDATE: Action.TRAIN,
    JobKind.SWEEP: Action.TRAIN,
    JobKind.SIMILAR: Action.EXAMINE,
    JobKind.MAP: Action.EXAMINE,
    JobKind.MEASURE: Action.EXAMINE,
    JobKind.PACE: Action.TRAIN,
    JobKind.VERIFY: Action.VERIFY,
    JobKind.SLIDE: Action.MAKE_CASES,
}

_log = logging.getLogger(__name__)


def submit(
    data: Path, kind: JobKind | str, title: str, arguments: Sequence[str], *, by: str = ""
) -> Job | WaitingJob:
    """Run ``python -m leukemia ARGUMENTS`` as a process of its own, when its turn has come.

    A training starts at once where nothing works on the data folder and no other one waits; else it is
    queued. Anything else starts at once or is refused.

    Parameters
    ----------
    data : Path
        The data folder that the command works on; made where it is missing.
    kind : JobKind or str
        Decides the lane, and whether it can wait.
    title : str
        What it is, for a reader; of a training, made one line of at most :data:`queue.TITLE` letters.
    arguments : sequence of str
        Paths among them must be absolute.
    by : str, optional
        Who starts it; of a training, treated as the title is. Where somebody is signed in, it is that name.

    Raises
    ------
    AccessError
        Where whoever acts may not start a job of this kind; see :data:`ACTIONS`.
    BusyError
        Where it cannot wait and a job of its lane is running.
    JobError
        Where the kind is unknown, the queue is full, or the folder cannot be written or the process not
        be started; then it does not wait either.
    """
    if kind not in list(JobKind):
        raise JobError(f"There is no kind of job called {kind!r}.")
    kind = JobKind(kind)
    user = permissions.require(ACTIONS[kind])
    by = user.name or by
    if kind.queues:
        return _submit_training(data, queue.new(kind, title, arguments, by, user.subject))
    with launcher.alone(data) as data:
        if other := running(data, kind.lane):
            raise BusyError(
                f"Busy: {BUSY[kind.lane]} ({other.title}). Wait until it has finished, or cancel it."
            )
        return launcher.begin(data, kind, title, arguments, by=by, owner=user.subject)


def resubmit(job: Job, by: str = "") -> Job | WaitingJob:
    """Submit an ended job's command again: it resumes from where it was interrupted."""
    return submit(job.data, job.kind, job.title, job.arguments, by=by or job.by)


def cancel(job: Job, *, grace: float = GRACE) -> None:
    """Ask a job to stop; force it, with all that it started, where it has not after ``grace`` seconds.

    Returns at once. What an import or a training has finished stays, and :func:`resubmit` resumes from
    there.

    Raises
    ------
    AccessError
        Where it is somebody else's, and whoever acts may not change the jobs of others.
    """
    ownership.require_change(job.owner)
    process = processes.find(job.process)
    if process is None:
        return
    now = Moment.now()
    request = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "until": now.wall + grace,
        "asked": vars(now),
        "grace": grace,
    }
    with contextlib.suppress(OSError):
        write_text(job.folder / CANCEL, json.dumps(request))
    processes.end(process, grace, lambda: _advance_after(job))


def time_to_stop(job: Job) -> float | None:
    """Seconds until a cancelled job is forced, below 0 where that is overdue; None where it goes on."""
    request = read(job.folder / CANCEL)
    if request is None:
        return None
    if "asked" in request:
        return request["grace"] - Moment(**request["asked"]).elapsed()
    # Of an older program.
    return request.get("until", float("inf")) - Moment.now().wall


def advance(data: Path) -> Job | None:
    """Start the next one where nothing works on the data folder; for whoever shows the queue.

    A cancelled job that has not ended within its time is forced to.

    Returns
    -------
    Job or None
        What was started.

    Raises
    ------
    JobError
        Where it cannot be started: the disk is full, or the folder not writable. It waits on.
    """
    # Whoever cancelled a job may be gone.
    for job in history(data):
        left = time_to_stop(job)
        if left is not None and left < 0 and (process := processes.find(job.process)):
            processes.force(process)
    if not queue.waiting(data) or running(data, Lane.CHANGE):
        return None
    with launcher.alone(data) as data:
        return _start_next(data)


def after_me() -> None:
    """Start the next one, from a job that has just reported its end and may hold others up. Never raises."""
    folder = os.environ.get(progress.FOLDER)
    if not folder:
        return
    try:
        kind = (read(Path(folder) / RECORD) or {}).get("kind")
        if kind in list(JobKind) and JobKind(kind).lane == Lane.CHANGE:
            # Never without the lock: one who saw this job running may be writing the queue.
            with launcher.alone(Path(folder).parent.parent) as data:
                _start_next(data)
    except Exception as error:
        _log.warning("The next training in the queue could not be started: %s", error)


def _submit_training(data: Path, training: WaitingJob) -> Job | WaitingJob:
    with launcher.alone(data) as data:
        waiting = queue.waiting(data)
        if not waiting and not running(data, Lane.CHANGE):
            return _begin(data, training)
        if len(waiting) >= queue.MOST:
            raise JobError(f"{queue.MOST} trainings are waiting already. Remove one from the queue first.")
        queue.write(data, [*waiting, training])
        # Should the first one not start, this one waits none the less; whoever shows the queue is told why.
        with contextlib.suppress(JobError, OSError):
            started = _start_next(data)
            if started and started.waited == training.id:
                return started
    return training


def _start_next(data: Path) -> Job | None:
    """For whoever is alone."""
    waiting = queue.waiting(data)
    if not waiting or running(data, Lane.CHANGE):
        return None
    job = _begin(data, waiting[0])
    # It runs; should the disk be full now, its record says that it no longer waits.
    with contextlib.suppress(OSError):
        queue.write(data, waiting[1:])
    return job


def _begin(data: Path, training: WaitingJob) -> Job:
    free = shutil.disk_usage(data).free
    if free < LEAST_FREE:
        raise JobError(
            f"{training.title} cannot start: the disk is nearly full ({free / 1024**2:.0f} MB are free, "
            f"{LEAST_FREE / 1024**2:.0f} MB are needed). Free some space."
        )
    return launcher.begin(
        data,
        training.kind,
        training.title,
        training.arguments,
        by=training.by,
        waited=training.id,
        owner=training.owner,
    )


def _advance_after(job: Job) -> None:
    """A job was ended from outside, perhaps before it could start the one that waits."""
    with contextlib.suppress(JobError):
        advance(job.data)
