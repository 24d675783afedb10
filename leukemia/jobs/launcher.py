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

from leukemia import settings
from leukemia.errors import BusyError, JobError
from leukemia.jobs import process as processes
from leukemia.jobs import progress
from leukemia.jobs.clock import Moment
from leukemia.jobs.job import LOG, RECORD, Job, JobKind, history, state
from leukemia.storage import stamps
from leukemia.storage.atomic import write_text
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace

LOCK = "lock"
KEPT = 20  # folders of ended jobs of a kind: what a page starts by itself must not drive out trainings
STALE = 24 * 3600.0  # seconds after which a folder that never became a job's is removed
# A job yields to the pages; a training, which runs for hours, still more.
NICENESS = 5
NICENESS_OF_TRAININGS = 15


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
    busy = BusyError("Busy: another job is being started on this data folder. Try again.")
    try:
        with exclusive(Workspace(data).jobs / LOCK, 10, busy):
            yield data
    except OSError as error:
        raise JobError(
            f"No job can be started in {data}: {error.strerror or 'the folder cannot be written'}."
        ) from error


def begin(
    data: Path,
    kind: JobKind,
    title: str,
    arguments: Sequence[str],
    *,
    by: str = "",
    waited: str = "",
    owner: str = "",
) -> Job:
    """Start a job at once: for whoever is :func:`alone` and has seen that the lane is free.

    Parameters are attributes of :class:`Job`.

    Raises
    ------
    OSError
        Where the folder cannot be written or the process not be started; nothing is left of it.
    """
    _forget_old(data)
    folder = _new_folder(data, kind)
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
    if given.import_from:
        # Absolute: a job works in another folder than whoever starts it.
        environment["LEUKEMIA_IMPORT_FROM"] = os.pathsep.join(map(str, given.import_from))
    process = None
    try:
        (folder / progress.ROOM).write_bytes(os.urandom(progress.ROOM_BYTES))
        process, identity = processes.begin(
            [sys.executable, "-m", "leukemia", *arguments],
            folder=settings.PROJECT,
            environment=environment,
            log=folder / LOG,
            niceness=NICENESS_OF_TRAININGS if kind.queues else NICENESS,
        )
        started = datetime.now(UTC).isoformat(timespec="seconds")
        job = Job(folder, kind, title, tuple(arguments), identity, started, by, waited, owner, Moment.now())
        # Until this is there, the command waits; see progress.is_recorded.
        write_text(folder / RECORD, json.dumps(asdict(job) | {"folder": folder.name}))
    except BaseException:
        if process:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return job


def _new_folder(data: Path, kind: JobKind) -> Path:
    """A folder whose name sorts behind all others, even where the system clock was set back."""
    stamp = stamps.following(path.name for path in Workspace(data).jobs.glob("*/"))
    return Workspace(data).jobs / f"{stamp}-{kind}-{secrets.token_hex(3)}"


def _forget_old(data: Path) -> None:
    ended: dict[str, int] = {}
    for job in history(data):
        if not state(job).active:
            ended[job.kind] = ended.get(job.kind, 0) + 1
            if ended[job.kind] > KEPT:
                shutil.rmtree(job.folder, ignore_errors=True)
    # By the system clock, which does no harm: whoever is alone here sees no folder that becomes a job's.
    for folder in Workspace(data).jobs.glob("*/"):
        with contextlib.suppress(OSError):
            if not (folder / RECORD).exists() and time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder)
