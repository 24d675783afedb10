"""The page that describes the REST service, in a browser: complete, and from this machine only."""

from tests.support.browser import PATIENCE
from tests.support.rest import Running


def test_the_page_of_the_documentation_is_complete_and_asks_nobody_else(browser, tiny_bundle, tmp_path):
    with Running(tmp_path, tiny_bundle) as service:
        page = browser.new_page()
        page.set_default_timeout(1_000 * PATIENCE)
        asked, faults = [], []
        page.on("request", lambda one: asked.append(one.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{service.url}/docs")
        page.get_by_text("/v1/classify", exact=True).wait_for()
        text = page.locator("body").inner_text()
        for said in ("/v1/cases/{case_id}/verdicts", "/v1/models/in-service", "For research use only"):
            assert said in text
        page.get_by_text("/v1/classify", exact=True).click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Add string item").click()
        # One is there at first, the second is the one that was added.
        page.locator("input[type=file]:enabled").nth(1).wait_for()
        page.close()
    outside = [url for url in asked if not url.startswith((service.url, "data:", "blob:"))]
    assert (outside, faults) == ([], [])
