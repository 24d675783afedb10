"""What each metric is: its formula, its meaning in one line, and how it is computed.

How sure a metric is, :mod:`leukemia.evaluation.estimates` says.
"""

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.errors import DatasetError

ECE_BINS = 15
# Fewer patients of a class in a source are too few to say how it fares there. Of three, the worst one
# alone is drawn in 1 resample of 27, so that a 95 % interval is no more than their range; and a bound of
# 20 % cannot be stated for a further patient on fewer than 1 / .2 - 1.
FEWEST_PATIENTS = 4
# A source with fewer patients of a class sets no threshold and no limit: where a patient of two cells is a
# sixth of all, one cell would set it for everyone. What came of the target there is said all the same.
FEWEST_TO_SET = 8

MEANING = {
    "sensitivity": "The share of ALL cells called ALL-like (recall): TP / (TP + FN).",
    "specificity": "The share of normal cells called Normal-like: TN / (TN + FP).",
    "ppv": "The share of cells called ALL-like that are ALL: TP / (TP + FP).",
    "npv": "The share of cells called Normal-like that are normal: TN / (TN + FN).",
    "accuracy": "The share of all cells called correctly: (TP + TN) / all.",
    "balanced_accuracy": "The mean of sensitivity and specificity.",
    "f1": "The harmonic mean of PPV and sensitivity for ALL: 2 TP / (2 TP + FP + FN).",
    "weighted_f1": "The F1 of each class, weighted by its number of cells.",
    "auroc": "The chance that an ALL cell gets a higher probability than a normal one.",
    "average_precision": "The area under the precision-recall curve, computed as a sum of steps.",
    "brier": "The mean squared difference between the probability and the label; 0 is perfect.",
    "ece": (
        "Expected calibration error: the mean difference between the probability and the share of ALL in "
        f"{ECE_BINS} equal bins, weighted by cells; 0 is perfect."
    ),
}
# Of the cells that a band leaves open or calls outright.
ABSTENTION = {
    "indeterminate": "The share of cells called Indeterminate.",
    "missed": "The share of ALL cells called Normal-like outright, below the indeterminate range.",
    "alarmed": "The share of normal cells called ALL-like outright, above the indeterminate range.",
}
# At these, less is better.
ERRORS = ("brier", "ece", "all_indeterminate", "normal_indeterminate", *ABSTENTION)


def by_patient(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a patient group: patient_group, label, probability (mean over cells), cells."""
    grouped = predictions.groupby(["patient_group", "label"], sort=True)["probability"]
    return grouped.agg(probability="mean", cells="size").reset_index()


def confusion(predictions: pd.DataFrame, threshold: float) -> dict[str, int]:
    """Counts of cells at a threshold: tn, fp, fn, tp."""
    truth, probability = truth_of(predictions), predictions["probability"].to_numpy(float)
    called = probability >= threshold
    cells = {"tn": ~truth & ~called, "fp": ~truth & called, "fn": truth & ~called, "tp": truth & called}
    return {name: int(rows.sum()) for name, rows in cells.items()}


def rates(
    tp: np.ndarray | float, fn: np.ndarray | float, fp: np.ndarray | float, tn: np.ndarray | float
) -> dict[str, np.ndarray]:
    """Metrics of confusion counts of one shape, each of that shape; NaN where a denominator is 0."""
    positive, negative = tp + fn, tn + fp
    total = positive + negative
    sensitivity, specificity = ratio(tp, positive), ratio(tn, negative)
    f1, f1_normal = ratio(2 * tp, 2 * tp + fp + fn), ratio(2 * tn, 2 * tn + fp + fn)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": ratio(tp, tp + fp),
        "npv": ratio(tn, tn + fn),
        "accuracy": ratio(tp + tn, total),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "f1": f1,
        "weighted_f1": ratio(f1 * positive + f1_normal * negative, total),
    }


def rates_of_cells(truth: np.ndarray, called: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Metrics of weighted cells; see :func:`rates`.

    Parameters
    ----------
    truth, called : numpy.ndarray
        bool, shape (n,): is ALL, is called ALL-like.
    weights : numpy.ndarray
        float, shape (n,): how often each cell counts.
    """
    tp, fn = float(weights[truth & called].sum()), float(weights[truth & ~called].sum())
    tn, fp = float(weights[~truth & ~called].sum()), float(weights[~truth & called].sum())
    return {name: float(value) for name, value in rates(tp, fn, fp, tn).items()}


def equal_bins(probability: np.ndarray, bins: int = ECE_BINS) -> np.ndarray:
    """Number of the bin, of equal ones from 0 to 1, in which each probability lies: int, shape (n,)."""
    return np.minimum((np.asarray(probability) * bins).astype(int), bins - 1)


def patient_weights(predictions: pd.DataFrame) -> np.ndarray:
    """1/n for each of a patient's n cells, so that each patient weighs the same: float, shape (cells,)."""
    keys = ["label", "patient_group"]
    return 1 / predictions.groupby(keys)["patient_group"].transform("size").to_numpy(float)


def promised_on(predictions: pd.DataFrame, label: str) -> dict[str, pd.DataFrame]:
    """Cells of a class on which a promise must hold: all of them, and those of each source.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, and source where it is known.
    label : str
        Normal or ALL.

    Returns
    -------
    dict of str to pandas.DataFrame
        All cells of the class by the name ``""``, and those of each source that has
        :data:`FEWEST_TO_SET` patients of the class.

    Raises
    ------
    DatasetError
        Where the class has no cell.
    """
    own = predictions[predictions["label"] == label]
    if own.empty:
        raise DatasetError(f"No {label} cell among the {len(predictions):,} predictions.")
    parts = {"": own}
    if "source" in own:
        for source, cells in own.groupby("source"):
            if source and cells["patient_group"].nunique() >= FEWEST_TO_SET:
                parts[str(source)] = cells
    return parts


def thresholds(predictions: pd.DataFrame, target_recall: float) -> dict[str, float]:
    """For all cells (``""``) and each source the highest threshold that finds the share asked for.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, and source where it is known.
    target_recall : float
        Share of the ALL cells to be called ALL-like, each patient weighing the same, 0 to 1.

    Returns
    -------
    dict of str to float
        By the names of :func:`promised_on`; it raises DatasetError where there is no ALL cell.
    """
    return {name: _threshold(own, target_recall) for name, own in promised_on(predictions, ALL).items()}


def choose_threshold(predictions: pd.DataFrame, target_recall: float) -> float:
    """The highest threshold that finds the share of ALL cells asked for in each source.

    It is the lowest of :func:`thresholds`. To be chosen on validation patients, never on those that it is
    then evaluated on.
    """
    return min(thresholds(predictions, target_recall).values())


def truth_of(predictions: pd.DataFrame) -> np.ndarray:
    """Tell which cells are ALL: bool, shape (n,); raises DatasetError unless both classes are there."""
    truth = is_all(predictions["label"])
    if not truth.any() or truth.all():
        absent = NORMAL if truth.any() else ALL
        raise DatasetError(
            f"No {absent} cell among the {len(truth):,} predictions: metrics need both classes."
        )
    return truth


def ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    """A part of a whole; NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(whole) > 0, np.divide(part, whole), np.nan)


def _threshold(positive: pd.DataFrame, target_recall: float) -> float:
    probability, weights = positive["probability"].to_numpy(float), patient_weights(positive)
    order = np.argsort(-probability, kind="stable")
    found = np.cumsum(weights[order]) / weights.sum()
    return float(probability[order][np.searchsorted(found, target_recall - 1e-9)])
