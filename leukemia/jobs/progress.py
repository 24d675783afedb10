"""What a command tells of itself while it runs as a job; started by hand, it tells nobody.

A job is named by a folder in the environment variable ``LEUKEMIA_JOB``. The command writes how far
it is to ``progress.json`` there and how it ended to ``end.json``, each whole;
:mod:`leukemia.jobs.launcher` reads them, and asks a command to end (SIGTERM). That breaks in wherever the
command is; what must not be broken into stands in :func:`undisturbed`.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from leukemia.storage.atomic import write_text

FOLDER = "LEUKEMIA_JOB"
BY = "LEUKEMIA_BY"
RECORD, PROGRESS, END = "job.json", "progress.json", "end.json"
# Takes space on the disk while the job works, and makes room for its last word where it is full.
ROOM, ROOM_BYTES = "room", 16 * 1024
EVERY = 0.5  # seconds between two writes
PATIENCE = 20.0  # seconds for the record of a job that has just been started
KEPT = 200  # problems that are told by their words; beyond that they are only counted


class Reporter:
    """Progress, counts and problems of one command; safe to call from several threads.

    Parameters
    ----------
    folder : Path or None
        The job's folder; None where no job asked.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._written = 0.0
        self._state: dict[str, Any] = {"done": 0, "total": 0, "what": "", "counts": {}, "facts": {}}
        self._state |= {"problems": [], "problem_count": 0}

    def progress(self, done: int, total: int, what: str) -> None:
        """Tell how many of how many are done, and what is being done."""
        # A new step and its last moment are always told.
        now = what != self._state["what"] or done >= total
        self._tell(now, done=done, total=total, what=what)

    def count(self, name: str) -> None:
        """Add one to a named count."""
        if self._folder:
            with self._lock:
                counts = self._state["counts"]
                counts[name] = counts.get(name, 0) + 1
            self._tell()

    def problem(self, text: str) -> None:
        """Tell what was found wrong, in a sentence."""
        if self._folder:
            with self._lock:
                self._state["problem_count"] += 1
                if len(self._state["problems"]) < KEPT:
                    self._state["problems"].append(text)
            self._tell()

    def facts(self, *, now: bool = True, **values: Any) -> None:
        """Tell named values (numbers, text, lists: whatever JSON holds), replacing earlier ones.

        What is told often goes along with the next ``progress`` where it is not told ``now``.
        """
        if self._folder:
            with self._lock:
                self._state["facts"] |= values
            if now:
                self._tell(True)

    def end(self, status: int, message: str) -> None:
        """Tell how the command ended: its exit status and the sentence for the reader."""
        if self._folder is None:
            return
        self._tell(True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # Should there be no room none the less, the log is what remains.
        with contextlib.suppress(OSError):
            (self._folder / ROOM).unlink(missing_ok=True)
            text = json.dumps({"status": status, "message": message, "ended": now})
            write_text(self._folder / END, text)

    def _tell(self, now: bool = False, **changes: Any) -> None:
        if self._folder is None:
            return
        with self._lock:
            self._state |= changes
            if not now and time.monotonic() - self._written < EVERY:
                return
            self._written = time.monotonic()
            # Telling must not stop the work.
            with contextlib.suppress(OSError):
                write_text(self._folder / PROGRESS, json.dumps(self._state))


@cache
def current() -> Reporter:
    """The reporter of this process."""
    folder = os.environ.get(FOLDER)
    return Reporter(Path(folder) if folder else None)


def asked_by() -> str:
    """Who asked for this job; empty where nobody said, and where it was started by hand."""
    return os.environ.get(BY, "")


def on_record(patience: float = PATIENCE) -> bool:
    """Whether whoever started this job has written down that it did; always so where it is no job.

    One who was killed before that has left a process that nobody knows: it must not begin to work.
    """
    folder = os.environ.get(FOLDER)
    until = time.monotonic() + patience
    while folder and not (Path(folder) / RECORD).is_file():
        if time.monotonic() > until or not Path(folder).is_dir():
            return False
        time.sleep(0.05)
    return True


@dataclass
class _Stop:
    """Whether this process was asked to end, whether that comes too late, and what holds it back."""

    asked: bool = False
    late: bool = False
    held: int = 0


_stop = _Stop()


def stop_cleanly() -> None:
    """Take a request to end (SIGTERM) as Ctrl-C is taken: finish the write at hand, say so, end."""

    def interrupt(*_: Any) -> None:
        # A second request must not break into what the first one cleans up.
        first, _stop.asked = not _stop.asked, True
        if first and not _stop.held and not _stop.late:
            raise KeyboardInterrupt

    if os.environ.get(FOLDER):
        signal.signal(signal.SIGTERM, interrupt)


def too_late_to_stop() -> None:
    """Take no request to end from now on: the work is done, and only its end has to be told."""
    _stop.late = True


def asked_to_stop() -> bool:
    """Whether this job was asked to end."""
    return _stop.asked


def stop_if_asked() -> None:
    """End here where this job was asked to; for points at which nothing is half done.

    Raises
    ------
    KeyboardInterrupt
        Where it was, in :func:`undisturbed`, too.
    """
    if _stop.asked and not _stop.late and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


@contextlib.contextmanager
def undisturbed(*, last: bool = False) -> Iterator[None]:
    """Hold a request to end back until what stands in here is done; then end.

    Where it is the ``last`` of the work, the request comes too late and is passed over. A request that
    broke in where Python drops it (while an object is taken down) is caught up here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _stop.held += 1
    try:
        yield
    finally:
        _stop.held -= 1
    # Not once more in what the first one cleans up.
    if not last and not _stop.held and not isinstance(sys.exception(), KeyboardInterrupt):
        stop_if_asked()
