"""A row a patient, and patients counted: they are independent of each other, cells are not."""

import pandas as pd
from scipy.stats import binomtest

from leukemia.evaluation import metrics
from leukemia.evaluation.estimates import Estimate

MEANING = {
    "sensitivity": "Of the patients with ALL, the share whose mean probability reaches the threshold.",
    "specificity": "Of the healthy patients, the share whose mean probability stays below the threshold.",
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
    right = called == (predictions["label"] == "ALL")
    shares = (
        predictions.assign(called=called, accuracy=right)
        .groupby(["patient_group", "label"], sort=True)[["called", "accuracy"]]
        .mean()
        .reset_index()
    )
    found = metrics.by_patient(predictions).merge(shares, on=["patient_group", "label"])
    found["right"] = (found["probability"] >= threshold) == (found["label"] == "ALL")
    found = found.sort_values(["accuracy", "cells"], ascending=[True, False], kind="stable")
    return found[list(COLUMNS)].reset_index(drop=True)


def rates(found: pd.DataFrame) -> dict[str, tuple[int, int, Estimate]]:
    """Sensitivity and specificity with patients as the unit.

    Parameters
    ----------
    found : pandas.DataFrame
        Of :func:`table`.

    Returns
    -------
    dict of str to tuple
        Patients called right, patients in all, and their share with its Wilson interval.
    """
    out = {}
    for name, label in (("sensitivity", "ALL"), ("specificity", "Normal")):
        right = found.loc[found["label"] == label, "right"]
        out[name] = (int(right.sum()), len(right), wilson(int(right.sum()), len(right)))
    return out


def wilson(hits: int, trials: int) -> Estimate:
    """A share with its 95 % Wilson score interval; NaN for no trial.

    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc
    1927;22:209-212.
    """
    if not trials:
        return Estimate(float("nan"), float("nan"), float("nan"))
    found = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return Estimate(hits / trials, float(found.low), float(found.high))
