"""What held-out predictions say whatever the threshold: worked out once, drawn many times."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from leukemia.evaluation import curves, estimates
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import Estimate


@dataclass(frozen=True)
class Curves:
    """Curves with their 95 % bands; see :mod:`leukemia.evaluation.curves`."""

    against_threshold: pd.DataFrame
    roc: pd.DataFrame
    roc_band: pd.DataFrame
    precision_recall: pd.DataFrame
    precision_recall_band: pd.DataFrame
    reliability_band: pd.DataFrame


class HeldOutCurves:
    """Held-out cells with resampled patients; curves and ranking are worked out when first asked for.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell.

    Raises
    ------
    DatasetError
        Where a class is absent.
    """

    def __init__(self, predictions: pd.DataFrame) -> None:
        self.cells = PatientBootstrap(predictions)

    @property
    def share_of_all(self) -> float:
        """The share of ALL among the cells, 0 to 1."""
        return float(self.cells.truth.mean())

    @cached_property
    def curves(self) -> Curves:
        """The curves of all thresholds."""
        cells = self.cells
        return Curves(
            curves.against_threshold(cells),
            curves.roc(cells),
            curves.roc_band(cells),
            curves.precision_recall(cells),
            curves.precision_recall_band(cells),
            curves.reliability_band(cells),
        )

    @cached_property
    def ranking(self) -> dict[str, Estimate]:
        """The metrics that depend on no threshold."""
        return estimates.estimates(estimates.ranking(self.cells))
