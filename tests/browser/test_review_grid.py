"""The review grid in a real browser, deep in a case: which cell a key acts on, and what is seen of it."""

import re

import pytest
from playwright.sync_api import expect

from leukemia.cases import cells
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from tests.support.browser import at_rest
from tests.support.case_factory import make_case
from tests.support.case_pages import current, ready, saved

COUNT = 60
# The point of the cases lies halfway: the last is the surest, the one in the middle the most uncertain.
PROBABILITIES = [0.1 + 0.8 * place / (COUNT - 1) for place in range(COUNT)]


@pytest.fixture
def deep(open_cases, data):
    """A case opened at its last cell, as wide as asked for."""

    def start(**look):
        case = make_case(data, probabilities=PROBABILITIES)
        page = open_cases(f"case={case.id}", **look)
        ready(page, COUNT)
        page.keyboard.press("End")
        current(page, COUNT)
        return page, case

    return start


def first(page):
    return int(page.locator(".card").first.get_attribute("data-number"))


def scroll_away(page):
    page.mouse.move(400, 500)
    page.mouse.wheel(0, -20_000)
    expect(page.locator(".card.at")).not_to_be_in_viewport()
    at_rest(page)


@pytest.mark.parametrize("width", [768, 1280])
def test_another_order_or_filter_begins_at_its_first_cell_in_view(deep, width):
    page, _ = deep(width=width)
    page.keyboard.press("s")
    expect(page.locator(".card").first).not_to_have_attribute("data-number", "1")
    current(page, first(page))
    page.get_by_text("Sorted: most uncertain first.").wait_for()
    page.keyboard.press("End")
    expect(page.locator(".card").last).to_have_class(re.compile(r"\bat\b"))
    page.locator("select.sort").select_option("Highest probability first")
    current(page, COUNT)
    page.locator(".cells").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("End")
    current(page, 1)
    page.locator("select.show").select_option("Without your verdict")
    current(page, COUNT)
    expect(page.locator(".card.picked")).to_have_count(0)
    page.locator(".cells").focus()
    page.keyboard.press("a")
    saved(page, COUNT, ALL_LIKE)


def test_a_verdict_is_never_given_to_a_cell_that_was_scrolled_away(deep, data):
    page, case = deep()
    for press in (
        lambda: page.keyboard.press("a"),
        lambda: page.keyboard.press("r"),
        lambda: page.keyboard.press(" "),
        lambda: page.locator(".do-ALL-like").click(),
    ):
        scroll_away(page)
        press()
        page.get_by_text(f"Cell {COUNT} was out of view. Look at it, then press again.").wait_for()
        current(page, COUNT)
        expect(page.locator(".panel.reject")).to_be_hidden()
        expect(page.locator(".card.picked")).to_have_count(0)
        expect(page.locator('.card:not([data-own=""])')).to_have_count(0)
    page.keyboard.press("n")
    saved(page, COUNT, NORMAL_LIKE)
    assert [one.number for one in cells.cells(data, case.id) if one.readings] == [COUNT]


def test_selected_cells_that_were_scrolled_away_are_brought_back_first(deep):
    page, _ = deep()
    page.keyboard.press("Shift+ArrowLeft")
    scroll_away(page)
    page.keyboard.press("n")
    page.get_by_text("The 2 selected cells were out of view. Look at them, then press again.").wait_for()
    expect(page.locator(".card.picked").last).to_be_in_viewport()
    page.keyboard.press("n")
    saved(page, COUNT - 1, NORMAL_LIKE)
    saved(page, COUNT, NORMAL_LIKE)


@pytest.mark.parametrize("width", [768, 1280])
def test_the_reason_is_asked_beside_the_cell_and_names_it(deep, width):
    page, _ = deep(width=width)
    page.keyboard.press("n")
    said = page.locator(".review .said")
    expect(said).to_have_text(re.compile(rf"Cell {COUNT}: .*Saved\."))
    page.keyboard.press("r")
    question = page.get_by_text(f"Why is cell {COUNT} rejected?")
    expect(question).to_be_in_viewport(ratio=1)
    expect(page.get_by_label("Another reason")).to_be_focused()
    expect(said).to_be_empty()
    current(page, COUNT)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(page.locator(".cells")).to_be_focused()
    current(page, COUNT)
    for _ in range(11):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("r")
    expect(page.get_by_text("Why are these 12 cells rejected?")).to_be_in_viewport(ratio=1)
    page.keyboard.press("1")
    saved(page, COUNT, "Rejected")
    saved(page, COUNT - 11, "Rejected")
    expect(page.locator('.card[data-own="Rejected"]')).to_have_count(12)


def test_a_reason_is_for_the_cell_that_was_asked_about(deep):
    page, _ = deep()
    page.keyboard.press("r")
    page.get_by_text(f"Why is cell {COUNT} rejected?").wait_for()
    scroll_away(page)
    page.keyboard.press("1")
    page.get_by_text(f"Cell {COUNT} was out of view.").wait_for()
    current(page, COUNT)
    page.locator(f'.card[data-number="{COUNT - 1}"]').click()
    expect(page.locator(".panel.reject")).to_be_hidden()
    expect(page.locator('.card:not([data-own=""])')).to_have_count(0)


def test_whether_a_verdict_is_saved_is_seen_deep_in_the_grid(deep, data, tmp_path):
    page, _ = deep()
    page.keyboard.press("n")
    said = page.locator(".review .said")
    expect(said).to_have_text(re.compile(rf"Cell {COUNT}: .*Saved\."))
    expect(said).to_be_in_viewport(ratio=1)
    page.keyboard.press("Shift+ArrowLeft")
    expect(said).to_have_text("2 cells selected.")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_text("To change a key")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    hidden = data.rename(tmp_path / "unplugged")
    data.write_text("no folder")
    page.keyboard.press("a")
    expect(page.get_by_text("not saved yet")).to_be_in_viewport(ratio=1)
    data.unlink()
    hidden.rename(data)
    page.locator('.card[data-saved="false"]').wait_for(state="detached")


def test_a_file_without_a_picture_is_left_out_of_many_and_can_be_rejected(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.8, None))
    page = open_cases(f"case={case.id}")
    ready(page, 3)
    page.keyboard.press("Control+a")
    page.keyboard.press("a")
    saved(page, 2, ALL_LIKE)
    page.get_by_text("2 cells: ▲ ALL-like. Cell 3 has no picture: it can only be rejected.").wait_for()
    page.keyboard.press("n")
    page.get_by_text(re.compile("^Cell 3 has no picture: it can only be rejected")).wait_for()
    page.keyboard.press("r")
    page.keyboard.press("5")
    saved(page, 3, "Rejected")
    assert [cell.verdict for cell in cells.cells(data, case.id)] == [ALL_LIKE, ALL_LIKE, "Rejected"]
