import math

import keras
import pytest
from keras import layers

from leukemia.networks import efficientnet_lite0


@pytest.fixture(scope="module")
def network():
    return efficientnet_lite0.classifier(256)


def test_it_has_as_many_weights_as_the_published_one(network):
    assert sum(math.prod(variable.shape) for variable in network.trainable_variables) == 4_652_008


def test_it_is_made_of_convolutions_sums_and_relu6_alone(network):
    kinds = {type(layer) for layer in network.layers[:-1]}
    assert kinds == {
        layers.InputLayer,
        layers.Conv2D,
        layers.DepthwiseConv2D,
        layers.BatchNormalization,
        layers.ReLU,
        layers.Add,
        layers.GlobalAveragePooling2D,
    }
    assert {layer.max_value for layer in network.layers if isinstance(layer, layers.ReLU)} == {6.0}
    norms = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    assert {layer.epsilon for layer in norms} == {1e-3}
    assert len(norms) == 1 + 16 * 3 - 1 + 1  # the first block does not expand


def test_sums_stand_where_a_block_keeps_its_shape(network):
    sums = [layer.name for layer in network.layers if isinstance(layer, layers.Add)]
    assert sums == [f"block{n}_add" for n in (2, 4, 6, 7, 9, 10, 12, 13, 14)]


@pytest.mark.parametrize(("size", "side"), [(224, 7), (256, 8), (300, 10)])
def test_features_are_a_thirty_second_of_the_crop(size, side):
    assert efficientnet_lite0.features(keras.Input((size, size, 3))).shape == (None, side, side, 1_280)


def test_frozen_blocks_keep_their_weights():
    model = efficientnet_lite0.classifier(64)
    everything = len(model.trainable_variables)
    efficientnet_lite0.freeze(model, 0)
    assert len(model.trainable_variables) == everything
    efficientnet_lite0.freeze(model, 2)
    still = {layer.name.split("_")[0] for layer in model.layers if layer.weights and not layer.trainable}
    assert still == {"stem", "block0", "block1"}
    assert model.get_layer("block10_expand").trainable
