"""Signing in with a real OpenID Connect provider on loopback, in a real browser."""

import json
import re
import time
import urllib.error
import urllib.request

import pytest
import sqlalchemy as sa

from leukemia.access import sessions
from leukemia.cases import cells
from leukemia.storage import database
from tests.support import oidc
from tests.support.browser import PATIENCE, at_rest
from tests.support.case_factory import make_case
from tests.support.case_pages import saved


@pytest.fixture(scope="module")
def issuer():
    with oidc.provider() as address:
        yield address


@pytest.fixture(scope="module")
def house(browser, tiny_bundle, issuer, tmp_path_factory):
    """A dashboard where people sign in, with a case."""
    folder = tmp_path_factory.mktemp("house")
    case = make_case(folder / "data")
    with oidc.dashboard(tiny_bundle, folder, issuer) as server:
        server.case = case
        yield server


@pytest.fixture
def person(browser, house):
    """Open a page of the dashboard in a browser of one's own; sign in as somebody."""
    contexts = []

    def start(who=None, path="cases"):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1_000 * PATIENCE)
        page.goto(f"{house.url}/{path}")
        if who:
            oidc.sign_in(page, who)
            page.get_by_role("button", name="Sign out").wait_for()
            at_rest(page)
        return page

    yield start
    for context in contexts:
        context.close()


def of_case(house):
    return f"cases?case={house.case.id}"


def give(page, letter="a"):
    page.locator(".cells").focus()
    page.keyboard.press(letter)


def end_all(data):
    """Let every session be without use for long."""
    with database.writing(data) as connection:
        connection.execute(sa.update(sessions.SESSIONS).values(seen=time.time() - 3_600))


def test_a_reader_signs_in_comes_back_to_the_case_and_reads_under_the_name_of_the_provider(person, house):
    page = person("rita", of_case(house))
    page.wait_for_url(f"{house.url}/{of_case(house)}")
    page.get_by_text("Rita Reader (reader)").wait_for()
    page.locator(".card").first.wait_for()
    assert page.get_by_label("Your name").count() == 0
    give(page)
    saved(page, 1, "ALL-like")
    readings = cells.cells(house.data, house.case.id)[0].readings
    assert [(one.reader, one.verdict) for one in readings] == [("Rita Reader", "ALL-like")]


# Of the cell that keys have moved to: pixels to the bar below it, and to the one above.
CLEAR_OF_BARS = """() => {
  const deep = [...document.querySelectorAll("*")].map((one) => one.shadowRoot).filter(Boolean);
  const find = (selector) => deep.map((root) => root.querySelector(selector)).find(Boolean);
  const [card, above] = [find(".card.at"), find(".head")].map((one) => one.getBoundingClientRect());
  const below = document.querySelector("[data-testid=stBottom]").getBoundingClientRect();
  return [below.top - card.bottom, card.top - above.bottom];
}"""


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_bar_covers_the_cell_that_is_read(person, house, width):
    make = [0.9, 0.5, 0.1] * 12
    case = make_case(house.data, f"P-{width}", make)
    page = person("rita", f"cases?case={case.id}")
    page.set_viewport_size({"width": width, "height": 800})
    at_rest(page)
    bar = page.get_by_test_id("stBottom").bounding_box()
    assert bar["height"] < (60 if width >= 768 else 100)
    page.locator(".cells").focus()
    for key in ["ArrowDown"] * 12 + ["ArrowUp"] * 12:
        page.keyboard.press(key)
        at_rest(page)
        below, above = page.evaluate(CLEAR_OF_BARS)
        assert below >= 0 and above >= 0, (key, below, above)


def test_a_viewer_sees_and_cannot_give_a_verdict_even_by_a_message_of_her_own(person, house):
    page = person("vera", of_case(house))
    page.get_by_text("Vera Viewer (viewer)").wait_for()
    page.locator(".card").first.wait_for()
    give(page, "n")
    before = [one.readings for one in cells.cells(house.data, house.case.id)]
    assert page.get_by_text("Add cells").count() == 0
    # What waits in the browser is sent as the grid sends it, whatever the grid has allowed.
    act = {"kind": "give", "numbers": [2], "verdict": "Normal-like", "reader": "Vera Viewer", "key": "forged"}
    page.evaluate(
        "([name, acts]) => sessionStorage.setItem(name, acts)",
        [f"leukemia-waiting-{house.case.id}", json.dumps([act])],
    )
    page.reload()
    page.locator(".card").first.wait_for()
    at_rest(page)
    assert [one.readings for one in cells.cells(house.data, house.case.id)] == before


def test_a_manager_is_offered_the_import_and_no_verdict(person, house):
    page = person("mona", "dataset?section=import")
    page.get_by_text("Mona Manager (manager)").wait_for()
    page.get_by_role("button", name="Start the import").wait_for()


def test_whoever_has_no_role_sees_nothing(person, house):
    page = person("nemo", of_case(house))
    page.get_by_text("Nemo Nobody, but have no role here").wait_for()
    assert page.get_by_text(house.case.identifier).count() == 0


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_role_that_was_written_into_the_cookie_is_worth_nothing(person, house, part):
    page = person("vera", of_case(house))
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "_streamlit_user"]
    value = cookie["value"]
    place = (2, len(value) // 2, -2)[part]
    cookie["value"] = value[:place] + ("A" if value[place] != "A" else "B") + value[place:][1:]
    page.context.add_cookies([cookie])
    page.reload()
    page.get_by_role("button", name="Sign in", exact=True).wait_for()
    assert page.get_by_text(house.case.identifier).count() == 0


def test_a_session_that_ends_in_the_middle_of_a_review_loses_no_verdict(person, house):
    page = person("rita", of_case(house))
    page.locator(".card").nth(2).wait_for()
    at_rest(page)
    end_all(house.data)
    page.locator(".card").nth(2).click()
    give(page, "n")
    page.get_by_text(re.compile("signed out after .* minutes without use")).first.wait_for()
    waiting = page.evaluate("Object.keys(sessionStorage).filter(name => name.startsWith('leukemia-waiting'))")
    assert len(waiting) == 1
    number = {one.number for one in cells.cells(house.data, house.case.id) if one.readings}
    time.sleep(1.1)  # the provider says when somebody signed in to the second
    oidc.sign_in(page, "rita")
    saved(page, 3, "Normal-like")
    page.wait_for_url(f"{house.url}/{of_case(house)}")
    now = cells.cells(house.data, house.case.id)
    assert {one.number for one in now if one.readings} == number | {3}
    assert now[2].by("Rita Reader").verdict == "Normal-like"


def test_where_nobody_is_signed_in_files_and_metrics_are_refused(house):
    for path in ("/media/x.png", "/_stcore/metrics", "/_stcore/script-health-check"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(house.url + path, timeout=60)
        assert refused.value.code == 403
    with urllib.request.urlopen(f"{house.url}/_stcore/health", timeout=60) as answer:
        assert answer.read() == b"ok"


def test_where_the_provider_is_down_a_sentence_says_so(browser, tiny_bundle, tmp_path):
    with oidc.provider() as address:
        pass
    server = oidc.dashboard(tiny_bundle, tmp_path, address)
    try:
        server.wait()
        page = browser.new_page()
        page.set_default_timeout(1_000 * PATIENCE)
        page.goto(f"{server.url}/cases")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name="Signing in is not possible at the moment").wait_for()
        page.get_by_role("link", name="Go back").click()
        page.get_by_role("button", name="Sign in", exact=True).wait_for()
        page.close()
    finally:
        server.stop()
