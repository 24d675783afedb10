"""What others do in an open case is sent to its grid: only what changed, and only what the reader may see."""

import json

import pytest

from leukemia.cases import case as cases
from leukemia.cases import cells, signing, verdicts
from leukemia.errors import RecordsUnavailableError
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from pages.sections.cases import cards, live
from tests.support.case_factory import POINT, bundle_at, make_case, result


class LaidOutAnewError(Exception):
    """The whole page was asked for."""


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Look for news as Ada; returns what the grid is sent."""
    sent = []
    monkeypatch.setattr(live.st, "session_state", {})
    monkeypatch.setattr(live, "_component", lambda *, key, data: sent.append(json.loads(json.dumps(data))))

    def rerun():
        raise LaidOutAnewError

    monkeypatch.setattr(live.st, "rerun", rerun)

    def at(case):
        live._look(tmp_path, case.id, "Ada")
        return sent[-1]

    return at


def by_ben(data, case, numbers, verdict=ALL_LIKE):
    verdicts.give(data, case.id, numbers, verdict, reader="Ben")


def test_without_a_change_no_cell_is_read_and_none_sent(tmp_path, look, monkeypatch):
    case = make_case(tmp_path)
    state = live.give(tmp_path, case.id, "Ada")
    monkeypatch.setattr(cards, "read", None)
    assert look(case) == {"case": case.id, "shown": state.key}


def test_another_readers_verdict_is_sent_for_its_cell_alone(tmp_path, look):
    case = make_case(tmp_path)
    live.give(tmp_path, case.id, "Ada")
    by_ben(tmp_path, case, [2], INDETERMINATE)
    by_ben(tmp_path, case, [3])
    news = look(case)
    assert [card["number"] for card in news["cells"]] == [2, 3]
    assert [f"Ben: {ALL_LIKE}", ""] in news["cells"][1]["lines"]
    assert news["progress"].startswith("You have read 0 of 5 cells. 2 still need")
    assert look(case) == news
    verdicts.undo(tmp_path, case.id, reader="Ben")
    assert [card["number"] for card in look(case)["cells"]] == [2]
    anew = live.give(tmp_path, case.id, "Ada")
    assert look(case) == {"case": case.id, "shown": anew.key}


def test_a_blind_reader_gets_another_verdict_only_on_cells_she_has_read(tmp_path, look):
    case = make_case(tmp_path, blind=True)
    verdicts.give(tmp_path, case.id, [1], NORMAL_LIKE, reader="Ada")
    by_ben(tmp_path, case, [4])
    live.give(tmp_path, case.id, "Ada")
    by_ben(tmp_path, case, [1, 2])
    news = look(case)
    assert [card["number"] for card in news["cells"]] == [1, 2]
    told = {card["number"]: json.dumps(card) for card in news["cells"]}
    assert ALL_LIKE in told[1]
    assert "Ben" not in told[2]
    assert cards.KEPT_BACK in told[2]


def test_new_cells_and_a_signature_lay_the_page_out_anew(tmp_path, look):
    case = make_case(tmp_path, probabilities=(0.9, 0.1))
    live.give(tmp_path, case.id, "Ada")
    make_case(tmp_path, "other", (0.8,), first=9)
    assert "cells" not in look(case), "another case is not this one's news"
    cells.add(tmp_path, case.id, [result(7)], bundle_at(tmp_path / "bundle"), POINT, who="Ben")
    with pytest.raises(LaidOutAnewError):
        look(case)
    live.give(tmp_path, case.id, "Ada")
    assert "cells" not in look(case)
    signing.sign(tmp_path, case.id, who="Ben", meaning="Reviewed", seen=cases.find(tmp_path, case.id).changed)
    with pytest.raises(LaidOutAnewError):
        look(case)


def test_records_that_cannot_be_read_leave_what_is_shown(tmp_path, look, monkeypatch):
    case = make_case(tmp_path)
    state = live.give(tmp_path, case.id, "Ada")
    by_ben(tmp_path, case, [1])
    news = look(case)

    def gone(*_):
        raise RecordsUnavailableError("The database does not answer.")

    monkeypatch.setattr(cases, "find", gone)
    assert look(case) == news
    assert live.shown(case.id).key == state.key
