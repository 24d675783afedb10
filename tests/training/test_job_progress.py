"""What a job learns of a training while it runs."""

import json

import pytest

from leukemia.jobs import progress
from leukemia.training import callbacks
from leukemia.training.callbacks import ReportToJob


@pytest.fixture
def reported(tmp_path, monkeypatch):
    """What the job's folder says now."""
    reporter = progress.JobProgress(tmp_path)
    monkeypatch.setattr(progress, "current", lambda: reporter)
    return lambda: json.loads((tmp_path / progress.PROGRESS).read_text())


def test_epochs_and_the_one_under_way_are_told(reported):
    one = ReportToJob("small", 3)
    one.set_params({"steps": 8})
    one.record_run("abc")
    one.begin_part("", [{"loss": 0.9}])
    one.on_epoch_begin(1)
    one.on_train_batch_end(1, {"loss": 0.5, "recall": 0.7, "other": 1.0})
    state = reported()
    assert (state["done"], state["total"], state["what"]) == (2, 8, "Epoch 2 of 3")
    facts = state["facts"]
    assert facts["step"] == {"loss": 0.5, "recall": 0.7}
    assert facts["memory"] > 10e6
    assert facts["parts"] == [{"name": "", "history": [{"loss": 0.9}]}]
    one.on_epoch_end(1, {"loss": 0.4, "val_loss": 0.6})
    facts = reported()["facts"]
    assert facts["parts"][0]["history"][1].keys() == {"loss", "val_loss", "seconds"}
    assert facts["step"] == {}
    one.end(7, "here")
    facts = reported()["facts"]
    assert (facts["version"], facts["bundle"], facts["left"], facts["run_id"]) == (7, "here", 0.0, "abc")


def test_the_time_left_goes_by_the_epochs_so_far(reported, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    one = ReportToJob("small", 4, parts=2)
    one.set_params({"steps": 8})
    one.begin_part("fold 1/2")
    one.on_epoch_begin(0)
    now[0] = 5.0
    one.on_train_batch_end(7)
    assert reported()["facts"]["left"] == pytest.approx(8 * 5 - 5)
    now[0] = 10.0  # with its prediction of the validation patients
    one.on_epoch_end(0)
    assert reported()["facts"]["left"] == pytest.approx(7 * 10)
    one.begin_part("fold 2/2", [{}, {}, {}])
    one.on_epoch_begin(0)
    now[0] = 14.0
    one.on_train_batch_end(7)
    assert reported()["what"] == "Fold 2/2, epoch 4 of 4"
    assert reported()["facts"]["left"] == pytest.approx(10 - 4)


def test_counts_become_a_specificity():
    found = callbacks.with_specificity({"loss": 1.0, "true_negatives": 3.0, "false_positives": 1.0})
    assert found == {"loss": 1.0, "specificity": 0.75}
    assert callbacks.with_specificity({"true_negatives": 0.0, "false_positives": 0.0}) == {}


def test_what_comes_before_and_after_the_epochs_has_a_name(reported):
    one = ReportToJob("small", 3)
    assert reported()["what"] == "Opening the record of runs"
    one.begin_part()
    assert reported()["what"].startswith("Preparing the network")
    one.step("Writing the model")
    assert (reported()["what"], reported()["total"]) == ("Writing the model", 0)
