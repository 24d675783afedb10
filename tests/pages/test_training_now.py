"""What is at work, what waits and what ended, in the page: read from the folders of jobs alone."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from streamlit import dataframe_util

from leukemia import jobs
from leukemia.recipes import throughput
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace
from tests.support import job_factory
from tests.support.app import open_page, press, said, wait, widget
from tests.support.job_factory import epoch, queued, validated, write


@pytest.fixture
def data(prepared, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(Workspace(prepared).manifest, folder)
    # Measured, so that the form starts no process.
    throughput.record(folder / "cache", "reference-cnn", 0.01, 0.004)
    return folder


@pytest.fixture
def at_work():
    """A process that does nothing until it is ended."""
    process, born = job_factory.sleeper()
    yield process, born
    process.kill()
    process.wait()


@pytest.fixture
def visit(data, monkeypatch):
    """Open the page first of all, without the model that Classify loads."""

    def start(folder=data, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
        return open_page("training", **query)

    return start


def curves(page):
    """Rows of the live charts: by line and kind of epoch, (epoch, value) each."""
    found = {}
    for chart in page.get("vega_lite_chart"):
        frame = dataframe_util.convert_arrow_bytes_to_pandas_df(chart.proto.data.data)
        for row in frame.itertuples():
            found.setdefault((row.line, row.mark), []).append((row.epoch, row.value))
    return found


def metrics(page):
    return {one.label: one.value for one in page.metric}


def test_without_a_prepared_folder_nothing_runs_and_a_new_run_is_one_press_away(visit, tmp_path):
    page = visit(tmp_path / "empty", section="now")
    assert "Nothing is running" in said(page)
    press(page, "New run")
    assert page.query_params["section"] == "new"


def test_the_page_opens_on_what_is_at_work_and_stays_there_when_it_ends(visit, data, at_work):
    page = visit()
    assert page.query_params["section"] == "new"
    job = write(data, title="Long one", process=at_work)
    page = visit()
    assert page.query_params["section"] == "now"
    assert "Long one" in said(page)
    at_work[0].kill()
    at_work[0].wait()
    page.run()
    assert page.query_params["section"] == "now"
    assert "ended without a message" in said(page)
    assert jobs.state(job).status == "lost"


def test_nothing_at_work_is_said_with_a_way_to_a_new_run(visit):
    page = visit(section="now")
    assert "Nothing is running" in said(page)
    press(page, "New run")
    assert page.query_params["section"] == "new"


def test_a_run_at_work_is_told_with_its_curves(visit, data, at_work):
    history = [validated(0.7), validated(0.5)]
    facts = {
        "recipe": "reference-cnn",
        "epochs": 8,
        "parts": [{"name": "", "history": history}],
        "step": {"loss": 0.4, "recall": 0.9, "specificity": 0.6},
        "memory": 1.5 * 1024**3,
        "left": 754.0,
        "warnings": ["The set was changed: <b>look</b> at *it*."],
    }
    told = {"done": 16, "total": 64, "what": "Epoch 3 of 8"}
    write(data, title="My [run]", process=at_work, facts=facts, told=told, by="Dr. *Ada*", log="epoch 2/8")
    page = visit()
    assert metrics(page) == {"Epochs finished": "2 of 8", "Time left": "13 minutes", "Memory": "1.5 GB"}
    assert "My [run]" in said(page)
    assert "One run of reference-cnn, started" in said(page)
    assert "by Dr. *Ada*;" in said(page)
    assert "look" in page.warning[0].value
    assert "\\<b\\>" in page.warning[0].value
    (bar,) = page.get("progress")
    assert bar.proto.text == "Epoch 3 of 8: 16 of 64 batches"
    assert bar.proto.value == 25
    assert page.code[0].value == "epoch 2/8"
    found = curves(page)
    assert found["Training", "finished"] == [(1.0, 0.7), (2.0, 0.5)]
    assert found["Training", "under way"] == [(2.25, 0.4)]
    assert found["Validation", "finished"] == [(1.0, pytest.approx(0.8)), (2.0, pytest.approx(0.6))]
    assert found["Specificity, training", "under way"] == [(2.25, 0.6)]
    assert ("Validation", "under way") not in found
    assert "lowest in epoch 2 (0.600), the last one" in said(page)


def test_the_chart_stays_the_same_while_its_rows_grow(visit, data, at_work):
    facts = {"epochs": 8, "parts": [{"name": "", "history": [validated(0.7)]}], "step": {"loss": 0.6}}
    job = write(data, process=at_work, facts=facts)
    page = visit()
    before = [chart.proto.spec for chart in page.get("vega_lite_chart")]
    facts["parts"][0]["history"].append(validated(0.5))
    job_factory.tell(job.folder, facts)
    page.run()
    assert [chart.proto.spec for chart in page.get("vega_lite_chart")] == before
    assert all(chart.proto.id == "" for chart in page.get("vega_lite_chart"))
    assert curves(page)["Training", "finished"] == [(1.0, 0.7), (2.0, 0.5)]


def test_a_cross_validation_shows_its_folds_so_far(visit, data, at_work):
    parts = [
        {"name": "fold 1/5", "history": [epoch(0.6), epoch(0.4)]},
        {"name": "fold 2/5", "history": [epoch(0.7)]},
    ]
    write(data, "crossvalidate", process=at_work, facts={"epochs": 2, "parts": parts})
    page = visit()
    assert metrics(page)["Running"] == "Fold 2/5"
    table = page.dataframe[0].value
    assert table["fold"].tolist() == ["fold 1/5", "fold 2/5"]
    assert table["state"].tolist() == ["done", "running"]
    assert table["epochs"].tolist() == ["2 of 2", "1 of 2"]
    found = curves(page)
    assert found["Training", "earlier"] == [(1.0, 0.6), (2.0, 0.4)]
    assert found["Training", "finished"] == [(1.0, 0.7)]
    assert "No patients are held out for validation" in said(page)


@pytest.mark.parametrize("facts", [{}, {"parts": [{"name": ""}]}, {"epochs": 3, "parts": [], "step": {}}])
def test_a_run_that_has_told_little_yet_is_shown(visit, data, at_work, facts):
    write(data, process=at_work, facts=facts)
    page = visit()
    assert not page.error
    assert metrics(page)["Time left"] == "–"
    assert "Starting" in page.get("progress")[0].proto.text


@pytest.mark.process
def test_a_run_is_cancelled_and_gone_on_with(visit, data, at_work):
    job = write(data, title="Mine", process=at_work)
    page = visit()
    press(page, "Cancel")
    at_work[0].wait(20)
    page.run()
    assert "Mine: It did not stop on its own and was forced to stop" in said(page)
    press(page, "Resume")
    second = jobs.latest(data, "train")
    assert second != job
    assert second.arguments == job.arguments
    wait(page, second)
    assert not jobs.waiting(data)


def test_while_it_ends_the_page_says_until_when(visit, data, at_work):
    job = write(data, process=at_work)
    page = visit()
    (job.folder / "cancel.json").write_text(json.dumps({"until": 4e12}))
    page.run()
    (ending,) = [one for one in page.button if one.label.startswith("Stopping, within")]
    assert ending.disabled
    assert "after 30 seconds, it is forced to" in said(page)


def test_a_failed_run_says_why_and_can_be_gone_on_with(visit, data):
    write(data, title="Mine", end=(2, "The disk is <i>full</i>."), by="Ada")
    page = visit(section="now")
    assert "Mine: The disk is <i>full</i>." in said(page)
    assert "\\<i\\>" in page.error[0].value
    assert "by Ada, ended" in said(page)
    assert widget(page.button, "Resume")


def test_what_is_done_leads_to_its_run(visit, data):
    write(data, title="Mine", end=(0, ""), facts={"run_id": "abc123", "version": 3})
    page = visit(section="now")
    assert "Mine: done. It is version 3" in page.success[0].value.replace("\\", "")
    press(page, "Open it in Runs")
    assert (page.query_params["section"], page.query_params["run"]) == ("runs", "abc123")


def test_what_somebody_goes_on_with_is_not_offered_once_more(visit, data, at_work):
    write(data, title="Before", end=(130, "Stopped."), ago=60)
    write(data, title="Again", process=at_work)
    page = visit()
    assert not [one for one in page.button if one.label == "Resume"]
    assert "Before" not in said(page)


def queue_buttons(page, icon):
    return [one for one in page.button if one.key and one.key.startswith(f"queue-{icon}")]


def order(data):
    return [one.title for one in jobs.waiting(data)]


def test_the_queue_is_moved_and_taken_from(visit, data, at_work):
    write(data, process=at_work)
    queued(data, "first", "second", "*third*", by="Ben")
    page = visit()
    assert "3 trainings are waiting" in said(page)
    assert "**3.** *third*" in said(page)
    assert "added 2026-01-02 03:04 UTC by Ben" in said(page)
    assert [one.disabled for one in queue_buttons(page, "arrow_upward")] == [True, False, False]
    assert [one.disabled for one in queue_buttons(page, "arrow_downward")] == [False, False, True]
    queue_buttons(page, "arrow_upward")[2].click().run()
    assert order(data) == ["first", "*third*", "second"]
    queue_buttons(page, "arrow_downward")[0].click().run()
    assert order(data) == ["*third*", "first", "second"]
    queue_buttons(page, "delete")[1].click().run()
    assert order(data) == ["*third*", "second"]
    assert not page.exception


def test_what_was_started_meanwhile_is_a_sentence(visit, data, at_work):
    write(data, process=at_work)
    queued(data, "first", "second")
    page = visit()
    jobs.drop(data, "id-1")
    queue_buttons(page, "delete")[1].click().run()
    assert "no longer waiting" in page.error[0].value
    assert order(data) == ["first"]


@pytest.mark.process
def test_who_looks_starts_what_waits_where_nothing_works(visit, data):
    queued(data, "first")
    page = visit()
    job = jobs.latest(data, "train")
    assert job.title == "first"
    assert order(data) == []
    wait(page, job)
    assert "first" in said(page)


def test_an_import_at_work_is_told_and_trainings_wait(visit, data, at_work):
    write(data, "import", "Import of x", process=at_work, told={"done": 3, "total": 9, "what": "Importing"})
    queued(data, "first")
    page = visit()
    assert page.query_params["section"] == "now"
    assert "Import of x is running on this data folder" in said(page)
    assert page.get("progress")[0].proto.text == "Importing: 3 of 9"
    assert order(data) == ["first"]


@pytest.mark.process
def test_the_page_opens_without_the_heavy_libraries(data):
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "page = AppTest.from_file('dashboard.py', default_timeout=300)\n"
        "page.switch_page('pages/training.py')\n"
        "for section in ('new', 'now'):\n"
        "    page.query_params['section'] = section\n"
        "    page.run()\n"
        "    assert not page.exception\n"
        "    assert [one.value for one in page.title] == ['Training']\n"
        "print(sorted({'keras', 'tensorflow', 'mlflow', 'optuna'} & set(sys.modules)))\n"
    )
    environment = {**os.environ, "LEUKEMIA_DATA": str(data)}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    assert found.stdout.strip() == "[]", found.stderr
