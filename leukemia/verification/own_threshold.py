"""A laboratory's own threshold and calibration, judged on patients left out in turn.

Each patient is judged at the threshold, and with the calibration, that all other patients give; what is
chosen from all of them is what would be used. Nothing is judged on what it was chosen by.

Stone M. Cross-validatory choice and assessment of statistical predictions. J R Stat Soc B
1974;36:111-147.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.classes import is_all
from leukemia.evaluation import calibration, estimates, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.calibration import to_logit
from leukemia.verification.statistics import Criterion

# A threshold lies between these, in these steps, as a training's does.
LEAST, MOST, DIGITS = 1e-4, 1 - 1e-4, 6


@dataclass(frozen=True)
class OwnCalibration:
    """A calibration by the laboratory's patients, and the calibration error with and without it.

    Attributes
    ----------
    stretch, shift : float
        Of the logit that the model answers with, by Platt scaling on all patients.
    ece, ece_left_out : float
        Of the model as it is; and of patients left out in turn, calibrated by the others. Each patient
        weighs the same.
    """

    stretch: float
    shift: float
    ece: float
    ece_left_out: float


def choose(predictions: pd.DataFrame, criterion: Criterion) -> float:
    """The threshold that leaves most room over the criterion.

    Sensitivity and specificity, each patient weighing the same, are compared with the least that the
    criterion accepts; the threshold at which the smaller of the two margins is largest is taken, the
    middle one where several are as good.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell, both classes.
    criterion : Criterion
    """
    return _Candidates(predictions, criterion).choose()


def left_out(predictions: pd.DataFrame, criterion: Criterion) -> pd.DataFrame:
    """Judge each patient at the threshold that the others choose; see :func:`choose`.

    Returns
    -------
    pandas.DataFrame
        A row a patient group and class: patient_group, label, cells, threshold (of the others) and
        accuracy (share of cells called right at it).
    """
    candidates = _Candidates(predictions, criterion)
    rows = []
    for (group, label), own in predictions.groupby(["patient_group", "label"], sort=True):
        threshold = candidates.choose(without=str(group))
        right = (own["probability"] >= threshold) == is_all(own["label"])
        rows.append((group, label, len(own), threshold, float(right.mean())))
    return pd.DataFrame(rows, columns=["patient_group", "label", "cells", "threshold", "accuracy"])


def calibrate(predictions: pd.DataFrame) -> OwnCalibration:
    """Fit Platt scaling to the model's answers, and judge it on patients left out in turn.

    Each patient weighs the same.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell, two patients or more of each class.
    """
    logit, truth = to_logit(predictions["probability"].to_numpy(float)), is_all(predictions["label"])
    group, weights = predictions["patient_group"].to_numpy(), metrics.patient_weights(predictions)
    theirs = np.empty(len(logit))
    for one in np.unique(group):
        own = group == one
        fitted = calibration.platt(logit[~own], truth[~own], weights[~own])
        theirs[own] = fitted.probability(logit[own])
    fitted = calibration.platt(logit, truth, weights)
    return OwnCalibration(
        fitted.stretch, fitted.shift, _ece(predictions), _ece(predictions.assign(probability=theirs))
    )


class _Candidates:
    """Thresholds halfway between neighbouring probabilities, and what each patient's cells do at them."""

    def __init__(self, predictions: pd.DataFrame, criterion: Criterion) -> None:
        seen = np.unique(predictions["probability"].to_numpy(float))
        between = np.concatenate([seen[:1], (seen[1:] + seen[:-1]) / 2, [np.nextafter(seen[-1], 2)]])
        self.thresholds = np.unique(np.clip(between.round(DIGITS), LEAST, MOST))
        self.groups, self.positive, shares = [], [], []
        for (group, label), own in predictions.groupby(["patient_group", "label"], sort=True):
            probability = np.sort(own["probability"].to_numpy(float))
            reached = 1 - np.searchsorted(probability, self.thresholds, side="left") / len(probability)
            self.groups.append(str(group))
            self.positive.append(bool(is_all([label])[0]))
            shares.append(reached if self.positive[-1] else 1 - reached)
        self.groups, self.positive, self.shares = map(np.array, (self.groups, self.positive, shares))
        self.criterion = criterion

    def choose(self, without: str | None = None) -> float:
        used = self.groups != without
        sensitivity = self.shares[used & self.positive].mean(axis=0) - self.criterion.sensitivity
        specificity = self.shares[used & ~self.positive].mean(axis=0) - self.criterion.specificity
        margin = np.minimum(sensitivity, specificity)
        best = np.flatnonzero(margin >= margin.max() - 1e-12)
        return float(self.thresholds[best[len(best) // 2]])


def _ece(predictions: pd.DataFrame) -> float:
    """Expected calibration error, each patient weighing the same."""
    return float(estimates.ece(PatientBootstrap(predictions, resamples=0, equal=True))[0])
