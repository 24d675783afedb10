"""What a command tells of itself while it runs as a job; started by hand, it tells nobody.

A job is named by a folder in the environment variable ``LEUKEMIA_JOB``. The command writes how far
it is to ``progress.json`` there and how it ended to ``end.json``, each whole;
:mod:`leukemia.jobs` reads them.
"""

import contextlib
import json
import os
import signal
import threading
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from leukemia.files import write_text

FOLDER = "LEUKEMIA_JOB"
PROGRESS, END = "progress.json", "end.json"
EVERY = 0.5  # seconds between two writes
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

    def facts(self, **values: Any) -> None:
        """Tell named values (numbers, text, lists: whatever JSON holds), replacing earlier ones."""
        if self._folder:
            with self._lock:
                self._state["facts"] |= values
            self._tell(True)

    def end(self, status: int, message: str) -> None:
        """Tell how the command ended: its exit status and the sentence for the reader."""
        if self._folder is None:
            return
        self._tell(True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        # On a full disk the log is what remains.
        with contextlib.suppress(OSError):
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


def stop_cleanly() -> None:
    """Take a request to end (SIGTERM) as Ctrl-C is taken: finish the write at hand, say so, end."""

    def interrupt(*_: Any) -> None:
        # A second request must not break into what the first one cleans up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    if os.environ.get(FOLDER):
        signal.signal(signal.SIGTERM, interrupt)
