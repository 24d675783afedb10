"""Curves with their 95 % bands over patients, and the threshold that a target asks for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from leukemia.classes import is_all
from leukemia.errors import DatasetError
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap, limits
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.metrics import ECE_BINS

# Points along a curve: thresholds, and places on the x axis where a band is computed.
STEPS, PLACES = 200, 100
# At most so many points of a band's curves are told apart.
FINEST = 500
# Shares that differ by less are the same.
CLOSE = 1e-9
BY_THRESHOLD = ("sensitivity", "specificity", "ppv")


@dataclass(frozen=True)
class Curves:
    """Curves with their 95 % bands; each is made by the function of its name."""

    against_threshold: pd.DataFrame
    roc: pd.DataFrame
    roc_band: pd.DataFrame
    precision_recall: pd.DataFrame
    precision_recall_band: pd.DataFrame
    reliability_band: pd.DataFrame


class HeldOutCurves:
    """Held-out cells with resampled patients; curves and ranking are worked out when first asked for.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell.

    Raises
    ------
    DatasetError
        Where a class is absent.
    """

    def __init__(self, predictions: pd.DataFrame) -> None:
        self.cells = PatientBootstrap(predictions)

    @property
    def share_of_all(self) -> float:
        """The share of ALL among the cells, 0 to 1."""
        return float(self.cells.truth.mean())

    @cached_property
    def curves(self) -> Curves:
        """The curves of all thresholds."""
        cells = self.cells
        return Curves(
            against_threshold(cells),
            roc(cells),
            roc_band(cells),
            precision_recall(cells),
            precision_recall_band(cells),
            reliability_band(cells),
        )

    @cached_property
    def ranking(self) -> dict[str, Estimate]:
        """The metrics that depend on no threshold."""
        return estimates.estimates(estimates.ranking(self.cells))


def against_threshold(cells: PatientBootstrap) -> pd.DataFrame:
    """Recall, specificity and precision against the threshold.

    Returns
    -------
    pandas.DataFrame
        Column threshold (0 to 1), and for each of :data:`BY_THRESHOLD` its name, ``_low`` and ``_high``.
    """
    thresholds = np.linspace(0, 1, STEPS + 1)
    rates = metrics.rates(*cells.counts(thresholds))
    out = pd.DataFrame({"threshold": thresholds})
    for name in BY_THRESHOLD:
        out[name] = rates[name][0]
        out[f"{name}_low"], out[f"{name}_high"] = limits(rates[name])
    return out


def roc(cells: PatientBootstrap) -> pd.DataFrame:
    """ROC curve as scikit-learn draws it: columns false_alarms (1 - specificity) and sensitivity."""
    false, true, _ = roc_curve(cells.truth, cells.probability)
    return pd.DataFrame({"false_alarms": false, "sensitivity": true})


def roc_band(cells: PatientBootstrap) -> pd.DataFrame:
    """Band of the sensitivity at each share of false alarms.

    Returns
    -------
    pandas.DataFrame
        Columns false_alarms (0 to 1), low, high.
    """
    rates = metrics.rates(*cells.counts(_falling(cells)))
    false, true = 1 - rates["specificity"], rates["sensitivity"]
    places = np.linspace(0, 1, PLACES + 1)
    # The highest sensitivity that costs at most so many false alarms.
    at = [np.searchsorted(row, places + CLOSE, side="right") - 1 for row in false]
    low, high = limits(np.take_along_axis(true, np.array(at), axis=1))
    return pd.DataFrame({"false_alarms": places, "low": low, "high": high})


def precision_recall(cells: PatientBootstrap) -> pd.DataFrame:
    """Precision-recall curve as scikit-learn draws it: columns sensitivity and ppv."""
    precision, recall, _ = precision_recall_curve(cells.truth, cells.probability)
    return pd.DataFrame({"sensitivity": recall, "ppv": precision})


def precision_recall_band(cells: PatientBootstrap) -> pd.DataFrame:
    """Band of the precision at each recall.

    Returns
    -------
    pandas.DataFrame
        Columns sensitivity (above 0, up to 1), low, high.
    """
    rates = metrics.rates(*cells.counts(_falling(cells)))
    places = np.linspace(0, 1, PLACES + 1)[1:]
    at = [np.searchsorted(row, places - CLOSE, side="left") for row in rates["sensitivity"]]
    low, high = limits(np.take_along_axis(rates["ppv"], np.array(at), axis=1))
    return pd.DataFrame({"sensitivity": places, "low": low, "high": high})


def reliability_band(cells: PatientBootstrap, bins: int = ECE_BINS) -> pd.DataFrame:
    """Band of the share of ALL in each bin of :func:`leukemia.evaluation.calibration.reliability`.

    Returns
    -------
    pandas.DataFrame
        Columns low and high, indexed by the bin's number; a row for each bin that holds a cell.
    """
    number = metrics.equal_bins(cells.probability, bins)
    flat = cells.unit * bins + number
    shape = (len(cells.units), bins)
    held = np.bincount(flat, minlength=shape[0] * bins).reshape(shape)
    positive = np.bincount(flat, cells.truth, minlength=shape[0] * bins).reshape(shape)
    total = cells.weights @ held
    with np.errstate(invalid="ignore"):
        share = np.where(total > 0, (cells.weights @ positive) / total, np.nan)
    filled = np.flatnonzero(held.sum(axis=0))
    low, high = limits(share[:, filled])
    return pd.DataFrame({"low": low, "high": high}, index=filled)


def threshold_for_specificity(predictions: pd.DataFrame, target: float) -> float:
    """The lowest probability that occurs at which at least ``target`` of normal cells are Normal-like.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns label and probability.
    target : float
        Share of the normal cells, 0 to 1.

    Raises
    ------
    DatasetError
        Where there is no normal cell, or too many of them have a probability of 1.
    """
    normal = np.sort(predictions.loc[~is_all(predictions["label"]), "probability"].to_numpy(float))
    if not len(normal):
        raise DatasetError("No normal cell among the predictions.")
    needed = int(np.ceil(target * len(normal) - 1e-9))
    if needed == 0:
        return 0.0
    above = predictions["probability"].to_numpy(float)
    above = above[above > normal[needed - 1]]
    if len(above):
        return float(above.min())
    if normal[needed - 1] < 1:
        return 1.0
    raise DatasetError(f"No threshold calls {target:.0%} of the normal cells Normal-like.")


def _falling(cells: PatientBootstrap) -> np.ndarray:
    """Thresholds from above all cells to below them, evenly among the cells where there are many."""
    thresholds = np.unique(cells.probability)
    if len(thresholds) > FINEST:
        thresholds = np.unique(np.quantile(thresholds, np.linspace(0, 1, FINEST), method="nearest"))
    return np.concatenate([[np.inf], thresholds[::-1]])
