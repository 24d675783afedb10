"""Trainings that wait for their turn: one at a time works on a data folder.

The queue is a file in the data folder, ``jobs/queue.json``, read and written under the lock under
which jobs are started: every dashboard and every command line on the folder sees the same one, and
no process remembers anything. What ends starts what waits (:func:`after_me`); where it was killed
and could not, the next who looks does (:func:`advance`).
"""

import contextlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from leukemia.errors import JobError
from leukemia.jobs import launcher, progress
from leukemia.jobs.job import JOBS, RECORD, read
from leukemia.jobs.launcher import Job
from leukemia.storage.atomic import write_text

QUEUE, DAMAGED = "queue.json", "queue-damaged.json"
KINDS = launcher.LONG
MOST = 50  # that wait
MOST_ARGUMENTS, LONGEST_ARGUMENT = 200, 4_096
TITLE, NAME = 120, 80  # letters
# A disk with less than this is as good as full: one training after the other would fail on it.
LEAST_FREE = 256 * 1024**2
GONE = "This training does not wait any more: it was started, or taken out of the queue."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """One training that waits.

    Attributes
    ----------
    id : str
        Its name in the queue; the job that it becomes has it as ``waited``.
    kind, title : str
        One of :data:`KINDS`, and the same for a reader.
    arguments : tuple of str
        Of ``python -m leukemia``.
    asked : str
        When, in ISO 8601, UTC.
    by : str
        Who asked; may be empty.
    """

    id: str
    kind: str
    title: str
    arguments: tuple[str, ...]
    asked: str
    by: str = ""


def ask(data: Path, kind: str, title: str, arguments: Sequence[str], by: str = "") -> Job | Waiting:
    """Start a training at once where nothing works on the data folder and nobody waits; else queue it.

    Parameters
    ----------
    data : Path
        The data folder.
    kind, title : str
        One of :data:`KINDS`; and what a reader is told, made one line of at most :data:`TITLE` letters.
    arguments : sequence of str
        Of ``python -m leukemia``; paths among them must be absolute.
    by : str, optional
        Who asks; treated as the title is.

    Raises
    ------
    JobError
        Where it is none of these kinds, :data:`MOST` wait already, or the folder cannot be written or
        the process not be started; then it does not wait either.
    """
    wanted = Waiting(secrets.token_hex(8), kind, title, tuple(arguments), _now(), by)
    wanted = _checked(wanted)
    with launcher.alone(data) as data:
        waiting = _waiting(data)
        if not waiting and not launcher.running(data, launcher.CHANGE):
            return _begin(data, wanted)
        if len(waiting) >= MOST:
            raise JobError(f"{MOST} trainings wait already. Take one out of the queue first.")
        _write(data, [*waiting, wanted])
        # Should the first one not start, this one waits none the less; whoever looks is told why.
        with contextlib.suppress(JobError, OSError):
            started = _start_next(data)
            if started and started.waited == wanted.id:
                return started
    return wanted


def again(job: Job, by: str = "") -> Job | Waiting:
    """Ask for an ended training once more: it goes on from its last finished epoch."""
    return ask(job.folder.parent.parent, job.kind, job.title, job.arguments, by or job.by)


def queue(data: Path) -> list[Waiting]:
    """What waits, the next one first."""
    return _waiting(Path(data).resolve())


def move(data: Path, id: str, places: int) -> None:
    """Move a training within the queue; -1 is one place nearer to its start, 1 one further from it.

    Raises
    ------
    JobError
        Where it does not wait any more, or the folder cannot be written.
    """
    with _changing(data, id) as (waiting, position):
        one = waiting.pop(position)
        waiting.insert(max(0, position + places), one)


def drop(data: Path, id: str) -> None:
    """Take a training out of the queue.

    Raises
    ------
    JobError
        Where it does not wait any more, or the folder cannot be written.
    """
    with _changing(data, id) as (waiting, position):
        del waiting[position]


def advance(data: Path) -> Job | None:
    """Start the next one where nothing works on the data folder; for whoever looks at the queue.

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
    launcher.force_overdue(data)
    if not queue(data) or launcher.running(data, launcher.CHANGE):
        return None
    with launcher.alone(data) as data:
        return _start_next(data)


def after_me() -> None:
    """Start the next one, from a job of the lane of changes that has just told its end. Never raises."""
    folder = os.environ.get(progress.FOLDER)
    if not folder:
        return
    try:
        if (read(Path(folder) / RECORD) or {}).get("lane") == launcher.CHANGE:
            # Never without the lock: one who saw this job at work may be writing the queue.
            with launcher.alone(Path(folder).parent.parent) as data:
                _start_next(data)
    except Exception as error:
        _log.warning("The next training in the queue could not be started: %s", error)


def _start_next(data: Path) -> Job | None:
    """For whoever is alone."""
    waiting = _waiting(data)
    if not waiting or launcher.running(data, launcher.CHANGE):
        return None
    job = _begin(data, waiting[0])
    # It runs; should the disk be full now, it is known by its record that it waits no more.
    with contextlib.suppress(OSError):
        _write(data, waiting[1:])
    return job


def _begin(data: Path, one: Waiting) -> Job:
    free = shutil.disk_usage(data).free
    if free < LEAST_FREE:
        raise JobError(
            f"{one.title} cannot start: the disk is nearly full ({free / 1024**2:.0f} MB are free, "
            f"{LEAST_FREE / 1024**2:.0f} MB are needed). Free some space."
        )
    return launcher.begin(
        data, one.kind, one.title, one.arguments, lane=launcher.CHANGE, by=one.by, waited=one.id
    )


@contextlib.contextmanager
def _changing(data: Path, id: str) -> Iterator[tuple[list[Waiting], int]]:
    with launcher.alone(data) as data:
        waiting = _waiting(data)
        position = next((place for place, one in enumerate(waiting) if one.id == id), None)
        if position is None:
            raise JobError(GONE)
        yield waiting, position
        _write(data, waiting)


def _waiting(data: Path) -> list[Waiting]:
    """What the file holds, less what a job tells that it is it, and what is damaged."""
    waiting = []
    for entry in _entries(data / JOBS / QUEUE) or ():
        with contextlib.suppress(TypeError, KeyError, JobError):
            waiting.append(_checked(Waiting(**entry | {"arguments": tuple(entry["arguments"])})))
    begun = {job.waited for job in launcher.history(data, KINDS)} if waiting else ()
    return [one for one in waiting if one.id not in begun]


def _entries(file: Path) -> list[dict] | None:
    """A list, or None where the file is missing or damaged."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, list) else None


def _write(data: Path, waiting: list[Waiting]) -> None:
    file = data / JOBS / QUEUE
    if file.is_file() and _entries(file) is None:
        file.rename(file.with_name(DAMAGED))
        _log.warning("%s was damaged; it lies beside it as %s.", file, DAMAGED)
    write_text(file, json.dumps([asdict(one) for one in waiting], indent=1))


def _checked(one: Waiting) -> Waiting:
    """The same with text that may be shown and arguments that a process may be given."""
    if one.kind not in KINDS:
        raise JobError(f"Only these can wait: {', '.join(KINDS)}.")
    if len(one.arguments) > MOST_ARGUMENTS:
        raise JobError("A training has at most 200 arguments.")
    for text in one.arguments:
        if not isinstance(text, str) or len(text) > LONGEST_ARGUMENT or not text.isprintable():
            raise JobError("A training's arguments are lines of printable text, none overly long.")
    try:
        datetime.fromisoformat(one.asked)
    except (TypeError, ValueError):
        raise JobError("A training was asked for at no known time.") from None
    return replace(one, title=_line(one.title, TITLE) or one.kind, by=_line(one.by, NAME))


def _line(text: str, most: int) -> str:
    """One line that can be shown: no control characters, none that turn the direction of writing."""
    kept = "".join(letter for letter in str(text) if letter.isprintable() or letter.isspace())
    return " ".join(kept.split())[:most].strip()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
