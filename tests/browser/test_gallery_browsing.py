"""The Dataset page's gallery in a real browser, on the drawn set."""

import re

import pytest
from playwright.sync_api import expect

from leukemia.dataset import manifest
from leukemia.settings import RESEARCH_USE
from tests.support.browser import PATIENCE, Server, at_address, at_rest, fits_the_screen


@pytest.fixture(scope="module")
def cells(looked_through):
    return manifest.read(looked_through)


@pytest.fixture(scope="module")
def dataset_server(browser, tiny_bundle, looked_through, tmp_path_factory):
    with Server(tiny_bundle, tmp_path_factory.mktemp("dataset") / "log.txt", looked_through) as running:
        yield running


@pytest.fixture
def visit(sessions, dataset_server):
    """Open the Dataset page at an address, in a session of its own."""

    def start(query="", **look):
        return sessions.open(dataset_server, f"dataset?{query}", "Dataset", **look)

    return start


def matching(page, count):
    """Wait for the line that says how many images match."""
    page.get_by_text(re.compile(rf"^{count} images? match(es)? of")).wait_for()


def choose(page, label, option):
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")


def window(page):
    return page.get_by_test_id("stDialog")


def test_the_first_visit_after_a_start_may_be_a_pages_own_address(
    browser, tiny_bundle, looked_through, tmp_path
):
    with Server(tiny_bundle, tmp_path / "log.txt", looked_through) as running:
        page = browser.new_page()
        page.set_default_timeout(1_000 * PATIENCE)
        page.goto(running.address("dataset?section=gallery&class=ALL"))
        page.get_by_text(RESEARCH_USE).wait_for()
        page.locator(".card").first.wait_for()
        at_address(page, "/dataset?section=gallery&class=ALL")
        page.close()


def test_filters_are_shared_by_the_address(visit, cells):
    page = visit("section=gallery")
    matching(page, len(cells))
    choose(page, "Class", "ALL")
    of_all = (cells["label"] == "ALL").sum()
    matching(page, of_all)
    choose(page, "Patient", "20")
    wanted = cells[(cells["label"] == "ALL") & (cells["patient"] == "20")]
    matching(page, len(wanted))
    other = visit(page.url.split("?")[1])
    matching(other, len(wanted))
    expect(other.locator(".card .open")).to_have_count(len(wanted))
    titles = other.locator(".card .open").evaluate_all("cards => cards.map(c => c.title)")
    assert titles == list(wanted["path"])
    other.get_by_role("button", name="Clear filters").click()
    matching(other, len(cells))


def test_a_click_opens_a_cell_whose_address_opens_it_again(visit, cells):
    page = visit("section=gallery&patient=20")
    page.locator(".card .open").nth(2).click()
    window(page).locator(".one img").wait_for()
    wanted = cells[cells["patient"] == "20"].iloc[2]
    expect(window(page)).to_contain_text(wanted["path"])
    expect(window(page)).to_contain_text("synthetic drawing")
    at_address(page, wanted["image_id"])
    other = visit(page.url.split("?")[1])
    window(other).get_by_text(wanted["path"]).first.wait_for()
    window(page).get_by_role("button", name="Next").click()
    following = cells[cells["patient"] == "20"].iloc[3]
    window(page).get_by_text(following["path"]).first.wait_for()
    window(page).locator(".card .open").first.click()
    first = cells[cells["patient"] == "20"].iloc[0]
    window(page).get_by_text(first["path"]).first.wait_for()
    page.keyboard.press("Escape")
    window(page).wait_for(state="detached")
    page.wait_for_function("!location.search.includes('cell=')")
    matching(page, (cells["patient"] == "20").sum())


def test_the_patients_cells_open_in_the_gallery(visit, cells):
    image_id = cells.loc[cells["patient"] == "21", "image_id"].iloc[-1]
    page = visit(f"section=gallery&class=Normal&cell={image_id}")
    count = (cells["patient"] == "21").sum()
    window(page).get_by_role("button", name=f"All {count} cells of patient 21").click()
    window(page).wait_for(state="detached")
    matching(page, count)
    page.wait_for_url(lambda url: "patient=21" in url and "cell=" not in url)


def test_the_opened_cell_is_answered_on_classify(visit, cells):
    row = cells[cells["patient"] == "20"].iloc[0]
    page = visit(f"section=gallery&cell={row['image_id']}")
    window(page).get_by_role("button", name="Send to Classify").click()
    page.get_by_role("heading", name="Classify cells").wait_for()
    expect(page.locator(".cell .name").first).to_have_attribute("title", row["path"].rsplit("/", 1)[-1])


def test_a_cell_is_reached_and_opened_by_keyboard_alone(visit):
    page = visit("section=gallery&patient=20")
    page.locator(".card").first.wait_for()
    page.get_by_role("button", name="Clear filters").focus()
    page.keyboard.press("Tab")
    name = page.evaluate("document.activeElement.shadowRoot?.activeElement?.getAttribute('aria-label')")
    assert name.startswith("Open cell: Patient 20")
    page.keyboard.press("Enter")
    window(page).locator(".one img").wait_for()


def test_picked_unlabelled_cells_are_answered_on_classify(visit, cells):
    page = visit("section=unlabelled")
    page.locator(".card").first.wait_for()
    unlabelled = cells[cells["label"] == ""]
    for number in (0, 2):
        page.locator(".card .pick input").nth(number).check()
        page.get_by_text(f"{1 + number // 2} selected").wait_for()
    page.get_by_role("button", name="Send 2 to Classify").click()
    page.get_by_role("heading", name="Classify cells").wait_for()
    page.locator(".cell .name").nth(1).wait_for()
    shown = page.locator(".cell .name").evaluate_all("names => names.map(name => name.title)")
    assert sorted(shown) == sorted(unlabelled["path"].iloc[n].rsplit("/", 1)[-1] for n in (0, 2))
    expect(page.locator(".cell .drawn")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [768, 1280])
@pytest.mark.parametrize("section", ["overview", "gallery", "unlabelled"])
def test_it_fits_the_screen_in_both_themes(visit, section, width, scheme):
    page = visit(f"section={section}", width=width, scheme=scheme)
    page.locator(".js-plotly-plot .main-svg" if section == "overview" else ".card img").first.wait_for()
    at_rest(page)
    fits_the_screen(page)
    shown = page.locator(".js-plotly-plot, .card")
    edges = shown.evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
    assert max(edges) <= width
    if section != "overview":
        ink = page.locator(".card .who").first.evaluate("who => getComputedStyle(who).color")
        bright = sum(map(int, re.findall(r"\d+", ink)[:3])) > 3 * 128
        assert bright is (scheme == "dark")
