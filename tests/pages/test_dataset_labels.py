"""Labels doubted, corrected and put back in the page, without a browser."""

import json

import pytest

from leukemia.dataset import label_log, manifest
from leukemia.dataset.label_log import DOUBTED
from pages.sections.dataset import address
from tests.support.app import labels, press, said

BY = {"who": "Dr. Ada", "reason": "Chromatin of a blast"}


@pytest.fixture
def normal(dataset):
    cells = manifest.read(dataset)
    return cells.loc[cells["label"] == "Normal", "image_id"].iloc[0]


def correct(page, new="ALL", who=BY["who"], reason=BY["reason"]):
    (radio,) = page.radio
    radio.set_value(new)
    page.text_input(key="label-who").set_value(who)
    page.text_input(key="label-reason").set_value(reason)
    return press(page, "Save")


def test_a_label_is_corrected_in_the_cells_pane_and_undone(open_dataset, dataset, normal):
    page = open_dataset("gallery", cell=normal)
    assert "Label: Normal (original)" in labels(page)
    correct(page)
    assert not page.exception
    assert "Saved: ALL." in said(page)
    assert "Label: ALL (originally Normal)" in labels(page)
    assert f"**{BY['who']}**: Changed, Normal → ALL. {BY['reason']}" in said(page)
    assert label_log.current(dataset)[normal].new == "ALL"
    # The name is kept for the next one, the reason is not.
    assert page.text_input(key="undo-who").value == BY["who"]
    assert page.text_input(key="undo-reason").value == ""
    page.text_input(key="undo-reason").set_value("A mistake")
    press(page, "Undo")
    assert "Undone" in said(page)
    assert label_log.current(dataset) == {}
    assert len(label_log.history(dataset, normal)) == 2


def test_a_doubt_is_one_choice_and_the_label_that_counts_is_none(open_dataset, dataset, normal):
    page = open_dataset("gallery", cell=normal)
    (radio,) = page.radio
    assert radio.options == ["Doubted: leave it out of training", "Corrected: the cell is ALL"]
    correct(page, DOUBTED)
    assert label_log.current(dataset)[normal].new == DOUBTED
    assert "Label: doubted (originally Normal)" in labels(page)
    assert page.radio[0].options[1] == "Confirmed: the cell is Normal (original)"


def test_without_a_name_or_a_reason_nothing_is_kept(open_dataset, dataset, normal):
    page = open_dataset("gallery", cell=normal)
    correct(page, who=" ")
    assert "Please give your name" in page.error[0].value
    correct(page, reason="")
    assert "and a reason" in page.error[0].value
    assert label_log.history(dataset) == []


def test_names_and_reasons_are_shown_as_they_were_typed(open_dataset, dataset, normal):
    label_log.correct(dataset, normal, "ALL", who="<b>*Eve*</b>", reason="=1+1 $x$ :cat:")
    page = open_dataset("gallery", cell=normal)
    line = next(m.value for m in page.markdown if "Eve" in m.value)
    assert r"\<b\>\*Eve\*" in line
    log = open_dataset("corrections")
    table = log.dataframe[0].value
    assert table["Who"].tolist() == ["<b>*Eve*</b>"]
    assert table["Reason"].tolist() == ["'=1+1 $x$ :cat:"]


def test_the_log_tells_all_that_was_changed(open_dataset, dataset, normal):
    assert "No label has been corrected" in said(open_dataset("corrections"))
    first = label_log.correct(dataset, normal, "ALL", **BY)
    label_log.undo(dataset, first.number, who="Dr. Bo", reason="A mistake")
    other = manifest.read(dataset).query("label == 'ALL'")["image_id"].iloc[0]
    label_log.correct(dataset, other, DOUBTED, **BY)
    page = open_dataset("corrections")
    assert "**0 labels are corrected and 1 doubted**, after 3 changes" in said(page)
    table = page.dataframe[0].value
    assert table["No."].tolist() == [3, 2, 1]
    assert table["Undoes"].tolist() == ["", "No. 1", ""]
    (grid,) = [g for g in page.get("bidi_component") if g.proto.id.endswith("labels-grid")]
    assert [card["id"] for card in json.loads(grid.proto.json)["cards"]] == [other]


def test_an_unlabelled_cell_has_no_label_to_correct(open_dataset, dataset):
    cells = manifest.read(dataset)
    bare = cells.loc[cells["label"] == "", "image_id"].iloc[0]
    page = open_dataset("gallery", **{address.CELL: bare})
    assert not page.radio
