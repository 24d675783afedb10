"""Whether the pages stay usable while a run trains: seconds from a click to the page at rest.

    python -m benchmarks.usable [--data FOLDER] [--recipe reference-cnn]

A run of the recipe is started on the prepared set (in a folder of its own) as the page Training does;
once it learns, a browser clicks through the pages. Each click is timed in the browser from the press
until it is answered (the server has run to its end, and a frame was drawn) and until all is drawn (the
browser has nothing left to do); the first ones are untimed: they load what is loaded once. Limit: an answer
within 1 second. Needs Chromium and a prepared set.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

from leukemia import jobs, settings

LIMIT = 1.0
ROUNDS = 3
PAUSE = 500  # milliseconds between two clicks, as a reader takes at least
# Page, and what is pressed on it. What a page opens with is timed from the press on the page's name.
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
# Seconds from the press until the script ran to its end and a frame was drawn after it, and until the browser
# has drawn all charts: it is idle then.
TIMED = """button => new Promise(done => {
  const began = performance.now();
  let ran = false;
  const look = () => {
    const app = document.querySelector("[data-testid='stApp']");
    const resting = app && app.getAttribute("data-test-script-state") === "notRunning";
    ran ||= !resting;
    if (performance.now() - began > 30000) return done([NaN, NaN]);
    if (!ran || !resting) return setTimeout(look, 4);
    const past = () => (performance.now() - began) / 1000;
    requestAnimationFrame(() => {
      const answered = past();
      requestIdleCallback(() => done([answered, past()]));
    });
  };
  button.click();
  setTimeout(look, 0);
})"""


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
            page.goto(server.address())
            _until_it_learns(job)
            _measure(page)
        finally:
            browser.close()
            server.stop()
            _end(job)


def _folder(prepared: Path, data: Path) -> Path:
    """Make a data folder that shares the images and cached measurements of another."""
    data.mkdir()
    for path in prepared.iterdir():
        if path.name not in ("jobs", "checkpoints", "mlflow.db", "mlruns", "serving"):
            (data / path.name).symlink_to(path)
    return data


def _train(data: Path, recipe: str):

    asked = ["train", "--recipe", recipe, "--set", "epochs=50", "--data", str(data), "--in-registry"]
    return jobs.submit(data, "train", f"A run of {recipe}", asked)


def _until_it_learns(job) -> None:

    until = time.monotonic() + 600
    while "epoch" not in jobs.state(job).what.lower():
        if time.monotonic() > until or not jobs.state(job).active:
            raise SystemExit(f"The run does not learn: {jobs.log_tail(job)}")
        time.sleep(0.5)


def _end(job) -> None:

    jobs.cancel(job)
    while jobs.state(job).active:
        time.sleep(0.5)


def _measure(page) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, a run trains; limit {LIMIT:g} s a click\n")
    print(f"{'seconds until':<28}{'answered':>10}{'slowest':>9}{'drawn':>8}{'slowest':>9}")
    seconds_of: dict[tuple[str, str], list[tuple[float, float]]] = {click: [] for click in CLICKS}
    for number in range(ROUNDS + 1):
        for name, section in CLICKS:
            seconds = _click(page, name, section)
            if number:
                seconds_of[name, section].append(seconds)
    for (name, section), times in seconds_of.items():
        answered, drawn = zip(*times, strict=True)
        print(f"{name:<14}{section:<14}{median(answered):>10.2f}{max(answered):>9.2f}", end="")
        print(f"{median(drawn):>8.2f}{max(drawn):>9.2f}")
    slowest = max(answered for times in seconds_of.values() for answered, _ in times)
    print(
        f"\nSlowest answer {slowest:.2f} s: {LIMIT:g} s {'holds' if slowest <= LIMIT else 'does not hold'}."
    )


def _click(page, name: str, section: str) -> tuple[float, float]:
    button = page.get_by_role("radio", name=section, exact=True)
    page.wait_for_timeout(PAUSE)
    if not page.get_by_role("heading", name=name, exact=True).count():
        seconds = page.get_by_role("link", name=name).evaluate(TIMED)
        page.get_by_role("heading", name=name, exact=True).wait_for()
        page.locator(AT_REST).wait_for()
        if button.is_checked():
            return seconds
        page.wait_for_timeout(PAUSE)
    return button.evaluate(TIMED)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=settings.load().data)
    parser.add_argument("--recipe", default="reference-cnn")
    return parser.parse_args()


if __name__ == "__main__":
    main()
