"""Threads that drop what has not begun."""

import threading

import pytest

from leukemia.jobs import threads


def test_what_waits_is_dropped_when_the_work_fails():
    began, go_on = [], threading.Event()

    def task(number):
        began.append(number)
        go_on.wait(20)

    def fail():
        with threads.pool(2) as pool:
            pool.map(task, range(100))
            # The first two end with the pool.
            threading.Timer(0.2, go_on.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert len(began) <= 2


def test_all_is_done_where_nothing_fails():
    with threads.pool(2) as pool:
        assert list(pool.map(str, range(9))) == list("012345678")
