"""A trained network to the one that answers: several views of a cell averaged, its probability calibrated.

A cell has no upright side, so the logits of its mirror images are averaged; the calibration moves the
mean. How far the cell lies from those learned
(:mod:`leukemia.evaluation.novelty`) comes beside it. All are layers of the network that answers: nothing
is left to remember, and every engine computes the same.
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from leukemia.evaluation import novelty
from leukemia.evaluation.calibration import Calibration
from leukemia.networks.optimizer import HEAD
from leukemia.networks.stage_statistics import MeanAndSpread

VIEWS = (1, 2, 4, 8)
# Of a recipe's network; those of this module register themselves.
OWN_LAYERS = {"leukemia>MeanAndSpread": MeanAndSpread}
# The layer up to which a network only prepares the pixels, in the same way whichever way up the cell lies.
PIXELS = "pixels"


@keras.saving.register_keras_serializable("leukemia")
class Sides(layers.Layer):
    """Pictures, turned by half, the mirror images of both, and all four turned by a quarter, in this order.

    Parameters
    ----------
    views : int
        How many of the eight: 1, 2 (as it is and turned by half), 4 or 8.
    **kwargs
        Of every layer.
    """

    def __init__(self, views: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.views = views

    def call(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        """From (n, side, side, c) to (views * n, side, side, c)."""
        # Taken in reverse order, not flipped: OpenVINO 2026.4 flips forty times as slowly as it gathers. And
        # only the sides that are asked for: it takes one that nothing reads for an output.
        backwards, sides = np.arange(pictures.shape[1])[::-1], [pictures]
        if self.views > 1:
            upside_down = ops.take(pictures, backwards, 1)
            sides += [ops.take(upside_down, backwards, 2)]
        if self.views > 2:
            sides += [upside_down, ops.take(pictures, backwards, 2)]
        if self.views > 4:
            # A mirror image along the diagonal makes the other four of them.
            sides += [ops.transpose(side, (0, 2, 1, 3)) for side in sides]
        return ops.concatenate(sides, axis=0)

    def get_config(self) -> dict[str, object]:
        """Return what a saved network needs to make the layer again."""
        return {**super().get_config(), "views": self.views}


@keras.saving.register_keras_serializable("leukemia")
class MeanOverSides(layers.Layer):
    """Values of :class:`Sides` to their mean a picture: from (views * n, k) to (n, k)."""

    def __init__(self, views: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.views = views

    def call(self, values: keras.KerasTensor) -> keras.KerasTensor:
        """Average over the sides."""
        return ops.mean(ops.reshape(values, (self.views, -1, values.shape[-1])), axis=0)

    def get_config(self) -> dict[str, object]:
        """Return what a saved network needs to make the layer again."""
        return {**super().get_config(), "views": self.views}


@keras.saving.register_keras_serializable("leukemia")
class Distance(layers.Layer):
    """Features (n, d) to their distance (n, 1); see :meth:`novelty.Spread.distance`.

    Parameters
    ----------
    dimensions : int
        Directions with a variance of their own.
    **kwargs
        Of every layer.
    """

    def __init__(self, dimensions: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.dimensions = dimensions

    def build(self, shape: tuple[int | None, int]) -> None:
        """Make the weights that :func:`inference_model` fills in."""
        width = int(shape[-1])
        self.middle = self.add_weight(shape=(width,), initializer="zeros", trainable=False, name="middle")
        self.axes = self.add_weight(
            shape=(width, self.dimensions), initializer="zeros", trainable=False, name="axes"
        )
        # What the squares along the axes and of the whole are multiplied with.
        self.along = self.add_weight(
            shape=(self.dimensions,), initializer="zeros", trainable=False, name="along"
        )
        self.rest = self.add_weight(shape=(1,), initializer="ones", trainable=False, name="rest")

    def call(self, features: keras.KerasTensor) -> keras.KerasTensor:
        """Measure the distance."""
        centred = features - self.middle
        inside = ops.matmul(centred, self.axes)
        # Not as a difference of squares: short floats would not tell it from nothing.
        outside = centred - ops.matmul(inside, ops.transpose(self.axes))
        own = ops.sum(ops.square(inside) * self.along, axis=-1, keepdims=True)
        return ops.sqrt(own + ops.sum(ops.square(outside), axis=-1, keepdims=True) * self.rest)

    def get_config(self) -> dict[str, object]:
        """Return what a saved network needs to make the layer again."""
        return {**super().get_config(), "dimensions": self.dimensions}


def round_weights(model: keras.Model) -> None:
    """Round weights to half floats, in place, before anything is measured on the network.

    The engine's file keeps half floats; rounded first, both hold the same numbers and agree.
    """
    for variable in model.weights:
        full = variable.numpy()
        if not np.issubdtype(full.dtype, np.floating):
            continue
        # Beyond a half float's range a number is left as it is.
        fits = np.abs(full) < np.finfo(np.float16).max
        variable.assign(np.where(fits, np.where(fits, full, 0).astype(np.float16), full))


def feature_model(model: keras.Model, views: int) -> keras.Model:
    """Make the network that gives the mean logit over a cell's sides, and its mean features.

    Parameters
    ----------
    model : keras.Model
        As :meth:`recipes.Recipe.build` makes it.
    views : int
        One of :data:`VIEWS`.

    Returns
    -------
    keras.Model
        From uint8 (n, size, size, 3) to float32 logits (n, 1) and what the last layer weighs (n, d),
        sharing the model's weights.
    """
    head, pixels = model.get_layer(HEAD), _pixels(model)
    before = keras.Model(pixels, head.input, name="body")
    linear = layers.Dense(1, name=HEAD)
    inputs = keras.Input(model.input_shape[1:], dtype="uint8", name="crop")
    scaled = inputs if pixels is model.input else keras.Model(model.input, pixels, name=PIXELS)(inputs)
    features = before(Sides(views, name="sides")(scaled) if views > 1 else scaled)
    # The last layer is linear: the mean of the logits is the logit of the mean.
    features = MeanOverSides(views, name="mean")(features) if views > 1 else features
    out = linear(features)
    linear.set_weights(head.get_weights())
    return keras.Model(inputs, [out, features], name=model.name)


def inference_model(
    model: keras.Model,
    views: int,
    calibration: Calibration,
    spread: novelty.Spread | None = None,
) -> keras.Model:
    """Make the network that answers in the clinic; see :func:`feature_model`.

    Returns
    -------
    keras.Model
        From uint8 (n, size, size, 3) to the calibrated probability of ALL (n, 1); where ``spread`` is
        given, to that and the distance from the cells that were learned (n, 1).
    """
    network = feature_model(model, views)
    logit, features = network.outputs
    linear = network.get_layer(HEAD)
    kernel, bias = linear.get_weights()
    linear.set_weights([calibration.stretch * kernel, calibration.stretch * bias + calibration.shift])
    out = layers.Activation("sigmoid", name="sigmoid")(logit)
    outputs = [out, _distance(spread, features)] if spread else out
    return keras.Model(network.input, outputs, name=model.name)


def load(path: Path) -> keras.Model:
    """Load the network of a bundle: a ``.keras`` file that may hold layers of our own, known from here."""
    return keras.models.load_model(path, custom_objects=OWN_LAYERS, safe_mode=True)


def _pixels(model: keras.Model) -> keras.KerasTensor:
    """What the sides are made of: the prepared pixels, so that they are prepared once, or the crop itself."""
    prepared = [layer.output for layer in model.layers if layer.name == PIXELS]
    return prepared[0] if prepared else model.input


def _distance(spread: novelty.Spread, features: keras.KerasTensor) -> keras.KerasTensor:
    width, dimensions = spread.axes.shape
    layer = Distance(dimensions, name="distance")
    out = layer(features)
    factors = 1 / (spread.along * width), np.array([1 / (spread.rest * width)])
    layer.set_weights([spread.middle, spread.axes, *factors])
    return out
