"""A last layer learned anew on the features of the finished network.

A network learns useful features of a cell even where its own last layer leans on what is only
common in the training patients; that layer, learned again with a strong penalty and every patient
weighing much the same, does better on the next patient [1]_. It may read layers before the last, whose
pictures are finer: of each channel the mean and the spread, which are the chromatin's texture.

References
----------
.. [1] Kirichenko P, Izmailov P, Wilson AG. Last layer re-training is sufficient for robustness to
       spurious correlations. ICLR 2023.
"""

from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd
from keras import layers, ops
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from leukemia.classes import is_all
from leukemia.networks.optimizer import HEAD


@keras.saving.register_keras_serializable("leukemia")
class MeanAndSpread(layers.Layer):
    """Pictures (n, height, width, c) to mean and standard deviation of each channel (n, 2 c)."""

    def call(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        """Average over the picture."""
        mean = ops.mean(pictures, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(pictures - mean), axis=(1, 2))
        return ops.concatenate([mean[:, 0, 0], ops.sqrt(variance + 1e-12)], axis=-1)


def attach_head(model: keras.Model, reads: Sequence[str]) -> keras.Model:
    """Put a fresh last layer on some of a network's layers.

    Parameters
    ----------
    model : keras.Model
        As :meth:`recipes.Recipe.build` makes it.
    reads : sequence of str
        Names of layers with pictures; what lies behind the last of them falls away. With none, the
        network itself is returned.

    Returns
    -------
    keras.Model
        Sharing the network's layers.
    """
    if not reads:
        return model
    textures = [MeanAndSpread(name=f"{name}_spread")(model.get_layer(name).output) for name in reads]
    features = layers.Concatenate(name="read")(textures) if len(textures) > 1 else textures[0]
    out = layers.Dense(1, activation="sigmoid", name=HEAD)(features)
    return keras.Model(model.input, out, name=model.name)


def refit(features: np.ndarray, cells: pd.DataFrame, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit the last layer to features: logistic regression, standardised, L2.

    Parameters
    ----------
    features : numpy.ndarray
        float, shape (n, d): what the last layer weighs.
    cells : pandas.DataFrame
        Their rows; columns label and patient_group.
    strength : float
        scikit-learn's C: the inverse of the penalty.

    Returns
    -------
    tuple of numpy.ndarray
        Kernel (d, 1) and bias (1,), float32, of a dense layer on the features as they are.
    """
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=strength, max_iter=5_000)
    model.fit(scaler.transform(features), is_all(cells["label"]), sample_weight=weights(cells))
    kernel = model.coef_[0] / scaler.scale_
    bias = model.intercept_ - kernel @ scaler.mean_
    return kernel[:, None].astype(np.float32), bias.astype(np.float32)


def weights(cells: pd.DataFrame) -> np.ndarray:
    """Weight of each cell, mean 1: classes alike, patients by the root of how many cells they have."""
    labels, groups = cells["label"], cells["patient_group"]
    weight = 1 / np.sqrt(groups.map(groups.value_counts()).to_numpy(float))
    weight /= pd.Series(weight).groupby(labels.to_numpy()).transform("sum").to_numpy()
    return weight * len(cells) / labels.nunique()
