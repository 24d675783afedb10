"""What a command reports while it runs as a job; started by hand, it reports nothing.

A job is named by a folder in the environment variable ``LEUKEMIA_JOB``. The command writes how far
it is to ``progress.json`` there and how it ended to ``end.json``, each whole;
:mod:`leukemia.jobs.job` reads them.
"""

import contextlib
import getpass
import json
import os
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from leukemia.jobs import signals, step_times
from leukemia.jobs.clock import Moment
from leukemia.jobs.facts import ImportFacts, SweepFacts, TrainingFacts
from leukemia.jobs.step_times import PROGRESS, RECORD, TOOK
from leukemia.settings import JOB_FOLDER
from leukemia.storage.atomic import write_text

FOLDER = JOB_FOLDER
BY = "LEUKEMIA_BY"
END = "end.json"
# Takes space on the disk while the job runs, and makes room to report its end where the disk is full.
ROOM, ROOM_BYTES = "room", 16 * 1024
EVERY = 0.5  # seconds between two writes
LEAST = 5.0  # seconds of a step after which its pace says how long the rest takes
LONGEST_WAIT = 20.0  # seconds for the record of a job that has just been started
KEPT = 200  # problems in words; beyond that they are only counted


class JobProgress:
    """Progress, counts and problems of one command; safe to call from several threads.

    Parameters
    ----------
    folder : Path or None
        The job's folder; None where the command is no job.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._written = 0.0
        self._began, self._before = 0.0, 0  # of the step: when, and how many were done then
        self._state: dict[str, Any] = {"done": 0, "total": 0, "what": "", "left": None, "counts": {}}
        self._state |= {"problems": [], "problem_count": 0, "at": None, TOOK: {}}
        self._usual: dict[str, float] | None = None
        self._facts: dict[type, TrainingFacts | SweepFacts | ImportFacts] = {}

    def progress(self, done: int, total: int, what: str) -> None:
        """Report how many of how many are done, and what is being done.

        Raises
        ------
        KeyboardInterrupt
            Where the job was asked to stop and has not noticed.
        """
        signals.catch_up()
        # A new step and its last moment are always written.
        new, changes = what != self._state["what"], {}
        if new:
            changes = {TOOK: self._took(), "at": asdict(Moment.now())}
            self._began, self._before = time.monotonic(), done
        changes |= {"done": done, "total": total, "what": what, "left": self._left(done, total, what)}
        self._write(new or done >= total, **changes)

    def step(self, what: str) -> None:
        """Report what is being done where it cannot be counted: it takes about as long as the last time."""
        self.progress(0, 0, what)

    def _left(self, done: int, total: int, what: str) -> float | None:
        """Seconds until the step ends, at its pace so far; None where that is not known.

        Of a step that is not counted, those from its beginning.
        """
        if not total:
            return (self._before_this() | self._state[TOOK]).get(what)
        passed = time.monotonic() - self._began
        if passed < LEAST or done <= self._before:
            return None
        return passed / (done - self._before) * (total - done)

    def _before_this(self) -> dict[str, float]:
        if self._usual is None:
            self._usual = step_times.before(self._folder) if self._folder else {}
        return self._usual

    def _took(self) -> dict[str, float]:
        """Seconds of each step so far that was not counted, with the one that ends now."""
        state = self._state
        if not state["what"] or state["total"]:
            return state[TOOK]
        return state[TOOK] | {state["what"]: round(time.monotonic() - self._began, 1)}

    def count(self, name: str) -> None:
        """Add one to a named count."""
        if self._folder:
            with self._lock:
                counts = self._state["counts"]
                counts[name] = counts.get(name, 0) + 1
            self._write()

    def problem(self, text: str) -> None:
        """Report what is wrong, in a sentence."""
        if self._folder:
            with self._lock:
                self._state["problem_count"] += 1
                if len(self._state["problems"]) < KEPT:
                    self._state["problems"].append(text)
            self._write()

    def facts(self, facts: TrainingFacts | SweepFacts | ImportFacts, *, now: bool = True) -> None:
        """Report facts, replacing earlier ones of the same type.

        What changes often is written with the next ``progress`` where it is not written ``now``.
        """
        if self._folder:
            with self._lock:
                self._facts[type(facts)] = facts
            if now:
                self._write(True)

    def end(self, status: int, message: str) -> None:
        """Report how the command ended: its exit status and the sentence for the reader."""
        if self._folder is None:
            return
        self._write(True, **{TOOK: self._state[TOOK] if status else self._took()})
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # Should there be no room none the less, the log is what remains.
        with contextlib.suppress(OSError):
            (self._folder / ROOM).unlink(missing_ok=True)
            text = json.dumps({"status": status, "message": message, "ended": now})
            write_text(self._folder / END, text)

    def _write(self, now: bool = False, **changes: Any) -> None:
        if self._folder is None:
            return
        with self._lock:
            self._state |= changes
            if not now and time.monotonic() - self._written < EVERY:
                return
            self._written = time.monotonic()
            named = [asdict(facts) for facts in self._facts.values()]
            state = self._state | {"facts": {key: value for facts in named for key, value in facts.items()}}
            # A full disk must not stop the work.
            with contextlib.suppress(OSError):
                write_text(self._folder / PROGRESS, json.dumps(state))


@cache
def current() -> JobProgress:
    """The progress of this process."""
    folder = os.environ.get(FOLDER)
    return JobProgress(Path(folder) if folder else None)


def asked_by() -> str:
    """Who started this job; empty where it is not recorded, and where it was started by hand."""
    return os.environ.get(BY, "")


def who() -> str:
    """Who this program works for: who started the job, or the account; empty where neither is known."""
    if name := asked_by():
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def is_recorded(wait: float = LONGEST_WAIT) -> bool:
    """Whether the program that started this job has recorded it; always so where it is no job.

    One that was killed before that has left a process that no page shows: it must not begin to work.
    """
    folder = os.environ.get(FOLDER)
    until = time.monotonic() + wait
    while folder and not (Path(folder) / RECORD).is_file():
        if time.monotonic() > until or not Path(folder).is_dir():
            return False
        time.sleep(0.05)
    return True
