"""How long workers are waited for that say nothing: a clock of its own in the place of Ray."""

from types import SimpleNamespace

import pytest

from leukemia.errors import ClusterError
from leukemia.scale import cluster, team

NEVER = float("inf")
HOURS = 3 * 3_600.0


class LostError(Exception):
    pass


class Clock:
    """What the team asks of Ray, on a clock that goes on by itself.

    Parameters
    ----------
    prepares, answers : float
        Seconds that each takes.
    losses : int
        How many workers are lost while they answer, the first ones.
    """

    def __init__(self, prepares, answers, losses=0):
        self.now, self._losses = 0.0, losses
        self._prepares, self._answers = prepares, answers
        self._due, self._found = {}, {}
        names = ("RayActorError", "WorkerCrashedError", "OutOfMemoryError", "ObjectLostError")
        self.exceptions = SimpleNamespace(**dict.fromkeys(names, LostError), RayTaskError=ZeroDivisionError)

    def remote(self, kind):
        worker = SimpleNamespace(
            prepare=SimpleNamespace(remote=lambda: self._ask(self._prepares, None)),
            answer=SimpleNamespace(remote=self._answer),
        )
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda *_: worker))

    def _answer(self, items):
        lost, self._losses = self._losses > 0, max(0, self._losses - 1)
        return self._ask(self._answers, LostError() if lost else [f"{item} done" for item in items])

    def _ask(self, seconds, found):
        number = len(self._due)
        self._due[number], self._found[number] = self.now + seconds, found
        return number

    def wait(self, asked, *, num_returns, timeout):
        first = min(asked, key=self._due.get)
        if self._due[first] - self.now > timeout:
            self.now += timeout
            return [], asked
        self.now = max(self.now, self._due[first])
        return [first], [one for one in asked if one != first]

    def get(self, number):
        if isinstance(found := self._found[number], Exception):
            raise found
        return found


@pytest.fixture
def clock(monkeypatch):
    def begin(*arguments, **more):
        clock = Clock(*arguments, **more)
        monkeypatch.setattr(cluster, "imported", lambda: clock)
        return clock

    return begin


def work(**more):
    batches = enumerate([["fold 1"], ["fold 2"], ["fold 3"]])
    return sorted(team.work(object, (), batches, 2, lambda item: f"instead of {item}", **more))


DONE = [(number, [f"fold {number + 1} done"]) for number in range(3)]


def test_a_long_batch_is_waited_for_as_long_as_it_takes(clock):
    ticks = clock(5.0, HOURS)
    assert work(long=True) == DONE
    assert ticks.now == 5.0 + 2 * HOURS


def test_a_worker_that_is_lost_in_a_long_batch_costs_that_batch_only(clock):
    clock(5.0, HOURS, losses=1)
    assert work(long=True) == DONE


def test_workers_that_end_again_and_again_in_long_batches_are_given_up(clock):
    clock(5.0, HOURS, losses=1_000)
    batches = enumerate([[f"fold {number}", "another"] for number in range(100)])
    with pytest.raises(ClusterError, match="end again and again"):
        list(team.work(object, (), batches, 2, str, long=True))


@pytest.mark.parametrize("long", [True, False])
def test_workers_that_find_no_room_are_not_waited_for_without_end(clock, long):
    ticks = clock(NEVER, 1.0)
    with pytest.raises(ClusterError, match="has no machine left"):
        work(long=long)
    assert ticks.now == team.SILENCE


def test_a_short_batch_that_is_never_answered_is_not_waited_for_without_end(clock):
    ticks = clock(5.0, NEVER)
    with pytest.raises(ClusterError, match="has no machine left"):
        work()
    assert ticks.now == 5.0 + team.SILENCE
