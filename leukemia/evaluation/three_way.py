"""What becomes of the cells of each class where a model may abstain."""

import numpy as np
import pandas as pd

from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.evaluation import estimates, formatting
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import Estimate
from leukemia.operating_point import CALLS, INDETERMINATE, WORDS, OperatingPoint

# Names of the shares of a class, by class and call.
NAMES = {
    (ALL, ALL): "all_like",
    (ALL, INDETERMINATE): "all_indeterminate",
    (ALL, NORMAL): "missed",
    (NORMAL, ALL): "alarmed",
    (NORMAL, INDETERMINATE): "normal_indeterminate",
    (NORMAL, NORMAL): "normal_like",
}


def columns(cells: PatientBootstrap, called: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of each class by :data:`NAMES`; float, shape (1 + resamples,) each."""
    truth = {ALL: cells.truth, NORMAL: ~cells.truth}
    return {
        name: estimates.share(cells, called == call, truth[label]) for (label, call), name in NAMES.items()
    }


def evaluate(predictions: pd.DataFrame, point: OperatingPoint, *, equal: bool = False) -> dict[str, Estimate]:
    """Shares of each class by :data:`NAMES`, with intervals over patients.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell.
    point : OperatingPoint
    equal : bool, optional
        Whether each patient weighs the same, instead of each cell.

    Raises
    ------
    DatasetError
        Where one of the classes has no cell.
    """
    cells = PatientBootstrap(predictions, equal=equal)
    return estimates.estimates(columns(cells, point.call(cells.probability)))


def counts(predictions: pd.DataFrame, point: OperatingPoint) -> dict[str, int]:
    """Cells by :data:`NAMES`; columns label and probability."""
    called, label = point.call(predictions["probability"]), predictions["label"].to_numpy()
    return {name: int(((label == of) & (called == call)).sum()) for (of, call), name in NAMES.items()}


def sentences(shares: dict[str, Estimate]) -> list[str]:
    """The shares of each class in a sentence: ``Of ALL cells, 65.8% (52.9 to 78.1) ALL-like, ...``."""
    return [
        f"Of {'ALL' if label == ALL else 'normal'} cells, "
        + ", ".join(f"{formatting.interval(value, True)} {WORDS[call]}" for call, value in own.items())
        + "."
        for label, own in rows(shares).items()
    ]


def rows(shares: dict[str, Estimate]) -> dict[str, dict[str, Estimate]]:
    """The same shares by class, then by call: ALL first, and the calls as of :data:`CALLS`."""
    return {label: {call: shares[NAMES[label, call]] for call in CALLS} for label in reversed(LABELS)}
