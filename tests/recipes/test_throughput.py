"""How long a training takes here."""

import pytest

from leukemia.recipes import definitions, throughput
from leukemia.recipes.settings import Training
from leukemia.training import throughput_benchmark

TRAINING = Training(epochs=10, cells_per_epoch=100)


def test_what_was_never_measured_is_not_known(tmp_path):
    assert throughput.estimate(tmp_path, "small", TRAINING, cells=1_000, kind="train") is None
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / throughput.NAME).write_text('{"small": {"learning": "no"}}')
    assert throughput.measured(tmp_path, "small") is None
    (tmp_path / "cache" / throughput.NAME).write_text("torn {")
    assert throughput.measured(tmp_path, "small") is None


def test_an_estimate_grows_with_epochs_folds_and_trials(tmp_path):
    throughput.record(tmp_path / "cache", "small", 0.1, 0.01)

    def seconds(kind, training=TRAINING, **more):
        return throughput.estimate(tmp_path, "small", training, cells=1_000, kind=kind, **more)

    one = seconds("train")
    assert one == pytest.approx(throughput.OVERHEAD + 10 * (100 * 0.1 + 200 * 0.01) + 400 * 0.01)
    longer = Training(epochs=20, cells_per_epoch=100)
    assert seconds("train", longer) > 1.7 * (one - throughput.OVERHEAD)
    assert seconds("crossvalidate", folds=5) > 5 * 10 * 100 * 0.1
    assert seconds("sweep", trials=4) > 3 * (one - throughput.OVERHEAD)


def test_a_later_measure_keeps_what_it_did_not_measure(tmp_path):
    throughput.record(tmp_path, "small", 0.1, 0.01)
    throughput.record(tmp_path, "small", 0.2)
    throughput.record(tmp_path, "other", 0.3)
    (tmp_path / "cache").symlink_to(tmp_path)
    assert throughput.measured(tmp_path, "small") == throughput.Throughput(0.2, 0.01)
    assert throughput.measured(tmp_path, "other") == throughput.Throughput(0.3, None)


@pytest.mark.slow
def test_a_recipe_is_measured_and_kept(tmp_path):
    result = throughput_benchmark.measure(tmp_path, "dense-baseline")
    assert 0 < result.prediction < result.training < 5
    assert throughput.measured(tmp_path, "dense-baseline") == result


def test_all_runs_of_a_recipe_whose_network_stays_share_its_features(tmp_path):
    name = "efficientnet-lite0-linear"
    throughput.record(tmp_path / "cache", name, 0.01)
    training = definitions.get(name).training

    def seconds(**counts):
        own = {"cells": 1_000, "kind": "crossvalidate", "views": 2} | counts
        return throughput.estimate(tmp_path, name, training, **own) - throughput.OVERHEAD

    assert seconds(folds=5) == seconds(folds=10) == pytest.approx((4 + 2 * 7) * 1_000 * 0.01)
    assert seconds(kind="train") < seconds()
