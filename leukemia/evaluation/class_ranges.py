"""Between which values most cells of a class lie, each patient weighing the same."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from leukemia.evaluation import metrics

ENDS = (0.05, 0.95)


def of(cells: pd.DataFrame, names: Iterable[str]) -> dict[str, dict[str, tuple[float, float]]]:
    """Ranges of measures by class.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns label, patient_group and the measures.
    names : iterable of str
        Columns to be described; rows without a value are left out.

    Returns
    -------
    dict of str to dict of str to tuple of float
        By measure and class, the 5th and the 95th percentile: each of a patient's *n* cells weighs 1/*n*.
    """
    return {
        name: {
            label: _ends(own[name].to_numpy(float), metrics.patient_weights(own))
            for label, own in cells.dropna(subset=name).groupby("label")
        }
        for name in names
    }


def _ends(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    # The least value at or below which so much of the weight lies.
    low, high = (values[order][np.searchsorted(reached, end - 1e-12)] for end in ENDS)
    return float(low), float(high)
