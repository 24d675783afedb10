"""Folds learned on Ray: the predictions of a cross-validation one by one, to the last digit."""

import os
from contextlib import nullcontext

import pytest

from leukemia.errors import ClusterError
from leukemia.networks import recipe
from leukemia.settings import JOB_FOLDER
from leukemia.training import cross_validation, on_ray, trainer
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
    def ends(kind, arguments, batches, workers, instead, *, cores):
        for _, (item,) in batches:
            yield 0, [instead(item)]

    monkeypatch.setattr(on_ray.cluster, "opened", lambda *_: nullcontext(2))
    monkeypatch.setattr(on_ray.team, "work", ends)
    shared = cross_validation.CrossValidation(tmp_path, 1, "", job=None)
    with pytest.raises(ClusterError, match="learned fold 1/4 ended again and again"):
        on_ray.learn_folds({"fold 1/4": PLAN}, shared, on_ray.Spread("", 1))


def test_a_worker_reports_to_no_job_and_computes_with_the_threads_it_is_given(tmp_path, monkeypatch):
    for name in (*on_ray.threads.NAMES, "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, "9")
    monkeypatch.setenv(JOB_FOLDER, str(tmp_path))
    on_ray.FoldWorker(tmp_path, 1, "", 3)
    assert {os.environ[name] for name in on_ray.threads.NAMES} == {"3"}
    assert JOB_FOLDER not in os.environ
