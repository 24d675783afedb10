"""A row a patient, and patients counted: they are independent of each other, cells are not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.evaluation import metrics
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.wilson import wilson

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


def right_by_source(predictions: pd.DataFrame, threshold: float) -> dict[str, int]:
    """How many patient groups are called right in each source, by the mean probability of their cells there.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, source; a row a cell.
    threshold : float
        For the mean probability, as for a cell's.
    """
    return {
        str(name): int(table(own, threshold)["right"].sum()) for name, own in predictions.groupby("source")
    }


def threshold_of(people: pd.DataFrame) -> float:
    """The threshold for a patient's mean probability at which most patients are called right.

    Parameters
    ----------
    people : pandas.DataFrame
        Of :func:`metrics.by_patient`; a row a patient.

    Returns
    -------
    float
        Half way between two patients. Of several that are as good the lowest: a missed patient is the worse
        error.
    """
    ordered = people.sort_values("probability", ascending=False)
    truth = is_all(ordered["label"])
    edges = np.concatenate([[1.0], ordered["probability"].to_numpy(float), [0.0]])
    # With the first n called ALL-like, n from 0: those of them with ALL, and the healthy ones behind.
    right = (~truth).sum() + np.concatenate([[0], np.cumsum(np.where(truth, 1, -1))])
    right[1:-1][edges[1:-2] == edges[2:-1]] = -1  # no threshold lies between two of one probability
    last = np.flatnonzero(right == right.max())[-1]
    return float(edges[last : last + 2].mean())


def right_at_own_threshold(predictions: pd.DataFrame) -> pd.DataFrame:
    """Patients called by a threshold of their own, which the patients of the other folds chose.

    A threshold for cells is low, so that few ALL cells are missed; the mean over a healthy patient's cells is
    above it more often than not. As a whole, patients are told apart at a higher one.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, fold; a row a cell.

    Returns
    -------
    pandas.DataFrame
        A row a patient: those of :func:`metrics.by_patient`, and ``right``.
    """
    parts = []
    for fold in predictions["fold"].unique():
        own = predictions["fold"] == fold
        threshold = threshold_of(metrics.by_patient(predictions[~own]))
        people = metrics.by_patient(predictions[own])
        parts.append(people.assign(right=(people["probability"] >= threshold) == is_all(people["label"])))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Counted:
    """How many patient groups there are; one with cells of both labels (``both``) counts in each class."""

    groups: int
    all: int
    normal: int

    @property
    def both(self) -> int:
        """How many have cells of both labels, as after a correction."""
        return self.all + self.normal - self.groups

    def __str__(self) -> str:
        """The groups by class, in words."""
        both = f", {self.both} of them in both" if self.both else ""
        return f"{self.groups} patient groups ({self.all} with ALL, {self.normal} healthy{both})"


def count(cells: pd.DataFrame) -> Counted:
    """Count the patient groups of cells; columns patient_group and label."""
    by_label = cells.groupby("label")["patient_group"].nunique()
    return Counted(
        int(cells["patient_group"].nunique()), int(by_label.get(ALL, 0)), int(by_label.get(NORMAL, 0))
    )
