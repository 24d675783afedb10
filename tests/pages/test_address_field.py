"""Fields that follow the address, where it moves on while the browser still shows what was before."""

import pytest

from leukemia.cases import worklist
from pages.components import model_in_service
from tests.support.app import dashboard, go
from tests.support.case_factory import make_case


@pytest.fixture
def visit(looked_through, tmp_path, tiny_bundle, monkeypatch):
    def start(name, /, **query):
        data = looked_through if name == "dataset" else tmp_path / "data"
        if name == "cases":
            make_case(data)
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
        model_in_service.refresh()
        return go(dashboard(), name, **query)

    return start


def chosen(page):
    return page.segmented_control[0].value


@pytest.mark.parametrize(
    ("name", "kept", "word", "value"),
    [
        ("cases", {"case": "1"}, "section", "history"),
        ("cases", {}, "search", "P"),
        ("cases", {}, "state", worklist.TO_REVIEW),
        ("dataset", {}, "section", "checks"),
        ("dataset", {"section": "gallery"}, "class", "ALL"),
        ("dataset", {"section": "gallery"}, "size", "25000-40000"),
        ("dataset", {"section": "gallery"}, "sort", "patient"),
        ("dataset", {"section": "gallery"}, "page", "2"),
    ],
)
def test_a_part_that_ran_by_itself_before_back_was_drawn_does_not_lead_back_again(
    visit, name, kept, word, value
):
    page = visit(name, **kept, **{word: value})
    assert not page.exception
    before = page._tree.get_widget_states()
    del page.query_params[word]
    page.run()
    after = page._tree.get_widget_states()
    assert before != after
    page._run(before)
    assert word not in page.query_params
    assert page._tree.get_widget_states() == after


def test_a_click_after_back_is_one(visit):
    page = visit("cases", case="1", section="history")
    del page.query_params["section"]
    page.run()
    assert chosen(page) == "review"
    page.segmented_control[0].set_value("history").run()
    assert (chosen(page), page.query_params["section"]) == ("history", "history")


def test_the_choice_keeps_its_place_from_click_to_click(visit):
    page = visit("cases", case="1", section="history")
    key = page.segmented_control[0].key
    for section in ("readers", "review", "history"):
        page.segmented_control[0].set_value(section).run()
        assert chosen(page) == section
        assert page.segmented_control[0].key == key, "another one would lose the keyboard's place"


def test_a_field_whose_choice_the_address_orders_anew_keeps_its_place(visit):
    page = visit("cases")
    for states in (["Signed", worklist.TO_REVIEW], [worklist.TO_REVIEW]):
        page.multiselect(key="cases-states").set_value(states).run()
        assert sorted(page.multiselect(key="cases-states").value) == sorted(states)
