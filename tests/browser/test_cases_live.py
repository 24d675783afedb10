"""Two readers on one case: what one gives is on the other's screen without an action, disturbing nothing."""

import pytest
from playwright.sync_api import expect

from leukemia.cases import cells, verdicts
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from tests.support.browser import at_rest
from tests.support.case_factory import make_case
from tests.support.case_pages import ready, saved, section


def place(page, number):
    return page.locator(f'.card[data-number="{number}"]').bounding_box()["y"]


def reads(page, number, text):
    page.locator(f'.card[data-number="{number}"]').get_by_text(text).wait_for()


def test_a_verdict_appears_on_the_other_screen_and_leaves_place_selection_and_keys(open_cases, data):
    case = make_case(data, probabilities=(0.9,) * 60)
    ada, ben = (open_cases(f"case={case.id}", name=name) for name in ("Ada", "Ben"))
    for page in (ada, ben):
        ready(page, 60)
    ada.keyboard.press("End")
    ada.keyboard.press("Space")
    before = place(ada, 60)
    ada.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 0")
    ben.keyboard.press("n")
    reads(ada, 1, f"Ben: {NORMAL_LIKE}")
    assert place(ada, 60) == pytest.approx(before, abs=2)
    expect(ada.locator(".card.picked")).to_have_attribute("data-number", "60")
    expect(ada.locator(".card.at")).to_have_attribute("data-number", "60")
    ada.keyboard.press("a")
    saved(ada, 60, ALL_LIKE)
    reads(ben, 60, f"Ada: {ALL_LIKE}")
    ada.get_by_text("You have read 1 of 60 cells.").wait_for()


def test_it_leaves_a_typed_reason_and_an_opened_cell_alone(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.8, 0.1))
    page = open_cases(f"case={case.id}")
    ready(page, 3)
    page.keyboard.press("r")
    page.keyboard.type("Half a sent")
    verdicts.give(data, case.id, [2], INDETERMINATE, reader="Ben")
    reads(page, 2, f"Ben: {INDETERMINATE}")
    page.keyboard.type("ence")
    page.keyboard.press("Enter")
    saved(page, 1, "Rejected")
    assert cells.cells(data, case.id)[0].readings[0].reason == "Half a sentence"
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text("cell 2").first.wait_for()
    verdicts.give(data, case.id, [3], NORMAL_LIKE, reader="Ben")
    reads(page, 3, f"Ben: {NORMAL_LIKE}")
    page.get_by_text("Ready to sign: 3 of 3 read").wait_for()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_blind_reader_is_shown_nothing_before_her_own_verdict(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1), blind=True)
    page = open_cases(f"case={case.id}")
    ready(page, 2)
    verdicts.give(data, case.id, [1, 2], INDETERMINATE, reader="Ben")
    reads(page, 2, "others' verdicts: after yours")
    assert "Ben" not in page.locator(".cells").inner_text()
    page.keyboard.press("n")
    reads(page, 1, f"Ben: {INDETERMINATE}")
    assert "Ben" not in page.locator('.card[data-number="2"]').inner_text()


def test_beside_the_grid_a_change_is_offered_and_a_text_is_kept(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    for reader, verdict in (("Ada", NORMAL_LIKE), ("Ben", ALL_LIKE)):
        verdicts.give(data, case.id, [1], verdict, reader=reader)
    page = open_cases(f"case={case.id}")
    ready(page, 2)
    section(page, "Readers")
    page.get_by_label("Reason").fill("Half a sentence")
    verdicts.give(data, case.id, [2], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [2], NORMAL_LIKE, reader="Ada")
    page.get_by_text("Others have changed this case").wait_for()
    expect(page.get_by_label("Reason")).to_have_value("Half a sentence")
    page.get_by_role("button", name="Show the changes").click()
    page.get_by_text("The readers disagree on 2 cells").wait_for()
    at_rest(page)
    expect(page.get_by_label("Reason").first).to_have_value("Half a sentence")
    expect(page.get_by_text("Others have changed this case")).to_have_count(0)
