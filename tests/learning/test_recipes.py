import keras
import numpy as np
import pytest

from leukemia.errors import RecipeError
from leukemia.learning import recipes


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


@pytest.mark.parametrize("change", [{"epochs": 0}, {"dropout": 1.0}, {"learning_rate": -1}, {"l2": -0.1}])
def test_settings_out_of_bounds_are_refused(change):
    with pytest.raises(RecipeError):
        recipes.get("reference-cnn").with_training(**change)
