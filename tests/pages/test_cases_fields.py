"""The fields of a case on its page."""

import json

import pytest

from leukemia.cases import cells, corrections, fields, verdicts
from leukemia.cases.case import create
from leukemia.cases.tables import CELLS
from leukemia.cases.verdicts import REJECTED
from leukemia.inference.answer import Answer
from leukemia.inference.batch import Result
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.segmentation import segment as segmenting
from leukemia.storage import database
from pages.components import field_view, identity, model_in_service, stain_choice
from pages.sections.cases import cards, opened_cell, reject
from tests.support.app import dashboard, go, said, widget
from tests.support.case_factory import POINT, bundle_at, make_case
from tests.support.field_factory import field, make_case_of_field
from tests.support.fields import ColourNetwork, encode_field


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def visit(data, tiny_bundle, monkeypatch):
    def start(bundle=tiny_bundle, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        model_in_service.refresh()
        page = dashboard()
        page.session_state[identity.NAME] = "Ada"
        return go(page, "cases", **{word: str(value) for word, value in query.items()})

    return start


def unlike(data, *numbers):
    """Have cells that were not answered for being unlike the training cells."""
    with database.writing(data) as connection:
        connection.execute(CELLS.update().where(CELLS.c.number.in_(numbers)).values(distance=9.0))


def outlines(page):
    (one,) = [one for one in page.get("bidi_component") if "leukemia.field" in one.proto.component_name]
    return json.loads(one.proto.json)["cells"]


def test_a_field_is_shown_with_the_decisions_on_its_cells(visit, data):
    case = make_case_of_field(data, (0.9, 0.5, 0.1, None), keep_names=True)
    page = visit(case=case.id, section="fields")
    assert [one["label"] for one in outlines(page)] == ["▲ 1", "◆ 2", "● 3", "✕ 4"]
    assert len({one["dashes"] for one in outlines(page)}) == 4
    counted = "1 ALL-like · 1 indeterminate · 1 Normal-like · 1 not comparable"
    assert f"**smear.jpg** · 4 white cells: {counted}" in said(page)


def test_an_answer_that_is_hidden_from_its_reader_is_no_outline_either(visit, data):
    case = make_case_of_field(data, (0.9, 0.1), hide_model=True)
    page = visit(case=case.id, section="fields")
    assert {one["kind"] for one in outlines(page)} == {"hidden"}
    assert ALL_LIKE not in said(page).partition("Click an outline")[0].partition("white cells")[2]
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    page = visit(case=case.id, section="fields")
    assert [one["kind"] for one in outlines(page)] == ["all", "hidden"]
    assert field_view.HIDDEN.lower() in said(page).lower()


def test_a_click_on_an_outline_opens_the_cell_of_the_case(visit, data):
    case = make_case_of_field(data, (0.9, 0.1), keep_names=True)
    page = visit(case=case.id, section="fields")
    page.session_state[f"open-cell-{case.id}"] = int(outlines(page)[1]["key"])
    page.run()
    assert not page.exception
    assert opened_cell.HIDDEN not in said(page)
    assert "smear.jpg, cell 2" in said(page) or "Cell 2" in said(page)


def test_a_case_without_fields_has_no_such_section(visit, data):
    case = make_case(data)
    page = visit(case=case.id)
    assert "fields" not in page.segmented_control[0].options
    assert "Fields" not in page.segmented_control[0].options


def test_a_field_that_is_dropped_into_a_case_gives_its_cells_to_it(visit, data, monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)
    case = create(data, "P-1", who="Ada", keep_names=True)
    page = visit(case=case.id)
    dropped = [
        ("a.png", encode_field(white=((200, 200, 60), (450, 300, 66))), "image/png"),
        ("b.png", encode_field(white=()), "image/png"),
        ("c.png", b"nothing", "image/png"),
    ]
    page.file_uploader[0].set_value(dropped).run()
    assert not page.exception
    assert "3 added; 2 fields kept" in said(page)
    assert "1 file could not be read: c.png. It has no picture" in said(page)
    found = cells.cells(data, case.id)
    assert [(cell.name, cell.field) for cell in found] == [
        ("a.png, cell 1", 1),
        ("a.png, cell 2", 1),
        ("c.png", 0),
    ]
    assert "Not a readable image" in found[2].error
    assert [one.name for one in fields.fields(data, case.id)] == ["a.png", "b.png"]
    page = visit(case=case.id, section="fields")
    assert "**2 fields** · 2 white cells" in said(page)
    assert widget(page.selectbox, "Field (2 in all)").options[1] == "2. b.png: no white cell found"


def test_a_field_that_the_case_holds_is_told_as_there_where_none_of_its_cells_is(visit, data, monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)
    case = create(data, "P-1", who="Ada")
    emptied = ("a.png", encode_field(white=((200, 200, 60),)), "image/png")
    without, whole = (
        (name, encode_field(white=white), "image/png")
        for name, white in (("b.png", ()), ("c.png", ((450, 300, 66),)))
    )
    visit(case=case.id).file_uploader[0].set_value([emptied, without, whole]).run()
    corrections.remove(data, case.id, 1, who="Ada")
    there = "in this case already, not added again"
    for dropped, says in (
        ([emptied], f"1 field {there}."),
        ([emptied, without], f"2 fields {there}."),
        ([without, without], f"2 fields {there}."),
        ([emptied, whole], f"1 cell and 2 fields {there}."),
    ):
        page = visit(case=case.id)
        page.file_uploader[0].set_value(dropped).run()
        assert not page.exception
        assert says in [one.value for one in page.caption], says
        assert "could not be read" not in said(page)
    assert len(fields.fields(data, case.id)) == 3


def test_a_field_without_a_cell_is_shown_though_the_case_has_none(visit, data):
    case = create(data, "P-1", who="Ada", keep_names=True)
    result = Result("A", Answer("smear.jpg", error="No white cell was found."))
    bundle = bundle_at(data / "bundle")
    cells.add(data, case.id, [result], bundle, POINT, who="Ada", fields={"A": field()})
    page = visit(case=case.id, section="fields")
    assert "**smear.jpg** · no white cell found" in said(page)
    assert page.segmented_control[0].options == ["Fields", "History"]


def test_all_that_are_not_comparable_are_rejected_at_once_with_a_reason(visit, data):
    case = make_case_of_field(data, (0.9, None, None))
    unlike(data, 2, 3)
    page = visit(case=case.id, section="report")
    assert "2 not comparable (cells 2, 3)" in said(page)
    widget(page.text_input, "Reason").set_value("Another stain")
    widget(page.button, "Reject them").click().run()
    assert not page.exception
    found = cells.cells(data, case.id)
    assert [one.verdict for one in found] == ["", REJECTED, REJECTED]
    assert {reading.reason for one in found for reading in one.readings} == {"Another stain"}
    assert "Sign the case" in said(page)
    verdicts.undo(data, case.id, reader="Ada")
    assert [one.verdict for one in cells.cells(data, case.id)] == ["", "", ""], "at once, as they were given"


def test_a_verdict_given_since_the_page_was_laid_out_is_not_overwritten(visit, data):
    case = make_case_of_field(data, (None, None, None))
    unlike(data, 1, 2, 3)
    page = visit(case=case.id)
    # As in the grid, which is a part of its own.
    verdicts.give(data, case.id, [2], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [3], NORMAL_LIKE, reader="Ben")
    widget(page.button, "Reject them").click().run()
    assert [one.verdict for one in cells.cells(data, case.id)] == [REJECTED, ALL_LIKE, NORMAL_LIKE]
    assert "1 cell rejected." in said(page)

    other = make_case_of_field(data, (None,), "P-2")
    unlike(data, 1)
    page = visit(case=other.id)
    verdicts.give(data, other.id, [1], ALL_LIKE, reader="Ada")
    widget(page.button, "Reject them").click().run()
    assert reject.NONE_LEFT in said(page)


def test_a_rejection_of_all_needs_a_reason(visit, data):
    case = make_case_of_field(data, (None,))
    unlike(data, 1)
    page = visit(case=case.id)
    widget(page.text_input, "Reason").set_value("  ")
    widget(page.button, "Reject them").click().run()
    assert "Please say why" in said(page)
    assert cells.cells(data, case.id)[0].verdict == ""


def test_what_is_hidden_from_a_reader_is_not_offered_for_rejection(visit, data):
    case = make_case_of_field(data, (0.9, None), hide_model=True)
    unlike(data, 2)
    page = visit(case=case.id)
    assert "Reject all" not in said(page)
    assert not [one for one in page.button if one.label.startswith("Reject")]


def test_the_summary_and_the_cards_say_what_the_field_says(visit, data):
    case = make_case_of_field(data, (0.9, None))
    unlike(data, 2)
    page = visit(case=case.id, section="summary")
    (table,) = page.dataframe
    counts = table.value.set_index("Cells")["Model's answers"].to_dict()
    assert (counts["Not comparable"], counts["Not classified"]) == ("1", "0")
    page = visit(case=case.id, section="fields")
    assert "1 ALL-like · 1 not comparable" in said(page)
    assert cards.read(data, case.id, "Ada").by_number[2]["lines"][0] == ("Model: not comparable", "urgent")


def test_the_stain_of_fields_is_matched_as_they_are_added_where_that_is_chosen(
    visit, data, monkeypatch, stain_bundle
):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)
    case = create(data, "P-1", who="Ada", keep_names=True)
    page = visit(bundle=stain_bundle, case=case.id)
    widget(page.toggle, stain_choice.MATCH_NEW).set_value(True).run()
    field = encode_field(white=((200, 200, 60), (450, 300, 61)))
    page.file_uploader[0].set_value([("a.png", field, "image/png")]).run()
    assert not page.exception
    found = cells.cells(data, case.id)
    assert [(cell.probability is not None, cell.stain is not None) for cell in found] == [(True, True)] * 2
    assert all(cell.distance < cell.stain.limit < cell.stain.distance_before for cell in found)
    page = visit(bundle=stain_bundle, case=case.id, section="fields")
    assert "comparable: 0 → 2" in said(page) and "stain matched to the training cells" in said(page)


def test_a_reader_from_whom_answers_are_kept_back_is_not_told_what_matching_did(
    visit, data, monkeypatch, stain_bundle
):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)
    case = create(data, "P-1", who="Ada", hide_model=True)
    page = visit(bundle=stain_bundle, case=case.id)
    widget(page.toggle, stain_choice.MATCH_NEW).set_value(True).run()
    page.file_uploader[0].set_value([("a.png", encode_field(), "image/png")]).run()
    page = visit(bundle=stain_bundle, case=case.id, section="fields")
    assert "comparable" not in said(page)
