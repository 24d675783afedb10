import keras
import numpy as np
import pytest

from leukemia.errors import RecipeError
from leukemia.networks import applications, recipe


@pytest.fixture
def mobilenet():
    return recipe.application("mobilenet-v2", "MobileNetV2").build()


def test_downloaded_weights_reach_their_layers(monkeypatch, mobilenet):
    make = keras.applications.MobileNetV2
    donors = []

    def downloaded(*, weights, **how):
        assert weights == "imagenet"
        donors.append(make(weights=None, **how))
        return donors[0]

    monkeypatch.setattr(keras.applications.mobilenet_v2, "MobileNetV2", downloaded)
    head = mobilenet.get_layer("probability").get_weights()
    applications.load("MobileNetV2", mobilenet)
    layers = [layer for layer in donors[0].layers if layer.weights]
    assert len(layers) == 104
    for layer in layers:
        for one, other in zip(
            layer.get_weights(), mobilenet.get_layer(layer.name).get_weights(), strict=True
        ):
            assert np.array_equal(one, other), layer.name
    assert np.array_equal(head[0], mobilenet.get_layer("probability").get_weights()[0])


def test_where_there_is_no_network_one_line_says_so(monkeypatch, mobilenet):
    def offline(**how):
        raise Exception("URL fetch failure on an-address: None -- no route\nand more")

    monkeypatch.setattr(keras.applications.mobilenet_v2, "MobileNetV2", offline)
    with pytest.raises(RecipeError) as caught:
        applications.load("MobileNetV2", mobilenet)
    said = "The ImageNet weights of MobileNetV2 cannot be downloaded: URL fetch failure on an-address: None"
    assert str(caught.value) == f"{said} -- no route"


def test_a_network_that_keras_does_not_have_is_named():
    with pytest.raises(RecipeError, match="no network called 'NoNet'"):
        recipe.application("mobilenet-v2", "NoNet").build()
