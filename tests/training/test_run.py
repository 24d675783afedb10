import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.estimate import as_record
from leukemia.inference.classifier import Classifier
from leukemia.networks.recipe import Recipe
from leukemia.recipes.settings import Training
from leukemia.registry import promotion_review
from leukemia.storage.workspace import Workspace
from leukemia.training import bundle_record, model_selection
from leukemia.training import run as training
from leukemia.training.plan import Plan
from tests.support.callbacks import AfterEpoch
from tests.training.conftest import link_images

pytestmark = pytest.mark.slow


def small(x, settings):
    x = keras.layers.AveragePooling2D(8)(x)
    return keras.layers.Dropout(settings.dropout)(keras.layers.Dense(8, "relu")(keras.layers.Flatten()(x)))


SETTINGS = Training(epochs=4, patience=4, cells_per_epoch=24, batch=8, learning_rate=1e-3, dropout=0.2)
PLAN = Plan(Recipe(name="small", summary="For tests.", body=small, crop=64, training=SETTINGS))


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    """One training from start to end: its data folder, its bundle, index and metrics of its epochs."""
    data, epochs = link_images(prepared, tmp_path_factory.mktemp("trained")), []
    watch = AfterEpoch(lambda _, index, logs: epochs.append((index, logs)))
    return data, training.train(PLAN, data, data / "out", [watch]), epochs


def test_a_training_ends_in_a_whole_bundle_and_a_recorded_run(trained):
    data, bundle, epochs = trained
    assert [i for i, _ in epochs] == [0, 1, 2, 3]
    assert {
        "loss",
        "recall",
        "specificity",
        "val_loss",
        "val_recall",
        "val_specificity",
        "val_auroc",
    } <= epochs[0][1].keys()
    record = bundle.record
    assert set(record.estimates) == set(metrics.MEANING)
    assert record.data.synthetic
    assert record.data.fingerprint == manifest.fingerprint(manifest.read(data).query("label != ''"))
    groups = [set(groups) for groups in record.split.groups().values()]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert set(bundle.predictions["patient_group"]) == groups[2]
    assert not (data / "checkpoints").exists() or not list((data / "checkpoints").iterdir())

    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{data / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("leukemia").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["recipe"] == "small"
    assert run.data.tags["data_fingerprint"] == record.data.fingerprint
    assert run.data.metrics["test_auroc"] == pytest.approx(record.estimates["auroc"].value)
    assert len(client.get_metric_history(run.info.run_id, "val_loss")) == 4
    assert {"bundle/model.keras", "bundle/bundle.json"} <= {
        item.path for item in client.list_artifacts(run.info.run_id, "bundle")
    }


def test_a_training_knows_novel_images_by_its_validation_patients(trained):
    _, bundle, _ = trained
    record = bundle.record
    # One healthy validation patient: there is none to choose a calibration by.
    assert record.split.validation.patient_groups["Normal"] == 1
    assert (record.calibration.method, record.calibration.log_loss_out_of_fold) == ("none", {})
    assert bundle.novelty_limit == record.novelty.limit > 0
    within = (bundle.predictions["distance"] <= record.novelty.limit).mean()
    assert record.novelty.passed_out_of_fold == pytest.approx(within, abs=1e-4)
    # Too few validation patients to promise that at most 5% of ALL cells are missed.
    assert record.indeterminate is None and not bundle.operating_point.abstains
    assert promotion_review.missing(bundle) == [
        promotion_review.NO_CALIBRATION,
        promotion_review.NEVER_ABSTAINS,
    ]
    noise = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), np.uint8)
    probability, distance = Classifier(bundle).predict(noise)
    assert (distance > bundle.novelty_limit).all()
    assert np.isfinite(probability).all()


def test_the_figures_of_a_bundle_come_from_its_predictions(trained):
    _, bundle, _ = trained
    again = as_record(estimates.of(bundle.predictions, bundle.threshold))
    assert again == as_record(bundle.record.estimates)
    assert metrics.confusion(bundle.predictions, bundle.threshold) == bundle.record.confusion


class Killed(BaseException):
    pass


def test_a_killed_training_goes_on_from_its_last_finished_epoch(trained, data):
    _, whole, _ = trained

    def kill(part, index, logs):
        if index == 1:
            raise Killed

    with pytest.raises(Killed):
        training.train(PLAN, data, data / "resumed", [AfterEpoch(kill)])
    assert not (data / "resumed").exists()
    seen = []
    resumed = training.train(PLAN, data, data / "resumed", [AfterEpoch(lambda _, i, logs: seen.append(i))])
    assert seen == [2, 3]
    assert len(resumed.record.history) == 4
    for one, other in zip(whole.record.history, resumed.record.history, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert np.allclose(whole.predictions["probability"], resumed.predictions["probability"], atol=1e-3)


def test_the_threshold_does_not_see_the_test_patients(trained, data):
    _, one, _ = trained
    frame = manifest.read(data)
    groups = one.record.split.test.groups
    test_rows = frame["patient_group"].isin(groups)
    # Other pictures for the test patients, the same for all others: the threshold must not move.
    dark = frame.loc[test_rows, "path"].tolist()
    turned = dict(zip(dark, dark[::-1], strict=True))
    frame["path"] = frame["path"].replace(turned)
    frame.loc[test_rows, "image_id"] = frame.loc[test_rows, "image_id"].tolist()[::-1]
    manifest.write(data, frame)
    other = training.train(PLAN, data, data / "other")
    assert other.threshold == pytest.approx(one.threshold, abs=1e-5)
    assert other.predictions["label"].tolist() != [] and other.digest


def test_early_stopping_and_the_best_epoch():
    def history(*pairs):
        return [{"val_loss": loss, "val_recall_at_specificity": recall} for loss, recall in pairs]

    assert model_selection.is_better(history((0.7, 0.5)), -1)
    assert model_selection.is_better(history((0.7, 0.5), (0.6, 0.4)), 0)
    assert not model_selection.is_better(history((0.6, 0.5), (0.7, 0.9)), 0)
    assert model_selection.is_better(history((0.6, 0.5), (0.605, 0.6)), 0)
    assert not model_selection.is_better(history((0.6, 0.5), (0.605, 0.4)), 0)
    # Ties do not add up: the third loss is close to the second, but not to the lowest.
    assert not model_selection.is_better(history((0.6, 0.5), (0.608, 0.6), (0.616, 0.7)), 1)


def test_a_training_without_gain_stops_early(data):
    still = PLAN.recipe.with_training(learning_rate=1e-6, epochs=9, patience=2)
    bundle = training.train(Plan(still), data, data / "out")
    assert bundle.record.epochs.run < 9


def test_the_image_split_is_called_leaky(data):
    bundle = training.train(Plan(PLAN.recipe, split="image"), data, data / "out")
    assert bundle.leaky
    assert "leaky" in bundle.record.split.warning
    assert "leaky" in bundle.card
    assert "leaky" in bundle.record.threshold.chosen_on


def test_too_few_patients_say_so_before_anything_is_written(data):
    frame = manifest.read(data)
    manifest.write(data, frame[~frame["patient"].isin(["H1", "H2", "H3"])])
    with pytest.raises(
        DatasetError, match=r"needs 3 patient groups with Normal cells; here there are only 2"
    ):
        training.train(PLAN, data, data / "out")
    assert not (data / "out").exists()


def test_a_full_disk_leaves_the_earlier_bundle(trained, data, monkeypatch):
    bundle = bundles.read(shutil.copytree(trained[1].folder, data / "out"))

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leukemia.bundles.writer._write_engine", full)
    with pytest.raises(OSError, match="No space left"):
        training.train(PLAN, data, data / "out")
    assert bundles.read(data / "out").record == bundle.record
    assert not list(data.glob(".partial-*"))


def test_a_registry_that_cannot_be_reached_does_not_stop_a_training(data, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/nowhere/mlflow.db")
    bundle = training.train(PLAN, data, data / "out")
    assert json.loads((bundle.folder / "bundle.json").read_text())["figures"]
    assert "not recorded in MLflow" in caplog.text


def runs_of(data):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{data / 'mlflow.db'}")
    return client.search_runs([client.get_experiment_by_name("leukemia").experiment_id])


def test_without_an_output_the_registry_keeps_the_bundle_alone(data):
    from leukemia.registry import versions

    bundle = training.train(PLAN, data, None)
    (version,) = versions.registered(data)
    assert bundle.digest == version.facts["digest"]
    assert bundle.predictions["probability"].between(0, 1).all()
    assert not list(Workspace(data).unregistered.iterdir())


def test_a_bundle_that_the_registry_did_not_take_is_not_lost(data, monkeypatch):
    from leukemia.errors import BundleError
    from leukemia.registry import versions
    from leukemia.tracking import registry_writer

    def refuse(*_):
        raise BundleError("no")

    monkeypatch.setattr(registry_writer, "create_version", refuse)
    bundle = training.train(PLAN, data, None)
    assert bundle.folder.parent == Workspace(data).unregistered
    assert bundles.read(bundle.folder).digest == bundle.digest
    monkeypatch.undo()
    from leukemia.cli.main import main

    assert main(["register", str(bundle.folder), "--data", str(data)]) == 0
    (version,) = versions.registered(data)
    assert version.facts["digest"] == bundle.digest


def test_a_run_says_whose_process_it_is_and_what_kind(trained):
    (run,) = runs_of(trained[0])
    tags = run.data.tags
    assert tags["kind"] == "train"
    assert int(tags["pid"]) > 0
    assert float(tags["born"]) > 1e9
    assert tags["host"] and tags["mlflow.user"]


def relabel(data):
    frame = manifest.read(data)
    manifest.write(data, frame.drop(frame.index[frame["label"] != ""][0]))


def test_a_set_that_is_changed_meanwhile_is_noticed(data):
    seen = []

    def change(part, index, logs):
        if index == 1:
            relabel(data)
        seen.append(index)

    bundle = training.train(PLAN, data, data / "out", [AfterEpoch(change)])
    assert seen == [0, 1, 2, 3]  # on the set as it was
    assert bundle.record.data.warning == bundle_record.CHANGED
    assert bundle_record.CHANGED in bundle.card
    (run,) = runs_of(data)
    assert run.data.tags["warning"] == bundle_record.CHANGED


def test_on_another_set_a_broken_off_training_begins_anew_and_says_so(data, caplog):
    def kill(part, index, logs):
        raise Killed

    with pytest.raises(Killed):
        training.train(PLAN, data, data / "out", [AfterEpoch(kill)])
    relabel(data)
    seen = []
    training.train(PLAN, data, data / "out", [AfterEpoch(lambda _, index, logs: seen.append(index))])
    assert seen == [0, 1, 2, 3]
    assert training.STALE in caplog.text
    assert not list((data / "checkpoints").iterdir())


def test_settings_are_read_from_the_command_line(data, capsys):
    from leukemia.cli.main import main
    from leukemia.registry import versions

    small = [
        "--set",
        "epochs=1",
        "--set",
        "cells_per_epoch=16",
        "--set",
        "flips=off",
        "--set",
        "all_share=.75",
    ]
    assert main(["train", "--recipe", "dense-baseline", *small, "--data", str(data), "--in-registry"]) == 0
    (version,) = versions.registered(data)
    (run,) = runs_of(data)
    found = run.data.params
    assert (found["epochs"], found["flips"], found["all_share"]) == ("1", "False", "0.75")
    assert version.run_id == run.info.run_id
    for wrong in ("epochs=0", "epochs=many", "colours=1", "flips"):
        assert main(["train", "--recipe", "dense-baseline", "--set", wrong, "--data", str(data)]) == 2
    assert "Epochs must be between 1 and 200, not 0." in capsys.readouterr().err


def test_a_locked_registry_costs_the_record_and_not_the_training(data, caplog):
    import sqlite3

    training.train(PLAN, data, data / "first")
    lock = sqlite3.connect(data / "mlflow.db", isolation_level=None)

    def hold(part, index, logs):
        if index == 3:
            lock.execute("BEGIN EXCLUSIVE")

    bundle = training.train(replace(PLAN, seed=1), data, None, [AfterEpoch(hold)])
    lock.close()
    assert "MLflow could not record this" in caplog.text
    assert bundle.folder.parent == Workspace(data).unregistered
    again = as_record(estimates.of(bundle.predictions, bundle.threshold))
    assert again == as_record(bundle.record.estimates)


def test_a_registry_that_goes_away_costs_the_record_and_not_the_training(data, caplog):
    def remove(part, index, logs):
        if index == 1:
            (data / "mlflow.db").unlink()
            (data / "mlflow.db").mkdir()

    bundle = training.train(PLAN, data, data / "out", [AfterEpoch(remove)])
    assert bundles.read(data / "out").digest == bundle.digest
    assert "MLflow could not record this" in caplog.text


def test_epochs_that_a_kill_kept_from_the_record_are_caught_up(tmp_path):
    from leukemia.tracking import run_writer

    history = [{"loss": 0.9}, {"loss": 0.8}, {"loss": 0.7}]
    run = run_writer.start(tmp_path, "small", {}, {})
    run.epoch(0, history[0])
    again = run_writer.start(tmp_path, "small", {}, {}, resume=run.run_id)
    assert again.run_id == run.run_id
    again.catch_up(history)
    again.catch_up(history)
    (found,) = runs_of(tmp_path)
    import mlflow

    told = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}").get_metric_history(
        found.info.run_id, "loss"
    )
    assert [(one.step, one.value) for one in told] == [(0, 0.9), (1, 0.8), (2, 0.7)]
