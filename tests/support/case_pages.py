"""The pages of a case in a real browser: fixtures and steps for tests to import."""

import re

import pytest

from tests.support.browser import Server, at_rest

NAME = "leukemia-reader"
# Whether a cell is the current one and lies between the bars, and the upper ones below the header of the app.
BETWEEN_BARS = """(number) => {
  const deep = [...document.querySelectorAll("*")].map((one) => one.shadowRoot).filter(Boolean);
  const find = (selector) => deep.map((root) => root.querySelector(selector)).find(Boolean);
  const at = find(".card.at"), [card, head] = [at, find(".head")].map((one) => one?.getBoundingClientRect());
  const [below, header] = ["stBottom", "stHeader"]
    .map((one) => document.querySelector(`[data-testid=${one}]`).getBoundingClientRect());
  return at?.dataset.number === String(number)
    && header.bottom <= head.top && head.bottom <= card.top && card.bottom <= below.top;
}"""


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def running(browser, tiny_bundle, data, tmp_path):
    with Server(tiny_bundle, tmp_path / "log.txt", data) as server:
        yield server


@pytest.fixture
def open_cases(sessions, running):
    """Open Cases at an address, as somebody with a name."""

    def start(query="", name="Ada", **look):
        known = f"sessionStorage.setItem({NAME!r}, {name!r})" if name else ""
        return sessions.open(running, f"cases?{query}", "Cases", before=known, **look)

    return start


def ready(page, count):
    """Wait until the grid has so many cells and knows who reads; put the keyboard on it."""
    page.locator(".card").nth(count - 1).wait_for()
    page.get_by_label("Your name").and_(page.locator("input:not([value=''])")).first.wait_for()
    page.get_by_text(re.compile("You have read")).wait_for()
    at_rest(page)
    page.locator(".cells").focus()


def saved(page, number, verdict, timeout=None):
    card = page.locator(f'.card[data-number="{number}"][data-own="{verdict}"][data-saved="true"]')
    card.wait_for(timeout=timeout)


def current(page, number):
    """Wait until the keyboard is at a cell, and no bar covers it."""
    page.wait_for_function(BETWEEN_BARS, arg=number)


def own(page):
    return page.locator(".card").evaluate_all("all => all.map(one => one.dataset.own)")


def section(page, name):
    page.get_by_role("radio", name=name, exact=True).or_(
        page.get_by_role("button", name=name, exact=True)
    ).first.click()
