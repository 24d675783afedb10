"""A network that stays as it is: its features are computed once, and serve all trainings of the recipe."""

from dataclasses import replace

import numpy as np
import pytest

from leukemia.imaging.perturbation import PERTURBATIONS
from leukemia.networks import recipe as recipes
from leukemia.networks import serving_network
from leukemia.networks.forward import outputs
from leukemia.networks.optimizer import HEAD
from leukemia.training import cross_validation, run, training_data
from leukemia.training.frozen_features import FrozenFeatures
from leukemia.training.plan import Plan
from tests.support.callbacks import AfterEpoch

pytestmark = pytest.mark.slow

# As the recipe is, on small crops, with a network that knows nothing of ImageNet.
RECIPE = replace(
    recipes.get("efficientnet-lite0-linear"), crop=64, pretrained=lambda model, cache: None
).with_training(epochs=2)
PLAN = Plan(RECIPE, target_recall=0.9)


class Killed(BaseException):
    pass


def _files(data):
    return sorted(path.name for path in (data / "cache").glob("features-*.npy"))


def test_they_are_those_of_the_network_that_serves(data):
    dataset = training_data.load(data, PLAN)
    features = FrozenFeatures(RECIPE, data, dataset, seed=0)
    network = serving_network.feature_model(features.network, 2)
    for perturbation in ("", "JPEG, quality 85"):
        _, expected = outputs(network, dataset.crops, perturbation=perturbation)
        np.testing.assert_allclose(features.plain(2, perturbation), expected, rtol=1e-3, atol=1e-3)


def test_each_draw_is_another_and_always_the_same(data):
    dataset = training_data.load(data, PLAN)
    first, second = (FrozenFeatures(RECIPE, data, dataset, seed=0).draw(number) for number in (0, 1))
    assert not np.allclose(first, second)
    (data / "cache" / _files(data)[0]).unlink()
    again = FrozenFeatures(RECIPE, data, dataset, seed=0)
    np.testing.assert_allclose(again.draw(0), first, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(again.draw(1), second, rtol=1e-4, atol=1e-4)
    assert not np.allclose(FrozenFeatures(RECIPE, data, dataset, seed=1).draw(0), first)


def test_a_killed_training_resumes_and_a_second_one_computes_no_features(data, monkeypatch):
    def kill(part, index, logs):
        raise Killed

    with pytest.raises(Killed):
        run.train(PLAN, data, data / "out", [AfterEpoch(kill)])
    seen = []
    bundle = run.train(
        PLAN, data, data / "out", [AfterEpoch(lambda _, index, logs: seen.append((index, logs)))]
    )
    assert [index for index, _ in seen] == [1]
    assert {"loss", "recall", "specificity", "val_loss", "val_auroc"} <= set(seen[0][1])
    assert len(_files(data)) == 3 + 2
    monkeypatch.setattr(FrozenFeatures, "_extract", lambda *_: pytest.fail("computed again"))
    again = run.train(PLAN, data, data / "again")
    assert again.predictions.equals(bundle.predictions)


def test_all_folds_share_the_features_and_only_the_last_layer_is_theirs(data, monkeypatch):
    counted = []
    extract = FrozenFeatures._extract
    monkeypatch.setattr(
        FrozenFeatures,
        "_extract",
        lambda self, title, *rest: counted.append(title) or extract(self, title, *rest),
    )
    heads = []
    learn = cross_validation.trainer.learn

    def learned(*arguments, **named):
        model, state = learn(*arguments, **named)
        heads.append(model.get_layer(HEAD).get_weights()[0])
        return model, state

    monkeypatch.setattr(cross_validation.trainer, "learn", learned)
    plan = replace(PLAN, split="fold", folds=3)
    bundle = cross_validation.crossvalidate(plan, data, data / "out", views=2)
    assert sorted(counted) == sorted(["as they are", *PERTURBATIONS, "augmentation 1", "augmentation 2"])
    assert len(heads) == 4
    assert all(not np.allclose(one, heads[-1]) for one in heads[:-1])
    assert bundle.record.stress
    assert bundle.predictions["fold"].nunique() == 3
