"""Cases beside the record: what is found, what counts, and what is left out."""

import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.cases import tables
from leukemia.monitoring import recent, reference, watch
from leukemia.monitoring.control import State
from leukemia.operating_point import OperatingPoint
from leukemia.reports import monitoring_wording as wording
from leukemia.storage import database
from tests.support.monitoring_factory import (
    POINT,
    add_cases,
    darker_and_larger,
    image_id,
    record,
    sign,
)


def test_cases_like_the_record_are_ok(add, reported):
    add(40)
    report = reported()
    assert report.state == State.OK
    assert set(report.lines) == set(watch.MEASURES)
    assert wording.to_measure(report) == ""
    assert wording.conclusion(report).found == (wording.ALL_RIGHT,)


def test_a_shifted_scanner_stops_and_says_what_to_do(add, reported):
    add(20)
    add(30, seed=2, change=darker_and_larger)
    report = reported()
    concluded = wording.conclusion(report)
    assert concluded.state == State.STOP
    stopped = {name for name, line in report.lines.items() if line.state == State.STOP}
    assert stopped == {"brightness", "cell_area"}
    assert "Cell area: higher than" in concluded.headline
    assert "Brightness of the mean colour: lower than" in concluded.headline
    assert any("lamp" in one for one in concluded.to_do)
    assert concluded.to_do[-1] == wording.READ_ALL


def test_another_mix_of_patients_is_watched_and_explained(add, reported):
    add(50, ill=0.0)
    report = reported()
    concluded = wording.conclusion(report)
    assert concluded.state == State.WATCH
    assert report.lines["probability"].state == State.WATCH
    assert not any(line.state == State.STOP for line in report.lines.values())


def test_a_mix_alone_is_not_blamed_on_the_microscope(add, reported):
    add(50, ill=0.0, change=lambda cells: cells.assign(cell_area=33_000.0))
    assert wording.conclusion(reported()).to_do == (wording.OTHER_PATIENTS,)


def test_too_few_cases_are_said_to_be(add, reported):
    add(9, change=darker_and_larger)
    concluded = wording.conclusion(reported())
    assert concluded.state == State.TOO_FEW
    assert concluded.found == ("9 cases so far; at least 10 are needed.",)


def test_files_that_could_not_be_read_are_no_cells_and_are_said_to_be_left_out(data, add, reported):
    add(3, cells=10)
    with database.writing(data) as connection:
        lost = tables.CELLS.c.number.in_([1, 2]) & (tables.CELLS.c.case_id == 1)
        unread = {"image_id": "", "probability": None}
        connection.execute(tables.CELLS.update().where(lost).values(unread))
    found = recent.cells(data)
    assert (found.unreadable, len(found.table)) == (2, 28)
    assert reported().lines["unclassified"].recent.value == 0
    assert wording.left_out(reported(), found) == "Not counted: 2 files that could not be read."


def test_cells_from_before_colours_were_kept_still_count_for_all_else(data, add, reported):
    add(15, coloured=False)
    report = reported()
    assert report.cases.without_colours == 15
    assert report.lines["brightness"].state == State.TOO_FEW
    assert report.lines["cell_area"].state == report.state == State.OK
    assert "the colours of 15 cases" in wording.left_out(report, recent.cells(data))


def test_a_case_that_hides_the_answer_counts_once_it_is_signed(data, add, reported):
    add(12)
    hidden = add(3, seed=2, hide_model=True)
    found = recent.cells(data)
    assert (found.hidden, found.table["case_id"].nunique()) == (3, 12)
    sign(data, hidden)
    found = recent.cells(data)
    assert (found.hidden, found.table["case_id"].nunique()) == (0, 15)
    assert reported().cases.numbers[-3:] == tuple(hidden)


def test_drawn_and_learned_cells_do_not_count(data, add, reported):
    add(12)
    with database.writing(data) as connection:
        drawn = tables.CELLS.update().where(tables.CELLS.c.case_id == 1)
        connection.execute(drawn, {"drawn": True})
    report = reported(learned={image_id("case", 1, 1, n) for n in range(5)})
    assert recent.cells(data).drawn == 20
    assert report.cases.numbers == tuple(range(2, 13))
    assert report.cases.learned == 5
    assert report.cases.patients["cell_area"]["cells"].tolist() == [15] + [20] * 10


def test_another_version_or_other_limits_begin_a_comparison_of_their_own(data, add, bundle, reported):
    add(20, change=darker_and_larger)
    add(12, seed=2, version=4, point=OperatingPoint(0.2, 0.7, 0.5))
    found = recent.cells(data)
    assert [(one.version, one.point.low) for one in found.models] == [(3, 0.3), (4, 0.2)]
    old, new = (watch.of_model(data, found, one, bundle) for one in found.models)
    assert (old.state, new.state) == (State.STOP, State.OK)
    assert len(new.cases.numbers) == 12


def test_without_the_record_nothing_is_compared(data, add):
    add(15)
    found = recent.cells(data)
    report = watch.of_model(data, found, found.models[0], None)
    concluded = wording.conclusion(report)
    assert (concluded.state, concluded.found) == (State.UNKNOWN, (wording.NO_RECORD,))
    assert report.lines["brightness"].recent.value > 0


def test_where_the_colours_of_the_record_are_unknown_the_rest_is_compared(tmp_path, data):
    bundle = record(tmp_path / "bundle", tmp_path / "elsewhere")
    add_cases(data, bundle, 15)
    found = recent.cells(data)
    report = watch.of_model(data, found, found.models[0], bundle)
    assert report.lines["hue"].state == State.UNKNOWN
    assert report.state == State.OK
    assert wording.to_measure(report) == wording.NO_COLOURS


def test_the_window_changes_what_is_described_and_not_the_state(add, reported):
    add(30)
    add(20, seed=2, change=darker_and_larger)
    short, long = reported(window=20), reported(window=100)
    assert short.states == long.states
    assert (short.described, long.described) == (20, 50)
    assert short.lines["brightness"].recent.value < long.lines["brightness"].recent.value


def test_cases_most_like_one_source_are_said_to_be(tmp_path, data):
    bundle = record(tmp_path / "bundle", data)
    known = reference.of(bundle, POINT, data)
    for source in ("east", "west"):
        now = {name: one.by_source[source] for name, one in known.baselines.items()}
        assert known.nearest_source(now) == source
    add_cases(data, bundle, 15)
    found = recent.cells(data)
    assert watch.of_model(data, found, found.models[0], bundle).source in ("east", "west")


def test_both_databases_give_the_same_cells(records, tmp_path):
    bundle = record(tmp_path / "bundle", tmp_path / "elsewhere")
    assert recent.stamp(records) == 0
    add_cases(records, bundle, 2, cells=3, version=None)
    found = recent.cells(records)
    assert len(found.table) == 6
    assert found.models[0].point == POINT
    assert found.models[0].version is None
    assert found.table["hue"].notna().all()
    first = recent.stamp(records)
    trail.record(records, trail.Entry(trail.VERDICT, "Ada"))
    assert recent.stamp(records) == first
    with database.reading(records) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.APPEARANCES)) == 6


def test_nothing_on_record_is_no_error(tmp_path):
    assert recent.stamp(tmp_path) == 0
    assert recent.cells(tmp_path).models == ()
    assert list(tmp_path.iterdir()) == []


def test_where_the_model_learned_from_every_cell_nothing_is_compared(add, reported, data):
    add(12)
    report = reported(learned=set(recent.cells(data).table["image_id"]))
    assert (report.lines, report.cases.numbers, report.cases.learned) == ({}, (), 240)
    assert wording.conclusion(report).state == State.TOO_FEW


def test_signed_cases_of_cells_that_the_model_learned_from_are_not_said_to_be_all_right(add, reported, data):
    numbers = add(12, ill=1.0)
    sign(data, numbers)
    assert reported().states[watch.MISSED] == State.OK
    report = reported(learned=set(recent.cells(data).table["image_id"]))
    assert wording.agreement(report.readers) == []
    concluded = wording.conclusion(report)
    assert concluded.headline == "Too few cases. 0 cases so far; at least 10 are needed."
