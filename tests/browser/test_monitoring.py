"""Monitoring in a real browser: the alert, a chart, the table, the case behind it."""

import contextlib
import csv

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from leukemia.audit import trail
from leukemia.reports import monitoring_wording as wording
from tests.support.browser import Server, at_address, at_rest
from tests.support.case_pages import section
from tests.support.monitoring_factory import add_cases, darker_and_larger, record


@pytest.fixture
def bundle(tmp_path):
    return record(tmp_path / "bundle", tmp_path / "data")


def choose(page, label, option):
    at_rest(page)
    # A list that was opened by a pointer is closed by scrolling to it, which a click does; and any is closed
    # where the page is laid out anew meanwhile.
    for _ in range(10):
        page.get_by_role("combobox", name=label).press("ArrowDown")
        with contextlib.suppress(PlaywrightTimeout):
            page.get_by_role("option", name=option).click(timeout=10_000)
            return
    pytest.fail(f"The list never offered {option}.")


def test_an_alert_is_found_explained_and_followed_to_a_case(sessions, bundle, browser, tmp_path):
    data = tmp_path / "data"
    add_cases(data, bundle, 15)
    add_cases(data, bundle, 20, seed=2, change=darker_and_larger)
    (odd,) = add_cases(data, bundle, 1, seed=3, change=lambda own: own.assign(hue=0.5), identifier="S-<odd>")
    with Server(bundle.folder, tmp_path / "log.txt", data) as server:
        page = sessions.open(server, "cases", "Cases")
        section(page, "Monitoring")
        alert = page.get_by_test_id("stAlert")
        alert.get_by_text("Stop and check.").wait_for()
        alert.get_by_text(wording.READ_ALL).wait_for()
        at_address(page, "section=monitoring")
        page.get_by_text("Cell area, case by case").wait_for()
        choose(page, "Chart of", "Hue of the mean colour")
        page.get_by_text("Hue of the mean colour, case by case").wait_for()
        page.reload()
        alert.get_by_text("Stop and check.").wait_for()
        at_rest(page)
        with page.expect_download() as started:
            page.get_by_role("button", name="Download the table as CSV").click()
        with started.value.path().open(encoding="utf-8") as file:
            states = {row["measure"]: row["state"] for row in csv.DictReader(file)}
        assert states["brightness"] == states["cell_area"] == "Stop and check"
        page.get_by_text("Cases outside the limits of a case").click()
        page.get_by_role("button", name="S-<odd>").click()
        page.get_by_role("heading", name="S-<odd>").wait_for()
        at_address(page, f"case={odd}")
        page.get_by_role("button", name="All cases").click()
        page.get_by_text("Monitoring: stop and check.").wait_for()
    assert len(trail.entries(data, events=[trail.ALERT])) == 2
