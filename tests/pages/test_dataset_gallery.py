"""The gallery without a browser: filtered, sorted, its pages turned, opened from an address."""

import pytest

from leukemia.dataset.catalog.sql import SORTS
from pages.sections.dataset import address, grid
from tests.support import gallery_page
from tests.support.app import press, said, widget
from tests.support.gallery_page import THRESHOLD, cards, matching

cells, own_bundle = gallery_page.cells, gallery_page.own_bundle
predictions, visit = gallery_page.predictions, gallery_page.visit


def test_filters_combine_and_live_in_the_address(visit, cells, predictions):
    page = visit(section="gallery")
    assert matching(page)[0] == len(cells)
    widget(page.multiselect, "Class").set_value(["ALL"]).run()
    widget(page.multiselect, "Subset").set_value(["test"]).run()
    widget(page.multiselect, "Right or wrong").set_value(["wrong"]).run()
    answers = cells.merge(predictions[["image_id", "probability"]], on="image_id")
    wanted = answers[(answers["label"] == "ALL") & (answers["probability"] < THRESHOLD)]
    assert matching(page)[:4] == [len(wanted), len(cells), len(wanted), 0]
    assert {card["title"] for card in cards(page)} == set(wanted["path"])
    assert dict(page.query_params) == {
        "section": ["gallery"],
        "class": ["ALL"],
        "split": ["test"],
        "outcome": ["wrong"],
    } or dict(page.query_params) == {
        "section": "gallery",
        "class": "ALL",
        "split": "test",
        "outcome": "wrong",
    }
    press(page, "Clear filters")
    assert matching(page)[0] == len(cells)
    assert "class" not in page.query_params


def test_ranges_live_in_the_address_too(visit, cells):
    page = visit(section="gallery")
    slider = widget(page.slider, "Cell size (frame pixels)")
    slider.set_value((25_000, slider.max)).run()
    wanted = cells[cells["cell_area"] >= 25_000]
    assert 0 < matching(page)[0] == len(wanted) < len(cells)
    assert str(page.query_params["size"]).strip("[]'").startswith("25000-")
    slider = widget(page.slider, "Cell size (frame pixels)")
    slider.set_value((slider.min, slider.max)).run()
    assert "size" not in page.query_params


def test_an_address_opens_with_its_filters_in_the_widgets(visit, cells):
    page = visit(section="gallery", patient=["20", "21"], size="10000-60000", sort="largest")
    assert widget(page.multiselect, "Patient").value == ["20", "21"]
    assert widget(page.slider, "Cell size (frame pixels)").value[0] >= 10_000
    assert widget(page.selectbox, "Sorted by").value == "largest"
    wanted = cells[cells["patient"].isin(["20", "21"]) & cells["cell_area"].between(10_000, 60_000)]
    shown = [card["title"] for card in cards(page)]
    assert shown == list(wanted.sort_values("cell_area", ascending=False, kind="stable")["path"])


@pytest.mark.parametrize(
    "query",
    [
        {"patient": "<b>nobody</b>"},
        {"class": "AML"},
        {"size": "1-2"},
        {"page": "999999999"},
        {"page": "-3"},
        {"sort": "nonsense"},
        {"probability": "2-9"},
        {"size": "abc"},
        {"section": "nowhere"},
    ],
)
def test_a_made_up_address_is_no_error(visit, query):
    page = visit(**({"section": "gallery"} | query))
    assert not page.error
    assert not [text for text in said(page).split("\n") if "went wrong" in text]


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_can_be_chosen(visit, sort):
    page = visit(section="gallery")
    widget(page.selectbox, "Sorted by").set_value(sort).run()
    assert not page.error
    assert len(cards(page)) == grid.PAGE_SIZE


def test_pages_turn_and_a_filter_begins_at_the_first(visit, cells):
    page = visit(section="gallery")
    first = [card["title"] for card in cards(page)]
    page.get("pagination")[0].set_value(2).run()
    assert str(page.query_params["page"]).strip("[]'") == "2"
    second = [card["title"] for card in cards(page)]
    assert first + second == list(cells["path"])[: 2 * grid.PAGE_SIZE]
    widget(page.multiselect, "Class").set_value(["ALL"]).run()
    assert "page" not in page.query_params


def test_what_was_selected_on_the_map_narrows_the_gallery(visit, cells):
    page = visit(section="gallery")
    selected = list(cells["image_id"].drop_duplicates()[3:8])
    page.session_state[address.SELECTED_ON_MAP] = selected
    page.query_params["selection"] = "map"
    page.run()
    assert {card["id"] for card in cards(page)} == set(selected)
    press(page, "5 cells selected on the map")
    assert matching(page)[0] == len(cells)
    assert "selection" not in page.query_params
    assert address.SELECTED_ON_MAP not in page.session_state


def test_a_selection_of_another_visit_is_told(visit, cells):
    page = visit(section="gallery", selection="map")
    assert "made in another session" in page.warning[0].value
    assert matching(page)[0] == len(cells)


def test_images_named_in_the_address_have_a_chip(visit, cells):
    page = visit(section="gallery", image=list(cells["image_id"].drop_duplicates()[:2]))
    assert matching(page)[0] == cells["image_id"].isin(cells["image_id"].drop_duplicates()[:2]).sum()
    press(page, "2 cells from the link")
    assert matching(page)[0] == len(cells)
