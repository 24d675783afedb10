"""Fields of a case corrected by hand: on record, undoable, by whoever may; nothing is deleted."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from leukemia.access import acting
from leukemia.access.users import Role, User
from leukemia.audit import trail, verify
from leukemia.cases import case as cases
from leukemia.cases import cells, corrections, fields, signing, verdicts, worklist
from leukemia.cases.tables import CELLS, FIELD_CHANGES
from leukemia.errors import AccessError, RecordsError
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.segmentation import kept
from leukemia.segmentation.scale import FieldScale
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support.case_factory import POINT, bundle_at
from tests.support.field_factory import cell_of, field, make_case_of_field


@pytest.fixture
def case(records):
    return make_case_of_field(records, (0.9, 0.1, None))


def put(data, case, first=40, position=4, who="Ada", replaces=None, probability=0.8):
    """A cell outlined by hand; ``first`` tells its pixels."""
    one = cell_of("hand", position, probability, first=first)
    place = replace(one.answer.place, confidence=None)
    one = replace(one, answer=replace(one.answer, place=place))
    bundle = bundle_at(data / "bundle")
    return corrections.put(data, case.id, 1, one, bundle, POINT, who=who, replaces=replaces)


def standing(data, case):
    return [cell.number for cell in cells.cells(data, case.id)]


def newest(data, case, count=1):
    return cases.history(data, case.id)[:count]


def test_a_cell_that_was_drawn_is_one_of_the_case(records, case):
    assert corrections.next_position(records, case.id, 1) == 4
    number = put(records, case)
    drawn = cells.cells(records, case.id)[-1]
    assert (drawn.number, drawn.field, drawn.place.number) == (number, 1, 4)
    assert drawn.place.confidence is None and drawn.decision == ALL_LIKE
    assert cells.picture(records, case.id, number).png
    answer, entry = newest(records, case, 2)
    assert (answer.event, answer.cell, answer.probability) == (trail.ANSWER, number, 0.8)
    assert (entry.event, entry.who, entry.cell, entry.old) == (trail.CELL_DRAWN, "Ada", number, "")
    assert entry.new == "field 1, box 40, 10, 50, 40"


def test_a_cell_that_is_removed_stays_on_record_and_counts_nowhere(records, case):
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    corrections.remove(records, case.id, 1, who="Ben")
    assert standing(records, case) == [2, 3]
    (gone,) = corrections.removed(records, case.id)
    assert (gone.number, gone.field, gone.position, gone.by) == (1, 1, 1, "Ben")
    (entry,) = newest(records, case)
    assert (entry.event, entry.who, entry.cell) == (trail.CELL_REMOVED, "Ben", 1)
    assert (entry.old, entry.new) == ("field 1, box 10, 10, 50, 40", "")
    assert gone.at == entry.at
    overview = worklist.overview(records, case.id)
    assert (overview.cells, overview.decisions[ALL_LIKE]) == (2, 0)
    assert cells.picture(records, case.id, 1).png, "its picture is not deleted"
    with pytest.raises(RecordsError, match="no cell 1"):
        verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    assert verify.verify(records).is_whole


def test_a_cell_that_is_outlined_anew_takes_the_place_of_the_old_one(records, case):
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    number = put(records, case, position=1, replaces=1)
    assert standing(records, case) == [2, 3, number]
    now = cells.cells(records, case.id)[-1]
    assert (now.place.number, now.status) == (1, "unread"), "a verdict was on the picture that was seen"
    entry = newest(records, case, 2)[1]
    assert (entry.event, entry.cell) == (trail.CELL_OUTLINED, number)
    assert entry.old == "cell 1, field 1, box 10, 10, 50, 40"
    assert entry.new == "field 1, box 10, 10, 50, 40"


def test_a_verdict_on_a_cell_that_was_removed_meanwhile_is_not_taken_back_with_the_others(records, case):
    verdicts.give(records, case.id, [1, 2], ALL_LIKE, reader="Ada")
    corrections.remove(records, case.id, 2, who="Ada")
    assert [cell.number for cell in verdicts.undo(records, case.id, reader="Ada")] == [1]
    corrections.undo(records, case.id, 1, who="Ada")

    def of_cell_2():
        cell = cells.cells(records, case.id)[1]
        return cell.status, cell.verdict, [one.verdict for one in cell.readings]

    assert of_cell_2() == ("read", ALL_LIKE, [ALL_LIKE])
    verdicts.give(records, case.id, [2], NORMAL_LIKE, reader="Ada")
    verdicts.undo(records, case.id, reader="Ada")
    assert of_cell_2() == ("read", ALL_LIKE, [ALL_LIKE])
    # What is left of the act is taken back by itself.
    assert [cell.number for cell in verdicts.undo(records, case.id, reader="Ada")] == [2]
    assert of_cell_2() == ("unread", "", [])
    assert verdicts.undo(records, case.id, reader="Ada") == []


def test_each_change_can_be_taken_back_by_whoever_made_it(records, case):
    drawn = put(records, case)
    corrections.remove(records, case.id, 2, who="Ada")
    anew = put(records, case, first=60, position=1, replaces=1)
    assert standing(records, case) == [3, drawn, anew]
    assert not corrections.can_undo(records, case.id, 1, "Ben")
    with pytest.raises(RecordsError, match="nothing of yours"):
        corrections.undo(records, case.id, 1, who="Ben")
    corrections.undo(records, case.id, 1, who="Ada")
    assert standing(records, case) == [1, 3, drawn]
    (entry,) = newest(records, case)
    assert (entry.event, entry.who, entry.cell) == (trail.CHANGE_UNDONE, "Ada", 1)
    assert entry.old.startswith(f"cell {anew}, ") and entry.new.startswith("cell 1, ")
    corrections.undo(records, case.id, 1, who="Ada")
    assert standing(records, case) == [1, 2, 3, drawn]
    corrections.undo(records, case.id, 1, who="Ada")
    assert standing(records, case) == [1, 2, 3]
    assert not corrections.can_undo(records, case.id, 1, "Ada")


def test_verdicts_on_a_cell_that_comes_back_count_again(records, case):
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    corrections.remove(records, case.id, 1, who="Ada")
    corrections.undo(records, case.id, 1, who="Ada")
    assert cells.cells(records, case.id)[0].verdict == ALL_LIKE


def test_taking_back_a_verdict_leaves_those_on_removed_cells(records, case):
    verdicts.give(records, case.id, [2], NORMAL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    corrections.remove(records, case.id, 1, who="Ada")
    assert [cell.number for cell in verdicts.undo(records, case.id, reader="Ada")] == [2]


def test_what_somebody_else_changed_meanwhile_is_not_changed_again(records, case):
    drawn = put(records, case)
    corrections.remove(records, case.id, drawn, who="Ben")
    for change in (
        lambda: corrections.undo(records, case.id, 1, who="Ada"),
        lambda: corrections.remove(records, case.id, drawn, who="Ada"),
        lambda: put(records, case, first=70, position=4, replaces=drawn),
    ):
        with pytest.raises(RecordsError, match="Ben has removed or changed it"):
            change()
    assert standing(records, case) == [1, 2, 3]


def test_the_same_cell_is_not_drawn_twice_but_again_after_it_was_removed(records, case):
    with pytest.raises(RecordsError, match="Cell 1 of this case is outlined just so already"):
        put(records, case, first=-2)
    corrections.remove(records, case.id, 1, who="Ada")
    again = put(records, case, first=-2)
    assert standing(records, case) == [2, 3, again]


def test_a_cell_does_not_come_back_beside_its_like(records, case):
    corrections.remove(records, case.id, 1, who="Ada")
    again = put(records, case, first=-2, who="Ben")
    with pytest.raises(RecordsError, match=f"Cell {again} of this case"):
        corrections.undo(records, case.id, 1, who="Ada")
    assert standing(records, case) == [2, 3, again]


def test_in_a_signed_case_nothing_is_changed(records, case):
    drawn = put(records, case)
    verdicts.give(records, case.id, [3], verdicts.REJECTED, reader="Ada", reason="blurred")
    signing.sign(records, case.id, who="Ada", meaning="Reviewed.")
    before = cases.history(records, case.id)
    for change in (
        lambda: corrections.remove(records, case.id, drawn, who="Ada"),
        lambda: corrections.undo(records, case.id, 1, who="Ada"),
        lambda: put(records, case, first=70),
    ):
        with pytest.raises(RecordsError, match="was signed by Ada"):
            change()
    assert cases.history(records, case.id) == before


def test_what_was_signed_counts_the_cells_that_stand(records, case):
    corrections.remove(records, case.id, 3, who="Ada")
    signing.sign(records, case.id, who="Ada", meaning="Reviewed.")
    (entry,) = newest(records, case)
    assert json.loads(entry.details) == {"cells": 2, "final": {ALL_LIKE: 1, NORMAL_LIKE: 1}}


def test_changes_only_grow(records, case):
    put(records, case)
    with pytest.raises(RecordsError), database.writing(records) as connection:
        connection.execute(FIELD_CHANGES.update().values(who="Ben"))
    with pytest.raises(RecordsError), database.writing(records) as connection:
        connection.execute(FIELD_CHANGES.delete())


def test_who_may_not_read_cases_corrects_none(records, case):
    viewer = User.of("Vi", "vi", [Role.VIEWER])
    with acting.acting_as(viewer):
        for change in (
            lambda: corrections.remove(records, case.id, 1, who="Ada"),
            lambda: corrections.undo(records, case.id, 1, who="Ada"),
            lambda: put(records, case),
        ):
            with pytest.raises(AccessError, match="correct a case's fields"):
                change()
    assert standing(records, case) == [1, 2, 3]


def test_nothing_is_changed_without_a_name(records, case):
    with pytest.raises(RecordsError):
        corrections.remove(records, case.id, 1, who="  ")
    assert standing(records, case) == [1, 2, 3]


def test_a_case_keeps_all_pixels_of_its_fields(records, tmp_path):
    waiting = tmp_path / "waiting.png"
    waiting.write_bytes(b"pixels")
    case = cases.create(records, "P-9", who="Ada")
    scale = FieldScale(0.1, "as stated")
    given = {"A": field(file=waiting, scale=scale, lossy=True)}
    bundle = bundle_at(records / "bundle")
    cells.add(records, case.id, [cell_of("A", 1)], bundle, POINT, who="Ada", fields=given)
    (one,) = fields.fields(records, case.id)
    assert one.file == Workspace(records).fields / kept.name("f" * 64)
    assert (one.file.read_bytes(), one.scale, one.lossy) == (b"pixels", scale, True)
    assert fields.size([one]) == len(b"pixels")
    assert waiting.exists(), "it is the session's to remove"


def test_beyond_the_limit_of_a_case_only_the_small_picture_stays(records, tmp_path, monkeypatch):
    monkeypatch.setattr(fields, "MOST", 3)
    waiting = tmp_path / "waiting.png"
    waiting.write_bytes(b"pixels")
    case = cases.create(records, "P-9", who="Ada")
    bundle = bundle_at(records / "bundle")
    given = {"A": field(file=waiting)}
    cells.add(records, case.id, [cell_of("A", 1)], bundle, POINT, who="Ada", fields=given)
    (one,) = fields.fields(records, case.id)
    assert one.file is None and fields.picture(records, case.id, 1)


def test_fields_from_before_have_neither_scale_nor_pixels(records):
    case = make_case_of_field(records)
    (one,) = fields.fields(records, case.id)
    assert (one.scale, one.lossy, one.file) == (None, False, None)


def test_cells_that_are_not_comparable_are_called_so(records):
    case = make_case_of_field(records, (0.9, None))
    with database.writing(records) as connection:
        connection.execute(CELLS.update().where(CELLS.c.number == 2).values(distance=sa.literal(9.0)))
    found = cells.cells(records, case.id)
    assert [cell.called for cell in found] == [ALL_LIKE, NOT_COMPARABLE]
    missing = signing.missing(found, case)
    assert (missing.not_comparable, missing.set_apart) == ((2,), ())
    assert "1 not comparable (cell 2)" in str(missing)
