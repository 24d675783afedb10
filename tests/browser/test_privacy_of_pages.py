"""Each page and section, and the jobs that they start: nothing leaves the machine or lands at home."""

import re
import shutil
import time

import pytest

from leukemia import jobs
from leukemia.bundles import bundle as bundles
from leukemia.settings import PROJECT
from tests.support.browser import PATIENCE, Server, at_rest
from tests.support.bundle_factory import copy_bundle, sign
from tests.support.case_factory import make_case
from tests.support.runs_factory import data_folder, finish_run
from tests.support.watch import Watch

HEADINGS = {"cases": "Cases", "dataset": "Dataset", "performance": "Performance", "training": "Training"}


@pytest.fixture
def watch(tmp_path):
    return Watch(tmp_path)


@pytest.fixture
def data(tmp_path, tiny_bundle, drawn_set, monkeypatch):
    """The drawn set and two model versions."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = data_folder(tmp_path / "data")
    shutil.copytree(drawn_set, folder, dirs_exist_ok=True)
    for name in ("one", "two"):
        finish_run(folder, copy_bundle(tiny_bundle, tmp_path / name, recipe=name))
    return folder


def sections(page):
    """The words of a page's sections, as its file names them; at least three."""
    file = "sections/cases/case_view.py" if page == "cases" else f"{page}.py"
    text = (PROJECT / "pages" / file).read_text()
    words = re.findall(r'^    "(\w+)": [\w.]+,$', text, re.MULTILINE)
    words = words or re.search(r"^NEW, NOW, RUNS = (.*)$", text, re.MULTILINE)[1].replace('"', "").split(", ")
    assert len(words) >= 3
    return words


def test_no_page_asks_another_machine_or_leaves_anything_at_home(
    browser, sessions, watch, tiny_bundle, data, tmp_path
):
    case = make_case(data)
    with Server(tiny_bundle, tmp_path / "log.txt", data, watch.environment) as server:
        page = sessions.open(server, "", "Classify cells")
        page.get_by_role("button", name="Try drawn cells").click()
        page.get_by_text("ALL-like").first.wait_for()
        at_rest(page)
        for name, heading in HEADINGS.items():
            for section in sections(name):
                opened = sessions.open(server, f"{name}?section={section}&case={case.id}", heading)
                at_rest(opened)
                opened.context.close()
                sessions.contexts.pop()
        until = time.monotonic() + PATIENCE
        while any(jobs.state(job).active for job in jobs.history(data)) and time.monotonic() < until:
            time.sleep(0.2)
    assert jobs.history(data), "no page started a job"
    assert any("-m streamlit run" in one for one in watch.started)
    assert any("-m leukemia" in one for one in watch.started)
    watch.check()


def test_a_card_from_elsewhere_shows_no_remote_picture(sessions, tiny_bundle, tmp_path):
    """Any request that is not the dashboard's own fails the session."""
    bundle = copy_bundle(tiny_bundle, tmp_path / "bundle")
    text = "# Card\n\nRead me: ![a picture](http://192.0.2.1/who-reads.png)\n"
    (bundle / bundles.CARD).write_text(text)
    with Server(sign(bundle, bundles.CARD), tmp_path / "log.txt", tmp_path / "data") as server:
        page = sessions.open(server, "performance?section=card", "Performance")
        page.get_by_text("Read me: ![a picture]").wait_for()
        at_rest(page)
        assert page.locator("img[src*='192.0.2.1']").count() == 0
