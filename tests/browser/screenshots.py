"""Take the README's screenshots with the model in service: ``python -m tests.browser.screenshots``.

Only the sixteen cells that come with the program are shown, credited in the README, and a drawn field. The
runs are those of ``LEUKEMIA_DATA``, where there are some; the newest is opened.
"""

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from leukemia import settings
from leukemia.tracking import run_history
from tests.support.browser import ARGUMENTS, PATIENCE, Server, at_rest, find_browser
from tests.support.fields import draw_smear

FOLDER = settings.PROJECT / "docs" / "screenshots"
# Name, width and height in pixels, theme, whether unreadable files are among the cells.
SHOTS = (
    ("classify-light", 1280, 1500, "light", False),
    ("classify-dark", 1280, 1500, "dark", True),
    ("classify-narrow", 768, 1700, "light", True),
)
# What is read of the case of sample cells: keys, cell by cell; the reader's name, and where the tab keeps it.
READ, READER = "aniar1aii", "sessionStorage.setItem('leukemia-reader', 'Ada')"
# A drawn field, in both themes.
FIELD_SHOTS = (("field-light", "light"), ("field-dark", "dark"))
FIELD_SEED = 4
UNREADABLE = {"letter.bmp": b"Dear colleague, enclosed please find", "empty.png": b""}


def main() -> None:
    """Start the dashboard and take every shot."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        server = Server(settings.load().model, Path(name) / "log.txt")
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        try:
            server.wait()
            for shot in SHOTS:
                _take(browser, server.address(), Path(name), *shot)
            _take_case(browser, Path(name))
            for shot in FIELD_SHOTS:
                _take_field(browser, server.address(), Path(name) / "smear.png", *shot)
            _take_runs(browser, Path(name) / "runs.txt")
        finally:
            browser.close()
            server.stop()


def _take_case(browser: Browser, folder: Path) -> None:
    server = Server(settings.load().model, folder / "cases.txt", folder / "data")
    try:
        server.wait()
        page = browser.new_page(viewport={"width": 1280, "height": 1200}, color_scheme="light")
        page.add_init_script(READER)
        page.goto(server.address("cases"))
        page.get_by_role("button", name="Make a case of the sample cells").click()
        page.locator(".card img").nth(15).wait_for()
        page.get_by_text("You have read 0 of 16").wait_for()
        at_rest(page)
        page.locator(".cells").focus()
        for key in READ:
            page.keyboard.press(key)
        page.get_by_text("Saved.").wait_for()
        page.mouse.move(640, 600)
        page.mouse.wheel(0, -3_000)
        page.mouse.move(0, 0)
        page.wait_for_timeout(4_000)
        page.screenshot(path=FOLDER / "cases-light.png")
    finally:
        server.stop()


def _take_runs(browser: Browser, log: Path) -> None:
    found = run_history.runs(settings.load().data)
    if not found:
        return
    server = Server(None, log)
    try:
        server.wait()
        page = browser.new_page(viewport={"width": 1280, "height": 1500}, color_scheme="light")
        page.goto(server.address(f"training?section=runs&run={found[0].run_id}"))
        page.get_by_text("Epoch by epoch").wait_for()
        page.wait_for_timeout(4_000)
        page.screenshot(path=FOLDER / "training-runs.png")
    finally:
        server.stop()


def _take_field(browser: Browser, url: str, file: Path, name: str, scheme: str) -> None:
    Image.fromarray(draw_smear(FIELD_SEED)).save(file)
    page = browser.new_page(viewport={"width": 1280, "height": 1900}, color_scheme=scheme)
    page.set_default_timeout(1_000 * PATIENCE)
    page.goto(url)
    page.locator("input[type=file]:enabled").set_input_files(file)
    page.locator(".field .cell").first.wait_for()
    page.wait_for_timeout(1_500)
    card = page.get_by_test_id("stVerticalBlock").filter(has=page.locator(".field")).last
    card.screenshot(path=FOLDER / f"{name}.png")
    if scheme == "light":
        _take_by_hand(page, card)
    page.close()


def _take_by_hand(page: Page, card: Locator) -> None:
    """The same while a box is drawn round a cell of it that was removed."""
    cell = page.locator(".field .cell").nth(1)
    svg, shape = page.locator(".field svg"), cell.locator("polygon").first.bounding_box()
    left, top = (shape[side] - svg.bounding_box()[side] - 6 for side in "xy")
    svg.focus()
    page.keyboard.press("c")
    cell.locator("polygon").first.click()
    page.keyboard.press("Delete")
    page.locator(".bar .said", has_text="removed").wait_for()
    page.wait_for_timeout(1_500)
    page.keyboard.press("b")
    x, y = svg.bounding_box()["x"] + left, svg.bounding_box()["y"] + top
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + shape["width"] + 12, y + shape["height"] + 12, steps=5)
    page.mouse.up()
    card.screenshot(path=FOLDER / "field-by-hand-light.png")


def _take(
    browser: Browser,
    url: str,
    folder: Path,
    name: str,
    width: int,
    height: int,
    scheme: str,
    unreadable: bool,
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(url)
    page.get_by_role("button", name="Try sample cells").click()
    page.locator(".cell").nth(11).wait_for()
    if unreadable:
        for file, content in UNREADABLE.items():
            (folder / file).write_bytes(content)
        page.locator("input[type=file]:enabled").set_input_files([folder / file for file in UNREADABLE])
        page.locator(".refusal").nth(1).wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
