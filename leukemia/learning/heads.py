"""The last layer learned anew, on the features of the finished network, by a closed problem.

A network learns useful features of a cell even where its own last layer leans on what is only
common in the training patients; that layer, learned again with a strong penalty and every patient
weighing much the same, does better on the next patient [1]_.

References
----------
.. [1] Kirichenko P, Izmailov P, Wilson AG. Last layer re-training is sufficient for robustness to
       spurious correlations. ICLR 2023.
"""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from leukemia.learning import batches

# So many draws, patients taking turns, say what the training cells are like.
DRAWS = 2_000


def rows(cells: pd.DataFrame, training: np.ndarray, seed: int) -> np.ndarray:
    """Draw training cells, patients taking turns.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns label and patient_group.
    training : numpy.ndarray
        Positions in ``cells`` to draw from.
    seed : int

    Returns
    -------
    numpy.ndarray
        Positions in ``cells``, each once, ascending in ``training``'s order: int, shape (n,).
    """
    drawn = batches.draw_epoch(cells.iloc[training], DRAWS, np.random.default_rng(seed))
    return training[np.unique(drawn)]


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
    model.fit(scaler.transform(features), cells["label"] == "ALL", sample_weight=weights(cells))
    kernel = model.coef_[0] / scaler.scale_
    bias = model.intercept_ - kernel @ scaler.mean_
    return kernel[:, None].astype(np.float32), bias.astype(np.float32)


def weights(cells: pd.DataFrame) -> np.ndarray:
    """Weight of each cell, mean 1: classes alike, patients by the root of how many cells they have."""
    labels, groups = cells["label"], cells["patient_group"]
    weight = 1 / np.sqrt(groups.map(groups.value_counts()).to_numpy(float))
    weight /= pd.Series(weight).groupby(labels.to_numpy()).transform("sum").to_numpy()
    return weight * len(cells) / labels.nunique()
