"""Resamples of patients, from which every interval comes.

Patients, not images, are what repeats: a resample draws whole patient groups with replacement, within
each class [1]_, and is expressed as weights (how often each patient was drawn).

A metric of this program depends on counts and sums, and those add up over patients. So a resample is
a row of weights over patients (not cells), and one matrix product answers for all resamples. Where each
patient weighs the same, each of a patient's n cells weighs 1/n: the patient's weight is divided by n.

References
----------
.. [1] Efron B, Tibshirani R. An Introduction to the Bootstrap. Chapman & Hall, 1993; ch. 8.
       The cluster is the patient: Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B
       2007;69:369-390.
"""

from collections.abc import Sequence
from copy import copy
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from leukemia.classes import is_all
from leukemia.evaluation import metrics

RESAMPLES = 1_000


class Counts(NamedTuple):
    """Confusion counts of cells; arrays of one shape, rows as of :attr:`PatientBootstrap.weights`."""

    tp: np.ndarray
    fn: np.ndarray
    fp: np.ndarray
    tn: np.ndarray


class PatientBootstrap:
    """Held-out predictions of one version, with resampled patients.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label (Normal or ALL), probability (of ALL, 0 to 1); a row a cell.
    resamples : int, optional
    seed : int, optional
        Of the bootstrap; the same patients with the same seed are drawn alike, so that two versions
        on the same cells are paired.
    equal : bool, optional
        Whether each patient weighs the same, instead of each cell.
    strata : sequence of str, optional
        Columns whose values together are what patients are drawn within; of these, label must be one.

    Attributes
    ----------
    predictions : pandas.DataFrame
    truth : numpy.ndarray
        bool, shape (cells,): is ALL.
    probability : numpy.ndarray
        float, shape (cells,).
    units : pandas.DataFrame
        The columns of ``strata`` and patient_group: what is drawn.
    unit : numpy.ndarray
        int, shape (cells,): row of ``units``.
    weights : numpy.ndarray
        float, shape (1 + resamples, units): how often each cell of a unit counts. Each unit was drawn
        once for the first row, so that the first of each result is the value on the cells as they are.

    Raises
    ------
    DatasetError
        Where one of the classes has no cell.
    """

    def __init__(
        self,
        predictions: pd.DataFrame,
        *,
        resamples: int = RESAMPLES,
        seed: int = 0,
        equal: bool = False,
        strata: Sequence[str] = ("label",),
    ) -> None:
        self.predictions = predictions.reset_index(drop=True)
        self.truth = metrics.truth_of(self.predictions)
        self.probability = self.predictions["probability"].to_numpy(float)
        self.unit, self.units = _units(self.predictions, strata)
        drawn = resampled(self.units, resamples, seed, strata)
        self.weights = np.vstack([np.ones(len(self.units)), drawn])
        if equal:
            self.weights = self.weights / self.sizes

    def within(self, units: np.ndarray) -> Self:
        """The same resamples with the cells of some units alone: bool, shape (units,)."""
        part = copy(self)
        part.weights = self.weights * units
        return part

    @cached_property
    def is_all(self) -> np.ndarray:
        """Bool, shape (units,): whether the unit's cells are ALL."""
        return is_all(self.units["label"])

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
        """Confusion counts at thresholds, for the cells as they are and each resample.

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


def resampled(
    predictions: pd.DataFrame,
    resamples: int = RESAMPLES,
    seed: int = 0,
    strata: Sequence[str] = ("label",),
) -> np.ndarray:
    """How often each row counts in resamples of whole patient groups within each stratum.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group and those of ``strata``.
    resamples : int, optional
    seed : int, optional
    strata : sequence of str, optional
        As of :class:`PatientBootstrap`.

    Returns
    -------
    numpy.ndarray
        float, shape (resamples, n).
    """
    rng = np.random.default_rng(seed)
    code, units = _units(predictions, strata)
    counts = np.zeros((resamples, len(units)))
    for members in units.groupby(list(strata), sort=True).indices.values():
        counts[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), resamples)
    return counts[:, code]


def _units(predictions: pd.DataFrame, strata: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Row of its unit for each cell, int, shape (n,); and what is drawn: strata and patient_group."""
    # A patient has one class; the pair keeps the bootstrap right where that does not hold.
    columns = [*strata, "patient_group"]
    keys = predictions[columns[0]].astype(str)
    for name in columns[1:]:
        keys = keys + "\0" + predictions[name].astype(str)
    unit, names = pd.factorize(keys, sort=True)
    return unit, pd.DataFrame([name.split("\0") for name in names], columns=columns)
