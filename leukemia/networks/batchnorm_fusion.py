"""Batch normalisation taken into the convolution before it: the same answers from fewer steps.

Once its statistics stand still, batch normalisation is a factor and a shift a channel, which a
convolution with a bias can do by itself. An engine does that too, but with weights rounded before;
folded first, rounded then, the network and its engine hold the same numbers.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D)


def fold(model: keras.Model) -> keras.Model:
    """Make the network without those batch normalisations that follow a convolution.

    Parameters
    ----------
    model : keras.Model
        Functional; it is left as it is.

    Returns
    -------
    keras.Model
        The same answers, up to float32's rounding. Not compiled. Where nothing can be folded, the
        network itself.
    """
    followed = _followed(model)
    if not followed:
        return model
    norms = {norm.name for norm in followed.values()}

    def clone(layer: layers.Layer) -> layers.Layer:
        settings = layer.get_config()
        if layer.name in followed:
            settings["use_bias"] = True
        return type(layer).from_config(settings)

    def call(layer: layers.Layer, *inputs: Any, **settings: Any) -> Any:
        return inputs[0] if layer.name in norms else layer(*inputs, **settings)

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in folded.layers:
        before = model.get_layer(layer.name)
        norm = followed.get(layer.name)
        layer.set_weights(_weights(before, norm) if norm else before.get_weights())
    return folded


def _followed(model: keras.Model) -> dict[str, layers.BatchNormalization]:
    """Batch normalisations by the name of the convolution whose only outcome each of them takes."""
    found = {}
    for norm in model.layers:
        if not isinstance(norm, layers.BatchNormalization) or norm.axis not in (-1, 3):
            continue
        before = norm.input._keras_history.operation
        linear = isinstance(before, CONVOLUTIONS) and before.activation is keras.activations.linear
        if linear and len(before._outbound_nodes) == 1 and before.data_format == "channels_last":
            found[before.name] = norm
    return found


def _weights(convolution: layers.Layer, norm: layers.BatchNormalization) -> list[np.ndarray]:
    kernel, *bias = (weight.astype(np.float64) for weight in convolution.get_weights())
    channels = norm.moving_mean.shape
    one, none = np.ones(channels), np.zeros(channels)
    scale = norm.gamma.numpy() if norm.scale else one
    shift = norm.beta.numpy() if norm.center else none
    factor = scale / np.sqrt(norm.moving_variance.numpy().astype(np.float64) + norm.epsilon)
    moved = ((bias[0] if bias else none) - norm.moving_mean.numpy()) * factor + shift
    if isinstance(convolution, layers.DepthwiseConv2D):
        return [kernel * factor.reshape(kernel.shape[-2:]), moved]
    return [kernel * factor, moved]
