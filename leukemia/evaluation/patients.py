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
    cells = predictions.assign(logit=to_logit(predictions["probability"].to_numpy(float)))
    people = cells.groupby(["patient_group", "label", "fold"])["logit"].mean().reset_index()
    truth, fold = is_all(people["label"]), people["fold"].to_numpy()
    logit = people["logit"].to_numpy()
    right = 0
    for number in np.unique(fold):
        own, rest = fold == number, fold != number
        fp, tp, at = roc_curve(truth[rest], logit[rest])
        right += int(((logit[own] >= at[np.argmax(tp - fp)]) == truth[own]).sum())
    return right, len(people)


def wilson(hits: int, trials: int) -> Estimate:
    """A share with its 95 % Wilson score interval; NaN for no trial.

    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc
    1927;22:209-212.
    """
    if not trials:
        return Estimate(float("nan"), float("nan"), float("nan"))
    interval = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return Estimate(hits / trials, float(interval.low), float(interval.high))
