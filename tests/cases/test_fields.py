"""Fields of a case: kept small, with the place of each cell; on record; each once."""

from dataclasses import replace

import pytest

from leukemia.audit import trail
from leukemia.cases import case as cases
from leukemia.cases import cells, corrections, fields
from leukemia.errors import RecordsError
from leukemia.imaging.stain import Stain, StainMatch
from leukemia.inference.answer import Answer
from leukemia.inference.batch import Result
from leukemia.reports import case_tables
from tests.support.case_factory import POINT, bundle_at, result
from tests.support.field_factory import RING, cell_of, field, make_case_of_field


@pytest.fixture
def add(records):
    def added(case, results, **given):
        bundle = bundle_at(records / "bundle")
        return cells.add(records, case.id, results, bundle, POINT, who="Ada", fields=given)

    return added


def test_a_cell_of_a_field_keeps_its_place_and_the_field_its_picture(records):
    case = make_case_of_field(records, keep_names=True)
    (one,) = fields.fields(records, case.id)
    assert (one.number, one.name, one.width, one.height) == (1, "smear.jpg", 640, 480)
    assert fields.picture(records, case.id, 1) == field().picture
    found = cells.cells(records, case.id)
    assert [(cell.field, cell.place.number) for cell in found] == [(1, 1), (1, 2), (1, 3)]
    place = found[1].place
    assert (place.x, place.y, place.width, place.height, place.edge) == (20.0, 10.0, 50.0, 40.0, False)
    assert place.ring == RING


def test_names_of_fields_are_kept_only_where_the_case_keeps_names(records):
    case = make_case_of_field(records, keep_names=False)
    assert [one.name for one in fields.fields(records, case.id)] == ["field 1"]
    assert cells.cells(records, case.id)[0].place.field == "field 1"


def test_a_picture_of_its_own_has_no_place(records, add):
    case = cases.create(records, "P-1", who="Ada")
    add(case, [result(1)])
    (cell,) = cells.cells(records, case.id)
    assert (cell.field, cell.place) == (0, None)
    assert fields.fields(records, case.id) == []
    with pytest.raises(RecordsError, match="no field 1"):
        fields.picture(records, case.id, 1)


def test_a_field_that_the_case_holds_is_not_added_again_nor_any_cell_of_it(records, add):
    case = make_case_of_field(records)
    again = add(case, [cell_of("B", 1), cell_of("B", 2, first=50)], B=field("copy.jpg"))
    assert (again.new, again.already, again.fields, again.fields_already) == ((), (1,), (), (1,))
    assert len(fields.fields(records, case.id)) == 1
    other = add(case, [cell_of("C", 1, first=90)], C=field(image_id="e" * 64))
    assert (other.new, other.fields) == ((4,), (2,))
    assert cells.cells(records, case.id)[3].field == 2


def test_a_cell_that_was_removed_by_hand_is_not_told_as_there(records, add):
    case = make_case_of_field(records)
    corrections.remove(records, case.id, 1, who="Ada")
    again = add(case, [cell_of("B", 1), cell_of("B", 2)], B=field())
    assert (again.new, again.already, again.fields_already) == ((), (2,), (1,))


def test_a_field_without_a_white_cell_is_kept_and_is_no_cell(records, add):
    case = cases.create(records, "P-1", who="Ada")
    added = add(case, [Result("A", Answer("smear.jpg", error="No white cell was found."))], A=field())
    assert (added.new, added.fields) == ((), (1,))
    assert cells.cells(records, case.id) == []


def test_a_field_that_comes_twice_at_once_is_there_already_the_second_time(records, add):
    case = cases.create(records, "P-1", who="Ada")
    found = [Result(key, Answer("smear.jpg", error="No white cell was found.")) for key in "AB"]
    added = add(case, found, A=field(), B=field("copy.jpg"))
    assert (added.new, added.fields, added.fields_already) == ((), (1,), (1,))


def test_a_field_whose_cells_are_not_added_yet_is_left_out(records, add):
    case = cases.create(records, "P-1", who="Ada")
    add(case, [result(1)], A=field())
    assert fields.fields(records, case.id) == []


def test_a_field_is_on_the_trail_before_its_cells(records):
    case = make_case_of_field(records)
    entries = sorted(cases.history(records, case.id), key=lambda one: one.number)
    assert [one.event for one in entries[1:]] == [trail.FIELD, *[trail.ANSWER] * 3]
    assert entries[1].new == "field 1, white cells: 3"
    assert (entries[1].who, entries[1].image_id) == ("Ada", "f" * 64)


def test_nothing_is_kept_where_the_case_cannot_be_written(records, add, monkeypatch):
    case = cases.create(records, "P-1", who="Ada")

    def fail(*_):
        raise RecordsError("The disk is full.")

    monkeypatch.setattr(trail, "append", fail)
    with pytest.raises(RecordsError, match="full"):
        add(case, [cell_of("A", 1)], A=field())
    assert fields.fields(records, case.id) == []
    assert cells.cells(records, case.id) == []


def test_hostile_names_are_text(records, add):
    case = cases.create(records, "P-1", who="Ada", keep_names=True)
    add(case, [cell_of("A", 1)], A=replace(field(), name="=1+1\x00<b>"))
    (one,) = fields.fields(records, case.id)
    assert "\x00" not in one.name
    row = case_tables.to_csv(case_tables.cells([(case, cells.cells(records, case.id))], {})).splitlines()[1]
    assert ",=1+1" not in row


def test_the_table_of_a_case_has_field_and_box(records, add):
    case = make_case_of_field(records, keep_names=True)
    add(case, [result(40)])
    table = case_tables.cells([(case, cells.cells(records, case.id))], {})
    assert list(table["field"]) == ["smear.jpg"] * 3 + [""]
    assert list(table["x"])[:3] == [10.0, 20.0, 30.0]
    assert table[["x", "y", "width", "height"]].iloc[3].isna().all()


def test_a_cell_whose_stain_was_matched_keeps_how_and_both_distances(records, add):
    case = cases.create(records, "P-1", who="Ada")
    own, target = Stain((-1.2, -0.1, 0.01), (0.2, 0.04, 0.008), 2), Stain((-1, 0, 0), (1, 1, 1), 9)
    match = StainMatch(own, target, 3.5, 1.7)
    one, other = cell_of("A", 1), cell_of("A", 2)
    one = replace(one, answer=replace(one.answer, stain=match, distance=1.5))
    add(case, [one, other], A=field())
    first, second = cells.cells(records, case.id)
    assert (first.stain, second.stain) == (match, None)
    table = case_tables.cells([(case, [first, second])], {})
    assert list(table["stain_matched"]) == ["yes", "no"]
    assert table["distance"].iloc[0] == 1.5
    assert table["distance_unmatched"].iloc[0] == 3.5
