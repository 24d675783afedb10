"""Runs on record: listed alike from MLflow's tables and through MLflow, whatever became of their process."""

import os
import socket
import sqlite3

import psutil
import pytest

from leukemia.errors import RegistryError
from leukemia.registry import promotion, versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, records, run_history, run_writer, sqlite
from leukemia.tracking.records import BEST_OF, EXPERIMENT, RunKind, RunStatus
from tests.support.bundle_factory import write_bundle
from tests.support.runs_factory import data_folder, finish_run, make_versions


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def data(tmp_path):
    return data_folder(tmp_path / "data")


@pytest.fixture
def through_mlflow(monkeypatch):
    """Have nothing read from tables from here on."""

    def start():
        def refuse(file):
            raise sqlite.UnexpectedSchema

        monkeypatch.setattr(sqlite, "open_file", refuse)

    return start


@pytest.fixture(params=["sqlite", "mlflow"])
def either_store(request, through_mlflow):
    """Have the same read from tables and through MLflow."""
    if request.param == "mlflow":
        through_mlflow()


def begin(data, name="a run", *, tags=None, **options):
    tags = {"data_fingerprint": "f" * 64, "git_revision": "abc1234"} | (tags or {})
    return run_writer.start(data, name, {"recipe": "reference-cnn", "epochs": 3, "seed": 0}, tags, **options)


def end(run, **figures):
    for epoch in range(3):
        run.epoch(epoch, {"loss": 1 / (epoch + 1), "val_recall": 0.8 + epoch / 100})
    run.close({f"test_{name}": value for name, value in figures.items()})


def fill(data, tmp_path):
    """Runs of every kind: one finished with a version, one failed, one at work, one with parts."""
    finish_run(data, write_bundle(tmp_path / "bundle", 0.91), "with a version")
    begin(data, "failed").end(RunStatus.FAILED)
    whole = begin(data, "folds", kind=RunKind.CROSSVALIDATE)
    for number in range(3):
        end(begin(data, f"fold {number + 1}/3", kind=RunKind.FOLD, parent=whole.run_id), sensitivity=0.9)
    whole.end(RunStatus.STOPPED)
    begin(data, "best settings", tags={BEST_OF: whole.run_id})
    odd = begin(data, "at work")
    odd.epoch(0, {"loss": float("nan"), "recall": 0.5})
    odd.warn("The set was changed while this training was at work.")
    return whole.run_id, odd.run_id


def test_both_stores_say_the_same(data, tmp_path, through_mlflow):
    whole, odd = fill(data, tmp_path)

    def answers():
        return (
            run_history.runs(data),
            run_history.runs(data, limit=2),
            run_history.children(data, whole),
            run_history.best_of(data, whole),
            run_history.run(data, odd),
            run_history.histories(data, run_history.children(data, whole)[0].run_id),
            run_history.histories(data, odd),
            versions.registered(data),
        )

    by_tables = answers()
    through_mlflow()
    assert answers() == by_tables
    assert [one.name for one in by_tables[0]] == [
        "at work",
        "best settings",
        "folds",
        "failed",
        "with a version",
    ]
    assert [one.name for one in by_tables[1]] == ["at work", "best settings"]
    assert [one.name for one in by_tables[3]] == ["best settings"]
    assert [one.name for one in by_tables[2]] == ["fold 1/3", "fold 2/3", "fold 3/3"]


@pytest.mark.usefixtures("either_store")
def test_a_run_has_its_settings_and_estimates(data, tmp_path):
    made = finish_run(data, write_bundle(tmp_path / "one", 0.91), "first")
    (run,) = run_history.runs(data)
    assert (run.run_id, run.name, run.recipe, run.kind) == (made.run_id, "first", "first", "train")
    assert (run.status, run.version, run.parent) == (RunStatus.FINISHED, 1, "")
    assert run.estimates["sensitivity"] == pytest.approx({"value": 0.91, "low": 0.81, "high": 1.0})
    assert run.settings == {"recipe": "first"}
    assert run.revision == "test"
    assert run.seconds >= 0
    assert run.started.utcoffset().total_seconds() == 0


def test_figures_with_low_or_high_in_their_name_are_not_ends_of_others():
    estimates = records.held_out_estimates(
        {"test_f1": 0.5, "test_f1_low": 0.4, "test_f1_high": 0.6, "test_odd_low": 1.0, "loss": 2}
    )
    assert estimates == {"f1": {"value": 0.5, "low": 0.4, "high": 0.6}}


@pytest.mark.usefixtures("either_store")
def test_epochs_come_one_by_one_and_of_a_repeated_one_the_last_values(data):
    run = begin(data)
    for epoch, loss in ((0, 0.9), (1, 0.8), (1, 0.7), (2, 0.6)):
        run.epoch(epoch, {"loss": loss})
    run.close({"test_sensitivity": 0.9})
    assert run_history.histories(data, run.run_id) == [{"loss": 0.9}, {"loss": 0.7}, {"loss": 0.6}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, RunStatus.RUNNING),
        ({"pid": "1", "born": "1.0"}, RunStatus.BROKEN_OFF),
        ({"born": repr(psutil.Process().create_time() - 3600)}, RunStatus.RUNNING),
        ({"born": repr(psutil.Process().create_time() - 3600), "process_start": ""}, RunStatus.BROKEN_OFF),
        ({"process_start": ""}, RunStatus.RUNNING),
        ({"process_start": "another-boot/100"}, RunStatus.BROKEN_OFF),
        ({"pid": "not a number"}, RunStatus.BROKEN_OFF),
        ({"host": "another-machine", "pid": "1"}, RunStatus.RUNNING),
    ],
)
def test_a_run_whose_process_is_gone_is_broken_off(given, expected, data):
    run = begin(data)
    client = mlflow_client.client(data)
    assert client.get_run(run.run_id).data.tags["pid"] == str(os.getpid())
    for key, value in given.items():
        client.set_tag(run.run_id, key, value)
    (listed,) = run_history.runs(data)
    assert listed.status == expected
    assert listed.ended is None


@pytest.mark.parametrize(
    ("status", "expected"), [({}, RunStatus.RUNNING), ({"status": 1}, RunStatus.BROKEN_OFF)]
)
def test_a_job_of_this_folder_tells_whether_its_run_is_still_running(status, expected, data):
    import json

    run = begin(data)
    for key, value in {"host": "another-machine", "pid": "1"}.items():
        mlflow_client.client(data).set_tag(run.run_id, key, value)
    folder = Workspace(data).jobs / "20260101T000000000000-train-abc"
    folder.mkdir(parents=True)
    own = {"pid": os.getpid(), "born": psutil.Process().create_time()}
    record = {"kind": "train", "title": "t", "arguments": [], "lane": "change", "started": "", **own}
    (folder / "job.json").write_text(json.dumps(record))
    (folder / "progress.json").write_text(json.dumps({"facts": {"run_id": run.run_id}}))
    if status:
        (folder / "end.json").write_text(json.dumps(status))
    assert [one.status for one in run_history.runs(data)] == [expected]


@pytest.mark.usefixtures("either_store")
def test_a_run_of_an_earlier_program_is_listed(data):
    client = mlflow_client.client(data)
    experiment = client.create_experiment(EXPERIMENT)
    old = client.create_run(experiment, run_name="reference-cnn (10 patient folds)").info.run_id
    client.log_param(old, "folds", 10)
    (listed,) = run_history.runs(data)
    assert (listed.kind, listed.status, listed.recipe, listed.by) == (
        "crossvalidate",
        RunStatus.BROKEN_OFF,
        "",
        "",
    )


@pytest.mark.usefixtures("either_store")
def test_runs_of_other_experiments_and_deleted_ones_are_not_listed(data):
    client = mlflow_client.client(data)
    client.create_run(client.create_experiment("something else"))
    gone = begin(data, "gone")
    client.delete_run(gone.run_id)
    begin(data, "kept")
    assert [one.name for one in run_history.runs(data)] == ["kept"]
    assert run_history.run(data, gone.run_id) is None


def test_what_is_no_identifier_finds_nothing(data):
    begin(data)
    for odd in ("", "x' OR 1=1 --", "0" * 32):
        assert run_history.run(data, odd) is None
        assert run_history.children(data, odd) == []
        assert run_history.histories(data, odd) == []


def test_where_nothing_was_recorded_there_are_no_runs_and_no_database_is_made(data, tmp_path):
    assert run_history.runs(data) == []
    (tmp_path / "fresh").mkdir()
    assert run_history.runs(tmp_path / "fresh") == []
    assert list((tmp_path / "fresh").iterdir()) == []


def test_a_locked_database_is_reported_in_a_sentence(data):
    begin(data)
    with sqlite3.connect(Workspace(data).mlflow_db) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(
            RegistryError, match=r"^The runs cannot be listed: its database is locked by .*\.$"
        ):
            run_history.runs(data)
        other.rollback()
    other.close()
    assert len(run_history.runs(data)) == 1


def test_a_damaged_database_is_reported_in_a_sentence(data):
    begin(data)
    Workspace(data).mlflow_db.write_bytes(b"no database" * 1_000)
    for ask in (run_history.runs, lambda data: run_history.run(data, "0" * 32)):
        with pytest.raises(RegistryError, match=r"^The runs cannot be listed: its database is damaged\.$"):
            ask(data)


def test_a_database_that_is_gone_is_reported_where_its_runs_left_files(data, tmp_path):
    make_versions(data, tmp_path, [0.9])
    promotion.promote(data, 1, "Ada", "first")
    Workspace(data).mlflow_db.unlink()
    with pytest.raises(RegistryError, match="the database is missing"):
        run_history.runs(data)


def test_a_server_that_is_not_there_is_reported_in_a_sentence(data, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://localhost:{port}")
    with pytest.raises(RegistryError, match=r"^The runs cannot be listed: it does not answer\.$"):
        run_history.runs(data)


def test_the_words_that_mlflow_stores_are_those_of_earlier_programs():
    kinds = ["train", "crossvalidate", "fold", "sweep", "trial", "bundle", "threshold"]
    assert [kind.value for kind in RunKind] == [*kinds, "site"]
    assert records.MLFLOW_STATUS == {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
    assert (records.PARENT, records.USER, records.BEST_OF) == (
        "mlflow.parentRunId",
        "mlflow.user",
        "best_of_sweep",
    )
    assert (records.KIND, records.WARNING, records.HOST) == ("kind", "warning", "host")
    assert (records.PID, records.BORN, records.START) == ("pid", "born", "process_start")
