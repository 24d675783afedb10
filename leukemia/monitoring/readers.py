"""How far readers agree with the model and with each other, over the signed cases in their order.

Only signed cases count: before, readers may be blind to each other or to the model. Kappa is that of
:mod:`leukemia.cases.agreement`; with the model, on the cells that it called ALL-like or Normal-like. It is of
the cells that were read, which readers choose, and of readers who may have seen the model's answer: it shows
a change, not how good the model is. Cells that the model learned from count nowhere here: its answers on them
say nothing about new ones.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from leukemia.attribution import clean
from leukemia.cases import agreement
from leukemia.cases.agreement import Agreement
from leukemia.cases.case import DISPUTED
from leukemia.cases.tables import CASES, CELLS, READINGS, STANDS
from leukemia.cases.verdicts import REJECTED, VERDICTS
from leukemia.evaluation.estimate import Estimate
from leukemia.monitoring.control import LEAST_CASES, State
from leukemia.monitoring.recent import Model
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.storage import database
from leukemia.verification import statistics

BLOCK = 10  # signed cases, for one value over time
MODEL, READER, OTHER = "the model", "readers", "other readers"
# The latest signed cases of which the missed share is taken.
LATEST = 50

Rows = dict[int, list[tuple[int, int, int]]]


@dataclass(frozen=True)
class Block:
    """Signed cases one after another: the first and the last, and the agreement on their cells.

    ``with_model`` or ``between`` is None where nothing was read by anyone, or by two.
    """

    first: int
    last: int
    with_model: Agreement | None
    between: Agreement | None


@dataclass(frozen=True)
class Readers:
    """Readers of a model's signed cases.

    Attributes
    ----------
    signed : int
        Signed cases with a cell that counts.
    unseen : int
        Of these, cases in which readers gave their verdicts before they saw the model's answer.
    with_model, between : Agreement or None
        Over all of them; None as in :class:`Block`.
    blocks : tuple of Block
        By :data:`BLOCK` cases; the last one has up to twice as many.
    before : Agreement or None
        With the model, over all blocks but the last.
    missed : Estimate
        Of the latest :data:`LATEST` cases with cells that are signed as ALL-like: the share of these that the
        model had called Normal-like, each case weighing the same; NaN without such a case.
    missed_cases : int
        Of how many.
    promised : float or None
        The share that the model's limits are to keep to; None where they promise nothing.
    """

    signed: int
    unseen: int
    with_model: Agreement | None
    between: Agreement | None
    blocks: tuple[Block, ...]
    before: Agreement | None
    missed: Estimate
    missed_cases: int
    promised: float | None

    @property
    def missed_state(self) -> State:
        """What the missed share comes to: stop where even its lower bound is above what is promised."""
        if self.promised is None:
            return State.UNKNOWN
        if self.missed_cases < LEAST_CASES:
            return State.TOO_FEW
        if self.missed.low > self.promised:
            return State.STOP
        return State.WATCH if self.missed.value > self.promised else State.OK

    @property
    def agreement_state(self) -> State:
        """Whether the readers agree less with the model in the last block than before: intervals apart."""
        latest = self.blocks[-1].with_model if self.blocks else None
        if not (latest and self.before and latest.is_told and self.before.is_told):
            return State.TOO_FEW
        return State.WATCH if latest.kappa.high < self.before.kappa.low else State.OK


def of_model(
    data: Path, model: Model, promised: float | None = None, learned: Collection[str] = ()
) -> Readers:
    """Read the verdicts on the cells of signed cases that a model answered.

    Parameters
    ----------
    data : Path
        The data folder.
    model : Model
    promised : float, optional
        The share of ALL cells that its limits may call Normal-like.
    learned : collection of str, optional
        ``image_id`` of the cells that the model learned from.

    Raises
    ------
    RecordsError
        Where they cannot be read.
    """
    cells, readings = _read(data, model)
    cells = cells[~cells["image_id"].isin(learned)]
    by_cell: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    for case_id, number, reader, verdict in readings:
        by_cell[case_id, number][clean(reader)] = verdict
    with_model: Rows = defaultdict(list)
    between: Rows = defaultdict(list)
    for case_id, number, decision in cells[["case_id", "number", "decision"]].itertuples(index=False):
        given = {
            reader: VERDICTS.index(verdict)
            for reader, verdict in sorted(by_cell.get((case_id, number), {}).items())
            if verdict
        }
        pairs = combinations(given.values(), 2)
        between[case_id] += [(case_id, first, second) for first, second in pairs]
        if decision in (ALL_LIKE, NORMAL_LIKE):
            answer = VERDICTS.index(decision)
            counted = (one for one in given.values() if VERDICTS[one] != REJECTED)
            with_model[case_id] += [(case_id, answer, one) for one in counted]
    numbers = list(dict.fromkeys(cells["case_id"]))
    hidden = cells.drop_duplicates("case_id")["hide_model"].astype(bool)
    missed = _missed(cells)
    blocks = tuple(_blocks(numbers, with_model, between))
    earlier = [number for number in numbers if number < blocks[-1].first] if blocks else []
    return Readers(
        len(numbers),
        int(hidden.sum()),
        _agreement((MODEL, READER), with_model, numbers),
        _agreement((READER, OTHER), between, numbers),
        blocks,
        _agreement((MODEL, READER), with_model, earlier),
        statistics.mean_interval(missed),
        len(missed),
        promised,
    )


def _read(data: Path, model: Model) -> tuple[pd.DataFrame, list[tuple]]:
    columns = ["case_id", "number", "image_id", "decision", "status", "verdict", "hide_model"]
    if database.is_absent(data):
        return pd.DataFrame(columns=columns), []
    point = model.point
    signed = (
        CASES.c.signed_at.is_not(None)
        & (CELLS.c.record_sha256 == model.record_sha256)
        & (CELLS.c.low == point.low)
        & (CELLS.c.high == point.high)
        & (CELLS.c.image_id != "")
        & sa.not_(CELLS.c.drawn)
        & STANDS
    )
    own = (
        sa.select(*(CELLS.c[name] for name in columns[:-1]), CASES.c.hide_model)
        .join(CASES, CASES.c.id == CELLS.c.case_id)
        .where(signed)
        .order_by(CELLS.c.case_id, CELLS.c.number)
    )
    given = (
        sa.select(READINGS.c.case_id, READINGS.c.cell, READINGS.c.reader, READINGS.c.verdict)
        .join(CASES, CASES.c.id == READINGS.c.case_id)
        .join(CELLS, (CELLS.c.case_id == READINGS.c.case_id) & (CELLS.c.number == READINGS.c.cell))
        .where(CASES.c.signed_at.is_not(None), STANDS)
        .order_by(READINGS.c.number)
    )
    with database.reading(data) as connection:
        table = pd.DataFrame(connection.execute(own).all(), columns=columns)
        return table, [tuple(row) for row in connection.execute(given)]


def _missed(cells: pd.DataFrame) -> np.ndarray:
    """Of each case's cells signed as ALL-like, the share that the model had called Normal-like."""
    counts_as = cells["verdict"].where(cells["verdict"] != "", cells["decision"])
    ill = cells[(counts_as == ALL_LIKE) & (cells["status"] != DISPUTED)]
    shares = (ill["decision"] == NORMAL_LIKE).groupby(ill["case_id"]).mean()
    return shares.sort_index().to_numpy(float)[-LATEST:]


def _blocks(numbers: list[int], *sides: Rows) -> list[Block]:
    starts = range(0, max(len(numbers) - BLOCK + 1, 1), BLOCK) if numbers else ()
    out = []
    for start in starts:
        is_last = start + 2 * BLOCK > len(numbers)
        own = numbers[start:] if is_last else numbers[start : start + BLOCK]
        found = (
            _agreement(names, rows, own)
            for names, rows in zip(((MODEL, READER), (READER, OTHER)), sides, strict=True)
        )
        out.append(Block(own[0], own[-1], *found))
    return out


def _agreement(names: tuple[str, str], rows: Rows, numbers: list[int]) -> Agreement | None:
    found = [row for number in numbers for row in rows.get(number, [])]
    return agreement.of_pairs(names, np.array(found)) if found else None
