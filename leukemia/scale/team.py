"""Workers that answer batches of items; a worker that is lost costs its batch only.

A batch whose worker is lost is given to another. One that loses its worker again is given out item by item,
so that an item that ends each program that touches it is found: the others are answered, and it is answered
with what the caller says in its stead. So each item has exactly one answer.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from leukemia.errors import ClusterError, LeukemiaError
from leukemia.scale import cluster

Item = TypeVar("Item")
Result = TypeVar("Result")

# Times that a batch, or an item alone, may lose its worker.
LOSSES = 2
# Workers that may be lost one after another without a batch being answered between them, for each core.
LOST_IN_A_ROW = 4
# Seconds in which nothing ends, after which the cluster is taken for gone. Where batches are long, that holds
# only while no worker has one.
SILENCE = 1_800.0
NOBODY_WORKS = (
    "The workers end again and again before they answer anything, or the cluster has no machine left. "
    "Check its memory and its disks."
)
FAILED = "A worker could not go on: {}."


class Worker(Protocol[Item, Result]):
    """What a worker of a team is: made on its core, with the arguments of :func:`work`."""

    def prepare(self) -> None:
        """Load what it needs; raise :class:`LeukemiaError` where it cannot."""

    def answer(self, items: list[Item]) -> list[Result]:
        """Answer items, in order."""


@dataclass(frozen=True)
class _Order:
    """Some items of a batch, from ``start`` on, and how often they have lost their worker."""

    number: int
    start: int
    items: list[Any]
    lost: int = 0


def work(
    kind: type[Worker],
    arguments: tuple[Any, ...],
    batches: Iterable[tuple[int, list[Item]]],
    workers: int,
    instead: Callable[[Item], Result],
    *,
    cores: int = 1,
    long: bool = False,
) -> Iterator[tuple[int, list[Result]]]:
    """Have batches answered by workers of the cluster that is open (:func:`cluster.opened`).

    Parameters
    ----------
    kind : type
        A :class:`Worker`; it and the arguments are sent to where it works.
    arguments : tuple
        What each is made with.
    batches : iterable of (int, list)
        Number and items of each batch; no number comes twice.
    workers : int
        How many work at a time, a core each.
    instead : callable
        Makes the answer to an item that ends each worker that it is given to; what it raises ends the work.
    cores : int, optional
        Of one machine, that each worker has.
    long : bool, optional
        Whether a batch may take hours: a worker that has one is then waited for until it answers or is lost.

    Yields
    ------
    tuple of int and list
        Number of a batch and its answers, in the order of its items; batches as they are done.

    Raises
    ------
    ClusterError
        Where no worker stays, or one fails in a way that is not foreseen.
    LeukemiaError
        Where a worker refuses to start, as its ``prepare`` says it.
    """
    yield from _Team(kind, arguments, instead, workers, cores, long=long).work(batches)


class _Team:
    def __init__(
        self,
        kind: type[Worker],
        arguments: tuple[Any, ...],
        instead: Callable[[Any], Any],
        workers: int,
        cores: int,
        *,
        long: bool = False,
    ) -> None:
        self._ray = ray = cluster.imported()
        self._lost_errors = (
            ray.exceptions.RayActorError,
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.OutOfMemoryError,
            ray.exceptions.ObjectLostError,
        )
        self._make = lambda: ray.remote(kind).options(num_cpus=cores, max_restarts=0).remote(*arguments)
        self._instead = instead
        self._workers, self._long = workers, long
        self._again: deque[_Order] = deque()
        # By what a worker is asked: the worker, and what it was given; None while it prepares.
        self._asked: dict[Any, tuple[Any, _Order | None]] = {}
        # By the number of each batch that is not done: its size, and the answers so far by their start.
        self._out: dict[int, tuple[int, dict[int, list[Any]]]] = {}
        self._all_given = False
        self._lost_in_a_row = 0

    def work(self, batches: Iterable[tuple[int, list[Any]]]) -> Iterator[tuple[int, list[Any]]]:
        orders = (_Order(number, 0, items) for number, items in batches)
        for _ in range(self._workers):
            self._hire()
        while not (self._all_given and not self._out):
            worker, order, answers = self._next_to_end()
            # It works on while the answers are being kept.
            if worker is not None:
                self._give(worker, orders)
            if answers is not None:
                yield from self._completed(order, answers)

    def _give(self, worker: Any, orders: Iterator[_Order]) -> None:
        """Give a free worker what comes next: first what others lost."""
        order = self._again.popleft() if self._again else next(orders, None)
        if order is None:
            self._all_given = True
            return
        self._out.setdefault(order.number, (len(order.items), {}))
        self._asked[worker.answer.remote(order.items)] = worker, order

    def _completed(self, order: _Order, answers: list[Any]) -> Iterator[tuple[int, list[Any]]]:
        """The batch that an order belongs to, where these answers were its last ones."""
        size, parts = self._out[order.number]
        parts[order.start] = answers
        if sum(map(len, parts.values())) == size:
            del self._out[order.number]
            yield order.number, [answer for start in sorted(parts) for answer in parts[start]]

    def _hire(self) -> None:
        worker = self._make()
        self._asked[worker.prepare.remote()] = worker, None

    def _next_to_end(self) -> tuple[Any, _Order | None, list[Any] | None]:
        """The next worker that is free, what it was given, and its answers.

        The worker is None where it was lost; the answers are None where there are none.
        """
        done = self._next_done()
        worker, order = self._asked.pop(done)
        try:
            answers = self._ray.get(done)
        except self._lost_errors as error:
            return None, *self._after_loss(order, error)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, LeukemiaError):
                raise error.cause from None
            raise ClusterError(FAILED.format(f"{type(error.cause).__name__}: {error.cause}")) from None
        if order:
            self._lost_in_a_row = 0
        return worker, order, answers

    def _next_done(self) -> Any:
        """Wait until one of the workers has done what it was asked, or is lost."""
        while True:
            done, _ = self._ray.wait(list(self._asked), num_returns=1, timeout=SILENCE)
            if done:
                return done[0]
            # Ray says so itself where the process or the machine of a worker is gone. It says nothing where
            # it finds no room for one that has not started yet.
            if not (self._long and any(order for _, order in self._asked.values())):
                raise ClusterError(NOBODY_WORKS)

    def _after_loss(self, order: _Order | None, error: Exception) -> tuple[_Order | None, list[Any] | None]:
        """Hire another worker in the place of one that was lost, and see to what it was given."""
        self._lost_in_a_row += 1
        if self._lost_in_a_row > LOST_IN_A_ROW * self._workers:
            raise ClusterError(NOBODY_WORKS) from error
        self._hire()
        if order is None:
            return None, None
        lost = order.lost + 1
        if lost < LOSSES:
            self._again.append(_Order(order.number, order.start, order.items, lost))
        elif len(order.items) == 1:
            self._lost_in_a_row = 0
            return order, [self._instead(order.items[0])]
        else:
            self._again.extend(
                _Order(order.number, order.start + place, [item]) for place, item in enumerate(order.items)
            )
        return None, None
