"""Metrics with their intervals over patients, quickly enough for a slider."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from leukemia.evaluation import bootstrap, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.wilson import wilson

# Resamples at a time where there is a number for each of them and each cell.
CHUNK = 100


def of(predictions: pd.DataFrame, threshold: float, *, seed: int = 0) -> dict[str, Estimate]:
    """Every metric of :data:`metrics.MEANING` with its interval over patients.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label (Normal or ALL), probability (of ALL, 0 to 1); a row a cell.
    threshold : float
        Probability from which a cell is called ALL-like.
    seed : int, optional
        Of the bootstrap.

    Raises
    ------
    DatasetError
        Where one of the classes has no cell.
    """
    return estimates(all_columns(PatientBootstrap(predictions, seed=seed), threshold))


def of_patients(predictions: pd.DataFrame, threshold: float, *, seed: int = 0) -> dict[str, Estimate]:
    """The same metrics with a patient as the unit: the mean probability over the patient's cells.

    A share of patients has its Wilson interval: resampled patients who are all called right would give an
    interval of no width.
    """
    people = metrics.by_patient(predictions)
    counts = metrics.confusion(people, threshold)
    shares = {
        "sensitivity": (counts["tp"], counts["tp"] + counts["fn"]),
        "specificity": (counts["tn"], counts["tn"] + counts["fp"]),
        "ppv": (counts["tp"], counts["tp"] + counts["fp"]),
        "npv": (counts["tn"], counts["tn"] + counts["fn"]),
        "accuracy": (counts["tp"] + counts["tn"], len(people)),
    }
    return of(people, threshold, seed=seed) | {name: wilson(*share) for name, share in shares.items()}


def by_resampling(
    predictions: pd.DataFrame,
    compute: Callable[[np.ndarray], dict[str, float]],
    *,
    resamples: int = bootstrap.RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Estimate what is no sum over patients, one resample after another.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group and label; a row a cell.
    compute : callable
        Weights of the rows, float, shape (n,), to metrics by name.
    resamples : int, optional
    seed : int, optional
    """
    rows = [np.ones(len(predictions)), *bootstrap.resampled(predictions, resamples, seed)]
    return estimates(pd.DataFrame([compute(weights) for weights in rows]))


def estimate(column: np.ndarray) -> Estimate:
    """A metric with its interval from its value and those of the resamples, float, shape (1 + resamples,).

    The limits are the 2.5th and 97.5th percentile; NaN where no resample defines the metric.
    """
    low, high = bootstrap.limits(np.asarray(column)[:, None])
    return Estimate(float(column[0]), float(low[0]), float(high[0]))


def estimates(columns: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
    """Estimates of several columns; see :func:`estimate`."""
    return {name: estimate(column) for name, column in columns.items()}


def at_threshold(cells: PatientBootstrap, threshold: float) -> dict[str, Estimate]:
    """Return the estimates of :func:`of` that depend on the threshold: for a slider."""
    return estimates(at(cells, threshold))


def at(cells: PatientBootstrap, threshold: float) -> dict[str, np.ndarray]:
    """Metrics that depend on the threshold; float, shape (1 + resamples,) each."""
    counts = cells.counts(np.array([threshold]))
    return {name: column[:, 0] for name, column in metrics.rates(*counts).items()}


def all_columns(
    cells: PatientBootstrap, threshold: float, ranked: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Every metric of a version; float, shape (1 + resamples,) each, to be paired with another's.

    ``ranked`` is :func:`ranking` of the same cells, where it is at hand.
    """
    return at(cells, threshold) | (ranked or ranking(cells))


def ranking(cells: PatientBootstrap) -> dict[str, np.ndarray]:
    """Metrics that depend on no threshold; float, shape (1 + resamples,) each."""
    squares = cells.sums((cells.probability - cells.truth) ** 2)
    return {
        "auroc": auroc(cells),
        "average_precision": average_precision(cells),
        "brier": cells.weights @ squares / (cells.weights @ cells.sizes),
        "ece": ece(cells),
    }


def auroc(cells: PatientBootstrap) -> np.ndarray:
    """Area under the ROC curve: of pairs of an ALL cell and a normal one, the share ranked right.

    Returns
    -------
    numpy.ndarray
        float, shape (1 + resamples,).
    """
    positive = cells.is_all
    scores, units = cells.probability[cells.truth], cells.unit[cells.truth]
    won = np.empty((positive.sum(), (~positive).sum()))
    place = np.cumsum(positive) - 1
    for column, unit in enumerate(np.flatnonzero(~positive)):
        own = np.sort(cells.probability[cells.unit == unit])
        # An equal probability counts as half a win.
        wins = (np.searchsorted(own, scores, "left") + np.searchsorted(own, scores, "right")) / 2
        won[:, column] = np.bincount(place[units], wins, minlength=len(won))
    of_all, of_normal = cells.weights[:, positive], cells.weights[:, ~positive]
    pairs = (of_all @ cells.sizes[positive]) * (of_normal @ cells.sizes[~positive])
    return metrics.ratio(((of_all @ won) * of_normal).sum(axis=1), pairs)


def average_precision(cells: PatientBootstrap) -> np.ndarray:
    """Area under the precision-recall curve, as a sum of steps; float, shape (1 + resamples,)."""
    thresholds = np.unique(cells.probability)[::-1]
    out = []
    for start in range(0, len(cells.weights), CHUNK):
        counts = cells.counts(thresholds, slice(start, start + CHUNK))
        called = counts.tp + counts.fp
        precision = np.divide(counts.tp, called, out=np.zeros_like(called), where=called > 0)
        steps = np.diff(counts.tp, axis=1, prepend=0) / (counts.tp[:, :1] + counts.fn[:, :1])
        out.append((steps * precision).sum(axis=1))
    return np.concatenate(out)


def ece(cells: PatientBootstrap) -> np.ndarray:
    """Expected calibration error; float, shape (1 + resamples,)."""
    gaps = np.abs(cells.weights @ _gaps(cells, metrics.ECE_BINS)).sum(axis=1)
    return metrics.ratio(gaps, cells.weights @ cells.sizes)


def share(cells: PatientBootstrap, hit: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Share of the cells ``of`` (bool, shape (cells,)) that are ``hit`` too; shape (1 + resamples,)."""
    return metrics.ratio(cells.weights @ cells.sums(hit & of), cells.weights @ cells.sums(of))


def _gaps(cells: PatientBootstrap, bins: int) -> np.ndarray:
    """Truth less probability, summed by unit and bin: float, shape (units, bins).

    Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML 2017.
    """
    number = metrics.equal_bins(cells.probability, bins)
    flat = np.bincount(
        cells.unit * bins + number, cells.truth - cells.probability, minlength=len(cells.units) * bins
    )
    return flat.reshape(len(cells.units), bins)
