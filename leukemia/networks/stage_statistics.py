"""Mean and spread of a network's channels: what of each pattern there is in a picture, and how unevenly."""

from collections.abc import Mapping

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("leukemia")
class MeanAndSpread(layers.Layer):
    """Pictures (n, height, width, c) to mean and standard deviation of each channel (n, 2 c)."""

    def call(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        """Average over the picture."""
        mean = ops.mean(pictures, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(pictures - mean), axis=(1, 2))
        return ops.concatenate([mean[:, 0, 0], ops.sqrt(variance + 1e-10)], axis=-1)


def of_stages(stages: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
    """Put the statistics of several stages of a network side by side.

    Parameters
    ----------
    stages : dict of str to keras.KerasTensor
        Each of shape (n, height, width, c), with sizes of its own, by name.

    Returns
    -------
    keras.KerasTensor
        Shape (n, d), d twice the sum of all c.
    """
    statistics = [MeanAndSpread(name=f"{name}_statistics")(stage) for name, stage in stages.items()]
    return layers.Concatenate(name="statistics")(statistics)
