"""The last layer of a network that stays as it is: solved from its features at once, not learned in steps.

A network that was fine-tuned on few patients reads what is particular to them, and does worse on the
next laboratory's than a linear layer on its unchanged features [1]_. The layer is a ridge regression of
the class, each patient weighing the same, with three penalties: on the size of its weights; on how
far it is moved by a harmless change of the picture (JPEG, blur), much as tangent propagation asks of a
network [2]_; and on how far it separates patients of one class, the within-class covariance of speaker
recognition [3]_.

References
----------
.. [1] Kumar A, Raghunathan A, Jones R, Ma T, Liang P. Fine-tuning can distort pretrained features and
       underperform out-of-distribution. ICLR 2022.
.. [2] Simard P, Victorri B, LeCun Y, Denker J. Tangent prop. NIPS 1991.
.. [3] Hatch AO, Kajarekar S, Stolcke A. Within-class covariance normalization for SVM-based speaker
       recognition. Interspeech 2006.
"""

from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd
from scipy.special import expit

from leukemia.classes import is_all
from leukemia.evaluation import calibration, metrics
from leukemia.jobs import signals
from leukemia.networks.optimizer import HEAD
from leukemia.training import model_selection
from leukemia.training.frozen_features import FrozenFeatures
from leukemia.training.training_data import TrainingData

# Seen in training beside the augmented draws, and what the layer shall not be moved by.
PLAIN_VIEWS = 2
AS_JPEG = "JPEG, quality 85"
HARMLESS = (AS_JPEG, "blurred by 1 pixel")
# How much being moved by these counts, where the mean squared error counts once.
STEADINESS = 28.0
# A channel that hardly varies is not blown up by more than this.
LEAST_SPREAD = 1e-4


def learn(
    features: FrozenFeatures,
    dataset: TrainingData,
    penalty: float,
    epochs: range,
    callbacks: keras.callbacks.CallbackList,
) -> None:
    """Solve the last layer again after each further draw of augmented cells: an epoch.

    Parameters
    ----------
    features : FrozenFeatures
    dataset : TrainingData
    penalty : float
        Of the weights; see :func:`solve`.
    epochs : range
        Those to go through; the draws of earlier ones are used, too.
    callbacks : keras.callbacks.CallbackList
        Of :func:`trainer.learn`; each epoch's logs are loss, recall and specificity on its draw.
    """
    rows = dataset.rows("training")
    cells = dataset.cells.iloc[rows]
    plain = features.plain(PLAIN_VIEWS)[rows]
    changed = {name: features.plain(PLAIN_VIEWS, name)[rows] for name in HARMLESS}
    draws = [features.draw(number)[rows] for number in range(epochs.start)]
    model = features.network
    for epoch in epochs:
        callbacks.on_epoch_begin(epoch)
        draws.append(features.draw(epoch)[rows])
        kernel, bias = solve([plain, changed[AS_JPEG], *draws], cells, penalty, plain, list(changed.values()))
        model.get_layer(HEAD).set_weights([kernel, bias])
        probability = expit(draws[-1] @ kernel + bias)[:, 0]
        callbacks.on_epoch_end(epoch, _logs(cells, probability))
        signals.stop_if_asked()
        if model.stop_training:
            return


def solve(
    samples: Sequence[np.ndarray],
    cells: pd.DataFrame,
    penalty: float,
    plain: np.ndarray,
    changed: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Solve the last layer.

    Parameters
    ----------
    samples : sequence of numpy.ndarray
        Features to fit, each float, shape (n, d): the same cells in several pictures.
    cells : pandas.DataFrame
        Their n rows; columns label and patient_group.
    penalty : float
        On the squared weights of the standardised features, where the loss is the mean squared error.
    plain : numpy.ndarray
        Features of the cells as they are, shape (n, d).
    changed : sequence of numpy.ndarray
        Features of the same cells under harmless changes.

    Returns
    -------
    tuple of numpy.ndarray
        Kernel (d, 1) and bias (1,), float32, of a dense layer on the features as they are. Its outcome is a
        logit, stretched and moved to fit the samples.
    """
    truth = is_all(cells["label"])
    weight = np.tile(weights(cells), len(samples))
    target = np.tile(np.where(truth, 1.0, -1.0), len(samples)).astype(np.float32)
    stacked = np.concatenate(samples)
    middle = np.average(stacked, axis=0, weights=weight)
    spread = np.sqrt(np.average(np.square(stacked - middle), axis=0, weights=weight)) + LEAST_SPREAD
    standard = ((stacked - middle) / spread).astype(np.float32)
    weighted = standard * (weight / len(standard)).astype(np.float32)[:, None]
    system = weighted.T @ standard + penalty * np.eye(standard.shape[1])
    for features in changed:
        moved = (features - plain) / spread
        system += STEADINESS * moved.T @ moved / len(moved)
    system += _between_patients((plain - middle) / spread, cells)
    standard_kernel = np.linalg.solve(system, weighted.T @ target)
    logit = standard @ standard_kernel
    fitted = calibration.platt(logit.astype(float), np.tile(truth, len(samples)), weight)
    kernel = fitted.stretch * standard_kernel / spread
    bias = fitted.shift - middle @ kernel
    return kernel[:, None].astype(np.float32), np.array([bias], np.float32)


def weights(cells: pd.DataFrame) -> np.ndarray:
    """Weight of each cell, mean 1: classes alike, and the patients of each."""
    labels = cells["label"]
    weight = metrics.patient_weights(cells)
    weight /= pd.Series(weight).groupby(labels.to_numpy()).transform("sum").to_numpy()
    return weight * len(cells) / labels.nunique()


def _between_patients(features: np.ndarray, cells: pd.DataFrame) -> np.ndarray:
    """Covariance of the patients' means within a class, (d, d), averaged over the classes."""
    means = (
        pd.DataFrame(features).groupby([cells["label"].to_numpy(), cells["patient_group"].to_numpy()]).mean()
    )
    classes = [own.to_numpy() for _, own in means.groupby(level=0)]
    return sum(np.cov(own, rowvar=False, bias=True) for own in classes) / len(classes)


def _logs(cells: pd.DataFrame, probability: np.ndarray) -> dict[str, float]:
    """Metrics of an epoch on its own draw, named as Keras names those of a training."""
    measured = model_selection.validate(cells.assign(probability=probability))
    return {name: measured[f"val_{name}"] for name in ("loss", "recall", "specificity")}
