"""What is watched of the cells of a case, and the same of the cells of the model's record.

The cells of one patient are alike, so that a case is one observation, not as many as it has cells. Tests that
compare two heaps of cells, such as those of the library Evidently, take each cell for an independent
observation: they would find a drift in nearly every case. (Under the versions that are pinned here it would
also add 38 packages.) What is compared here is the mean over each patient's cells.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, OperatingPoint

# What a measure is about; a sentence says for each what can be behind a change.
DECISIONS, PICTURES = "decisions", "pictures"


@dataclass(frozen=True)
class Measure:
    """One measure: what it is called, its unit (empty for a share), what it is about, and its digits."""

    title: str
    unit: str
    about: str
    digits: int

    @property
    def is_bounded(self) -> bool:
        """Whether it lies between 0 and 1."""
        return self.is_share or self.unit.startswith("0 to 1")

    @property
    def is_share(self) -> bool:
        """Whether it is a share of the cells, 0 to 1."""
        return not self.unit

    def shown(self, value: float) -> str:
        """A value for a reader, without its unit."""
        shown = f"{value:z.1%}" if self.is_share else f"{value:z,.{self.digits}f}"
        return shown.replace("-", "−")


# Area, hue, saturation, brightness and sharpness are those of :mod:`leukemia.verification.shifts`.
MEASURES = {
    "all_like": Measure(f"{ALL_LIKE} cells", "", DECISIONS, 1),
    "indeterminate": Measure(f"{INDETERMINATE} cells", "", DECISIONS, 1),
    "normal_like": Measure(f"{NORMAL_LIKE} cells", "", DECISIONS, 1),
    # Both Not comparable and Not classified; the record of a model does not tell them apart.
    "unclassified": Measure("Cells without an answer", "", PICTURES, 1),
    "probability": Measure("Probability of ALL", "0 to 1", DECISIONS, 3),
    "cell_area": Measure("Cell area", "pixels at the model's scale", PICTURES, 0),
    "distance": Measure("Distance from the training cells", "1 is typical", PICTURES, 3),
    "hue": Measure("Hue of the mean colour", "0 to 1, red at 0", PICTURES, 3),
    "saturation": Measure("Saturation of the mean colour", "0 to 1", PICTURES, 3),
    "brightness": Measure("Brightness of the mean colour", "0 to 1", PICTURES, 3),
    "sharpness": Measure("Sharpness", "logarithm", PICTURES, 2),
}
COLOURS = ("hue", "saturation", "brightness", "sharpness")
_CALLED = {"all_like": ALL, "indeterminate": INDETERMINATE, "normal_like": NORMAL}


def of_cells(cells: pd.DataFrame, point: OperatingPoint) -> pd.DataFrame:
    """Measure cells one by one.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns probability (NaN where the cell has no answer), cell_area, distance and
        :data:`COLOURS`; NaN where not known.
    point : OperatingPoint
        By which they are called.

    Returns
    -------
    pandas.DataFrame
        float, columns :data:`MEASURES`; shares are 0 or 1 a cell, and NaN where they do not apply.
    """
    probability = cells["probability"].to_numpy(float)
    answered = ~np.isnan(probability)
    called = np.full(len(cells), "", object)
    called[answered] = point.call(probability[answered])
    out = {name: np.where(answered, called == word, np.nan) for name, word in _CALLED.items()}
    out |= {"unclassified": (~answered).astype(float), "probability": probability}
    out |= {name: cells[name].to_numpy(float) for name in ("cell_area", "distance", *COLOURS)}
    return pd.DataFrame(out, index=cells.index)[list(MEASURES)]


def of_patients(values: pd.DataFrame, keys: list[pd.Series]) -> dict[str, pd.DataFrame]:
    """Mean over each patient's cells.

    Parameters
    ----------
    values : pandas.DataFrame
        Of :func:`of_cells`.
    keys : list of pandas.Series
        Whose cells they are.

    Returns
    -------
    dict of str to pandas.DataFrame
        By measure, a row a patient by ``keys`` with columns cells (that have the measure), mean, and variance
        (between these cells; NaN for one). A patient whose cells all lack it has NaN.
    """
    grouped = values.groupby(keys, sort=True)
    cells, mean, variance = grouped.count(), grouped.mean(), grouped.var()
    return {
        name: pd.DataFrame({"cells": cells[name], "mean": mean[name], "variance": variance[name]})
        for name in values
    }
