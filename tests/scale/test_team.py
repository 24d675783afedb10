"""Batches answered on Ray: each item once, whatever becomes of the workers."""

import psutil
import pytest

from leukemia.errors import BundleError, ClusterError
from leukemia.scale import cluster, team
from tests.support.ray_workers import Dier, Doubler, Refuser, Slow, Stumbler

pytestmark = [pytest.mark.process, pytest.mark.slow]
WORKERS = 2


@pytest.fixture(scope="module", autouse=True)
def open_cluster():
    with cluster.opened("", WORKERS) as cores:
        assert cores == WORKERS
        yield


def work(kind, folder, batches, **more):
    numbered = enumerate(batches)
    answered = team.work(kind, (folder,), numbered, WORKERS, lambda item: f"instead of {item}", **more)
    found = list(answered)
    assert len(found) == len({number for number, _ in found}) == len(batches)
    return [answers for _, answers in sorted(found)]


def test_batches_are_answered_by_number_in_the_order_of_their_items(tmp_path):
    batches = [[number, number + 1, number + 2] for number in range(20)]
    assert work(Doubler, tmp_path, batches) == [[2 * one for one in batch] for batch in batches]
    assert work(Doubler, tmp_path, []) == []


def test_a_batch_whose_worker_was_killed_is_done_again(tmp_path, capfd):
    batches = [[1, "ends once", 2], [3, 4], [5, "ends once, too"], [6]]
    assert work(Doubler, tmp_path, batches) == [[2, "ends once", 4], [6, 8], [10, "ends once, too"], [12]]
    # What Ray says of it stays off the terminal.
    assert capfd.readouterr() == ("", "")


def test_an_item_that_ends_each_worker_costs_no_other_item(tmp_path):
    batches = [[1, "poison", 2], [3], [4, 5]]
    assert work(Doubler, tmp_path, batches) == [[2, "instead of poison", 4], [6], [8, 10]]


def test_a_worker_goes_on_while_its_answers_are_taken(tmp_path):
    one = team._Team(Doubler, (tmp_path,), str, 1, 1)
    answered = one.work(enumerate([[1], [2]]))
    assert next(answered) == (0, [2])
    assert [order.items for _, order in one._asked.values()] == [[2]]
    assert list(answered) == [(1, [4])]


def test_what_a_worker_refuses_is_said_as_it_says_it(tmp_path):
    with pytest.raises(BundleError, match=r"^No model here\.$"):
        work(Refuser, tmp_path, [[1]])


def test_a_fault_in_a_worker_is_one_sentence(tmp_path):
    with pytest.raises(ClusterError) as stop:
        work(Stumbler, tmp_path, [[1]])
    assert str(stop.value) == "A worker could not go on: KeyError: 1."


def test_workers_that_never_come_to_work_are_not_waited_for_without_end(tmp_path):
    with pytest.raises(ClusterError, match="end again and again"):
        work(Dier, tmp_path, [[1]])


def test_a_long_batch_outlasts_the_silence_and_a_killed_worker_is_noticed_in_it(tmp_path, monkeypatch):
    hire, give, patience = team._Team._hire, team._Team._give, team.SILENCE

    def then_wait(one):
        monkeypatch.setattr(team, "SILENCE", patience)
        hire(one)

    def then_wait_less(one, *what):
        monkeypatch.setattr(team, "SILENCE", 0.5)
        give(one, *what)

    # A worker may need longer to start than a batch takes here.
    monkeypatch.setattr(team._Team, "_hire", then_wait)
    monkeypatch.setattr(team._Team, "_give", then_wait_less)
    assert work(Slow, tmp_path, [["ends once", 1], [2]], long=True) == [["ends once", 2], [4]]
    with pytest.raises(ClusterError):
        work(Slow, tmp_path, [[1]])


def test_the_cluster_listens_on_this_machine_alone():
    ours = {one.pid for one in psutil.Process().children(recursive=True)}
    listening = [
        one.laddr.ip for one in psutil.net_connections("inet") if one.status == "LISTEN" and one.pid in ours
    ]
    assert len(listening) > 2
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
