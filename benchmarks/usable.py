"""Whether the pages stay usable while a run trains: seconds from a click to the page at rest.

    python -m benchmarks.usable [--data FOLDER] [--recipe reference-cnn]

A run of the recipe is started on the prepared set (in a folder of its own) as the page Training does;
once it learns, a browser clicks through the pages. Each click is timed from the press until what it
asked for stands there and the page is at rest, the first ones untimed: they load what is loaded once.
Limit: 1 second. Needs Chromium and a prepared set.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from leukemia import settings

LIMIT = 1.0
ROUNDS = 3
# Page, and what is pressed on it; nothing: the page itself is opened.
CLICKS = (
    ("Dataset", "Overview"),
    ("Dataset", "Gallery"),
    ("Dataset", "Checks"),
    ("Performance", "Threshold"),
    ("Performance", "Patients"),
    ("Performance", "Subgroups"),
    ("Training", "New run"),
    ("Training", "Now"),
    ("Training", "Runs"),
)
AT_REST = "[data-testid='stApp'][data-test-script-state='notRunning']"


def main() -> None:
    """Measure and print."""
    options = _options()
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, Server, find_browser

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        data = _folder(options.data.resolve(), Path(scratch) / "data")
        os.environ["LEUKEMIA_DATA"] = str(data)
        job = _train(data, options.recipe)
        server = Server(None, Path(scratch) / "log.txt")
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        try:
            server.wait()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(server.url)
            _until_it_learns(job)
            _measure(page)
        finally:
            browser.close()
            server.stop()
            _end(job)


def _folder(prepared: Path, data: Path) -> Path:
    """A data folder whose images and kept measurements are those of another."""
    data.mkdir()
    for path in prepared.iterdir():
        if path.name not in ("jobs", "checkpoints", "mlflow.db", "mlruns", "serving"):
            (data / path.name).symlink_to(path)
    return data


def _train(data: Path, recipe: str):
    from leukemia import waiting

    asked = ["train", "--recipe", recipe, "--set", "epochs=50", "--data", str(data), "--in-registry"]
    return waiting.ask(data, "train", f"A run of {recipe}", asked)


def _until_it_learns(job) -> None:
    from leukemia import jobs

    until = time.monotonic() + 600
    while "epoch" not in jobs.state(job).what.lower():
        if time.monotonic() > until or not jobs.state(job).active:
            raise SystemExit(f"The run does not learn: {jobs.log_tail(job)}")
        time.sleep(0.5)


def _end(job) -> None:
    from leukemia import jobs

    jobs.cancel(job)
    while jobs.state(job).active:
        time.sleep(0.5)


def _measure(page) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, a run trains; limit {LIMIT:g} s a click\n")
    print(f"{'page':<14}{'pressed':<14}{'median':>8}{'slowest':>9}   s")
    found: dict[tuple[str, str], list[float]] = {click: [] for click in CLICKS}
    for number in range(ROUNDS + 1):
        for name, section in CLICKS:
            seconds = _click(page, name, section)
            if number:
                found[name, section].append(seconds)
    for (name, section), times in found.items():
        print(f"{name:<14}{section:<14}{sorted(times)[len(times) // 2]:>8.2f}{max(times):>9.2f}")
    slowest = max(max(times) for times in found.values())
    print(f"\nSlowest click {slowest:.2f} s: {LIMIT:g} s {'holds' if slowest <= LIMIT else 'does not hold'}.")


def _click(page, name: str, section: str) -> float:
    if not page.get_by_role("heading", name=name, exact=True).count():
        page.get_by_role("link", name=name).click()
        page.get_by_role("heading", name=name, exact=True).wait_for()
        page.locator(AT_REST).wait_for()
    button = page.get_by_role("radio", name=section, exact=True)
    began = time.monotonic()
    button.click()
    page.wait_for_timeout(50)
    page.locator(AT_REST).wait_for()
    return time.monotonic() - began


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=settings.load().data)
    parser.add_argument("--recipe", default="reference-cnn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
