"""Threads for a long piece of work: what has not begun is dropped as soon as the work fails or is stopped."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Item, Result = TypeVar("Item"), TypeVar("Result")


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


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Do the work on each item, and give the results in the items' order.

    ``pool.map`` takes in all items before it gives the first result; here few are in memory at a time.

    Parameters
    ----------
    pool : ThreadPoolExecutor
    work : callable
        From an item to its result.
    items : iterable
        Taken as they are needed, all by the thread that asks for the results.
    ahead : int
        How many are taken at most whose results were not asked for yet.
    """
    items, begun = iter(items), deque[Future[Result]]()
    while True:
        begun.extend(pool.submit(work, item) for item in islice(items, ahead - len(begun)))
        if not begun:
            return
        yield begun.popleft().result()
