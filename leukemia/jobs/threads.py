"""Threads for a long piece of work: what has not begun is dropped as soon as the work fails or is stopped."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end with the context; on an exception in it, without the tasks that still wait.

    Parameters
    ----------
    workers : int
        How many.
    """
    with ThreadPoolExecutor(workers) as threads:
        try:
            yield threads
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
