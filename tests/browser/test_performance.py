"""What a person does on the Performance page: move the threshold, compare versions, take report and card."""

import re

import pytest
from playwright.sync_api import expect

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import metrics, three_way
from leukemia.operating_point import OperatingPoint
from leukemia.settings import RESEARCH_USE
from tests.support.browser import Server, at_rest, fits_the_screen
from tests.support.bundle_factory import blurred, copy_bundle


@pytest.fixture(scope="module")
def shelf(tiny_bundle, tmp_path_factory):
    """Two versions: one in service, one whose held-out answers are blurred."""
    place = tmp_path_factory.mktemp("shelf")
    served = copy_bundle(tiny_bundle, place / "served")
    copy_bundle(tiny_bundle, place / "other", predictions=blurred(tiny_bundle))
    return served


@pytest.fixture(scope="module")
def running(browser, shelf, tmp_path_factory):
    place = tmp_path_factory.mktemp("performance")
    with Server(shelf, place / "log.txt", place / "no-data") as server:
        yield server


@pytest.fixture
def visit(sessions, running):
    """Open a section of the page."""

    def start(section, **look):
        page = sessions.open(running, f"performance?section={section}", "Performance", height=1200, **look)
        page.get_by_text("Sensitivity and specificity count every cell").first.wait_for()
        return page

    return start


def test_the_threshold_is_moved_and_the_matrix_follows(visit, shelf):
    page = visit("threshold")
    page.get_by_text("By hand", exact=True).click()
    # The left handle: from there to the right one the model abstains.
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    page.get_by_text("Normal-like below 0.470, ALL-like at 0.500 or above").first.wait_for()
    predictions, point = bundles.read(shelf).predictions, OperatingPoint(0.47, 0.5, 0.5)
    counts = metrics.confusion(predictions, 0.5)
    at_rest(page)
    shown = [int(text) for text in page.locator(".matrix td b").all_inner_texts()]
    decided = three_way.counts(predictions, point).values()
    assert shown == [*decided, *(counts[name] for name in ("tp", "fn", "fp", "tn"))]
    expect(page.locator(".js-plotly-plot")).to_have_count(3)


def test_two_versions_are_compared(visit):
    page = visit("compare")
    page.get_by_test_id("stMultiSelect").locator("input").click()
    page.get_by_role("option", name=re.compile("^other")).click()
    page.get_by_text(re.compile(r"sensitivity .*points, 95%")).first.wait_for()
    page.get_by_text(re.compile(r"Cells on which they disagree: \d+ of 60")).wait_for()
    page.locator(".cells .cell").first.wait_for()


def test_report_and_card_are_downloaded_and_the_report_opens_by_itself(visit, shelf, browser, tmp_path):
    page = visit("card")
    with page.expect_download() as given:
        page.get_by_role("button", name="Download the model card").click()
    given.value.save_as(tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == bundles.read(shelf).card
    with page.expect_download() as given:
        page.get_by_role("button", name="Download the report").click()
    report = tmp_path / given.value.suggested_filename
    assert report.name == "performance-served.html"
    given.value.save_as(report)
    context = browser.new_context(offline=True)
    faults = []
    alone = context.new_page()
    alone.on("pageerror", lambda error: faults.append(str(error)))
    alone.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    alone.goto(report.as_uri())
    alone.locator(".js-plotly-plot .main-svg").first.wait_for()
    expect(alone.locator(".js-plotly-plot")).to_have_count(6)
    expect(alone.locator("body")).to_contain_text(RESEARCH_USE)
    assert alone.pdf()[:5] == b"%PDF-"
    context.close()
    assert faults == []


@pytest.mark.parametrize("section", ["threshold", "patients", "card"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sections_fit_a_narrow_screen_in_both_themes(visit, section, scheme):
    page = visit(section, width=768, scheme=scheme)
    at_rest(page)
    fits_the_screen(page)
