"""The queue of trainings: a file in the data folder, ``jobs/queue.json``.

It is read and written under the lock under which jobs are started: every dashboard and every command
line on the folder sees the same one, and no process remembers anything.
"""

import contextlib
import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from leukemia.access import ownership, permissions
from leukemia.access.permissions import Action
from leukemia.errors import JobError
from leukemia.jobs import launcher
from leukemia.jobs.job import TRAININGS, JobKind, history
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace

DAMAGED = "queue-damaged.json"
MOST = 50  # that wait
MOST_ARGUMENTS, LONGEST_ARGUMENT = 200, 4_096
TITLE, NAME = 120, 80  # letters
GONE = "This training is no longer waiting: it was started, or removed from the queue."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WaitingJob:
    """One training that waits.

    Attributes
    ----------
    id : str
        Its name in the queue; the job that it becomes has it as ``waited``.
    kind : JobKind
        One of :data:`TRAININGS`.
    title : str
        What it is, for a reader.
    arguments : tuple of str
        Of ``python -m leukemia``.
    asked : str
        When it was queued, in ISO 8601, UTC.
    by : str
        Who queued it; may be empty.
    owner : str
        As of :class:`~leukemia.jobs.job.Job`.
    """

    id: str
    kind: JobKind
    title: str
    arguments: tuple[str, ...]
    asked: str
    by: str = ""
    owner: str = ""


def new(kind: JobKind, title: str, arguments: Sequence[str], by: str, owner: str) -> WaitingJob:
    """Make an entry, with text that can be shown; raises JobError where the arguments are no good."""
    asked = datetime.now(UTC).isoformat(timespec="seconds")
    return _checked(WaitingJob(secrets.token_hex(8), kind, title, tuple(arguments), asked, by, owner))


def waiting(data: Path) -> list[WaitingJob]:
    """What waits, the next one first: without what a job has become already, and what is damaged."""
    entries = []
    for entry in _entries(Workspace(data).queue) or ():
        with contextlib.suppress(TypeError, KeyError, JobError):
            entries.append(_checked(WaitingJob(**entry | {"arguments": tuple(entry["arguments"])})))
    begun = {job.waited for job in history(data, TRAININGS)} if entries else ()
    return [entry for entry in entries if entry.id not in begun]


def move(data: Path, id: str, places: int) -> None:
    """Move a training within the queue; -1 is one place nearer to its start, 1 one further from it.

    Raises
    ------
    AccessError
        Where whoever acts may not change the jobs of others: they wait for it, or it for them.
    JobError
        Where it no longer waits, or the folder cannot be written.
    """
    permissions.require(Action.CHANGE_OTHERS_JOBS)
    with _changing(data, id) as (entries, position):
        entry = entries.pop(position)
        entries.insert(max(0, position + places), entry)


def drop(data: Path, id: str) -> None:
    """Remove a training from the queue.

    Raises
    ------
    AccessError
        Where it is somebody else's, and whoever acts may not change the jobs of others.
    JobError
        Where it no longer waits, or the folder cannot be written.
    """
    with _changing(data, id) as (entries, position):
        ownership.require_change(entries[position].owner)
        del entries[position]


def write(data: Path, entries: Sequence[WaitingJob]) -> None:
    """Replace the queue; for whoever is alone. A damaged one is put aside."""
    file = Workspace(data).queue
    if file.is_file() and _entries(file) is None:
        file.rename(file.with_name(DAMAGED))
        _log.warning("%s was damaged; it was renamed to %s.", file, DAMAGED)
    write_text(file, json.dumps([asdict(entry) for entry in entries], indent=1))


@contextlib.contextmanager
def _changing(data: Path, id: str) -> Iterator[tuple[list[WaitingJob], int]]:
    with launcher.alone(data) as data:
        entries = waiting(data)
        position = next((place for place, entry in enumerate(entries) if entry.id == id), None)
        if position is None:
            raise JobError(GONE)
        yield entries, position
        write(data, entries)


def _entries(file: Path) -> list[dict] | None:
    """A list, or None where the file is missing or damaged."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, list) else None


def _checked(entry: WaitingJob) -> WaitingJob:
    """The same with text that may be shown and arguments that a process may be given."""
    if entry.kind not in TRAININGS:
        raise JobError(f"Only these jobs can be queued: {', '.join(TRAININGS)}.")
    if len(entry.arguments) > MOST_ARGUMENTS:
        raise JobError(f"A training has at most {MOST_ARGUMENTS} arguments.")
    for text in entry.arguments:
        if not isinstance(text, str) or len(text) > LONGEST_ARGUMENT or not text.isprintable():
            raise JobError("A training's arguments must be short lines of printable text.")
    try:
        datetime.fromisoformat(entry.asked)
    except (TypeError, ValueError):
        raise JobError("The time when this training was queued is not recorded.") from None
    kind = JobKind(entry.kind)
    owner = str(entry.owner)[:LONGEST_ARGUMENT]
    return replace(
        entry, kind=kind, owner=owner, title=_line(entry.title, TITLE) or kind.value, by=_line(entry.by, NAME)
    )


def _line(text: str, most: int) -> str:
    """One line that can be shown: no control characters, none that turn the direction of writing."""
    shown = "".join(letter for letter in str(text) if letter.isprintable() or letter.isspace())
    return " ".join(shown.split())[:most].strip()
