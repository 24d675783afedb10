"""Predictions to every figure with its interval over patients, quickly enough for a slider."""

import numpy as np
import pandas as pd

from leukemia.evaluation import metrics
from leukemia.evaluation.bootstrap import Cells, figure, rates
from leukemia.evaluation.metrics import Figure

# Resamples at a time where there is a number for each of them and each cell.
CHUNK = 100


def of(predictions: pd.DataFrame, threshold: float, *, seed: int = 0) -> dict[str, Figure]:
    """Every figure of :data:`metrics.MEANING` with its interval over patients.

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
    cells = Cells(predictions, seed=seed)
    columns = at(cells, threshold) | ranking(cells)
    return {name: figure(column) for name, column in columns.items()}


def of_patients(predictions: pd.DataFrame, threshold: float, *, seed: int = 0) -> dict[str, Figure]:
    """The same figures with a patient as the unit: the mean probability over the patient's cells."""
    return of(metrics.by_patient(predictions), threshold, seed=seed)


def at_threshold(cells: Cells, threshold: float) -> dict[str, Figure]:
    """Return the figures of :func:`of` that depend on the threshold: for a slider."""
    return {name: figure(column) for name, column in at(cells, threshold).items()}


def at(cells: Cells, threshold: float) -> dict[str, np.ndarray]:
    """Figures that depend on the threshold; float, shape (1 + resamples,) each."""
    return {name: found[:, 0] for name, found in rates(cells.counts(np.array([threshold]))).items()}


def ranking(cells: Cells) -> dict[str, np.ndarray]:
    """Figures that depend on no threshold; float, shape (1 + resamples,) each."""
    size = cells.weights @ cells.sizes
    squares = cells.sums((cells.probability - cells.truth) ** 2)
    return {
        "auroc": auroc(cells),
        "average_precision": average_precision(cells),
        "brier": cells.weights @ squares / size,
        "ece": np.abs(cells.weights @ _gaps(cells, metrics.ECE_BINS)).sum(axis=1) / size,
    }


def auroc(cells: Cells) -> np.ndarray:
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
    return ((of_all @ won) * of_normal).sum(axis=1) / pairs


def average_precision(cells: Cells) -> np.ndarray:
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


def _gaps(cells: Cells, bins: int) -> np.ndarray:
    """Truth less probability, summed by unit and bin: float, shape (units, bins)."""
    number = np.minimum((cells.probability * bins).astype(int), bins - 1)
    flat = np.bincount(
        cells.unit * bins + number, cells.truth - cells.probability, minlength=len(cells.units) * bins
    )
    return flat.reshape(len(cells.units), bins)
