"""Not a cell like those learned: how far a picture's features lie from those of the training cells.

The features that the last layer weighs are taken as drawn from one Gaussian whose covariance has a
few large directions and is round in all others [1]_; the distance is Mahalanobis's under it, as in
[2]_, brought to one a feature. It is a layer of the network that answers
(:class:`leukemia.networks.serving_network.Distance`), so that every engine computes it. The limit comes from
cells of patients that a network did not see: those of training cells lie too near.

References
----------
.. [1] Tipping ME, Bishop CM. Probabilistic principal component analysis. J R Stat Soc B 1999;61:611-622.
.. [2] Lee K, Lee K, Lee H, Shin J. A simple unified framework for detecting out-of-distribution samples
       and adversarial attacks. NeurIPS 2018.
"""

from dataclasses import dataclass

import numpy as np

DIMENSIONS = 64
# Of the cells of unseen patients, this share is to pass.
PASS = 0.99
DIGITS = 4
LEAST_REST = 1e-4  # of the largest variance
LARGEST_FACTOR = 6e4  # of a square, in the network: a half float holds no larger number


@dataclass(frozen=True)
class Spread:
    """Where features lie.

    Attributes
    ----------
    middle : numpy.ndarray
        Their mean, shape (d,).
    axes : numpy.ndarray
        Directions of the largest spread, unit length, shape (d, k).
    along : numpy.ndarray
        Variance along each, shape (k,).
    rest : float
        Variance along every other direction.
    """

    middle: np.ndarray
    axes: np.ndarray
    along: np.ndarray
    rest: float

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Root mean squared distance, 1 at the middle of what was fitted: shape (n,) for (n, d)."""
        centred = features - self.middle
        inside = (centred @ self.axes) ** 2
        outside = np.maximum((centred**2).sum(axis=1) - inside.sum(axis=1), 0)
        return np.sqrt(((inside / self.along).sum(axis=1) + outside / self.rest) / len(self.middle))


def fit(features: np.ndarray, dimensions: int = DIMENSIONS) -> Spread:
    """Fit the Gaussian to features of training cells, by maximum likelihood.

    Parameters
    ----------
    features : numpy.ndarray
        float, shape (n, d), n and d at least 2.
    dimensions : int, optional
        How many directions of their own; fewer where n or d are small.
    """
    features = features.astype(np.float64)
    middle = features.mean(axis=0)
    _, scales, axes = np.linalg.svd(features - middle, full_matrices=False)
    variance = scales**2 / len(features)
    count = min(dimensions, len(variance) - 1)
    # Units that never fire have no variance: a cell on which one does is far, but not infinitely, and
    # no farther than weights of half floats can tell.
    floor = max(LEAST_REST * variance[0], 1 / (LARGEST_FACTOR * features.shape[1]))
    rest = max(variance[count:].sum() / (features.shape[1] - count), floor)
    return Spread(middle, axes[:count].T, np.maximum(variance[:count], rest), float(rest))


def limit(distances: np.ndarray, share: float = PASS) -> float:
    """The distance up to which a share of cells lies, rounded up to :data:`DIGITS`."""
    return float(np.ceil(np.quantile(distances, share) * 10**DIGITS) / 10**DIGITS)


def passed(distances: np.ndarray, fold: np.ndarray) -> float:
    """Share of cells that pass the limit which the other folds set: distances and folds, shape (n,)."""
    passing = [distances[fold == one] <= limit(distances[fold != one]) for one in np.unique(fold)]
    return float(np.concatenate(passing).mean())
