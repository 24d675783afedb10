"""Jobs as their folders tell of them: what was started, how it stands, how it ended.

See :mod:`leukemia.jobs.launcher`.
"""

import contextlib
import json
import os
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leukemia.jobs import process, progress

JOBS = "jobs"
RECORD, LOG, CANCEL = progress.RECORD, "log.txt", "cancel.json"
STOPPED = 130  # exit status of a command that was told to stop
LOST = "The process is gone and left no word: it was ended from outside, or the machine restarted."


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
    by : str
        Who asked for it; empty where nobody said.
    waited : str
        Its identifier in the queue, where it had waited; see :mod:`leukemia.jobs.queue`.
    """

    folder: Path
    kind: str
    title: str
    arguments: tuple[str, ...]
    lane: str
    pid: int
    born: float
    started: str
    by: str = ""
    waited: str = ""


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


def latest(data: Path, kind: str) -> Job | None:
    """The job of a kind that was started last, or None."""
    return next(iter(history(data, (kind,))), None)


def history(data: Path, kinds: Container[str]) -> list[Job]:
    """The jobs of these kinds that are kept, whether at work or ended; the newest first."""
    return all_jobs(data, kinds)


def running(data: Path, lane: str | None = None) -> Job | None:
    """The job that is at work on a data folder (in a lane), or None."""
    for job in all_jobs(data):
        # Most are long gone: of those nothing has to be read.
        if lane in (None, job.lane) and process.find(job.pid, job.born) and state(job).active:
            return job
    return None


def state(job: Job) -> State:
    """Read how a job stands."""
    # In this order: a process that ends between the two readings has left its word.
    alive = process.find(job.pid, job.born) is not None
    end = read(job.folder / progress.END)
    told = read(job.folder / progress.PROGRESS) or {}
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


def all_jobs(data: Path, kinds: Container[str] | None = None) -> list[Job]:
    """Jobs of a data folder (of these kinds), the newest first; a folder without a whole record is none."""
    jobs = []
    for record in sorted(Path(data).resolve().glob(f"{JOBS}/*/{RECORD}"), reverse=True):
        # Named by its start, its kind and a few random letters.
        kind = record.parent.name.partition("-")[2].rpartition("-")[0]
        if kinds is None or kind in kinds:
            with contextlib.suppress(TypeError, KeyError):
                found = read(record) or {}
                found |= {"folder": record.parent, "arguments": tuple(found["arguments"])}
                jobs.append(Job(**found))
    return jobs


def read(path: Path) -> dict[str, Any] | None:
    """The object that a JSON file holds, or None where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
