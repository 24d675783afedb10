"""A case in a real browser: dropped in, read by keyboard, settled, signed, printed, there after a restart."""

import contextlib
import json
import re

import pypdfium2
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from leukemia.cases import cells, verdicts, worklist
from leukemia.dataset.synthetic import sample_writer
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.settings import RESEARCH_USE
from tests.support.browser import Server, at_rest, fits_the_screen
from tests.support.case_factory import make_case
from tests.support.case_pages import own, ready, saved, section


def test_forty_cells_from_the_drop_to_the_signed_page_and_past_a_restart(
    sessions, running, open_cases, data, tiny_bundle, tmp_path
):
    files = []
    for name, content in sample_writer.sample_cells(40, seed=4):
        (tmp_path / name).write_bytes(content)
        files.append(str(tmp_path / name))
    page = open_cases(name="")
    page.get_by_test_id("stExpander").get_by_text("New case").click()
    page.get_by_label("Identifier", exact=True).fill("S-2041")
    page.get_by_label("Your name").fill("Ada")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="S-2041").wait_for()
    page.locator("input[type=file]:enabled").set_input_files(files)
    ready(page, 40)
    for _ in range(38):
        page.keyboard.press("n")
    page.keyboard.press("i")
    page.keyboard.press("r")
    page.keyboard.press("2")
    saved(page, 40, "Rejected")
    page.get_by_text("You have read 40 of 40 cells.").wait_for()
    assert own(page) == [NORMAL_LIKE] * 38 + [INDETERMINATE, "Rejected"]

    (one,) = worklist.worklist(data)
    other = open_cases(f"case={one.case.id}", name="Ben")
    ready(other, 40)
    other.keyboard.press("a")
    saved(other, 1, ALL_LIKE)
    section(other, "Sign and report")
    other.get_by_text("These cells need a verdict first: 1 disputed (cell 1).").wait_for()
    section(other, "Readers")
    other.get_by_text("Ada: Normal-like, Ben: ALL-like").wait_for()
    other.get_by_role("radiogroup", name="Settle it as").get_by_text(ALL_LIKE, exact=True).click()
    other.get_by_label("Reason").fill("Seen together")
    other.get_by_role("button", name="Settle cell 1").click()
    other.get_by_text("Cell 1 is settled as ALL-like.").wait_for()
    section(other, "Sign and report")
    other.get_by_role("button", name="Sign", exact=True).click()
    other.get_by_text("Signed by Ben").first.wait_for()
    at_rest(other)
    with other.expect_download() as download:
        other.get_by_role("button", name="Download PDF").click()
    download.value.save_as(tmp_path / "case.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "case.pdf")
    text = " ".join(document[n].get_textpage().get_text_range() for n in range(len(document)))
    assert len(document) <= 2
    assert "Case S-2041" in text
    assert "Signed by Ben" in text
    assert RESEARCH_USE in text

    running.process.kill()
    running.process.wait()
    with Server(tiny_bundle, tmp_path / "again.txt", data, port=running.port) as again:
        third = sessions.open(again, f"cases?case={one.case.id}", "Cases")
        third.get_by_text("Signed by Ben").first.wait_for()
        third.locator(".card").nth(39).wait_for()
        first = expect(third.locator('.card[data-number="1"]'))
        first.to_contain_text("Ada: Normal-like")
        first.to_contain_text("Settled by Ben: ALL-like")
        expect(third.locator(".do-undo")).to_be_disabled()
        for left in (page, other):
            left.close()


def test_cells_are_selected_by_range_and_given_at_once_and_taken_back(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.8, 0.5, 0.2, 0.1))
    page = open_cases(f"case={case.id}")
    ready(page, 5)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".card.picked")).to_have_count(3)
    page.keyboard.press("a")
    saved(page, 4, ALL_LIKE)
    assert own(page) == ["", ALL_LIKE, ALL_LIKE, ALL_LIKE, ""]
    page.locator('.card[data-number="1"]').click()
    page.locator('.card[data-number="3"]').click(modifiers=["Shift"])
    page.locator('.card[data-number="2"]').click(modifiers=["Control"])
    picked = page.locator(".card.picked")
    expect(picked).to_have_count(2)
    assert picked.evaluate_all("all => all.map(one => one.dataset.number)") == ["1", "3"]
    page.keyboard.press("Escape")
    expect(picked).to_have_count(0)
    page.keyboard.press("u")
    page.get_by_text("You have read 0 of 5 cells.").wait_for()
    page.keyboard.press("s")
    expect(page.locator("select.sort")).to_have_value("Most uncertain first")
    expect(page.locator(".card").first).to_have_attribute("data-number", "3")


def test_where_there_is_nothing_to_take_back_the_grid_says_so(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ben")
    page = open_cases(f"case={case.id}")
    ready(page, 2)
    page.keyboard.press("u")
    page.get_by_text("There is nothing of yours to take back.").wait_for()
    page.keyboard.press("n")
    saved(page, 1, NORMAL_LIKE)
    page.keyboard.press("u")
    page.locator('.card[data-number="1"][data-own=""]').wait_for()
    assert [one.reader for one in cells.cells(data, case.id)[0].readings] == ["Ben"]


def test_a_key_is_changed_and_stays_changed(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    page = open_cases(f"case={case.id}")
    ready(page, 2)
    page.keyboard.press("?")
    field = page.get_by_label("ALL-like, next cell")
    field.focus()
    page.keyboard.press("n")
    expect(field).to_have_value("A")
    page.keyboard.press("l")
    page.keyboard.press("Escape")
    page.reload()
    ready(page, 2)
    page.keyboard.press("l")
    saved(page, 1, ALL_LIKE)


def test_verdicts_wait_for_the_database_and_for_the_server(open_cases, running, data, tiny_bundle, tmp_path):
    case = make_case(data, probabilities=(0.9, 0.8, 0.1))
    page = open_cases(f"case={case.id}")
    ready(page, 3)
    hidden = data.rename(tmp_path / "unplugged")
    data.write_text("no folder")
    page.keyboard.press("n")
    page.get_by_text(re.compile("not saved yet")).wait_for()
    expect(page.locator('.card[data-number="1"]')).to_have_attribute("data-saved", "false")
    data.unlink()
    hidden.rename(data)
    saved(page, 1, NORMAL_LIKE)
    running.process.kill()
    running.process.wait()
    page.locator(".cells").focus()
    page.keyboard.press("a")
    with Server(tiny_bundle, tmp_path / "again.txt", data, port=running.port):
        # Sent by the page as it is or, if Streamlit does not bring that back, once it is loaded anew.
        with contextlib.suppress(PlaywrightTimeout):
            saved(page, 2, ALL_LIKE, timeout=60_000)
        page.reload()
        saved(page, 2, ALL_LIKE)
        given = [cell.verdict for cell in cells.cells(data, case.id)]
        assert given == [NORMAL_LIKE, ALL_LIKE, ""]
        page.close()


@pytest.mark.parametrize("typed", ["", "Ben"])
def test_a_page_that_stays_open_past_a_restart_knows_who_reads(
    open_cases, running, data, tiny_bundle, tmp_path, typed
):
    case = make_case(data, probabilities=(0.9, 0.8, 0.1))
    page = open_cases(f"case={case.id}")
    ready(page, 3)
    if typed:
        page.get_by_label("Your name").fill(typed)
        page.keyboard.press("Enter")
        at_rest(page)
    running.process.kill()
    running.process.wait()
    with Server(tiny_bundle, tmp_path / "again.txt", data, port=running.port):
        expect(page.get_by_test_id("stConnectionStatus")).to_have_count(0)
        ready(page, 3)
        expect(page.get_by_label("Your name")).to_have_value(typed or "Ada")
        page.keyboard.press("n")
        saved(page, 1, NORMAL_LIKE)
        (given,) = cells.cells(data, case.id)[0].readings
        assert (given.reader, given.verdict) == (typed or "Ada", NORMAL_LIKE)
        page.close()


def test_a_cell_opens_and_closes_by_keyboard_and_the_review_goes_on(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1), hide_model=True)
    page = open_cases(f"case={case.id}")
    ready(page, 2)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").locator("img").first.wait_for()
    expect(page.get_by_role("dialog")).to_contain_text("hidden until you have given")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("n")
    saved(page, 1, NORMAL_LIKE)


def test_back_and_reload_keep_the_place(open_cases, data):
    case = make_case(data)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    page = open_cases()
    page.get_by_role("button", name="P-1").click()
    ready(page, 5)
    section(page, "History")
    page.get_by_text("Entries are never changed").wait_for()
    page.reload()
    page.get_by_text("Entries are never changed").wait_for()
    at_rest(page)
    page.go_back()
    page.locator(".card").nth(4).wait_for()
    page.get_by_role("button", name="All cases").click()
    page.get_by_role("button", name="P-1").wait_for()


def test_the_list_knows_who_reads_after_a_reload(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1), blind=True, hide_model=True)
    for reader, verdict in (("Ada", ALL_LIKE), ("Ben", NORMAL_LIKE)):
        verdicts.give(data, case.id, [1, 2], verdict, reader=reader)
    # A tab that was reloaded has the name and nothing else.
    page = open_cases("state=Disputed")
    page.get_by_text("2 disputed").wait_for()
    page.get_by_test_id("stExpander").get_by_text("New case").click()
    expect(page.get_by_label("Your name")).to_have_value("Ada")


def test_a_case_that_was_left_with_verdicts_unsaved_says_so_in_the_list_and_saves_them(open_cases, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    page = open_cases()
    page.get_by_role("button", name="P-1").click()
    ready(page, 2)
    # As they stay where a case is left in the moment of a key.
    act = {"key": "left", "kind": "give", "reader": "Ada", "numbers": [1], "verdict": ALL_LIKE, "reason": ""}
    page.evaluate("([name, text]) => sessionStorage.setItem(name, text)", waiting(case.id, [act]))
    page.get_by_role("button", name="All cases").click()
    page.get_by_text("1 entry is not saved yet").wait_for()
    page.reload()
    page.get_by_text("1 entry is not saved yet").wait_for()
    assert [cell.verdict for cell in cells.cells(data, case.id)] == ["", ""]
    page.get_by_role("button", name="Open the case to save").click()
    saved(page, 1, ALL_LIKE)
    assert [cell.verdict for cell in cells.cells(data, case.id)] == [ALL_LIKE, ""]
    page.get_by_role("button", name="All cases").click()
    page.get_by_role("button", name="P-1").wait_for()
    at_rest(page)
    expect(page.get_by_text("not saved yet")).to_have_count(0)


def waiting(number, acts):
    return [f"leukemia-waiting-{number}", json.dumps(acts)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [768, 1280])
def test_it_fits_the_screen_in_both_themes(open_cases, data, width, scheme):
    case = make_case(data, identifier="x" * 200)
    for shown, there in (("", ".card"), ("&section=summary", "[data-testid=stDataFrame]")):
        page = open_cases(f"case={case.id}{shown}", width=width, scheme=scheme)
        page.locator(there).first.wait_for()
        at_rest(page)
        fits_the_screen(page)
        edges = page.locator(".card, .bar button, [data-testid=stDataFrame]").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().right)"
        )
        assert max(edges) <= width
