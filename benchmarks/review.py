"""How fast a case is in the browser: opened from the list, and a verdict given by key.

    python -m benchmarks.review [--cells 500] [--opened 8] [--verdicts 40]

A case of drawn cells in a data folder of its own, on a dashboard started here. Timed in the page itself: from
the press on the case in the list until all cards, the count of what was read and the first pictures are
drawn; from the key until the tile shows the verdict, and until it is marked as saved. The first opening is
untimed: it loads what is loaded once. Needs Chromium.
"""

import argparse
import os
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.cases import answered_cells
from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells
from leukemia.settings import SHIPPED

OPEN_LIMIT, SHOWN_LIMIT = 1_000, 300  # ms
NAME = "Ada"
# Milliseconds from the press until the condition holds and a frame was drawn with it.
TIMED = """([press, holds]) => new Promise(done => {
  const deep = () => [...document.querySelectorAll("*")].map(one => one.shadowRoot).filter(Boolean);
  const all = selector => [document, ...deep()].flatMap(root => [...root.querySelectorAll(selector)]);
  const condition = new Function("all", `return ${holds}`);
  const began = performance.now();
  const look = () => {
    if (performance.now() - began > 30000) return done(NaN);
    if (!condition(all)) return setTimeout(look, 5);
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began), 0));
  };
  new Function("all", press)(all);
  look();
})"""
OPEN = "[...document.querySelectorAll('button')].find(one => one.innerText.includes('P-1')).click()"
OPENED = """all('.card').length === {count}
  && all('.progress')[0].textContent.includes('of {count} cells')
  && all('.card img').slice(0, 12).filter(one => one.complete && one.naturalWidth).length === 12"""
KEY = """all('.cells')[0].dispatchEvent(
  new KeyboardEvent('keydown', {key: '%s', bubbles: true, composed: true}))"""
SHOWN = "all('.card[data-number=\"{number}\"]')[0].dataset.own === '{verdict}'"
SAVED = SHOWN + " && all('.card[data-number=\"{number}\"]')[0].dataset.saved === 'true'"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("cells", 500), ("opened", 8), ("verdicts", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    from tests.support.browser import ARGUMENTS, Server, at_rest, find_browser

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        data = Path(scratch) / "data"
        os.environ.pop("LEUKEMIA_DATABASE_URL", None)
        bundle = bundles.read(SHIPPED)
        case = cases.create(data, "P-1", who=NAME)
        results = answered_cells(bundle, options.cells)
        cells.add(data, case.id, results, bundle, bundle.operating_point, who=NAME)
        server = Server(SHIPPED, Path(scratch) / "log.txt", data)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        try:
            server.wait()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.add_init_script(f"sessionStorage.setItem('leukemia-reader', '{NAME}')")
            page.goto(server.address("cases"))
            opened = []
            for _ in range(options.opened + 1):
                page.get_by_role("button", name="P-1").wait_for()
                at_rest(page)
                opened.append(page.evaluate(TIMED, [OPEN, OPENED.format(count=options.cells)]))
                at_rest(page)
                page.get_by_role("button", name="All cases").click()
            _row(f"open a case of {options.cells} cells", opened[1:], OPEN_LIMIT)
            page.get_by_role("button", name="P-1").click()
            page.locator(".card").nth(options.cells - 1).wait_for()
            at_rest(page)
            for what, holds in (("a verdict is on the tile", SHOWN), ("a verdict is marked as saved", SAVED)):
                taken = [
                    _verdict(page, number, what == "a verdict is on the tile", holds)
                    for number in range(1, options.verdicts + 1)
                ]
                _row(what, taken, SHOWN_LIMIT)
                page.locator(".cells").press("Home")
        finally:
            browser.close()
            server.stop()


def _verdict(page, number: int, first: bool, holds: str) -> float:
    key, verdict = ("a", "ALL-like") if first else ("n", "Normal-like")
    taken = page.evaluate(TIMED, [KEY % key, holds.format(number=number, verdict=verdict)])
    page.wait_for_timeout(700)
    return taken


def _row(what: str, taken: list[float], limit: int) -> None:
    p95 = np.percentile(taken, 95)
    print(
        f"{what:34}{median(taken):7.0f} ms (p95 {p95:.0f}, worst {max(taken):.0f}); limit {limit}; "
        f"load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
