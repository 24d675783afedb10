"""Folds learned on Ray: the predictions of a cross-validation one by one, to the last digit."""

import os
from contextlib import nullcontext
from types import SimpleNamespace

import keras
import pytest

from leukemia.errors import ClusterError
from leukemia.networks import recipe
from leukemia.recipes import search_space
from leukemia.settings import JOB_FOLDER
from leukemia.tracking import run_history
from leukemia.training import cross_validation, on_ray, sweep_study, trainer
from leukemia.training import sweep as sweeps
from leukemia.training.plan import Plan
from tests.training.conftest import link_images

RECIPE = recipe.get("dense-baseline").with_training(epochs=2, cells_per_epoch=32)
PLAN = Plan(RECIPE, "fold", target_recall=0.9, folds=4)


@pytest.mark.process
@pytest.mark.slow
def test_folds_on_ray_are_those_of_one_by_one(prepared, tmp_path, monkeypatch):
    folders = [tmp_path / "one by one", tmp_path / "on ray"]
    for folder in folders:
        folder.mkdir()
        link_images(prepared, folder)
    expected = cross_validation.crossvalidate(PLAN, folders[0], tmp_path / "a", views=2)
    # What is learned is learned on Ray.
    monkeypatch.setattr(trainer, "learn", lambda *_, **__: pytest.fail("learned here"))
    monkeypatch.setattr(cross_validation, "outputs", lambda *_, **__: pytest.fail("predicted here"))
    spread = on_ray.Spread("", os.cpu_count())
    found = cross_validation.crossvalidate(PLAN, folders[1], tmp_path / "b", views=2, spread=spread)
    assert found.predictions.equals(expected.predictions)
    assert found.threshold == expected.threshold
    assert found.record.calibration == expected.record.calibration


def test_a_fold_that_ends_each_worker_is_named(tmp_path, monkeypatch):
    def ends(kind, arguments, batches, workers, instead, *, cores, long):
        for _, (item,) in batches:
            yield 0, [instead(item)]

    monkeypatch.setattr(on_ray.cluster, "opened", lambda *_: nullcontext(2))
    monkeypatch.setattr(on_ray.team, "work", ends)
    shared = cross_validation.CrossValidation(tmp_path, 1, "", job=None)
    with pytest.raises(ClusterError, match="learned fold 1/4 ended again and again"):
        on_ray.learn_folds({"fold 1/4": PLAN}, shared, on_ray.Spread("", 1))


def test_a_fold_and_a_trial_may_take_hours(tmp_path, monkeypatch):
    asked = []

    def answers(kind, arguments, batches, workers, instead, *, cores, long=False):
        asked.append((kind, long))
        return [(number, [name]) for number, ((name, _),) in batches]

    monkeypatch.setattr(on_ray.cluster, "opened", lambda *_: nullcontext(2))
    monkeypatch.setattr(on_ray.team, "work", answers)
    job = SimpleNamespace(step=lambda said: None)
    shared = cross_validation.CrossValidation(tmp_path, 1, "", job)
    on_ray.learn_folds({"fold 1/4": PLAN}, shared, on_ray.Spread("", 1))
    on_ray.learn_trials([PLAN], tmp_path, tmp_path, job, on_ray.Spread("", 1))
    assert asked == [(on_ray.FoldWorker, True), (on_ray.TrialWorker, True)]


def test_a_worker_reports_to_no_job_and_computes_with_the_threads_it_is_given(tmp_path, monkeypatch):
    for name in (*on_ray.threads.NAMES, "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, "9")
    monkeypatch.setenv(JOB_FOLDER, str(tmp_path))
    on_ray.FoldWorker(tmp_path, 1, "", 3)
    assert {os.environ[name] for name in on_ray.threads.NAMES} == {"3"}
    assert JOB_FOLDER not in os.environ


def test_a_trial_that_diverges_on_a_worker_is_left_and_another_fault_is_not_hidden(
    prepared, tmp_path, monkeypatch
):
    class Broken(keras.callbacks.TerminateOnNaN):
        def on_batch_end(self, batch, logs=None):
            super().on_batch_end(batch, {"loss": float("nan")})

    monkeypatch.setattr(on_ray.threads, "limit", lambda cores: None)
    monkeypatch.setattr(keras.callbacks, "TerminateOnNaN", Broken)
    worker = on_ray.TrialWorker(link_images(prepared, tmp_path), tmp_path / "sweep", 1)
    worker.prepare()
    items = [("trial 1", Plan(RECIPE, "patient", target_recall=0.9))]
    assert worker.answer(items) == ["trial 1"]

    def fails(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(trainer, "learn", fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        worker.answer(items)


@pytest.mark.process
@pytest.mark.slow
def test_trials_on_ray_are_those_of_one_by_one(prepared, tmp_path, monkeypatch):
    axes = search_space.axes("dense-baseline", ("learning_rate=0.0001:0.01",))
    plan = Plan(RECIPE, "patient", target_recall=0.9)
    asked = sweeps.Sweep(plan, axes, 3)
    found = []
    for name, spread in (("one by one", None), ("on ray", on_ray.Spread("", os.cpu_count()))):
        data = tmp_path / name
        data.mkdir()
        link_images(prepared, data)
        if spread:
            ahead = on_ray.learn_trials

            def then_learn_nothing(*arguments, ahead=ahead):
                ahead(*arguments)
                # What is left of the trials is to be recorded; the best one ends as an ordinary training.
                monkeypatch.setattr(trainer, "_descend", lambda *_: pytest.fail("learned here"))

            monkeypatch.setattr(on_ray, "learn_trials", then_learn_nothing)
        bundle = sweeps.sweep(asked, data, None, spread=spread)
        (parent,) = (run for run in run_history.runs(data) if run.kind == "sweep")
        trials = run_history.children(data, parent.run_id)
        epochs = [run_history.histories(data, one.run_id) for one in trials]
        found.append(
            (
                bundle.predictions,
                [{name: one.tags[name] for name in ("outcome", "objective", "trial")} for one in trials],
                [[epoch["val_auroc"] for epoch in one] for one in epochs],
                [one.settings["learning_rate"] for one in trials],
            )
        )
        assert not [path for path in (data / "sweeps").iterdir() if path.is_dir()]
    (expected, *recorded), (predictions, *again) = found
    assert predictions.equals(expected)
    assert again == recorded and len(recorded[0]) == 3


def test_only_trials_that_hang_on_no_result_are_learned_ahead(prepared, tmp_path):
    axes = search_space.axes("dense-baseline", ("learning_rate=0.0001:0.01",))
    asked = sweeps.Sweep(Plan(RECIPE, "patient", target_recall=0.9), axes, 12)
    study = sweep_study.study(link_images(prepared, tmp_path), "one")
    plans = sweep_study.at_random(asked, study)
    assert len(plans) == sweep_study.AT_RANDOM
    for done, value in enumerate((0.9, 0.1)):
        trial = sweep_study.upcoming(asked, study)
        assert asked.planned(trial.params) == plans[done]
        study.tell(trial, value)
    assert sweep_study.at_random(asked, study) == plans[2:]
