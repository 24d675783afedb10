"""Waiting for others, but not for ever."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

_pending: dict[Hashable, Future[Any]] = {}
_lock = threading.Lock()


def within(seconds: float, key: Hashable, work: Callable[[], Any]) -> Any:
    """Do ``work`` in a thread and wait for it; it goes on when the waiting is over.

    Who asks again with the same key while it is still at work waits for that one, so that nothing
    piles up.

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
            threading.Thread(target=_do, args=(future, work), name=f"patience {key}", daemon=True).start()
    try:
        return future.result(seconds)
    finally:
        with _lock:
            if future.done() and _pending.get(key) is future:
                del _pending[key]


def _do(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
