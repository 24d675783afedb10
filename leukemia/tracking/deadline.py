"""Waiting for others, but not for ever."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

_pending: dict[Hashable, Future] = {}
_lock = threading.Lock()


def run_with_timeout(seconds: float, key: Hashable, work: Callable[[], T]) -> T:
    """Do ``work`` in a thread and wait for it; it continues when the time is over.

    A second call with the same key, while the first is still at work, waits for that one: calls do not
    pile up.

    Parameters
    ----------
    seconds : float
        How long to wait.
    key : hashable
        What is being done.
    work : callable
        Without arguments; its result is returned, its exception raised.

    Raises
    ------
    TimeoutError
        Where it took longer.
    """
    with _lock:
        future = _pending.get(key)
        if future is None or future.done():
            future = _pending[key] = Future()
            threading.Thread(target=_do, args=(future, work), name=f"timeout {key}", daemon=True).start()
    try:
        return future.result(seconds)
    finally:
        with _lock:
            if future.done() and _pending.get(key) is future:
                del _pending[key]


def _do(future: Future, work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
