"""Threads that drop what has not begun."""

import threading
import time

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


def test_few_are_taken_before_their_turn_and_the_order_stays():
    taken = []

    def items():
        for number in range(1_000):
            taken.append(number)
            yield number

    def work(number):
        time.sleep(0.002 * (number % 3 == 0))
        return number

    with threads.pool(4) as pool:
        results = threads.in_order(pool, work, items(), ahead=8)
        assert next(results) == 0 and len(taken) == 8
        for number in range(1, 1_000):
            assert next(results) == number and len(taken) <= number + 8
        assert next(results, None) is None
        assert list(threads.in_order(pool, work, [], ahead=8)) == []


def test_an_item_that_fails_ends_the_work_with_its_error():
    def work(number):
        return 1 / (3 - number)

    done = []
    with pytest.raises(ZeroDivisionError), threads.pool(2) as pool:
        for one in threads.in_order(pool, work, range(1_000), ahead=4):
            done.append(one)
    assert len(done) == 3
