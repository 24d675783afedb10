"""A trained network to the one that answers: seen from several sides, its probability calibrated.

A cell has no upright side, so the logits of its mirror images are averaged; the calibration moves the
mean. Both are layers of the network that answers: nothing is left to remember beside it, and every
engine computes the same.
"""

import keras
from keras import layers, ops

from leukemia.learning.calibration import Calibration
from leukemia.learning.rates import HEAD

VIEWS = (1, 2, 4)


@keras.saving.register_keras_serializable("leukemia")
class Sides(layers.Layer):
    """Pictures to themselves turned by half, and the mirror images of both, one after another.

    Parameters
    ----------
    views : int
        How many of the four: 1, 2 (as it is and turned by half) or 4.
    **kwargs
        Of every layer.
    """

    def __init__(self, views: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.views = views

    def call(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        """From (n, side, side, c) to (views * n, side, side, c)."""
        upside_down = ops.flip(pictures, 1)
        # One axis at a time: OpenVINO 2026.4 does not convert a flip of two.
        sides = [pictures, ops.flip(upside_down, 2), upside_down, ops.flip(pictures, 2)]
        return ops.concatenate(sides[: self.views], axis=0)

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


def logits(model: keras.Model, views: int) -> keras.Model:
    """Make the network that answers with the mean logit over a cell's sides.

    Parameters
    ----------
    model : keras.Model
        As :meth:`recipes.Recipe.build` makes it.
    views : int
        One of :data:`VIEWS`.

    Returns
    -------
    keras.Model
        From uint8 (n, size, size, 3) to float32 (n, 1), sharing the model's weights.
    """
    head = model.get_layer(HEAD)
    before = keras.Model(model.input, head.input, name="body")
    linear = layers.Dense(1, name=HEAD)
    inputs = keras.Input(model.input_shape[1:], dtype="uint8", name="crop")
    out = linear(before(Sides(views, name="sides")(inputs) if views > 1 else inputs))
    linear.set_weights(head.get_weights())
    out = MeanOverSides(views, name="mean")(out) if views > 1 else out
    return keras.Model(inputs, out, name=model.name)


def answering(model: keras.Model, views: int, calibration: Calibration) -> keras.Model:
    """Make the network that answers with the calibrated probability of ALL; see :func:`logits`."""
    averaged = logits(model, views)
    linear = averaged.get_layer(HEAD)
    # The mean of stretched and moved logits is the stretched and moved mean.
    kernel, bias = linear.get_weights()
    linear.set_weights([calibration.stretch * kernel, calibration.stretch * bias + calibration.shift])
    out = layers.Activation("sigmoid", name="sigmoid")(averaged.output)
    return keras.Model(averaged.input, out, name=model.name)
