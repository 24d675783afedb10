"""All resamples of patients at once: what a bootstrap computes a thousand times, as sums over patients.

A figure of this program depends on counts and sums, and those add up over patients. So a resample is
a row of weights over patients (not cells), and a matrix product answers for all resamples. The draws
are those of :func:`leukemia.evaluation.metrics.bootstrap`, so that the intervals are the same.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from leukemia.errors import DatasetError
from leukemia.evaluation import metrics
from leukemia.evaluation.metrics import Figure


@dataclass(frozen=True)
class Counts:
    """Confusion counts of cells; arrays of one shape, rows as of :attr:`Cells.weights`."""

    tp: np.ndarray
    fn: np.ndarray
    fp: np.ndarray
    tn: np.ndarray


class Cells:
    """Held-out predictions of one version, with resampled patients.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label (Normal or ALL), probability (of ALL, 0 to 1); a row a cell.
    resamples : int, optional
    seed : int, optional
        Of the bootstrap; the same patients with the same seed are drawn alike, so that two versions
        on the same cells are paired.

    Attributes
    ----------
    predictions : pandas.DataFrame
    truth : numpy.ndarray
        bool, shape (cells,): is ALL.
    probability : numpy.ndarray
        float, shape (cells,).
    units : pandas.DataFrame
        Columns label and patient_group: what is drawn.
    unit : numpy.ndarray
        int, shape (cells,): row of ``units``.
    weights : numpy.ndarray
        float, shape (1 + resamples, units): how often each was drawn; the first row is all ones, so
        that the first of each result is the figure itself.

    Raises
    ------
    DatasetError
        Where one of the classes has no cell.
    """

    def __init__(
        self, predictions: pd.DataFrame, *, resamples: int = metrics.RESAMPLES, seed: int = 0
    ) -> None:
        self.predictions = predictions.reset_index(drop=True)
        self.truth = (self.predictions["label"] == "ALL").to_numpy()
        if not self.truth.any() or self.truth.all():
            absent = "Normal" if self.truth.any() else "ALL"
            raise DatasetError(
                f"No {absent} cell among the {len(self.truth):,} predictions: figures need both classes."
            )
        self.probability = self.predictions["probability"].to_numpy(float)
        keys = self.predictions["label"].astype(str) + "\0" + self.predictions["patient_group"].astype(str)
        self.unit, names = pd.factorize(keys, sort=True)
        self.units = pd.DataFrame([name.split("\0", 1) for name in names], columns=["label", "patient_group"])
        drawn = metrics.resampled(self.units, resamples, seed)
        self.weights = np.vstack([np.ones(len(self.units)), drawn])

    @cached_property
    def is_all(self) -> np.ndarray:
        """Bool, shape (units,): whether the unit's cells are ALL."""
        return (self.units["label"] == "ALL").to_numpy()

    @cached_property
    def sizes(self) -> np.ndarray:
        """Float, shape (units,): cells of each unit."""
        return self.sums(np.ones(len(self.truth)))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum values of cells, float, shape (cells,), by unit: float, shape (units,)."""
        return np.bincount(self.unit, values, minlength=len(self.units))

    def reached(self, thresholds: np.ndarray) -> np.ndarray:
        """Cells of each unit whose probability is at least a threshold: float, shape (units, thresholds)."""
        out = np.empty((len(self.units), len(thresholds)))
        for unit, own in enumerate(self._sorted):
            out[unit] = len(own) - np.searchsorted(own, thresholds, side="left")
        return out

    def counts(self, thresholds: np.ndarray, rows: slice = slice(None)) -> Counts:
        """Confusion counts at thresholds, for the figure itself and each resample.

        Parameters
        ----------
        thresholds : numpy.ndarray
            float, shape (t,).
        rows : slice, optional
            Which rows of :attr:`weights`.

        Returns
        -------
        Counts
            Arrays of shape (rows, t).
        """
        called, weights, positive = self.reached(thresholds), self.weights[rows], self.is_all
        tp = weights[:, positive] @ called[positive]
        fp = weights[:, ~positive] @ called[~positive]
        fn = (weights[:, positive] @ self.sizes[positive])[:, None] - tp
        tn = (weights[:, ~positive] @ self.sizes[~positive])[:, None] - fp
        return Counts(tp, fn, fp, tn)

    @cached_property
    def _sorted(self) -> list[np.ndarray]:
        order = np.lexsort((self.probability, self.unit))
        ends = np.cumsum(np.bincount(self.unit, minlength=len(self.units)))[:-1]
        return np.split(self.probability[order], ends)


def rates(counts: Counts) -> dict[str, np.ndarray]:
    """Figures of confusion counts, as :func:`leukemia.evaluation.metrics.rates` defines them, for arrays.

    Returns
    -------
    dict of str to numpy.ndarray
        Of the counts' shape; NaN where a denominator is 0.
    """
    return metrics.of_counts(counts.tp, counts.fn, counts.fp, counts.tn)


def figure(column: np.ndarray) -> Figure:
    """A figure with its interval from its value and those of the resamples, float, shape (1 + resamples,)."""
    low, high = limits(column[:, None])
    return Figure(float(column[0]), float(low[0]), float(high[0]))


def limits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95 % band of each column of float (1 + resamples, k); NaN where nothing is defined."""
    drawn = values[1:]
    if not np.isnan(drawn).any():
        low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
        return low, high
    low, high = np.full((2, values.shape[1]), np.nan)
    for index, column in enumerate(drawn.T):
        known = column[~np.isnan(column)]
        if len(known):
            low[index], high[index] = np.percentile(known, [2.5, 97.5])
    return low, high
