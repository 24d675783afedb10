"""What each figure is, and the bootstrap over patients from which every interval comes.

Patients, not images, are what repeats: a resample draws whole patient groups with replacement, within
each class [1]_, and is expressed as weights (how often each patient was drawn).
:mod:`leukemia.evaluation.estimates` computes the figures for all resamples at once.

References
----------
.. [1] Efron B, Tibshirani R. An Introduction to the Bootstrap. Chapman & Hall, 1993; ch. 8.
       The cluster is the patient: Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B
       2007;69:369-390.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from sklearn import metrics as sk

from leukemia.errors import DatasetError

RESAMPLES = 1_000
ECE_BINS = 15

MEANING = {
    "sensitivity": "Of the ALL cells, the share called ALL-like (recall): TP / (TP + FN).",
    "specificity": "Of the normal cells, the share called Normal-like: TN / (TN + FP).",
    "ppv": "Of the cells called ALL-like, the share that is ALL: TP / (TP + FP).",
    "npv": "Of the cells called Normal-like, the share that is normal: TN / (TN + FN).",
    "accuracy": "The share of all cells that is called right: (TP + TN) / all.",
    "balanced_accuracy": "The mean of sensitivity and specificity.",
    "f1": "The harmonic mean of PPV and sensitivity for ALL: 2 TP / (2 TP + FP + FN).",
    "weighted_f1": "The F1 of each class, averaged by how many cells the class has.",
    "auroc": "The chance that an ALL cell gets a higher probability than a normal one.",
    "average_precision": "The area under the precision-recall curve, as a sum of steps.",
    "brier": "The mean squared distance of the probability from the truth; 0 is perfect.",
    "ece": f"Expected calibration error: the mean distance of the probability from the share of ALL "
    f"in {ECE_BINS} equal bins, weighted by cells; 0 is perfect.",
}
# At these, less is better.
ERRORS = ("brier", "ece")


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % interval over patients; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def by_patient(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a patient group: patient_group, label, probability (mean over cells), cells."""
    grouped = predictions.groupby(["patient_group", "label"], sort=True)["probability"]
    return grouped.agg(probability="mean", cells="size").reset_index()


def confusion(predictions: pd.DataFrame, threshold: float) -> dict[str, int]:
    """Counts of cells at a threshold: tn, fp, fn, tp."""
    truth, probability = _arrays(predictions)
    counts = sk.confusion_matrix(truth, probability >= threshold, labels=[0, 1]).ravel()
    return dict(zip(("tn", "fp", "fn", "tp"), (int(n) for n in counts), strict=True))


def rates(truth: np.ndarray, called: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Figures of a confusion matrix; NaN where a denominator is 0.

    Parameters
    ----------
    truth, called : numpy.ndarray
        bool, shape (n,): is ALL, is called ALL-like.
    weights : numpy.ndarray
        float, shape (n,): how often each cell counts.
    """
    tp, fn = float(weights[truth & called].sum()), float(weights[truth & ~called].sum())
    tn, fp = float(weights[~truth & ~called].sum()), float(weights[~truth & called].sum())
    return {name: float(value) for name, value in of_counts(tp, fn, fp, tn).items()}


def of_counts(
    tp: np.ndarray | float, fn: np.ndarray | float, fp: np.ndarray | float, tn: np.ndarray | float
) -> dict[str, np.ndarray]:
    """Figures of confusion counts of one shape, each of that shape; NaN where a denominator is 0."""
    positive, negative = tp + fn, tn + fp
    total = positive + negative
    sensitivity, specificity = _ratio(tp, positive), _ratio(tn, negative)
    f1, f1_normal = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": _ratio(tp, tp + fp),
        "npv": _ratio(tn, tn + fn),
        "accuracy": _ratio(tp + tn, total),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "f1": f1,
        "weighted_f1": _ratio(f1 * positive + f1_normal * negative, total),
    }


def expected_calibration_error(
    truth: np.ndarray, probability: np.ndarray, weights: np.ndarray, bins: int = ECE_BINS
) -> float:
    """Mean distance of probability from observed frequency over equal bins, weighted by cells.

    Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML 2017.
    """
    index = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = np.bincount(index, weights * (truth - probability), minlength=bins)
    return float(np.abs(gaps).sum() / weights.sum())


def choose_threshold(predictions: pd.DataFrame, target_recall: float) -> float:
    """The highest threshold at which at least ``target_recall`` of the ALL cells are called ALL-like.

    To be chosen on validation patients, never on those that it is then judged on.

    Raises
    ------
    DatasetError
        Where there is no ALL cell.
    """
    truth, probability = _arrays(predictions)
    positive = np.sort(probability[truth])[::-1]
    needed = int(np.ceil(target_recall * len(positive) - 1e-9))
    return float(positive[max(needed, 1) - 1])


def bootstrap(
    predictions: pd.DataFrame,
    compute: Callable[[np.ndarray], dict[str, float]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Figure]:
    """Figures with percentile intervals from resampled patients, stratified by class.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group and label; a row a cell.
    compute : callable
        Weights of the rows, float, shape (n,), to figures by name.
    resamples : int, optional
    seed : int, optional

    Returns
    -------
    dict of str to Figure
        2.5th and 97.5th percentile; NaN limits where no resample defines the figure.
    """
    value = compute(np.ones(len(predictions)))
    drawn = [compute(weights) for weights in resampled(predictions, resamples, seed)]
    out = {}
    for name, point in value.items():
        column = np.array([figure[name] for figure in drawn])
        column = column[~np.isnan(column)]
        low, high = np.percentile(column, [2.5, 97.5]) if len(column) else (np.nan, np.nan)
        out[name] = Figure(float(point), float(low), float(high))
    return out


def as_record(found: dict[str, Figure], digits: int = 4) -> dict[str, dict[str, float | None]]:
    """Figures as plain numbers for JSON: None where not defined."""
    return {
        name: {key: None if np.isnan(x) else round(x, digits) for key, x in asdict(figure).items()}
        for name, figure in found.items()
    }


def resampled(predictions: pd.DataFrame, resamples: int, seed: int) -> np.ndarray:
    """How often each row counts in resamples of whole patient groups within each class.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group and label.
    resamples : int
    seed : int

    Returns
    -------
    numpy.ndarray
        float, shape (resamples, n).
    """
    rng = np.random.default_rng(seed)
    # A patient has one class; the pair keeps the bootstrap right where that does not hold.
    keys = predictions["label"].astype(str) + "\0" + predictions["patient_group"].astype(str)
    code, names = pd.factorize(keys, sort=True)
    stratum = np.array([name.split("\0")[0] for name in names])
    counts = np.zeros((resamples, len(names)))
    for label in np.unique(stratum):
        members = np.flatnonzero(stratum == label)
        counts[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), resamples)
    return counts[:, code]


def _arrays(predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    truth = (predictions["label"] == "ALL").to_numpy()
    if not truth.any() or truth.all():
        absent = "Normal" if truth.any() else "ALL"
        raise DatasetError(f"No {absent} cell among the {len(truth)} predictions: figures need both classes.")
    return truth, predictions["probability"].to_numpy(float)


def _ratio(part: np.ndarray | float, whole: np.ndarray | float) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(whole) > 0, np.divide(part, whole), np.nan)
