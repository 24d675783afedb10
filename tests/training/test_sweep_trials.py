"""The trials of a sweep: which settings are tried, which are broken off, which fail."""

import keras
import numpy as np
import optuna
import pytest

from leukemia.errors import LeukemiaError
from leukemia.recipes import search_space, settings
from leukemia.tracking import run_history, run_writer
from leukemia.tracking.records import RunKind
from leukemia.training import model_selection, sweep_study
from leukemia.training import sweep as sweeps
from tests.support.callbacks import AfterEpoch
from tests.support.sweep_factory import asked, study_of
from tests.training.test_run import PLAN

pytestmark = pytest.mark.slow


def test_the_first_trial_has_the_recipes_own_settings_where_they_lie_inside(data):
    within = asked(trials=4)
    study = study_of(within, data)
    trial = sweep_study.upcoming(within, study)
    assert trial.params == {"learning_rate": 1e-3, "dropout": 0.2}
    outside = asked("learning_rate=0.01:0.05", trials=4)
    drawn = sweep_study.upcoming(outside, study_of(outside, data)).params["learning_rate"]
    assert 0.01 <= drawn <= 0.05


def test_few_different_settings_are_each_tried_once(data, never_pruned, trials_alone):
    sweeps.sweep(asked("flips=both", trials=9), data, data / "out")
    study = study_of(asked("flips=both", trials=9), data)
    assert sorted(trial.params["flips"] for trial in study.trials) == [False, True]


def test_what_is_not_public_in_optuna_was_checked_with_the_version_that_is_installed(data):
    assert optuna.__version__ == sweep_study.OPTUNA, (
        "Optuna was updated: see whether sweep_study.resume_trial still opens a trial under its number "
        "(or whether there is a public way now), then set sweep_study.OPTUNA."
    )
    study = study_of(asked(), data)
    begun = study.ask()
    begun.report(0.5, 0)
    resumed = sweep_study.resume_trial(study, study.trials[begun.number])
    assert resumed.number == begun.number
    resumed.report(0.75, 1)
    study.tell(resumed.number, 0.75)
    assert study.trials[begun.number].intermediate_values == {0: 0.5, 1: 0.75}


def test_divergence_is_known_by_the_words_of_keras(data):
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile("sgd", "mse")
    watch = keras.callbacks.TerminateOnNaN(raise_error=True)
    with pytest.raises(RuntimeError) as caught:
        network.fit(np.full((4, 1), np.nan), np.zeros((4, 1)), verbose=0, callbacks=[watch])
    assert sweep_study.is_divergence(caught.value), (
        f"Keras {keras.__version__} says it otherwise than 3.15.1: follow it in sweep_study.is_divergence."
    )
    assert not sweep_study.is_divergence(RuntimeError("something else"))


def test_equal_settings_are_not_trained_twice(data, never_pruned, monkeypatch, trials_alone):
    given = iter([{"frozen": 0}, {"frozen": 0}, {"frozen": 1}])
    monkeypatch.setattr(sweep_study, "_given", lambda *_: next(given))
    one = sweeps.Sweep(PLAN, (search_space.Axis(settings.field("frozen"), 0, 9),), 3)
    parts = []
    monkeypatch.setattr("leukemia.networks.efficientnet_lite0.freeze", lambda *_: None)
    sweeps.sweep(one, data, data / "out", [AfterEpoch(lambda part, *_: parts.append(part))])
    assert set(parts) == {"trial 1/3", "trial 3/3"}
    values = [trial.value for trial in study_of(one, data).trials]
    assert values[0] == values[1]


def test_a_trial_worse_than_the_median_is_broken_off(data, monkeypatch, trials_alone):
    monkeypatch.setattr(sweep_study, "AT_RANDOM", 1)
    rates = iter([1e-2, 1e-6, 2e-2])
    monkeypatch.setattr(sweep_study, "_given", lambda *_: {"learning_rate": next(rates)})
    value = iter([0.9, 0.9, 0.9, 0.9, 0.2, 0.2, 0.95, 0.95, 0.95, 0.95])
    kept = model_selection.validate
    monkeypatch.setattr(model_selection, "validate", lambda found: kept(found) | {"val_auroc": next(value)})
    one = sweeps.Sweep(PLAN, (search_space.Axis(settings.field("learning_rate"), 1e-6, 1e-1),), 3)
    parts = []
    sweeps.sweep(one, data, data / "out", [AfterEpoch(lambda part, *_: parts.append(part))])
    assert [parts.count(f"trial {number}/3") for number in (1, 2, 3)] == [4, 2, 4]
    sweep = next(run for run in run_history.runs(data) if run.kind == "sweep")
    children = run_history.children(data, sweep.run_id)
    assert [child.tags["outcome"] for child in children] == ["complete", "pruned", "complete"]
    assert "objective" not in children[1].tags


def test_the_settings_of_a_trial_that_was_broken_off_are_not_taken_as_finished(
    data, monkeypatch, trials_alone
):
    monkeypatch.setattr(sweep_study, "AT_RANDOM", 1)
    rates = iter([1e-2, 1e-6, 1e-6])
    monkeypatch.setattr(sweep_study, "_given", lambda *_: {"learning_rate": next(rates)})
    value = iter([0.9, 0.9, 0.9, 0.9, 0.2, 0.2])
    kept = model_selection.validate
    monkeypatch.setattr(model_selection, "validate", lambda found: kept(found) | {"val_auroc": next(value)})
    one = sweeps.Sweep(PLAN, (search_space.Axis(settings.field("learning_rate"), 1e-6, 1e-1),), 3)
    sweeps.sweep(one, data, data / "out")
    found = sweep_study.facts(one, study_of(one, data))
    assert [trial.state for trial in found.trials] == ["complete", "pruned", "pruned"]
    assert [trial.objective for trial in found.trials] == [pytest.approx(0.9), None, None]


def test_a_trial_that_diverges_fails_and_the_sweep_goes_on(data, never_pruned, monkeypatch, trials_alone):
    begun = []

    class Broken(keras.callbacks.TerminateOnNaN):
        def on_batch_end(self, batch, logs=None):
            super().on_batch_end(batch, {"loss": float("nan")} if len(begun) == 1 else logs)

    kept = run_writer.start

    def start(*args, **kwargs):
        begun.extend([1] if kwargs.get("kind") == RunKind.TRIAL else [])
        return kept(*args, **kwargs)

    monkeypatch.setattr(keras.callbacks, "TerminateOnNaN", Broken)
    monkeypatch.setattr(run_writer, "start", start)
    sweeps.sweep(asked(trials=2), data, data / "out")
    sweep = next(run for run in run_history.runs(data) if run.kind == "sweep")
    first, second = run_history.children(data, sweep.run_id)
    assert (first.status, first.tags["outcome"], second.tags["outcome"]) == ("failed", "failed", "complete")
    assert "no longer a number" in first.warning


def test_where_no_trial_ends_well_the_sweep_says_what_to_do(data, monkeypatch):
    class Broken(keras.callbacks.TerminateOnNaN):
        def on_batch_end(self, batch, logs=None):
            super().on_batch_end(batch, {"loss": float("inf")})

    monkeypatch.setattr(keras.callbacks, "TerminateOnNaN", Broken)
    with pytest.raises(LeukemiaError, match="No trial of this sweep"):
        sweeps.sweep(asked(trials=2), data, data / "out")
    (sweep,) = run_history.runs(data)
    assert sweep.status == "failed"
