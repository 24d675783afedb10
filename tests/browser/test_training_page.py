"""What a person does on the Training page, with real short runs on drawn cells.

A run is started from the form, watched, cancelled, gone on with, promoted, seen by Classify, taken back.
"""

import contextlib
import re
import shutil
import time

import pytest

from leukemia import jobs
from leukemia.recipes import throughput
from leukemia.registry import serving
from tests.support.browser import PATIENCE, Server, at_address, at_rest, fits_the_screen
from tests.support.runs_factory import data_folder

EPOCHS = 40


@pytest.fixture
def data(drawn_set, tmp_path, monkeypatch):
    folder = data_folder(tmp_path / "data")
    shutil.copytree(drawn_set, folder, dirs_exist_ok=True)
    # Measured, so that the form starts no process.
    for recipe in ("reference-cnn", "dense-baseline"):
        throughput.record(folder / "cache", recipe, 0.004, 0.001)
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield folder
    if job := jobs.running(folder, jobs.Lane.CHANGE):
        jobs.cancel(job, grace=1)


@pytest.fixture
def serve(data, sessions, tmp_path):
    """Start a dashboard; return it."""
    with contextlib.ExitStack() as servers:

        class Dashboard:
            def __init__(self):
                log = tmp_path / f"log-{len(list(tmp_path.glob('log-*')))}.txt"
                self.server = servers.enter_context(Server(None, log))

            def visit(self, address="training", heading="Training", **look):
                return sessions.open(self.server, address, heading, height=1100, **look)

        yield Dashboard
        sessions.close()


def number(page, title, value):
    field = page.get_by_label(title, exact=True).first
    field.fill(str(value))
    field.press("Enter")


def finished(page, least):
    """How many epochs the page says are finished, once it is so many."""
    metric = page.get_by_test_id("stMetric").filter(has_text="Epochs finished")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = re.search(rf"(\d+) of {EPOCHS}", metric.inner_text())
        if found and int(found[1]) >= least:
            return int(found[1])
        page.wait_for_timeout(300)
    raise AssertionError(page.locator("body").inner_text())


def start(page):
    page.get_by_text("One network").or_(page.get_by_text("Trains on some patients")).first.wait_for()
    page.get_by_label("Recipe", exact=True).first.click()
    page.get_by_role("option", name="dense-baseline").click()
    page.get_by_text("One dense layer of 128").first.wait_for()
    # What is typed while the fields of another recipe are still being laid out would be laid over.
    at_rest(page)
    number(page, "Epochs", EPOCHS)
    page.get_by_text(re.compile(rf"Epochs: 30 → {EPOCHS}")).first.wait_for()
    at_rest(page)
    number(page, "Cells per epoch", 256)
    page.get_by_text(re.compile(r"Cells per epoch: 2,000 → 256")).first.wait_for()
    at_rest(page)
    page.get_by_label("Your name (optional)", exact=True).fill("Dr. Ada")
    page.get_by_role("button", name="Start", exact=True).click()


def test_a_run_is_started_watched_cancelled_gone_on_with_promoted_and_taken_back(serve, data):
    dashboard = serve()
    page = dashboard.visit()
    at_address(page, "section=new")
    start(page)
    page.get_by_role("button", name="Cancel").wait_for()
    at_address(page, "section=now")
    # The curve grows in the same chart, without the page being loaded or laid out anew.
    seen = finished(page, 1)
    chart = page.locator(".stVegaLiteChart canvas, .stVegaLiteChart svg").first
    chart.evaluate("chart => { chart.marked = true; window.marked = true; }")
    assert finished(page, seen + 1) > seen
    assert chart.evaluate("chart => chart.marked === true && window.marked === true")
    page.get_by_text("by Dr. Ada").first.wait_for()

    first = jobs.latest(data, "train")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped. Finished work is kept").first.wait_for()
    stopped = jobs.state(first)
    assert stopped.status == "stopped"
    (part,) = stopped.training.parts
    behind = len(part.history)
    assert 1 < behind < EPOCHS

    # The dashboard is stopped and started: the page finds the run, and goes on with it.
    dashboard.server.stop()
    dashboard = serve()
    page = dashboard.visit("training?section=now")
    page.get_by_role("button", name="Resume").click()
    page.get_by_text(re.compile("done. It is version 1")).first.wait_for()
    second = jobs.latest(data, "train")
    assert second.arguments == first.arguments
    resumed = jobs.state(second).training
    assert resumed.run_id == stopped.training.run_id
    # The same epochs, but for how long they took.
    before = [{name: value for name, value in one.items() if name != "seconds"} for one in part.history]
    kept = [
        {name: one[name] for name in old} for one, old in zip(resumed.parts[0].history, before, strict=False)
    ]
    assert kept == before

    # Somebody else trains once more on the same patients: it is seen here.
    words = [*first.arguments, "--set", "epochs=2"]
    assert not isinstance(jobs.submit(data, "train", "A short one", words, by="Ben"), jobs.WaitingJob)
    page.get_by_text("A short one: done. It is version 2").wait_for()
    page.get_by_role("button", name="Open it in Runs").click()
    promoted(page, 2, "first one")
    classify(dashboard, version=2)

    run = resumed.run_id
    page = dashboard.visit(f"training?section=runs&run={run}")
    page.get_by_text("Compared with the version in service").wait_for()
    page.get_by_text(re.compile(r"sensitivity [+−]?\d")).first.wait_for()
    promoted(page, 1, "the longer one")
    classify(dashboard, version=1)

    page.get_by_label("Rolled back by", exact=True).fill("Dr. Ada")
    page.get_by_label("Reason for rolling back", exact=True).fill("to see it again")
    page.keyboard.press("Enter")
    at_rest(page)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("I have read the warnings about rolling back").click()
    at_rest(page)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("Rolled back from version 1 to version 2").first.wait_for()
    classify(dashboard, version=2)


def promoted(page, version, why):
    page.get_by_text(f"Put version {version} in service").wait_for()
    at_rest(page)
    form = page.get_by_test_id("stForm").filter(has_text=f"Promote version {version}")
    form.get_by_label("Your name", exact=True).fill("Dr. Ada")
    form.get_by_label("Reason", exact=True).fill(why)
    # Always there: what learned from drawn cells is to be wary of.
    form.get_by_text("I have read the warnings").click()
    at_rest(page)
    form.get_by_role("button", name=f"Promote version {version}").click()
    page.get_by_text(f"Version {version} was put in service").first.wait_for()


def classify(dashboard, version):
    """Classify answers with this version, told by its fingerprint."""
    found = serving.find()
    assert found.version == version
    page = dashboard.visit("", "Classify cells")
    page.get_by_text(re.compile(found.bundle.digest[:8])).first.wait_for()
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (768, "light")])
def test_the_form_fits_the_screen_in_both_themes(serve, width, scheme):
    page = serve().visit("training?section=new", width=width, scheme=scheme)
    page.get_by_role("button", name="Start", exact=True).wait_for()
    at_rest(page)
    fits_the_screen(page)
