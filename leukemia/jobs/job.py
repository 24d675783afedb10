"""Jobs as their folders describe them: what was started, how it stands, how it ended.

See :mod:`leukemia.jobs.launcher`.
"""

import contextlib
import os
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from leukemia.jobs import process, progress
from leukemia.jobs.clock import Moment
from leukemia.jobs.facts import ImportFacts, SweepFacts, TrainingFacts
from leukemia.jobs.process import ProcessId
from leukemia.jobs.step_times import kind_of, read
from leukemia.storage.workspace import Workspace

RECORD, LOG, CANCEL = progress.RECORD, "log.txt", "cancel.json"
STOPPED = 130  # exit status of a command that was asked to stop
LOST = "It ended without a message: something outside the program stopped it, or the machine restarted."
FORCED, KEPT = "It did not stop on its own and was forced to stop.", "Finished work is kept."


class Lane(StrEnum):
    """One job at a time in each: what changes the set, examines it, is measured, checks a model, searches."""

    CHANGE = "change"
    EXAMINE = "examine"
    MEASURE = "measure"
    VERIFY = "verify"
    SEARCH = "search"


class JobKind(StrEnum):
    """What a job does."""

    IMPORT = "import"
    TRAIN = "train"
    CROSSVALIDATE = "crossvalidate"
    SWEEP = "sweep"
    SIMILAR = "similar"
    MAP = "map"
    MEASURE = "measure"
    PACE = "pace"
    VERIFY = "verify"
    SLIDE = "slide"

    @property
    def lane(self) -> Lane:
        """The lane that it runs in."""
        if self in (JobKind.SIMILAR, JobKind.MAP):
            return Lane.EXAMINE
        if self == JobKind.VERIFY:
            return Lane.VERIFY
        if self == JobKind.SLIDE:
            return Lane.SEARCH
        return Lane.MEASURE if self in (JobKind.MEASURE, JobKind.PACE) else Lane.CHANGE

    @property
    def queues(self) -> bool:
        """Whether it is a training: it runs for hours, and waits where its lane is busy."""
        return self in TRAININGS

    @property
    def resumes(self) -> bool:
        """Whether it goes on where it was broken off."""
        return self in (*TRAININGS, JobKind.IMPORT, JobKind.MEASURE, JobKind.SLIDE)


TRAININGS = (JobKind.TRAIN, JobKind.CROSSVALIDATE, JobKind.SWEEP)


class JobStatus(StrEnum):
    """How a job stands: STOPPING was cancelled and has not ended yet, LOST ended without a message."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True)
class Job:
    """One started command.

    Attributes
    ----------
    folder : Path
        Where it writes about itself.
    kind : JobKind
    title : str
        What it is, for a reader.
    arguments : tuple of str
        Of ``python -m leukemia``.
    process : ProcessId
    started : str
        ISO 8601, UTC.
    by : str
        Who started it; empty where it is not recorded.
    waited : str
        Its identifier in the queue, where it had waited; see :mod:`leukemia.jobs.queue`.
    owner : str
        The subject of the signed-in user who started it; empty without sign-in, and of an older program.
    began : Moment or None
        When it started, for how long it runs; None in the record of an older program.
    """

    folder: Path
    kind: JobKind
    title: str
    arguments: tuple[str, ...]
    process: ProcessId
    started: str
    by: str = ""
    waited: str = ""
    owner: str = ""
    began: Moment | None = None

    @property
    def data(self) -> Path:
        """The data folder that it works on."""
        return self.folder.parent.parent

    @property
    def elapsed(self) -> float:
        """Seconds since it started."""
        return (self.began or Moment(datetime.fromisoformat(self.started).timestamp())).elapsed()


@dataclass(frozen=True)
class JobState:
    """How a job stands.

    Attributes
    ----------
    status : JobStatus
    message : str
        How it ended, in a sentence; empty while it runs.
    done, total, what : int, int, str
        How far it is with the step that is running; ``total`` is 0 where that is not known.
    left : float or None
        Seconds until that step ends, by estimate.
    counts : dict of str to int
        What was counted so far.
    problems, problem_count : list of str, int
        The first problems in words, and how many there are.
    training, sweep, imported : TrainingFacts, SweepFacts, ImportFacts
        What else its command reports; empty for one of another kind.
    """

    status: JobStatus
    message: str = ""
    done: int = 0
    total: int = 0
    what: str = ""
    left: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    problem_count: int = 0
    training: TrainingFacts = field(default_factory=TrainingFacts)
    sweep: SweepFacts = field(default_factory=SweepFacts)
    imported: ImportFacts = field(default_factory=ImportFacts)

    @property
    def active(self) -> bool:
        """Whether the process is still running."""
        return self.status in (JobStatus.RUNNING, JobStatus.STOPPING)

    @property
    def share(self) -> float:
        """How much of the step is done, 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0


def latest(data: Path, kind: JobKind | str) -> Job | None:
    """The job of a kind that was started last, or None."""
    return next(iter(history(data, (kind,))), None)


def history(data: Path, kinds: Container[str] | None = None) -> list[Job]:
    """The recorded jobs (of these kinds), running or ended, the newest first.

    A folder without a whole record is none.
    """
    jobs = []
    for record in sorted(Workspace(Path(data).resolve()).jobs.glob(f"*/{RECORD}"), reverse=True):
        if kinds is None or kind_of(record.parent.name) in kinds:
            with contextlib.suppress(TypeError, KeyError, ValueError):
                jobs.append(_of_record(record.parent, read(record) or {}))
    return jobs


def running(data: Path, lane: Lane | str | None = None) -> Job | None:
    """The job that is running on a data folder (in a lane), or None."""
    for job in history(data):
        # Most ended long ago: of those nothing has to be read.
        if lane in (None, job.kind.lane) and process.find(job.process) and state(job).active:
            return job
    return None


def state(job: Job) -> JobState:
    """Read how a job stands."""
    # In this order: a process that ends between the two readings has written how.
    alive = process.find(job.process) is not None
    end = read(job.folder / progress.END)
    reported = _reported(read(job.folder / progress.PROGRESS) or {})
    cancelled = (job.folder / CANCEL).exists()
    if end:
        status = {0: JobStatus.DONE, STOPPED: JobStatus.STOPPED}.get(end.get("status"), JobStatus.FAILED)
        return JobState(status, end.get("message", ""), **reported)
    if alive:
        return JobState(JobStatus.STOPPING if cancelled else JobStatus.RUNNING, **reported)
    if cancelled:
        return JobState(JobStatus.STOPPED, f"{FORCED} {KEPT}" if job.kind.resumes else FORCED, **reported)
    return JobState(JobStatus.LOST, LOST, **reported)


def ended_at(job: Job) -> str:
    """When a job reported its end (ISO 8601, UTC); empty where it did not."""
    return (read(job.folder / progress.END) or {}).get("ended", "")


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


def _of_record(folder: Path, record: dict[str, Any]) -> Job:
    """Make a job of its record; one of an older program has ``pid``, ``born`` and a lane of its own."""
    record.pop("lane", None)
    identity = record.pop("process", None) or {"pid": record.pop("pid"), "born": record.pop("born")}
    began = record.pop("began", None)
    changes = {
        "folder": folder,
        "kind": JobKind(record["kind"]),
        "arguments": tuple(record["arguments"]),
        "process": ProcessId(**identity),
        "began": Moment(**began) if began else None,
    }
    return Job(**record | changes)


def _reported(content: dict[str, Any]) -> dict[str, Any]:
    names = ("done", "total", "what", "left", "counts", "problems", "problem_count")
    facts = content.get("facts")
    if not isinstance(facts, dict):
        facts = {}
    known = {name: content[name] for name in names if name in content}
    if known.get("left") and not known.get("total"):
        known["left"] = _left_of_step(known["left"], content.get("at"))
    return known | {
        "training": TrainingFacts.read(facts),
        "sweep": SweepFacts.read(facts),
        "imported": ImportFacts.read(facts),
    }


def _left_of_step(usual: float, began: object) -> float | None:
    """Seconds left of a step that is not counted; None once it takes longer than the last time."""
    try:
        left = usual - Moment(**began).elapsed()  # type: ignore[arg-type]
    except TypeError:
        return None
    return left if left > 0 else None
