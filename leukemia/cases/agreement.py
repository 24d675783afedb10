"""How far readers agree beyond chance: Cohen's kappa of each pair, with its interval."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from leukemia.cases.cells import Cell, cells_of
from leukemia.cases.tables import READINGS
from leukemia.cases.verdicts import VERDICTS
from leukemia.evaluation.breakdown.subgroups import ENOUGH
from leukemia.evaluation.estimate import Estimate
from leukemia.storage import database

RESAMPLES = 1_000


@dataclass(frozen=True)
class Agreement:
    """How far two readers agree.

    Attributes
    ----------
    readers : tuple of str
        Both names, untrusted text.
    cells, cases : int
        On which both gave a verdict, and of how many cases.
    same : int
        Cells on which they gave the same one.
    table : numpy.ndarray
        int, shape (4, 4): cells by the first reader's verdict (row) and the second's, in the order of
        :data:`leukemia.cases.verdicts.VERDICTS`.
    kappa : Estimate
        Cohen's kappa with a 95 % bootstrap interval. NaN where both always gave one and the same verdict.
    over : str
        What the bootstrap draws: ``cases``, which are independent of each other, or ``cells`` where there is
        but one case.
    """

    readers: tuple[str, str]
    cells: int
    cases: int
    same: int
    table: np.ndarray
    kappa: Estimate
    over: str

    @property
    def has_enough(self) -> bool:
        """Whether there are as many cells as a part of the record must have before it is judged."""
        return self.cells >= ENOUGH

    @property
    def is_told(self) -> bool:
        """Whether kappa says anything: of few cells, or one side's only verdict, it is chance."""
        sides = (self.table.sum(axis) for axis in (0, 1))
        return self.has_enough and all(np.count_nonzero(side) > 1 for side in sides)


def of_cells(cells: Sequence[Cell], *, seed: int = 0) -> list[Agreement]:
    """Agreement of each two readers who gave verdicts on the same cells, the pair with most cells first.

    Parameters
    ----------
    cells : sequence of Cell
        In full, of one or several cases.
    seed : int, optional
        Of the bootstrap.
    """
    pairs: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for cell in cells:
        verdicts = {one.reader: VERDICTS.index(one.verdict) for one in cell.readings}
        for first, second in combinations(sorted(verdicts), 2):
            pairs[first, second].append((cell.case_id, verdicts[first], verdicts[second]))
    found = [of_pairs(readers, np.array(rows), seed=seed) for readers, rows in pairs.items()]
    return sorted(found, key=lambda one: (-one.cells, one.readers))


def of_all_cases(data: Path) -> list[Agreement]:
    """Agreement of each two readers over all cases; raises RecordsError where they cannot be read."""
    if database.is_absent(data):
        return []
    shared: dict[int, list[int]] = defaultdict(list)
    found: list[Cell] = []
    with database.reading(data) as connection:
        read_twice = (
            sa.select(READINGS.c.case_id, READINGS.c.cell)
            .group_by(READINGS.c.case_id, READINGS.c.cell)
            .having(sa.func.count(READINGS.c.reader.distinct()) > 1)
        )
        for case_id, number in connection.execute(read_twice.order_by(READINGS.c.case_id)):
            shared[case_id].append(number)
        for case_id, numbers in shared.items():
            found += cells_of(connection, case_id, numbers)
    return of_cells(found)


def kappa(tables: np.ndarray) -> np.ndarray:
    """Cohen's kappa of tables of counts.

    Cohen J. A coefficient of agreement for nominal scales. Educ Psychol Meas 1960;20:37-46. As
    ``sklearn.metrics.cohen_kappa_score``, for many tables at once.

    Parameters
    ----------
    tables : numpy.ndarray
        Counts or weights, shape (..., k, k).

    Returns
    -------
    numpy.ndarray
        float, shape (...): -1 to 1; NaN where agreement by chance is certain.
    """
    total = tables.sum((-2, -1))
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.trace(tables, axis1=-2, axis2=-1) / total
        chance = (tables.sum(-1) * tables.sum(-2)).sum(-1) / total**2
        return np.where(chance < 1, (observed - chance) / (1 - chance), np.nan)


def of_pairs(readers: tuple[str, str], rows: np.ndarray, *, seed: int = 0) -> Agreement:
    """Agreement over pairs of verdicts.

    Parameters
    ----------
    readers : tuple of str
        Who gave the first and the second of each.
    rows : numpy.ndarray
        int, shape (n, 3), n at least 1: the case, and the places of both verdicts in
        :data:`leukemia.cases.verdicts.VERDICTS`.
    seed : int, optional
        Of the bootstrap.
    """
    case, first, second = rows.T
    each = np.zeros((len(rows), len(VERDICTS), len(VERDICTS)))
    each[np.arange(len(rows)), first, second] = 1
    names, of = np.unique(case, return_inverse=True)
    over = "cases" if len(names) > 1 else "cells"
    units = each
    if over == "cases":
        units = np.zeros((len(names), *each.shape[1:]))
        np.add.at(units, of, each)
    weights = np.random.default_rng(seed).multinomial(
        len(units), np.full(len(units), 1 / len(units)), RESAMPLES
    )
    drawn = kappa(np.tensordot(weights, units, 1))
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    table = each.sum(0).astype(int)
    return Agreement(
        readers,
        len(rows),
        len(names),
        int(np.trace(table)),
        table,
        Estimate(float(kappa(table.astype(float))), float(low), float(high)),
        over,
    )
