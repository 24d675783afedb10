"""How a laboratory's cells differ from the model's: size, distance, colour, sharpness."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.classes import LABELS
from leukemia.evaluation import held_out
from leukemia.imaging import appearance

# What is measured of each cell, and its unit: compared with the model's held-out cells where it is on
# record of these, and with the range of 99 % of C-NMC's cells.
MEASURES = {
    "cell_area": "Cell area (pixels at the model's scale)",
    "distance": "Distance from the training cells (1 is typical)",
    "hue": "Hue of the mean colour (0 to 1, red at 0)",
    "saturation": "Saturation of the mean colour (0 to 1)",
    "brightness": "Brightness of the mean colour (0 to 1)",
    "sharpness": "Sharpness (logarithm of the Laplacian's variance)",
}
# Of the model's held-out cells these are on record, or in the prepared set.
ON_RECORD = ("cell_area", "distance")


@dataclass(frozen=True)
class Shift:
    """One measure of the laboratory's cells: 25th, 50th and 75th percentile, and what it is held against.

    Attributes
    ----------
    site : tuple of float
    model : tuple of float or None
        The same of the model's held-out cells; None where it is not on record.
    higher : float or None
        The chance that a cell of the laboratory has more of it than one of the model's; .5 where they
        are alike.
    medians : dict of str to tuple of float
        By class, the medians of both; empty where the model's are not on record.
    usual : tuple of float or None
        What 99 % of C-NMC's cells lie between; for the distance, 0 and the model's limit.
    outside : float or None
        Share of the laboratory's cells outside it.
    """

    site: tuple[float, float, float]
    model: tuple[float, float, float] | None
    higher: float | None
    medians: dict[str, tuple[float, float]]
    usual: tuple[float, float] | None
    outside: float | None


def shifts(counted: pd.DataFrame, bundle: Bundle, data: Path) -> dict[str, Shift]:
    """Compare what is measured of a laboratory's cells.

    Parameters
    ----------
    counted : pandas.DataFrame
        Columns label and :data:`MEASURES`; NaN where a cell could not be measured.
    bundle : Bundle
        The model, with its held-out cells.
    data : Path
        The data folder, for what is known of these.

    Returns
    -------
    dict of str to Shift
        By the names of :data:`MEASURES`; the distance only where the model measures one.
    """
    theirs = held_out.facts(data, bundle.predictions)
    out = {}
    for name in MEASURES:
        site = counted[name].dropna().to_numpy(float)
        if not len(site) or (name == "distance" and bundle.novelty_limit is None):
            continue
        recorded = name in ON_RECORD and name in theirs
        model = theirs[name].dropna().to_numpy(float) if recorded else []
        usual = _usual(name, bundle)
        out[name] = Shift(
            _quartiles(site),
            _quartiles(model) if len(model) else None,
            _share_higher(site, model) if len(model) else None,
            _medians(name, counted, theirs) if len(model) else {},
            usual,
            float(((site < usual[0]) | (site > usual[1])).mean()) if usual else None,
        )
    return out


def _medians(name: str, site: pd.DataFrame, model: pd.DataFrame) -> dict[str, tuple[float, float]]:
    both = [frame.groupby("label")[name].median().dropna() for frame in (site, model)]
    return {
        label: tuple(float(one[label]) for one in both)
        for label in LABELS
        if all(label in one for one in both)
    }


def _usual(name: str, bundle: Bundle) -> tuple[float, float] | None:
    if name == "distance":
        return (0.0, bundle.novelty_limit) if bundle.novelty_limit is not None else None
    low, high, *_ = appearance.RANGES["size" if name == "cell_area" else name]
    return (math.exp(low), math.exp(high)) if name == "cell_area" else (low, high)


def _quartiles(values: np.ndarray) -> tuple[float, float, float]:
    return tuple(float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))


def _share_higher(site: np.ndarray, model: np.ndarray) -> float:
    """Mann and Whitney's statistic as a share: of pairs, those in which the laboratory's cell has more."""
    ordered = np.sort(model)
    below = np.searchsorted(ordered, site, "left") + np.searchsorted(ordered, site, "right")
    return float(below.mean() / 2 / len(model))
