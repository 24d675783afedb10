"""A sweep from its first trial to its bundle: killed, gone on with, told to its job, run by the command."""

import json

import mlflow
import numpy as np
import optuna
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.errors import BusyError
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_history
from leukemia.training import model_selection, sweep_study, training_data
from leukemia.training import run as training
from leukemia.training import sweep as sweeps
from leukemia.training.checkpoint import Checkpoint
from leukemia.training.plan import Plan
from leukemia.training.training_data import TrainingData
from tests.support.callbacks import AfterEpoch
from tests.support.sweep_factory import RECIPE, asked, study_of
from tests.training.test_run import PLAN, Killed

pytestmark = pytest.mark.slow


def client(data):
    return mlflow.MlflowClient(f"sqlite:///{data / 'mlflow.db'}")


def test_the_best_trial_by_validation_becomes_the_bundle_and_a_version(data, never_pruned):
    seen = []
    bundle = sweeps.sweep(
        asked(), data, None, [AfterEpoch(lambda part, index, logs: seen.append((part, index, logs)))]
    )
    (sweep, final) = sorted(run_history.runs(data), key=lambda run: run.kind != "sweep")
    assert (sweep.kind, sweep.status, final.kind, final.version) == ("sweep", "finished", "train", 1)
    assert final.tags["best_of_sweep"] == sweep.run_id
    assert run_history.best_of(data, sweep.run_id) == [final]
    assert sweep.settings["vary_learning_rate"] == "0.0001:0.01"
    children = run_history.children(data, sweep.run_id)
    assert [child.kind for child in children] == ["trial"] * 3
    assert [child.tags["outcome"] for child in children] == ["complete"] * 3
    objectives = {}
    for child in children:
        epochs = run_history.histories(data, child.run_id)
        best = -1
        for index in range(len(epochs)):
            if model_selection.is_better(epochs[: index + 1], best):
                best = index
        objectives[child.run_id] = epochs[best]["val_auroc"]
        assert float(child.tags["objective"]) == pytest.approx(epochs[best]["val_auroc"], abs=1e-6)
        assert (
            float(client(data).get_run(child.run_id).data.metrics["objective"]) == epochs[best]["val_auroc"]
        )
    (best,) = [c for c in children if c.run_id == max(objectives, key=objectives.get)]
    trained = bundle.record.recipe.training
    assert float(best.settings["learning_rate"]) == trained["learning_rate"]
    assert float(best.settings["dropout"]) == trained["dropout"]
    # Four epochs for each of the trials, none for the best settings once more.
    assert len(seen) == 12 and "best settings" not in {part for part, _, _ in seen}
    assert not list((data / "checkpoints").glob("*"))
    assert not [path for path in (data / "sweeps").iterdir() if path.is_dir()]


def test_the_bundle_is_that_of_an_ordinary_training_with_these_settings(data, never_pruned):
    bundle = sweeps.sweep(asked(), data, data / "out")
    best = {name: bundle.record.recipe.training[name] for name in ("learning_rate", "dropout")}
    plain = training.train(Plan(PLAN.recipe.with_training(**best)), data, data / "plain")
    assert np.allclose(plain.predictions["probability"], bundle.predictions["probability"], atol=1e-3)


def test_no_trial_looks_at_a_test_patient(data, never_pruned, monkeypatch):
    predicted, outputs = [], training_data.outputs
    in_trials = True

    def spy(model, crops, rows, **more):
        if in_trials:
            predicted.extend(rows)
        return outputs(model, crops, rows, **more)

    drawn, rows_of = [], TrainingData.rows

    def rows(self, part):
        if in_trials:
            drawn.append(part)
        return rows_of(self, part)

    def train(*args, **kwargs):
        nonlocal in_trials
        in_trials = False
        return ordinary(*args, **kwargs)

    ordinary = training.train
    monkeypatch.setattr(training_data, "outputs", spy)
    monkeypatch.setattr(TrainingData, "rows", rows)
    monkeypatch.setattr(training, "train", train)
    bundle = sweeps.sweep(asked(trials=2), data, data / "out")
    assert set(training_data.load(data, PLAN).part.iloc[predicted]) == {"validation"}
    assert set(drawn) == {"training", "validation"}
    assert set(bundle.predictions["patient_group"]) == set(bundle.record.split.test.groups)


def test_a_killed_sweep_goes_on_with_the_trial_that_was_at_work(data, never_pruned, tmp_path_factory):
    whole = tmp_path_factory.mktemp("whole")
    for path in data.iterdir():
        (whole / path.name).symlink_to(path) if path.suffix == ".png" else None
    Workspace(whole).manifest.write_text(Workspace(data).manifest.read_text())
    unbroken = sweeps.sweep(asked(), whole, whole / "out")
    seen = []

    def kill(part, index, logs):
        seen.append((part, index))
        if (part, index) == ("trial 2/3", 1):
            raise Killed

    with pytest.raises(Killed):
        sweeps.sweep(asked(), data, data / "out", [AfterEpoch(kill)])
    assert not (data / "out").exists()
    again = []
    bundle = sweeps.sweep(
        asked(), data, data / "out", [AfterEpoch(lambda part, index, _: again.append((part, index)))]
    )
    assert again == [("trial 2/3", 2), ("trial 2/3", 3)] + [("trial 3/3", index) for index in range(4)]
    assert len([run for run in run_history.runs(data) if run.kind == "sweep"]) == 1
    children = run_history.children(
        data, next(run.run_id for run in run_history.runs(data) if run.kind == "sweep")
    )
    assert [child.status for child in children] == ["finished"] * 3
    assert [len(run_history.histories(data, child.run_id)) for child in children] == [4, 4, 4]
    # What was drawn and what came of it is what the unbroken sweep drew and found.
    drawn = [[t.params for t in study_of(asked(), folder).trials] for folder in (whole, data)]
    assert drawn[0] == drawn[1]
    assert np.allclose(unbroken.predictions["probability"], bundle.predictions["probability"], atol=1e-3)


def test_what_a_sweep_had_reached_on_other_data_is_dropped_and_a_sweep_at_work_keeps_its_own(data, caplog):
    dataset = training_data.load(data, PLAN)

    def reached(name, fingerprint):
        folder = Checkpoint(data / "sweeps" / name, {}, fingerprint).folder
        folder.mkdir(parents=True)
        (folder / "epoch-001.keras").write_text("weights")
        return folder

    stale, busy = reached("reference-cnn-old", "before"), reached("reference-cnn-busy", "before")
    same = reached("reference-cnn-other-settings", dataset.fingerprint)
    with sweep_study.alone(data, "reference-cnn-busy"):
        assert sweep_study.drop_stale(data, dataset.fingerprint)
        assert not stale.parent.exists() and busy.is_dir() and same.is_dir()
        assert not sweep_study.drop_stale(data, dataset.fingerprint)
    assert sweep_study.drop_stale(data, dataset.fingerprint) and not busy.exists()


def test_a_sweep_begun_anew_on_changed_data_says_so_and_leaves_nothing_behind(
    data, caplog, never_pruned, trials_alone, monkeypatch
):
    def kill(part, index, logs):
        if index == 1:
            raise Killed

    with pytest.raises(Killed):
        sweeps.sweep(asked(trials=1), data, None, [AfterEpoch(kill)])
    (old,) = [path for path in (data / "sweeps").iterdir() if path.is_dir()]
    cells = manifest.read(data)
    manifest.write(data, cells.drop(cells.query("label == 'ALL'").index[0]))
    sweeps.sweep(asked(trials=1), data, None)
    assert sweeps.STALE in caplog.text
    assert not old.exists()


def test_a_finished_sweep_does_nothing_twice_and_more_trials_add_to_it(data, never_pruned):
    seen = []
    first = sweeps.sweep(asked(), data, data / "out")
    again = sweeps.sweep(asked(), data, data / "out", [AfterEpoch(lambda *epoch: seen.append(epoch))])
    assert not seen and again.digest == first.digest
    assert len(run_history.runs(data)) == 2
    sweeps.sweep(asked(trials=4), data, data / "out", [AfterEpoch(lambda part, *_: seen.append(part))])
    assert seen == ["trial 4/4"] * 4


def test_the_same_sweep_is_not_at_work_twice(data):
    dataset = training_data.load(data, PLAN)
    with (
        sweep_study.alone(data, sweeps.study_name(asked(), dataset)),
        pytest.raises(BusyError),
    ):
        sweeps.sweep(asked(), data, data / "out")


def test_a_sweep_tells_its_job_of_the_trials(data, never_pruned, tmp_path, monkeypatch):
    from leukemia.jobs import progress

    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.setenv(progress.FOLDER, str(folder))
    progress.current.cache_clear()
    try:
        within = []

        def look(part, index, logs):
            within.append(json.loads((folder / progress.PROGRESS).read_text())["facts"])

        sweeps.sweep(asked(trials=2), data, None, [AfterEpoch(look)])
        facts = json.loads((folder / progress.PROGRESS).read_text())["facts"]
    finally:
        progress.current.cache_clear()
    assert facts["vary"] == {"learning_rate": [1e-4, 1e-2], "dropout": [0.0, 0.5]}
    assert [one["state"] for one in facts["trials"]] == ["complete", "complete"]
    values = [one["objective"] for one in facts["trials"]]
    assert facts["trials"][facts["best"] - 1]["objective"] == max(values)
    assert facts["version"] == 1 and bundles.read(facts["bundle"]).record.estimates
    assert within[0]["trials"] == [
        {
            "number": 1,
            "settings": {"learning_rate": 1e-3, "dropout": 0.2},
            "objective": None,
            "state": "running",
        }
    ]
    assert within[0]["parts"][0]["name"] == "trial 1/2" and within[0]["best"] is None
    assert [len(part["history"]) for part in within[-1]["parts"]] == [4, 4]


def test_the_command_refuses_before_keras_is_there(data, capsys):
    from leukemia.cli.main import main

    common = ["sweep", "--recipe", RECIPE, "--data", str(data), "--in-registry", "--vary", "batch=8:64"]
    assert main([*common, "--trials", "1"]) == 2
    assert main([*common, "--set", "batch=8"]) == 2
    assert "both set and varied" in capsys.readouterr().err


def test_the_command_sweeps(data, capsys):
    from leukemia.cli.main import main

    words = ["sweep", "--recipe", "dense-baseline", "--data", str(data), "--in-registry", "--trials", "2"]
    words += ["--set", "cells_per_epoch=8", "--set", "batch=8", "--set", "epochs=1"]
    assert main([*words, "--vary", "learning_rate=0.0001:0.01"]) == 0
    out = capsys.readouterr().out
    assert "Best settings: learning_rate=" in out
    assert optuna.get_all_study_names(f"sqlite:///{data / 'sweeps' / 'studies.db'}")
