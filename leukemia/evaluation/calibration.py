"""Probabilities that mean what they say: a network's logits stretched and moved, out of fold.

Platt scaling fits a stretch and a shift of the logit by logistic regression [1]_; temperature
scaling fits the stretch alone [2]_. Both keep the order of the cells, so that AUROC stays, and both
are a part of the last layer, so that the network itself answers with the calibrated probability.
Isotonic regression is no such part and, on a few dozen patients, follows single patients: it is not
offered.

References
----------
.. [1] Platt J. Probabilistic outputs for support vector machines. Advances in Large Margin
       Classifiers, MIT Press, 1999.
.. [2] Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML 2017.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.evaluation import metrics

# Logits beyond this are as good as certain.
FARTHEST = 30.0


@dataclass(frozen=True)
class Calibration:
    """Logit to calibrated logit: ``stretch * logit + shift``."""

    method: str = "none"
    stretch: float = 1.0
    shift: float = 0.0

    def probability(self, logit: np.ndarray) -> np.ndarray:
        """Calibrated probability of ALL for logits of any shape."""
        return expit(self.stretch * np.asarray(logit, float) + self.shift)

    def record(self) -> dict[str, object]:
        """The calibration as plain values for JSON."""
        return asdict(self)


def none(logit: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> Calibration:
    """Leave the logits as they are."""
    return Calibration()


def temperature(logit: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> Calibration:
    """Fit the stretch that makes the truth most likely.

    Parameters
    ----------
    logit : numpy.ndarray
        float, shape (n,).
    truth : numpy.ndarray
        bool, shape (n,): is ALL.
    weights : numpy.ndarray, optional
        float, shape (n,): how much each cell counts; by default the same.
    """
    return Calibration("temperature", *_fit(logit, truth, weights, lambda x: (np.exp(x[0]), 0.0), [0.0]))


def platt(logit: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None) -> Calibration:
    """Fit the stretch (above 0) and the shift that make the truth most likely; see :func:`temperature`."""
    fitted = _fit(logit, truth, weights, lambda x: (np.exp(x[0]), x[1]), [0.0, 0.0])
    return Calibration("platt", *fitted)


METHODS = {"none": none, "temperature": temperature, "platt": platt}


def choose(cells: pd.DataFrame) -> tuple[Calibration, dict[str, float]]:
    """Choose the method with the least out-of-fold log loss in its worst source, and fit it on all.

    Each patient weighs the same, in the fit and in the loss: where a few patients have most of the
    cells, probabilities would else be right for those patients alone.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns patient_group, label, logit (of models that did not see the patient), fold, source; at
        least two folds.

    Returns
    -------
    Calibration
    dict of str to float
        Log loss of each method in its worst source of those with enough patients of both classes (of
        all cells, where there is none), out of fold.
    """
    logit, fold = cells["logit"].to_numpy(float), cells["fold"].to_numpy()
    truth, weights = is_all(cells["label"]), metrics.patient_weights(cells)
    promised = (metrics.promised_on(cells, label) for label in (NORMAL, ALL))
    sources = set.intersection(*map(set, promised))
    parts = [(cells["source"] == one).to_numpy() for one in sorted(sources - {""})]
    losses = {}
    for name, fit in METHODS.items():
        fitted = _by_the_others(
            logit, fold, lambda rest, fit=fit: fit(logit[rest], truth[rest], weights[rest])
        )
        losses[name] = max(
            log_loss(truth[rows], fitted[rows], weights[rows])
            for rows in parts or [np.full(len(cells), True)]
        )
    best = min(losses, key=losses.__getitem__)
    return METHODS[best](logit, truth, weights), losses


def to_logit(probability: np.ndarray | float, away: float = 1e-7) -> np.ndarray:
    """Logit of probabilities, which are kept ``away`` from 0 and 1; of the shape given."""
    probability = np.clip(probability, away, 1 - away)
    return np.log(probability) - np.log1p(-probability)


def log_loss(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> float:
    """Weighted mean of the negative log likelihood; probabilities are kept 1e-7 away from 0 and 1."""
    probability = np.clip(probability, 1e-7, 1 - 1e-7)
    loss = -np.where(truth, np.log(probability), np.log1p(-probability))
    return float(np.average(loss, weights=weights))


def reliability(predictions: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Points of a reliability diagram: mean probability and share of ALL in equal bins.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns label and probability.
    bins : int

    Returns
    -------
    pandas.DataFrame
        Columns probability, share, cells; a row for each bin that holds a cell.
    """
    number = metrics.equal_bins(predictions["probability"], bins)
    grouped = predictions.assign(truth=is_all(predictions["label"])).groupby(number)
    return grouped.agg(probability=("probability", "mean"), share=("truth", "mean"), cells=("truth", "size"))


def _by_the_others(
    logit: np.ndarray, fold: np.ndarray, fit: Callable[[np.ndarray], Calibration]
) -> np.ndarray:
    """Probabilities of each fold's logits, by the calibration that ``fit`` makes of the rest (a mask)."""
    out = np.empty(len(logit))
    for number in np.unique(fold):
        own = fold == number
        out[own] = fit(~own).probability(logit[own])
    return out


def _fit(
    logit: np.ndarray,
    truth: np.ndarray,
    weights: np.ndarray | None,
    unpack: Callable[[np.ndarray], tuple[float, float]],
    start: list[float],
) -> tuple[float, float]:
    logit = np.clip(logit, -FARTHEST, FARTHEST)
    sign = np.where(truth, 1.0, -1.0)

    def loss(x: np.ndarray) -> float:
        stretch, shift = unpack(x)
        return float(np.average(-log_expit(sign * (stretch * logit + shift)), weights=weights))

    best = minimize(
        loss, start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 2_000}
    )
    stretch, shift = unpack(best.x)
    return float(stretch), float(shift)
