"""Every headline figure by source: pooled over all cells, a large source hides how a small one fares.

Each patient weighs the same, and patients are drawn within each class of each source. A patient whose
cells come from two sources counts in each with the cells from there.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL
from leukemia.evaluation import estimates, metrics, three_way
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.breakdown import patients
from leukemia.evaluation.estimate import Estimate, rounded
from leukemia.operating_point import INDETERMINATE, OperatingPoint

AT_THRESHOLD = ("sensitivity", "specificity", "weighted_f1")
NAMES = ("sensitivity", "specificity", "auroc", "weighted_f1", "ece", *metrics.ABSTENTION)
# What bands found on the patients of the other folds did: whether a promise was kept on patients that it was
# not made on. All others of these shares are at the operating point that is asked for.
BY_OTHERS = {"missed": "missed_by_others", "alarmed": "alarmed_by_others"}
# Whose patients a figure rests on, where not on those of both classes.
RESTS_ON = {"sensitivity": (ALL,), "missed": (ALL,), "specificity": (NORMAL,), "alarmed": (NORMAL,)}

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class SourceFigures:
    """Figures of the cells of a source, or of all.

    Attributes
    ----------
    cells, patient_groups : dict of str to int
        How many of each class.
    estimates : dict of str to Estimate
        By :data:`NAMES` and :data:`BY_OTHERS`, rounded as they are put on record; NaN where a class is
        absent, or where it was not recorded what the bands of the other folds called the cells.
    patients_right : int
        How many patient groups the mean of their cells calls right; see :mod:`patients`.
    """

    cells: dict[str, int]
    patient_groups: dict[str, int]
    estimates: dict[str, Estimate]
    patients_right: int


@dataclass(frozen=True)
class BySource:
    """Figures of each source, and of all cells: each patient weighing the same, each cell the same."""

    sources: dict[str, SourceFigures]
    each_patient: SourceFigures
    each_cell: SourceFigures


class CellsBySource:
    """Held-out cells of one version with patients drawn within each source.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, source; ``fold`` and ``called`` of a cross-validation;
        a row a cell. Cells of no known source count among all cells only.

    Raises
    ------
    DatasetError
        Where one of the classes has no cell.
    """

    def __init__(self, predictions: pd.DataFrame) -> None:
        self.predictions = predictions.assign(source=predictions["source"].fillna("").astype(str))
        self.cells = PatientBootstrap(self.predictions, equal=True, strata=("label", "source"))
        self.names = sorted(set(self.predictions["source"]) - {""})
        self._parts = {name: self._part(name) for name in self.names}

    def _part(self, name: str) -> PatientBootstrap:
        return self.cells.within((self.cells.units["source"] == name).to_numpy())

    def columns(self, point: OperatingPoint) -> dict[str, Columns]:
        """Figures by source and by :data:`NAMES`; float, shape (1 + resamples,) each."""
        return {name: _at(part, point) | self._fixed[name] for name, part in self._parts.items()}

    def columns_of_all(self, point: OperatingPoint) -> Columns:
        """Figures of all cells, each patient weighing the same, as :meth:`columns`."""
        cells, fixed = self._everyone[0]
        return _at(cells, point) | fixed

    def at(self, point: OperatingPoint) -> BySource:
        """Figures at an operating point; sensitivity, specificity and F1 at its threshold."""
        frame, right = self.predictions, patients.right_by_source(self.predictions, point.threshold)
        everyone = frame.assign(source="all")
        of_all = patients.right_by_source(everyone, point.threshold)["all"]
        sources = {
            name: _figures(frame[frame["source"] == name], columns, right[name])
            for name, columns in self.columns(point).items()
        }
        each_patient, each_cell = (
            _figures(frame, _at(cells, point) | fixed, of_all) for cells, fixed in self._everyone
        )
        return BySource(sources, each_patient, each_cell)

    @cached_property
    def _fixed(self) -> dict[str, Columns]:
        return {name: _fixed(part) for name, part in self._parts.items()}

    @cached_property
    def _everyone(self) -> list[tuple[PatientBootstrap, Columns]]:
        both = [PatientBootstrap(self.predictions, equal=equal) for equal in (True, False)]
        return [(cells, _fixed(cells)) for cells in both]


def by_source(predictions: pd.DataFrame) -> CellsBySource | None:
    """Held-out cells by source; None where the source of none of them is known."""
    if "source" not in predictions or not predictions["source"].fillna("").astype(str).any():
        return None
    return CellsBySource(predictions)


def evaluate(predictions: pd.DataFrame, point: OperatingPoint) -> BySource | None:
    """Figures by source at an operating point; None where the source of no cell is known."""
    cells = by_source(predictions)
    return cells and cells.at(point)


def unseen(predictions: pd.DataFrame) -> pd.DataFrame | None:
    """The same cells as networks call them that learned from no cell of their source; None where not known.

    Parameters
    ----------
    predictions : pandas.DataFrame
        With the columns ``unseen_probability`` and ``unseen_called`` of a cross-validation that left out
        sources as well.
    """
    if "unseen_probability" not in predictions:
        return None
    return predictions.assign(
        probability=predictions["unseen_probability"], called=predictions["unseen_called"], fold=-1
    ).drop(columns=["unseen_probability", "unseen_called"])


def evaluate_unseen(predictions: pd.DataFrame, point: OperatingPoint) -> BySource | None:
    """Figures by source of :func:`unseen` at an operating point; None where not known."""
    cells = unseen(predictions)
    return None if cells is None else evaluate(cells, point)


def worst(figures: BySource, name: str, fewest: int = 0) -> str | None:
    """The source with the worst value of a figure; None where none has one.

    ``fewest``: of those whose figure rests on so many patient groups; by default, however few they are.
    """
    known = {
        source: one.estimates[name].value
        for source, one in figures.sources.items()
        if not np.isnan(one.estimates[name].value) and rests_on(one, name) >= fewest
    }
    if not known:
        return None
    choose = max if name in metrics.ERRORS else min
    return choose(known, key=known.__getitem__)


def worst_columns(columns: dict[str, Columns]) -> Columns:
    """Each resample's worst value over the sources, of :meth:`CellsBySource.columns`."""
    out = {}
    for name in NAMES:
        values = np.array([own[name] for own in columns.values()])
        values = values[~np.isnan(values).all(axis=1)]
        choose = np.nanmax if name in metrics.ERRORS else np.nanmin
        out[name] = choose(values, axis=0) if len(values) else np.full(values.shape[1], np.nan)
    return out


def rests_on(one: SourceFigures, name: str) -> int:
    """How many patient groups a figure rests on: of the class that it takes, or of the smaller one."""
    return min(one.patient_groups.get(label, 0) for label in RESTS_ON.get(name, (ALL, NORMAL)))


def _figures(own: pd.DataFrame, columns: Columns, right: int) -> SourceFigures:
    cells = own["label"].value_counts()
    groups = own.drop_duplicates(["label", "patient_group"])["label"].value_counts()
    return SourceFigures(
        {label: int(cells.get(label, 0)) for label in (ALL, NORMAL)},
        {label: int(groups.get(label, 0)) for label in (ALL, NORMAL)},
        rounded(estimates.estimates({name: columns[name] for name in (*NAMES, *BY_OTHERS.values())})),
        right,
    )


def _at(cells: PatientBootstrap, point: OperatingPoint) -> Columns:
    at, called = estimates.at(cells, point.threshold), point.call(cells.probability)
    shares = three_way.columns(cells, called)
    return {name: at[name] for name in AT_THRESHOLD} | {
        "indeterminate": estimates.share(cells, called == INDETERMINATE, np.full(len(called), True)),
        "missed": shares["missed"],
        "alarmed": shares["alarmed"],
    }


def _fixed(cells: PatientBootstrap) -> Columns:
    """Figures that depend on no operating point."""
    out = {"auroc": estimates.auroc(cells), "ece": estimates.ece(cells)}
    if "called" not in cells.predictions:
        return out | {name: np.full(len(cells.weights), np.nan) for name in BY_OTHERS.values()}
    by_others = three_way.columns(cells, cells.predictions["called"].to_numpy())
    return out | {name: by_others[share] for share, name in BY_OTHERS.items()}
