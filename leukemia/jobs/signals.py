"""Requests to stop: a job is sent SIGTERM, which breaks in wherever its command is.

What must not be interrupted stands in :func:`undisturbed`.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from leukemia.settings import JOB_FOLDER


@dataclass
class _Stop:
    """Whether this process was asked to stop, whether that comes too late, and what holds it back."""

    asked: bool = False
    late: bool = False
    held: int = 0


_stop = _Stop()


def stop_cleanly() -> None:
    """Take a request to stop (SIGTERM) as Ctrl-C is taken: finish the write at hand, say so, end."""

    def interrupt(*_: Any) -> None:
        # A second request must not break into what the first one cleans up.
        first, _stop.asked = not _stop.asked, True
        if first and not _stop.held and not _stop.late:
            raise KeyboardInterrupt

    if os.environ.get(JOB_FOLDER):
        signal.signal(signal.SIGTERM, interrupt)


def too_late_to_stop() -> None:
    """Ignore requests to stop from now on: the work is done, and only its end has to be reported."""
    _stop.late = True


def asked_to_stop() -> bool:
    """Whether this job was asked to stop."""
    return _stop.asked


def stop_if_asked() -> None:
    """Stop here where this job was asked to; for points at which nothing is half done.

    Raises
    ------
    KeyboardInterrupt
        Where it was, in :func:`undisturbed`, too.
    """
    if _stop.asked and not _stop.late and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


@contextlib.contextmanager
def undisturbed(*, last: bool = False) -> Iterator[None]:
    """Hold a request to stop back until what stands in here is done; then stop.

    Where it is the ``last`` of the work, the request comes too late and is ignored. A request that
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
    if not last:
        catch_up()


def catch_up() -> None:
    """Stop here where a request broke in where Python drops it, and nothing holds it back.

    Raises
    ------
    KeyboardInterrupt
        Where it did; not once more in what the first one cleans up.
    """
    if not _stop.held and not isinstance(sys.exception(), KeyboardInterrupt):
        stop_if_asked()
