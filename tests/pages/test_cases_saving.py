"""What the review grid sends is put on record once, in its order, or waits."""

import pytest

from leukemia.cases import cells, verdicts
from leukemia.errors import RecordsUnavailableError
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from pages.sections.cases import saving
from tests.support.case_factory import make_case

GONE = "Nothing was saved. The database does not answer."


@pytest.fixture
def case(tmp_path, monkeypatch):
    monkeypatch.setattr(saving.st, "session_state", {})
    return make_case(tmp_path)


def give(key, numbers, verdict=NORMAL_LIKE, reader="Ada", **rest):
    return {"key": key, "kind": "give", "numbers": numbers, "verdict": verdict, "reader": reader, **rest}


def send(data, case, *acts):
    saving.take(data, case.id, {"tries": 1, "acts": list(acts)})
    return saving.outcome(case.id)


def own(data, case):
    return [cell.verdict for cell in cells.cells(data, case.id)]


def test_what_is_sent_again_is_written_once(tmp_path, case):
    first, second = give("a", [1, 2]), give("b", [2], ALL_LIKE)
    assert send(tmp_path, case, first)["done"] == {"a": ""}
    assert send(tmp_path, case, first, second)["done"] == {"a": "", "b": ""}
    saving.st.session_state.clear()  # another session, after a restart of the server
    assert send(tmp_path, case, first, second) == {"done": {"a": "", "b": ""}, "trouble": ""}
    assert own(tmp_path, case) == [NORMAL_LIKE, ALL_LIKE, "", "", ""]


def test_an_undo_that_is_sent_again_takes_back_once(tmp_path, case):
    undo = {"key": "u", "kind": "undo", "reader": "Ada"}
    send(tmp_path, case, give("a", [1]), give("b", [2], ALL_LIKE), undo)
    saving.st.session_state.clear()
    assert send(tmp_path, case, undo)["done"] == {"u": ""}
    assert own(tmp_path, case) == [NORMAL_LIKE, "", "", "", ""]


def test_verdicts_wait_while_the_database_is_gone_and_keep_their_order(tmp_path, case, monkeypatch):
    whole = verdicts.give

    def fails(*_, **__):
        raise RecordsUnavailableError(GONE)

    monkeypatch.setattr(verdicts, "give", fails)
    acts = [give("a", [1]), give("b", [1], ALL_LIKE)]
    assert send(tmp_path, case, *acts) == {
        "done": {},
        "trouble": GONE,
    }
    assert own(tmp_path, case) == [""] * 5
    monkeypatch.setattr(verdicts, "give", whole)
    assert send(tmp_path, case, *acts) == {"done": {"a": "", "b": ""}, "trouble": ""}
    assert own(tmp_path, case)[0] == ALL_LIKE


def test_what_is_refused_is_said_and_holds_nothing_up(tmp_path, case):
    done = send(tmp_path, case, give("a", [1], "Rejected"), give("b", [99]), give("c", [1]))["done"]
    assert "say why" in done["a"]
    assert "no cell 99" in done["b"]
    assert done["c"] == ""


@pytest.mark.parametrize(
    "act",
    [
        give("a", "12"),
        give("a", [True]),
        give("a", [2**40]),
        give("a", [1], ["ALL-like"]),
        give("a", [1], reader=None),
        give("a", [1]) | {"kind": "sign"},
    ],
)
def test_what_is_not_from_the_grid_is_refused(tmp_path, case, act):
    assert send(tmp_path, case, act)["done"] == {"a": saving.NOT_UNDERSTOOD}
    assert own(tmp_path, case) == [""] * 5


@pytest.mark.parametrize(
    "queue", [None, 7, {}, {"acts": "x"}, {"acts": [None, {"key": 1}, {"key": "k" * 65}]}]
)
def test_what_cannot_be_read_at_all_changes_nothing(tmp_path, case, queue):
    saving.take(tmp_path, case.id, queue)
    assert saving.outcome(case.id) == {"done": {}, "trouble": ""}
    assert own(tmp_path, case) == [""] * 5
