import keras
import numpy as np
import pytest

from leukemia.bundles import writer
from leukemia.errors import RecipeError
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.networks import batchnorm_fusion, serving_network
from leukemia.networks import recipe as recipes


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_answers_crops_with_one_probability(name):
    recipe = recipes.get(name)
    crops = np.random.default_rng(0).integers(0, 256, (2, recipe.crop, recipe.crop, 3), dtype=np.uint8)
    answer = recipe.build().predict_on_batch(crops)
    assert answer.shape == (2, 1)
    assert ((answer > 0) & (answer < 1)).all()


def test_the_reference_network_is_the_reference_network():
    model = recipes.get("reference-cnn").build()
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert [(layer.filters, layer.kernel_size) for layer in convolutions] == [
        (32, (3, 3)),
        (64, (3, 3)),
        (128, (3, 3)),
    ]
    assert [layer.units for layer in dense] == [64, 128, 1]
    assert {layer.activation.__name__ for layer in convolutions + dense[:2]} == {"relu"}
    assert dense[-1].activation.__name__ == "sigmoid"
    assert model.input_shape == (None, 256, 256, 3)
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in model.layers) == 3


def test_the_regularized_one_differs_by_penalty_and_dropout_alone():
    plain, other = (recipes.get(name).build() for name in ("reference-cnn", "reference-cnn-regularized"))
    assert plain.count_params() == other.count_params()
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in other.layers) == 3
    penalised = [layer for layer in other.layers if getattr(layer, "kernel_regularizer", None)]
    assert len(penalised) == 5


def test_an_unknown_recipe_is_named_with_those_there_are():
    with pytest.raises(RecipeError, match=r"'vgg'.*dense-baseline, reference-cnn"):
        recipes.get("vgg")


@pytest.fixture(scope="module")
def crops(drawn):
    return np.stack([crop_cell(measure_cell(pixels), 256) for _, _, pixels in drawn[:4]])


@pytest.fixture(scope="module")
def lite0(crops):
    """Lite0 with drawn weights, and batch statistics as a training elsewhere would have left them."""
    keras.utils.set_random_seed(0)
    recipe = recipes.get("efficientnet-lite0").with_training(dropout=0.0, frozen=0)
    model = recipe.build()
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.trainable, layer.momentum = True, 0.0
    model(crops, training=True)
    for layer in norms:
        layer.trainable, layer.momentum = False, 0.99
    model.compile(recipes.optimizer(recipe.training), loss="binary_crossentropy")
    return model


@pytest.mark.slow
def test_batch_normalisation_stays_as_it_was_while_all_else_learns(lite0, crops):
    before = {variable.path: variable.numpy() for variable in lite0.weights}
    for _ in range(2):  # the first step is the warm-up's zero
        lite0.train_on_batch(crops, np.array([[0], [1], [0], [1]]))
    norms = [layer for layer in lite0.layers if isinstance(layer, keras.layers.BatchNormalization)]
    still = {variable.path for layer in norms for variable in layer.weights}
    moved = {v.path: np.abs(v.numpy() - before[v.path]).max() for v in lite0.weights}
    assert len(still) == 4 * 49
    assert {path for path, change in moved.items() if change == 0} == still
    # The body follows at a tenth of the head's rate.
    assert moved["block5_expand/kernel"] == pytest.approx(moved["probability/kernel"] / 10, rel=0.1)


@pytest.mark.slow
def test_lite0_goes_into_a_bundle_with_an_engine_that_agrees(lite0, crops, tmp_path):
    fused = batchnorm_fusion.fuse(lite0)
    serving_network.round_weights(fused)
    writer._write_engine(fused, tmp_path, crops, None, None)  # raises where they differ by more than 1e-3
    assert np.ptp(fused.predict_on_batch(crops)) > 0.01
    # Converted weights, half floats: 4.6 million of them.
    assert (tmp_path / "engine.bin").stat().st_size < 9.5e6


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"dropout": 1.0},
        {"learning_rate": -1},
        {"l2": -0.1},
        {"body_rate": 0},
        {"weight_decay": -1},
        {"warmup": 1},
        {"colour": -0.1},
        {"blur": -1},
    ],
)
def test_settings_out_of_bounds_are_refused(change):
    with pytest.raises(RecipeError):
        recipes.get("reference-cnn").with_training(**change)
