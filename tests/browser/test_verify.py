"""A laboratory checks the model on its own patients: criterion, cells, result, and a version of its own."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Server, at_rest
from tests.support.labelled_cells import write_folders


@pytest.fixture
def server(browser, tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with Server(tiny_bundle, tmp_path / "log.txt", tmp_path / "data") as running:
        yield running


def state(page, sensitivity, specificity):
    page.get_by_label("Minimum sensitivity (%)").fill(sensitivity)
    page.get_by_label("Minimum specificity (%)").fill(specificity)
    page.get_by_label("Laboratory").fill("St. Elsewhere")
    page.get_by_label("Your name").fill("Dr. Ada")
    page.get_by_role("button", name="State this criterion").click()
    page.get_by_role("heading", name="2. Add your labelled cells").wait_for()


def bring(page, folder):
    page.get_by_label("Folder, CSV or .zip on the server").fill(str(folder))
    page.get_by_label("Folder, CSV or .zip on the server").press("Enter")
    at_rest(page)
    page.get_by_role("button", name="Classify these cells").click()


def test_state_a_criterion_bring_cells_read_the_result_and_accept_a_version(sessions, server, tmp_path):
    cells = write_folders(tmp_path / "cells", patients=8)
    page = sessions.open(server, "performance?section=verify", "Performance")
    state(page, "35", "35")
    expect(page.get_by_text("Sensitivity at least 35.0% and specificity at least 35.0%")).to_be_visible()
    bring(page, cells)
    page.get_by_text("The criterion is met at the version's own threshold.").wait_for()
    # What was stated cannot be stated otherwise now, and a reload loses nothing.
    expect(page.get_by_role("button", name="Withdraw the criterion")).to_have_count(0)
    page.reload()
    page.get_by_text("The criterion is met at the version's own threshold.").wait_for()
    page.get_by_label("Your name").fill("Dr. Grace")
    page.get_by_label("Reason").fill("Agrees with our smears")
    page.get_by_role("button", name="Accept as a new version").click()
    page.get_by_text("Saved as version 1, with your name and reason.").wait_for()
    page.get_by_text("Open version 1").click()
    page.get_by_role("heading", name="Accepted for a laboratory").wait_for()
    expect(page.get_by_text("Accepted for St. Elsewhere by Dr. Grace")).to_be_visible()
    listed = page.get_by_role("combobox", name="Model version")
    expect(listed).to_have_value("version 1 (tiny-test, accepted for St. Elsewhere)")
