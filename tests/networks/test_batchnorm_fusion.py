import keras
import numpy as np
import pytest
from keras import layers

from leukemia.networks import batchnorm_fusion


@pytest.fixture
def network():
    """Every case: with and without bias, depthwise, with an activation between, used twice, alone."""
    inputs = keras.Input((16, 16, 3), dtype="uint8", name="crop")
    x = keras.ops.cast(inputs, "float32") / 255.0
    x = layers.BatchNormalization(name="alone_norm")(x)
    x = layers.Conv2D(8, 3, use_bias=False, name="plain")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization(name="plain_norm")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, use_bias=False, name="depthwise")(x)
    x = layers.BatchNormalization(epsilon=0.1, scale=False, name="depthwise_norm")(x)
    x = layers.Conv2D(8, 1, name="biased")(x)
    x = layers.BatchNormalization(center=False, name="biased_norm")(x)
    x = layers.Conv2D(8, 1, activation="relu", name="bent")(x)
    x = layers.BatchNormalization(name="bent_norm")(x)
    twice = layers.Conv2D(8, 1, name="twice")(x)
    x = layers.Add()([layers.BatchNormalization(name="twice_norm")(twice), twice])
    outputs = layers.Dense(1, name="probability")(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0.2, 1.5, variable.shape))
    return model


CROPS = np.random.default_rng(1).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)


def test_a_fused_network_answers_the_same(network, tmp_path):
    before = network.predict_on_batch(CROPS)
    fused = batchnorm_fusion.fuse(network)
    assert np.allclose(fused.predict_on_batch(CROPS), before, rtol=1e-5)
    assert np.array_equal(network.predict_on_batch(CROPS), before)
    fused.save(tmp_path / "fused.keras")
    loaded = keras.models.load_model(tmp_path / "fused.keras", safe_mode=True)
    assert np.allclose(loaded.predict_on_batch(CROPS), before, rtol=1e-5)


def test_a_fused_network_carries_no_optimizer(network, tmp_path):
    network.compile("adam", "mse")
    network.fit(CROPS, np.zeros(len(CROPS)), verbose=0)
    fused = batchnorm_fusion.fuse(network)
    fused.save(tmp_path / "fused.keras")
    assert not fused.compiled
    assert not keras.models.load_model(tmp_path / "fused.keras", safe_mode=True).compiled
    assert network.compiled


def test_only_what_directly_follows_a_convolution_is_fused(network):
    kept = [layer.name for layer in batchnorm_fusion.fuse(network).layers if "norm" in layer.name]
    assert kept == ["alone_norm", "bent_norm", "twice_norm"]


def test_a_loaded_network_is_fused_too(network, tmp_path):
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    fused = batchnorm_fusion.fuse(loaded)
    assert "plain_norm" not in {layer.name for layer in fused.layers}
    assert np.allclose(fused.predict_on_batch(CROPS), network.predict_on_batch(CROPS), rtol=1e-5)


def test_a_network_without_batch_normalisation_is_left_alone():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    assert batchnorm_fusion.fuse(model) is model


def test_a_layer_that_is_used_twice_is_not_fused():
    shared = layers.Conv2D(3, 1, name="shared")
    inputs = keras.Input((4, 4, 3))
    x = layers.BatchNormalization(name="first")(shared(inputs))
    model = keras.Model(inputs, layers.BatchNormalization(name="second")(shared(x)))
    assert batchnorm_fusion.fuse(model) is model
