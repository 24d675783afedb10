"""The system clock is set back by a day: what came last is the newest, wherever order counts."""

import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import mlflow.tracking._tracking_service.client as mlflow_times
import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.classes import ALL, NORMAL
from leukemia.dataset import label_log, manifest
from leukemia.registry import promotion, publish, versions
from leukemia.storage import stamps
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_history, run_writer
from leukemia.tracking.mlflow import MlflowStore
from leukemia.verification import store
from leukemia.verification.statistics import Criterion
from tests.support.bundle_factory import write_bundle
from tests.support.runs_factory import data_folder, finish_run

DAY = timedelta(days=1)
CLOCKS = ("leukemia.attribution", "leukemia.storage.stamps", "leukemia.verification.store")


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", write_bundle(tmp_path / "shipped", 0.8, "shipped"))
    return data_folder(tmp_path / "data")


@pytest.fixture
def set_back(monkeypatch):
    """Set the clock back by so many days, for all of ours and for MLflow."""

    def by(days):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) - days * DAY

        for module in CLOCKS:
            monkeypatch.setattr(f"{module}.datetime", Clock)
        now = int(datetime.now(UTC).timestamp() * 1000)
        monkeypatch.setattr(
            mlflow_times, "get_current_time_millis", lambda: now - int(days * DAY.total_seconds() * 1000)
        )
        monkeypatch.setattr(run_writer.time, "time", lambda: now / 1000 - days * DAY.total_seconds())

    return by


def test_rolling_back_goes_to_the_version_that_was_in_service_before(data, tmp_path, set_back):
    for number in range(1, 5):
        set_back(number)  # each promotion a day before the one before it, by the clock
        finish_run(data, write_bundle(tmp_path / f"b{number}", 0.9, f"recipe-{number}"))
        promotion.promote(data, number, "Ada", "better")
    assert [event.version for event in versions.events(data)] == [1, 2, 3, 4]
    for expected in (3, 2, 1, None):
        set_back(expected or 9)
        assert promotion.roll_back(data, "Ada", "worse").event.version == expected
        assert versions.registry_state(data).champion == expected


def test_the_newest_run_is_listed_first_by_the_file_and_by_mlflow(data, set_back):
    parent = run_writer.start(data, "sweep", {}, {})
    for number in range(3):
        set_back(number)
        run_writer.start(data, f"run {number}", {}, {})
        run_writer.start(data, f"trial {number}", {}, {}, parent=parent.run_id)
    listed = run_history.runs(data)
    assert [run.name for run in listed] == ["run 2", "run 1", "run 0", "sweep"]
    assert listed[0].started < listed[1].started < listed[2].started
    assert [run.name for run in run_history.runs(data, limit=1)] == ["run 2"]
    trials = [run.name for run in run_history.children(data, parent.run_id)]
    assert trials == ["trial 0", "trial 1", "trial 2"]
    through = MlflowStore(data)
    assert [run.name for run in through.top_level_runs(9)] == [run.name for run in listed]
    assert [run.name for run in through.children(parent.run_id)] == trials


def test_of_a_repeated_epoch_the_values_written_last_count_and_no_run_takes_less_than_no_time(data, set_back):
    run = run_writer.start(data, "a run", {}, {})
    run.epoch(0, {"loss": 0.9})
    set_back(1)
    run.epoch(0, {"loss": 0.5})
    assert run_history.histories(data, run.run_id) == [{"loss": 0.5}]
    run.close({})
    assert run_history.run(data, run.run_id).seconds is None


def test_verifications_and_folders_are_in_the_order_in_which_they_were_made(data, tmp_path, set_back):
    bundle, criterion = bundles.read(write_bundle(tmp_path / "b")), Criterion(0.5, 0.5, 0.95)
    names, places = [], []
    for number in range(3):
        set_back(number)
        names.append(store.state(data, bundle, "b", f"Lab {number}", criterion, "Ada").stated.site)
        places.append(publish.place(data, None, "small"))
        places[-1].mkdir(parents=True)
    assert [one.stated.site for one in store.every(data)] == names[::-1]
    assert all(first.name < second.name for first, second in pairwise(places))
    assert len(set(Workspace(data).unregistered.iterdir())) == 3


def test_the_latest_correction_counts(prepared, tmp_path, set_back):
    data = shutil.copytree(prepared, tmp_path / "data")
    cells = manifest.read(data)
    cell = cells[cells["label"] == ALL].iloc[0]
    label_log.correct(data, cell["image_id"], NORMAL, who="Ada", reason="small")
    set_back(1)
    label_log.correct(data, cell["image_id"], ALL, who="Ben", reason="large after all")
    assert [one.who for one in label_log.history(data)] == ["Ben", "Ada"]
    after = label_log.apply(data, cells).set_index("path")["label"]
    assert after[cell["path"]] == ALL


def test_a_stamp_follows_all_others():
    future = "20991231T235959999999"
    assert stamps.following([future, "other", f"{future[:-1]}8-train-abc"]) == "21000101T000000000000"
    now = stamps.following(["20200101T000000000000-train"])
    assert now[:4] == str(datetime.now(UTC).year) and stamps.following([now]) > now
