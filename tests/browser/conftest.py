"""A real browser and a dashboard, once for all tests here."""

import os

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.browser import ARGUMENTS, PATIENCE, Server, Sessions, find_browser
from tests.support.case_pages import data, open_cases, running  # noqa: F401

expect.set_options(timeout=1_000 * PATIENCE)


@pytest.fixture(scope="session")
def browser():
    path = find_browser()
    if path is None:
        reason = "no Chromium here: install one or name it in CHROMIUM"
        if os.environ.get("LEUKEMIA_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Of a test that failed, the report says what was on its pages."""
    report = yield
    if report.failed and (sessions := getattr(item, "funcargs", {}).get("sessions")):
        report.sections.append(("Pages", sessions.described()))
    return report


@pytest.fixture
def sessions(browser):
    """Open pages with it; afterwards none may have failed or gone outside."""
    opened = Sessions(browser)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def server(browser, tiny_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with Server(tiny_bundle, folder / "log.txt", folder / "data") as started:
        yield started


@pytest.fixture
def visit(sessions, server):
    """Open Classify in a session of its own."""

    def start(**look):
        return sessions.open(server, "", "Classify cells", **look)

    return start
