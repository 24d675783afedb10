"""A cell opened by keyboard: why, the next one, and back to the card it came from."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import at_rest

FILES = 5


@pytest.fixture
def page(visit, drawn_files):
    page = visit()
    page.locator("input[type=file]:enabled").set_input_files(
        [str(one) for one in sorted(drawn_files.iterdir())[:FILES]]
    )
    page.locator(".cells .cell").nth(FILES - 1).wait_for()
    at_rest(page)
    return page


def focused(page):
    return page.evaluate("document.activeElement.getAttribute('aria-label') || ''")


def one_stop(page, files):
    """Wait until the Tab key stops at one button only of so many."""
    page.wait_for_function(
        """files => {
            const all = [...document.querySelectorAll("[data-testid=stFileChipDeleteBtn] button")];
            return all.length === files && all.filter(one => one.tabIndex === 0).length === 1
                && all.every(one => one.tabIndex === 0 || one.tabIndex === -1);
        }""",
        arg=files,
    )


def test_a_cell_is_opened_explained_left_and_closed_by_keyboard(page):
    names = page.locator(".cells .open").evaluate_all("all => all.map(one => one.ariaLabel)")
    page.locator(".cells .open").first.focus()
    page.keyboard.press("Enter")
    window = page.get_by_role("dialog")
    window.get_by_text(f"1 of {FILES}").wait_for()
    first = names[0].removeprefix("Open ").split(":")[0]
    window.get_by_text(first, exact=True).first.wait_for()
    window.get_by_role("button", name="Show what moves the answer").press("Enter")
    window.get_by_text("With one region covered").wait_for()
    expect(window.locator(".cell-picture img")).to_have_count(2)
    page.keyboard.press("ArrowRight")
    window.get_by_text(f"2 of {FILES}").wait_for()
    second = names[1].removeprefix("Open ").split(":")[0]
    window.get_by_text(second, exact=True).first.wait_for()
    page.keyboard.press("ArrowLeft")
    window.get_by_text(f"1 of {FILES}").wait_for()
    page.keyboard.press("Escape")
    window.wait_for(state="detached")
    page.wait_for_function(f"document.activeElement.getAttribute('aria-label') === {names[0]!r}")
    # It stays closed when the page is laid out again, and opens by pointer anywhere on a card.
    page.get_by_role("radio", name="All cells").or_(
        page.get_by_role("button", name="All cells")
    ).first.focus()
    at_rest(page)
    page.locator(".cells .cell").nth(2).locator(".decision").click(position={"x": 5, "y": 5}, force=True)
    window.get_by_text(f"3 of {FILES}").wait_for()


def test_the_list_of_files_is_one_stop_of_the_tab_key(page):
    buttons = page.locator("[data-testid=stFileChipDeleteBtn] button")
    expect(buttons).to_have_count(FILES)
    one_stop(page, FILES)
    buttons.first.focus()
    first = focused(page)
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("Remove") and focused(page) != first
    second = focused(page)
    page.keyboard.press("Tab")
    assert not focused(page).startswith("Remove")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == second
    page.keyboard.press("Enter")
    page.locator(".cells .cell").nth(FILES - 1).wait_for(state="detached")
    expect(page.get_by_role("button", name=second)).to_have_count(0)
    one_stop(page, FILES - 1)
