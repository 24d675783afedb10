"""Figures of parts of the cells, by size, brightness and source: where recall sinks."""

import numpy as np
import pandas as pd

from leukemia.errors import DatasetError
from leukemia.evaluation import estimates
from leukemia.evaluation.bootstrap import Cells, figure, rates
from leukemia.evaluation.metrics import Figure
from leukemia.evaluation.subgroups import TERCILES

SIZE, BRIGHTNESS, SOURCE = "Cell size", "Brightness", "Source"
THIRDS = {
    SIZE: ("cell_area", TERCILES, "frame pixels"),
    BRIGHTNESS: ("brightness", ("dark", "middle", "bright"), "of 255"),
}
NAMES = ("sensitivity", "specificity", "auroc")
# A part with fewer ALL cells says too little of recall to be called the worst.
ENOUGH = 20


def split(known: pd.DataFrame, by: str) -> pd.Series:
    """Deal cells to parts.

    Parameters
    ----------
    known : pandas.DataFrame
        Of :func:`leukemia.evaluation.cell_facts.known`.
    by : str
        :data:`SIZE`, :data:`BRIGHTNESS` (thirds of the cells that are measured) or :data:`SOURCE`.

    Returns
    -------
    pandas.Series
        Ordered categories: each cell's part, NaN where what it goes by is not known.
    """
    if by == SOURCE:
        source = known["source"].where(known["source"].notna() & (known["source"] != ""))
        return source.astype(pd.CategoricalDtype(sorted(source.dropna().unique()), ordered=True))
    column, names, unit = THIRDS[by]
    values = known[column]
    measured = values[values.notna()]
    if len(measured) < len(names):
        return pd.Series(pd.Categorical([None] * len(known), ordered=True), index=known.index)
    third = pd.qcut(measured.rank(method="first"), len(names), labels=False)
    told = {}
    for number, name in enumerate(names):
        own = measured[third == number]
        told[number] = f"{name}: {own.min():,.0f} to {own.max():,.0f} {unit}"
    dealt = third.map(told).reindex(known.index)
    return dealt.astype(pd.CategoricalDtype(list(told.values()), ordered=True))


def table(known: pd.DataFrame, part: pd.Series, threshold: float) -> pd.DataFrame:
    """Figures of each part, with their 95 % intervals over patients.

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
        found = _figures(own, threshold)
        row = {
            "part": name,
            "all_cells": int((own["label"] == "ALL").sum()),
            "normal_cells": int((own["label"] == "Normal").sum()),
            "patients": own["patient_group"].nunique(),
        }
        for key, value in found.items():
            row |= {key: value.value, f"{key}_low": value.low, f"{key}_high": value.high}
        rows.append(row)
    return pd.DataFrame(rows)


def worst(found: pd.DataFrame) -> pd.Series | None:
    """The row of :func:`table` with the lowest recall among those with enough ALL cells, or None."""
    enough = found[found["all_cells"] >= ENOUGH] if len(found) else found
    if len(enough) < 2:
        return None
    return enough.loc[enough["sensitivity"].idxmin()]


def _figures(own: pd.DataFrame, threshold: float) -> dict[str, Figure]:
    try:
        cells = Cells(own)
    except DatasetError:
        return _one_class(own, threshold)
    columns = estimates.at(cells, threshold) | {"auroc": estimates.auroc(cells)}
    return {name: figure(columns[name]) for name in NAMES}


def _one_class(own: pd.DataFrame, threshold: float) -> dict[str, Figure]:
    """A part with one class has one rate only; a cell of no weight stands in for the other class."""
    other = "Normal" if (own["label"] == "ALL").all() else "ALL"
    ghost = pd.DataFrame({"patient_group": [""], "label": [other], "probability": [0.0]})
    cells = Cells(pd.concat([own[list(ghost)], ghost], ignore_index=True))
    unit = int(np.flatnonzero((cells.units["label"] == other).to_numpy())[0])
    cells.weights[:, unit] = 0
    found = rates(cells.counts(np.array([threshold])))
    out = {name: figure(found[name][:, 0]) for name in NAMES[:2]}
    return out | {"auroc": figure(np.full(len(cells.weights), np.nan))}
