"""Metrics on a part of the cells, or at an operating point: where a model is weak, in numbers.

On C-NMC 2019, a small healthy cell is easy and a large one is not: a good estimate over all cells may
hide a bad one within cells of a size, or in the part of the set whose healthy cells are large.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.errors import DatasetError
from leukemia.evaluation import conformal, estimates, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import Estimate

AT_SPECIFICITY = 0.80
AT_COVERAGE = 0.80
HARD_SOURCES = ("fold_2", "preliminary")
# Column of predictions: logits of a network that learned from neither hard source, for their cells.
WITHOUT_HARD = "logit_without_hard"
TERCILES = ("small", "middle", "large")

MEANING = {
    "sensitivity_at_specificity": f"Sensitivity where {AT_SPECIFICITY:.0%} of the normal cells are called "
    "Normal-like.",
    "accuracy_at_coverage": (
        f"Accuracy on the {AT_COVERAGE:.0%} of the cells that are furthest from the threshold (by logit)."
    ),
    "best_weighted_f1": (
        "Weighted F1, with each fold called at the best threshold of the other folds: comparable with the "
        "published results for C-NMC, which favour neither class."
    ),
    "best_accuracy_at_coverage": (
        f"Accuracy on the {AT_COVERAGE:.0%} of the cells that are furthest from these thresholds."
    ),
    "auroc_hard_sources": "AUROC on patients of fold_2 and the preliminary phase (large healthy cells).",
    "auroc_hard_sources_unseen": "The same by a network that learned from the other sources alone.",
    **{f"auroc_{name}": f"AUROC within the {name} third of the cells by area." for name in TERCILES},
}

SIZE, BRIGHTNESS = "Cell size", "Brightness"
THIRDS = {
    SIZE: ("cell_area", TERCILES, "frame pixels"),
    BRIGHTNESS: ("brightness", ("dark", "middle", "bright"), "of 255"),
}
NAMES = ("sensitivity", "specificity", "auroc")
# A part with fewer ALL cells says too little of recall to be called the worst.
ENOUGH = 20


def estimate(predictions: pd.DataFrame, threshold: float) -> dict[str, Estimate]:
    """Every metric of :data:`MEANING` that the cells allow, with its 95 % interval over patients.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, cell_area, source, and fold, if several made them;
        a row a cell.
    threshold : float
        Probability from which a cell is called ALL-like.
    """
    truth = is_all(predictions["label"])
    probability = predictions["probability"].to_numpy(float)

    def at_specificity(weights: np.ndarray) -> dict[str, float]:
        return {"sensitivity_at_specificity": _sensitivity(truth, probability, weights)}

    out = estimates.by_resampling(predictions, at_specificity) | at_threshold(predictions, threshold)
    if "fold" in predictions and predictions["fold"].nunique() > 1:
        out |= _at_best(predictions, truth, probability)
    third = pd.qcut(predictions["cell_area"].rank(method="first"), len(TERCILES), labels=TERCILES)
    parts = {"hard_sources": predictions["source"].isin(HARD_SOURCES)}
    parts |= {name: third == name for name in TERCILES}
    for name, rows in parts.items():
        own = predictions[rows.to_numpy()]
        if own["label"].nunique() == 2:
            out[f"auroc_{name}"] = auroc(own)
    if WITHOUT_HARD in predictions:
        own = predictions[predictions[WITHOUT_HARD].notna()]
        out["auroc_hard_sources_unseen"] = auroc(own.assign(probability=expit(own[WITHOUT_HARD])))
    return out


def at_threshold(predictions: pd.DataFrame, threshold: float) -> dict[str, Estimate]:
    """Return the estimates of :func:`estimate` that depend on the threshold."""
    probability = predictions["probability"].to_numpy(float)
    sureness = conformal.sureness(probability, threshold)
    right = (probability >= threshold) == is_all(predictions["label"])

    def at_coverage(weights: np.ndarray) -> dict[str, float]:
        return {"accuracy_at_coverage": _accuracy_of_surest(right, sureness, weights)}

    return estimates.by_resampling(predictions, at_coverage)


def auroc(predictions: pd.DataFrame) -> Estimate:
    """AUROC of the cells given, with its 95 % interval over patients; both classes must be there."""
    return estimates.estimate(estimates.auroc(PatientBootstrap(predictions)))


def best_thresholds(predictions: pd.DataFrame) -> np.ndarray:
    """For each cell the threshold of the highest weighted F1 on the other folds: float, shape (n,)."""
    truth = is_all(predictions["label"])
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
    weighted_f1 = metrics.rates(tp, fn, fp, tn)["weighted_f1"]
    return float(probability[order][np.argmax(weighted_f1)])


def _at_best(predictions: pd.DataFrame, truth: np.ndarray, probability: np.ndarray) -> dict[str, Estimate]:
    threshold = best_thresholds(predictions)
    called = probability >= threshold
    sureness = conformal.sureness(probability, threshold)

    def compute(weights: np.ndarray) -> dict[str, float]:
        return {
            "best_weighted_f1": metrics.rates_of_cells(truth, called, weights)["weighted_f1"],
            "best_accuracy_at_coverage": _accuracy_of_surest(called == truth, sureness, weights),
        }

    return estimates.by_resampling(predictions, compute)


def _sensitivity(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> float:
    normal = ~truth
    order = np.argsort(probability[normal], kind="stable")
    below = np.cumsum(weights[normal][order])
    position = int(np.searchsorted(below, AT_SPECIFICITY * below[-1]))
    # ALL-like lies above the cell up to which the share of normal cells lies.
    cut = probability[normal][order][min(position, len(order) - 1)]
    return float(weights[truth & (probability > cut)].sum() / weights[truth].sum())


def _accuracy_of_surest(right: np.ndarray, sureness: np.ndarray, weights: np.ndarray) -> float:
    """Accuracy on the :data:`AT_COVERAGE` of the weight that is surest.

    Parameters
    ----------
    right, sureness, weights : numpy.ndarray
        Shape (n,): bool; float, any unit, more being surer; float, how often each cell counts.
    """
    order = np.argsort(-sureness, kind="stable")
    answered = np.cumsum(weights[order]) <= AT_COVERAGE * weights.sum()
    answered = weights[order] * answered
    return float((answered * right[order]).sum() / answered.sum())


def split(known: pd.DataFrame, by: str) -> pd.Series:
    """Assign cells to parts.

    Parameters
    ----------
    known : pandas.DataFrame
        Of :func:`leukemia.evaluation.held_out.facts`.
    by : str
        :data:`SIZE` or :data:`BRIGHTNESS`: thirds of the cells that are measured.

    Returns
    -------
    pandas.Series
        Ordered categories: each cell's part, NaN where what it goes by is not known.
    """
    column, names, unit = THIRDS[by]
    values = known[column]
    measured = values[values.notna()]
    if len(measured) < len(names):
        return pd.Series(pd.Categorical([None] * len(known), ordered=True), index=known.index)
    third = pd.qcut(measured.rank(method="first"), len(names), labels=False)
    names_of_thirds = {}
    for number, name in enumerate(names):
        own = measured[third == number]
        names_of_thirds[number] = f"{name}: {own.min():,.0f} to {own.max():,.0f} {unit}"
    assigned = third.map(names_of_thirds).reindex(known.index)
    return assigned.astype(pd.CategoricalDtype(list(names_of_thirds.values()), ordered=True))


def table(known: pd.DataFrame, part: pd.Series, threshold: float) -> pd.DataFrame:
    """Estimates for each part, with their 95 % intervals over patients.

    Parameters
    ----------
    known : pandas.DataFrame
        Columns patient_group, label, probability.
    part : pandas.Series
        Of :func:`split`.
    threshold : float
        Probability from which a cell is called ALL-like.

    Returns
    -------
    pandas.DataFrame
        Columns part, all_cells, normal_cells, patients, and for each of :data:`NAMES` its name,
        ``_low`` and ``_high``; NaN where the part lacks the class that it takes.
    """
    rows = []
    for name in part.cat.categories:
        own = known[part == name]
        if own.empty:
            continue
        row = {
            "part": name,
            "all_cells": int(is_all(own["label"]).sum()),
            "normal_cells": int((~is_all(own["label"])).sum()),
            "patients": own["patient_group"].nunique(),
        }
        for key, value in _estimates(own, threshold).items():
            row |= {key: value.value, f"{key}_low": value.low, f"{key}_high": value.high}
        rows.append(row)
    return pd.DataFrame(rows)


def enough(parts: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of :func:`table` with so many cells of a class that a rate can be compared.

    ``name`` is ``"sensitivity"`` or ``"specificity"``.
    """
    cells = {"sensitivity": "all_cells", "specificity": "normal_cells"}[name]
    return parts[parts[cells] >= ENOUGH] if len(parts) else parts


def worst(parts: pd.DataFrame, name: str = "sensitivity") -> pd.Series | None:
    """The row of :func:`table` with the lowest rate among those with :func:`enough` cells, or None."""
    known = enough(parts, name)
    return known.loc[known[name].idxmin()] if len(known) > 1 else None


def _estimates(own: pd.DataFrame, threshold: float) -> dict[str, Estimate]:
    try:
        cells = PatientBootstrap(own)
    except DatasetError:
        return _one_class(own, threshold)
    columns = estimates.at(cells, threshold) | {"auroc": estimates.auroc(cells)}
    return {name: estimates.estimate(columns[name]) for name in NAMES}


def _one_class(own: pd.DataFrame, threshold: float) -> dict[str, Estimate]:
    """A part with one class has one rate only; a cell of no weight stands in for the other class."""
    other = NORMAL if is_all(own["label"]).all() else ALL
    ghost = pd.DataFrame({"patient_group": [""], "label": [other], "probability": [0.0]})
    cells = PatientBootstrap(pd.concat([own[list(ghost)], ghost], ignore_index=True))
    unit = int(np.flatnonzero((cells.units["label"] == other).to_numpy())[0])
    cells.weights[:, unit] = 0
    rates = metrics.rates(*cells.counts(np.array([threshold])))
    out = {name: estimates.estimate(rates[name][:, 0]) for name in NAMES[:2]}
    return out | {"auroc": estimates.estimate(np.full(len(cells.weights), np.nan))}
