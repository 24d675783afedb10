"""The worklist tells a reader no more of a case than its cells do."""

import pytest
import sqlalchemy as sa

from leukemia.cases import case as cases
from leukemia.cases import cells, signing, summary, verdicts, worklist
from leukemia.cases.tables import CELLS, PLACES
from leukemia.cases.verdicts import REJECTED
from leukemia.errors import RecordsError
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE, UNCLASSIFIED
from leukemia.storage import database
from tests.support.case_factory import make_case
from tests.support.field_factory import make_case_of_field


def counted(found, case):
    """What the worklist should count, from cells one by one."""
    decisions = summary.summarise(found).decisions
    unread = [cell for cell in found if cell.status == cases.UNREAD]
    return {
        "decisions": decisions,
        "cells": len(found),
        "unread": len(unread if case.hide_model else [cell for cell in unread if cell.needs_verdict]),
        "disputed": sum(cell.status == cases.DISPUTED for cell in found),
        "with_verdict": sum(cell.status in (cases.READ, cases.SETTLED) for cell in found),
        "kept_back": sum(cell.hidden for cell in found),
    }


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("hide_model", [False, True])
def test_counts_are_those_of_the_cells_as_the_reader_sees_them(records, blind, hide_model):
    case = make_case(records, blind=blind, hide_model=hide_model)
    make_case(records, "another", (0.5,), first=20)
    verdicts.give(records, case.id, [1, 2, 4], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [2, 3], NORMAL_LIKE, reader="Ben")
    verdicts.give(records, case.id, [5], REJECTED, reader="Ben", reason="no picture")
    verdicts.undo(records, case.id, reader="Ben")
    for reader in (" Ada ", "Ben", "Cleo", "", None):
        expected = counted(cells.cells(records, case.id, reader=reader), case)
        one = worklist.overview(records, case.id, reader=reader)
        assert {name: getattr(one, name) for name in expected} == expected, reader
        assert one in worklist.worklist(records, reader=reader)


def test_a_cell_of_a_field_unlike_the_training_cells_is_not_comparable_as_in_the_summary(records):
    case = make_case_of_field(records, (0.9, None, None, None, None))
    with database.writing(records) as connection:
        connection.execute(CELLS.update().where(CELLS.c.number == 4).values(distance=None))
        connection.execute(PLACES.update().where(PLACES.c.number == 5).values(edge=True))
    one = worklist.overview(records, case.id, reader="Ada")
    assert one.decisions == summary.summarise(cells.cells(records, case.id)).decisions
    assert (one.decisions[NOT_COMPARABLE], one.decisions[UNCLASSIFIED]) == (2, 2)
    assert one.uncertainty == 0.8


def test_what_a_case_keeps_back_moves_neither_its_state_nor_its_place_in_the_list(records):
    sure = make_case(records, "sure", (0.9, 0.1), hide_model=True, blind=True)
    unsure = make_case(records, "unsure", (0.5, 0.6), first=10, hide_model=True, blind=True)
    verdicts.give(records, unsure.id, [1], ALL_LIKE, reader="Ben")
    verdicts.give(records, unsure.id, [1], NORMAL_LIKE, reader="Cleo")
    verdicts.give(records, sure.id, [1], NORMAL_LIKE, reader="Cleo")
    asked = {"order": worklist.MOST_UNCERTAIN, "reader": "Ada"}
    assert [one.case.id for one in worklist.worklist(records, **asked)] == [sure.id, unsure.id]
    for one in worklist.worklist(records, reader="Ada"):
        assert (one.state, one.unread, one.disputed, one.uncertainty) == (worklist.TO_REVIEW, 2, 0, 0)
    assert worklist.worklist(records, states=[worklist.IN_DISPUTE], reader="Ada") == []
    verdicts.give(records, unsure.id, [1, 2], ALL_LIKE, reader="Ada")
    (mine,) = worklist.worklist(records, states=[worklist.IN_DISPUTE], reader="Ada")
    assert (mine.case.id, mine.uncertainty, mine.kept_back) == (unsure.id, 1, 0)


def test_where_the_answer_is_hidden_every_cell_needs_a_verdict_before_signing(records):
    case = make_case(records, probabilities=(0.9, 0.5, 0.1), hide_model=True)
    seen = cells.cells(records, case.id, reader="Ada")
    assert [cell.needs_verdict for cell in seen] == [True] * 3, "none is told from the others"
    verdicts.give(records, case.id, [2], ALL_LIKE, reader="Ada")
    with pytest.raises(RecordsError, match=r"need a verdict first: 2 without a verdict \(cells 1, 3\)\."):
        signing.sign(records, case.id, who="Ada", meaning="x")
    verdicts.give(records, case.id, [1, 3], NORMAL_LIKE, reader="Ben")
    signing.sign(records, case.id, who="Ada", meaning="x")
    one = worklist.overview(records, case.id, reader="nobody")
    assert (one.state, one.kept_back, sum(one.decisions.values())) == (worklist.SIGNED, 0, 3)


def test_a_case_of_many_cells_is_counted_in_proportion_to_them(tmp_path):
    case = make_case(tmp_path, probabilities=(0.9,), hide_model=True)
    steps = {count: _steps(tmp_path, case.id, count) for count in (200, 800)}
    assert steps[800] < 8 * steps[200], "four times the cells take four times the work, not sixteen times"


def _steps(data, case_id, count):
    """What SQLite does, in thousands of its instructions, where the reader has read so many cells."""
    with database.writing(data) as connection:
        wanted = sa.select(CELLS).where(CELLS.c.case_id == case_id)
        cell, *others = connection.execute(wanted.order_by(CELLS.c.number)).mappings().all()
        numbers = range(len(others) + 2, count + 1)
        rows = [dict(cell) | {"number": number, "image_id": f"{number}"} for number in numbers]
        connection.execute(CELLS.insert(), rows)
    verdicts.give(data, case_id, range(1, count + 1), ALL_LIKE, reader="Ada")
    done = []
    raw = database.engine(data).raw_connection()
    raw.driver_connection.set_progress_handler(lambda: done.append(1), 1_000)
    raw.close()
    assert worklist.overview(data, case_id, reader="Ada").with_verdict == count
    raw = database.engine(data).raw_connection()
    raw.driver_connection.set_progress_handler(None, 0)
    raw.close()
    assert done
    return len(done)
