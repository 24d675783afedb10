"""A row a patient, and patients counted: they are independent of each other, cells are not."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import roc_curve

from leukemia.classes import is_all
from leukemia.evaluation import metrics
from leukemia.evaluation.calibration import to_logit
from leukemia.evaluation.estimate import Estimate

MEANING = {
    "sensitivity": (
        "The share of patients with ALL called ALL-like: the mean probability of their cells is at or "
        "above the threshold."
    ),
    "specificity": (
        "The share of healthy patients called Normal-like: the mean probability of their cells is below "
        "the threshold."
    ),
}
COLUMNS = ("patient_group", "label", "cells", "called", "accuracy", "probability", "right")


def table(predictions: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """A row a patient group, the one with the lowest accuracy first.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell.
    threshold : float
        Probability from which a cell (and, by its mean, a patient) is called ALL-like.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`: ``called`` is the share of cells called ALL-like, ``accuracy`` that of
        cells called right, ``probability`` their mean, ``right`` whether the patient as a whole is.
    """
    called = predictions["probability"] >= threshold
    right = called == is_all(predictions["label"])
    shares = (
        predictions.assign(called=called, accuracy=right)
        .groupby(["patient_group", "label"], sort=True)[["called", "accuracy"]]
        .mean()
        .reset_index()
    )
    people = metrics.by_patient(predictions).merge(shares, on=["patient_group", "label"])
    people["right"] = (people["probability"] >= threshold) == is_all(people["label"])
    people = people.sort_values(["accuracy", "cells"], ascending=[True, False], kind="stable")
    return people[list(COLUMNS)].reset_index(drop=True)


def rates(people: pd.DataFrame) -> dict[str, tuple[int, int, Estimate]]:
    """Sensitivity and specificity with patients as the unit.

    Parameters
    ----------
    people : pandas.DataFrame
        Of :func:`table`.

    Returns
    -------
    dict of str to tuple
        Patients called right, patients in all, and their share with its Wilson interval.
    """
    truth = is_all(people["label"])
    out = {}
    for name, rows in (("sensitivity", truth), ("specificity", ~truth)):
        right = people.loc[rows, "right"]
        out[name] = (int(right.sum()), len(right), wilson(int(right.sum()), len(right)))
    return out


def right_out_of_fold(predictions: pd.DataFrame) -> tuple[int, int]:
    """How many patient groups the mean logit of their cells calls right, and of how many.

    The threshold of a fold's patients is the one of the highest balanced accuracy on the other folds'.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, fold; a row a cell.
    """
    right = _right(predictions, _fold_thresholds(predictions))
    return int(right.sum()), len(right)


def right_by_source(predictions: pd.DataFrame, threshold: float) -> dict[str, int]:
    """How many patient groups their cells of a source call right: see :func:`right_out_of_fold`.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, source, and fold, if several made them.
    threshold : float
        For the mean probability of a patient's cells, where there are no folds.
    """
    if "fold" in predictions and predictions["fold"].nunique() > 1:
        thresholds = _fold_thresholds(predictions)
        parts = {name: _right(own, thresholds) for name, own in predictions.groupby("source")}
    else:
        parts = {name: table(own, threshold)["right"] for name, own in predictions.groupby("source")}
    return {str(name): int(right.sum()) for name, right in parts.items()}


def _mean_logits(predictions: pd.DataFrame) -> pd.DataFrame:
    cells = predictions.assign(logit=to_logit(predictions["probability"].to_numpy(float)))
    return cells.groupby(["patient_group", "label", "fold"])["logit"].mean().reset_index()


def _fold_thresholds(predictions: pd.DataFrame) -> dict[int, float]:
    """For each fold the mean logit that best separates the patients of the other folds."""
    people = _mean_logits(predictions)
    truth, fold, logit = is_all(people["label"]), people["fold"].to_numpy(), people["logit"].to_numpy()
    thresholds = {}
    for number in np.unique(fold):
        own = fold == number
        # Where folds are sources, a patient may have cells in two of them.
        rest = ~own & ~people["patient_group"].isin(people.loc[own, "patient_group"]).to_numpy()
        fp, tp, at = roc_curve(truth[rest], logit[rest])
        thresholds[number] = at[np.argmax(tp - fp)]
    return thresholds


def _right(predictions: pd.DataFrame, thresholds: dict[int, float]) -> np.ndarray:
    people = _mean_logits(predictions)
    called = people["logit"].to_numpy() >= people["fold"].map(thresholds).to_numpy()
    return called == is_all(people["label"])


def wilson(hits: int, trials: int) -> Estimate:
    """A share with its 95 % Wilson score interval; NaN for no trial.

    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc
    1927;22:209-212.
    """
    if not trials:
        return Estimate(float("nan"), float("nan"), float("nan"))
    interval = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return Estimate(hits / trials, float(interval.low), float(interval.high))
