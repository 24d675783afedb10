"""Batch normalisation fused into the convolution before it: the same answers from fewer steps.

Once its statistics stand still, batch normalisation is a factor and a shift a channel, which a
convolution with a bias can do by itself. An engine does that too, but with weights rounded before;
fused first, rounded then, the network and its engine hold the same numbers.
"""

from typing import Any

import keras
import numpy as np
from keras import layers

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D)


def fuse(model: keras.Model) -> keras.Model:
    """Make the network without those batch normalisations that follow a convolution.

    Parameters
    ----------
    model : keras.Model
        Functional; it is left as it is.

    Returns
    -------
    keras.Model
        The same answers, up to float32's rounding. Not compiled. Where nothing can be fused, the
        network itself.
    """
    norms = _fusible(model)
    if not norms:
        return model
    dropped = {norm.name for norm in norms.values()}

    def clone(layer: layers.Layer) -> layers.Layer:
        settings = layer.get_config()
        if layer.name in norms:
            settings["use_bias"] = True
        return type(layer).from_config(settings)

    def call(layer: layers.Layer, *inputs: Any, **settings: Any) -> Any:
        return inputs[0] if layer.name in dropped else layer(*inputs, **settings)

    fused = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in fused.layers:
        before = model.get_layer(layer.name)
        norm = norms.get(layer.name)
        layer.set_weights(_weights(before, norm) if norm else before.get_weights())
    # A clone is compiled where the model was, and would be saved with an optimizer.
    return keras.Model(fused.input, fused.output, name=fused.name)


def _fusible(model: keras.Model) -> dict[str, layers.BatchNormalization]:
    """Batch normalisations by the name of the convolution whose only outcome each of them takes."""
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    if not norms:
        return {}
    outcomes = [id(tensor) for op in model.operations for tensor in keras.tree.flatten(op.output)]
    taken = [id(tensor) for op in model.operations for tensor in keras.tree.flatten(op.input)]
    if not set(taken) <= set(outcomes):
        # A layer that is called twice shows its first call alone: what follows which cannot be told.
        return {}
    taken += [id(tensor) for tensor in model.outputs]
    convolutions = {id(layer.output): layer for layer in model.layers if isinstance(layer, CONVOLUTIONS)}
    fusible = {}
    for norm in norms:
        before = convolutions.get(id(norm.input))
        if before is None or taken.count(id(norm.input)) != 1:
            continue
        along_channels = norm.axis in (-1, 3) and before.data_format == "channels_last"
        if along_channels and before.activation is keras.activations.linear:
            fusible[before.name] = norm
    return fusible


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
