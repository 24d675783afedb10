"""Figures of a part of the cells, or at an operating point: where a model is weak, in numbers.

On C-NMC 2019, a small healthy cell is easy and a large one is not: a good figure over all cells may
hide a bad one within cells of a size, or in the part of the set whose healthy cells are large.
"""

import numpy as np
import pandas as pd

from leukemia.evaluation import conformal, metrics
from leukemia.evaluation import estimates as ranked
from leukemia.evaluation.bootstrap import Cells, figure

AT_SPECIFICITY = 0.80
AT_COVERAGE = 0.80
HARD_SOURCES = ("fold_2", "preliminary")
TERCILES = ("small", "middle", "large")

MEANING = {
    "sensitivity_at_specificity": f"Sensitivity where {AT_SPECIFICITY:.0%} of the normal cells are called "
    "Normal-like.",
    "accuracy_at_coverage": f"Accuracy on the {AT_COVERAGE:.0%} of the cells that are farthest from the "
    "threshold (by logit).",
    "best_weighted_f1": "Weighted F1 where each fold is called at the threshold that is best for it on the "
    "other folds: what the published figures for C-NMC say, which favour neither class.",
    "best_accuracy_at_coverage": f"Accuracy on {AT_COVERAGE:.0%} of the cells, likewise: those farthest from "
    "these thresholds.",
    "auroc_hard_sources": "AUROC on patients of fold_2 and the preliminary phase (large healthy cells).",
    **{f"auroc_{name}": f"AUROC within the {name} third of the cells by area." for name in TERCILES},
}


def figures(predictions: pd.DataFrame, threshold: float) -> dict[str, metrics.Figure]:
    """Every figure of :data:`MEANING` that the cells allow, with its 95 % interval over patients.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, cell_area, source, and fold, if several made them;
        a row a cell.
    threshold : float
        Probability from which a cell is called ALL-like.
    """
    truth = (predictions["label"] == "ALL").to_numpy()
    probability = predictions["probability"].to_numpy(float)
    sureness = conformal.sureness(probability, threshold)
    right = (probability >= threshold) == truth

    def at_points(weights: np.ndarray) -> dict[str, float]:
        return {
            "sensitivity_at_specificity": _sensitivity(truth, probability, weights),
            "accuracy_at_coverage": accuracy_of_surest(right, sureness, weights),
        }

    found = metrics.bootstrap(predictions, at_points)
    if "fold" in predictions and predictions["fold"].nunique() > 1:
        found |= _at_best(predictions, truth, probability)
    third = pd.qcut(predictions["cell_area"].rank(method="first"), len(TERCILES), labels=TERCILES)
    parts = {"hard_sources": predictions["source"].isin(HARD_SOURCES)}
    parts |= {name: third == name for name in TERCILES}
    for name, rows in parts.items():
        own = predictions[rows.to_numpy()]
        if own["label"].nunique() == 2:
            found[f"auroc_{name}"] = auroc(own)
    return found


def auroc(predictions: pd.DataFrame) -> metrics.Figure:
    """AUROC of the cells given, with its 95 % interval over patients; both classes must be there."""
    return figure(ranked.auroc(Cells(predictions)))


def best_thresholds(predictions: pd.DataFrame) -> np.ndarray:
    """For each cell the threshold of the highest weighted F1 on the other folds: float, shape (n,)."""
    truth = (predictions["label"] == "ALL").to_numpy()
    probability, fold = predictions["probability"].to_numpy(float), predictions["fold"].to_numpy()
    out = np.empty(len(predictions))
    for number in np.unique(fold):
        rest = fold != number
        out[fold == number] = _best_threshold(truth[rest], probability[rest])
    return out


def _best_threshold(truth: np.ndarray, probability: np.ndarray) -> float:
    order = np.argsort(-probability, kind="stable")
    hit = truth[order]
    tp, fp = hit.cumsum(), (~hit).cumsum()
    fn, tn = hit.sum() - tp, (~hit).sum() - fp
    weighted_f1 = metrics.of_counts(tp, fn, fp, tn)["weighted_f1"]
    return float(probability[order][np.argmax(weighted_f1)])


def _at_best(
    predictions: pd.DataFrame, truth: np.ndarray, probability: np.ndarray
) -> dict[str, metrics.Figure]:
    threshold = best_thresholds(predictions)
    called = probability >= threshold
    sureness = conformal.sureness(probability, threshold)

    def compute(weights: np.ndarray) -> dict[str, float]:
        return {
            "best_weighted_f1": metrics.rates(truth, called, weights)["weighted_f1"],
            "best_accuracy_at_coverage": accuracy_of_surest(called == truth, sureness, weights),
        }

    return metrics.bootstrap(predictions, compute)


def _sensitivity(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> float:
    normal = ~truth
    order = np.argsort(probability[normal], kind="stable")
    below = np.cumsum(weights[normal][order])
    position = int(np.searchsorted(below, AT_SPECIFICITY * below[-1]))
    # ALL-like lies above the cell up to which the share of normal cells lies.
    cut = probability[normal][order][min(position, len(order) - 1)]
    return float(weights[truth & (probability > cut)].sum() / weights[truth].sum())


def accuracy_of_surest(right: np.ndarray, sureness: np.ndarray, weights: np.ndarray) -> float:
    """Accuracy on the :data:`AT_COVERAGE` of the weight that is surest.

    Parameters
    ----------
    right, sureness, weights : numpy.ndarray
        Shape (n,): bool; float, any unit, more being surer; float, how often each cell counts.
    """
    order = np.argsort(-sureness, kind="stable")
    answered = np.cumsum(weights[order]) <= AT_COVERAGE * weights.sum()
    kept = weights[order] * answered
    return float((kept * right[order]).sum() / kept.sum())
