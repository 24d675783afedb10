"""The cells of all cases as monitoring reads them: with the model's answer, before any reader's verdict.

Left out are open cases that hide the model's answer from their readers, so that nothing can be read here that
is kept back there; drawn cells; files that could not be read; and cells that the model learned from, whose
answers say nothing about new ones.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.audit.trail import TRAIL
from leukemia.cases.tables import APPEARANCES, CASES, CELLS, STANDS
from leukemia.monitoring import measures
from leukemia.monitoring.measures import COLOURS
from leukemia.operating_point import OperatingPoint
from leukemia.storage import database

# What changes which cells are counted, and what is said of them.
EVENTS = (
    trail.CASE_CREATED,
    trail.ANSWER,
    trail.CELL_REMOVED,
    trail.CHANGE_UNDONE,
    trail.SIGNED,
    trail.REOPENED,
)


@dataclass(frozen=True)
class Model:
    """A model with its limits, as it answered cells of cases.

    Attributes
    ----------
    name : str
    version : int or None
        In the registry.
    record_sha256 : str
        Of its ``bundle.json``.
    point : OperatingPoint
    """

    name: str
    version: int | None
    record_sha256: str
    point: OperatingPoint

    @property
    def label(self) -> str:
        """What it is called in a list."""
        return f"Version {self.version}" if self.version else self.name


@dataclass(frozen=True)
class Cells:
    """All cells that count.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a cell, in the order of the cases: columns case_id, identifier (untrusted text), model (a place
        in ``models``), image_id, probability, cell_area, distance and :data:`.measures.COLOURS`; NaN where
        not known.
    models : tuple of Model
        In the order in which they first answered.
    hidden : int
        Open cases that hide the model's answer.
    drawn : int
        Drawn cells that were left out.
    unreadable : int
        Files that were left out since they could not be read.
    """

    table: pd.DataFrame
    models: tuple[Model, ...] = ()
    hidden: int = 0
    drawn: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Cases:
    """The cases of one model, in their order.

    Attributes
    ----------
    numbers : tuple of int
    identifiers : tuple of str
        Untrusted text.
    patients : dict of str to pandas.DataFrame
        Of :func:`leukemia.monitoring.measures.of_patients`, a row a case.
    learned : int
        Cells that were left out since the model learned from them.
    without_colours : int
        Cases none of whose cells has its colours on record: they entered before these were measured.
    """

    numbers: tuple[int, ...]
    identifiers: tuple[str, ...]
    patients: dict[str, pd.DataFrame] = field(repr=False)
    learned: int = 0
    without_colours: int = 0


def stamp(data: Path) -> int:
    """Number of the last entry of the trail that changes what is counted; 0 where nothing is on record."""
    if database.is_absent(data):
        return 0
    last = sa.select(sa.func.coalesce(sa.func.max(TRAIL.c.number), 0)).where(TRAIL.c.event.in_(EVENTS))
    with database.reading(data) as connection:
        return int(connection.scalar(last))


def cells(data: Path) -> Cells:
    """Read all cells that count; raises RecordsError where they cannot be read."""
    if database.is_absent(data):
        return Cells(pd.DataFrame())
    hides = CASES.c.hide_model & CASES.c.signed_at.is_(None)
    model = (CELLS.c[name] for name in ("model", "version", "record_sha256", "threshold", "low", "high"))
    seen = (APPEARANCES.c.case_id == CELLS.c.case_id) & (APPEARANCES.c.number == CELLS.c.number)
    wanted = (
        sa.select(
            CELLS.c.case_id,
            CASES.c.identifier,
            CELLS.c.image_id,
            CELLS.c.drawn,
            CELLS.c.probability,
            CELLS.c.area.label("cell_area"),
            CELLS.c.distance,
            *(APPEARANCES.c[name] for name in COLOURS),
            *model,
        )
        .join(CASES, CASES.c.id == CELLS.c.case_id)
        .outerjoin(APPEARANCES, seen)
        .where(sa.not_(hides), CELLS.c.image_id != "", STANDS)
        .order_by(CELLS.c.case_id, CELLS.c.number)
    )
    with database.reading(data) as connection:
        found = connection.execute(wanted)
        # As plain tuples: of rows, pandas asks each whether it is something else.
        table = pd.DataFrame(list(map(tuple, found)), columns=list(found.keys()))
        hidden = connection.scalar(sa.select(sa.func.count()).select_from(CASES).where(hides))
        unreadable = connection.scalar(
            sa.select(sa.func.count())
            .select_from(sa.join(CELLS, CASES, CASES.c.id == CELLS.c.case_id))
            .where(sa.not_(hides), CELLS.c.image_id == "", STANDS)
        )
    drawn = table.pop("drawn").astype(bool)
    numbers = ["probability", "cell_area", "distance", *COLOURS]
    table[numbers] = table[numbers].astype(float)
    parts = ["model", "version", "record_sha256", "threshold", "low", "high"]
    table, shown = table[~drawn].reset_index(drop=True), int(drawn.sum())
    names = table[parts].astype(object).where(table[parts].notna(), None)
    places: dict[tuple, int] = {}
    of = [places.setdefault(row, len(places)) for row in names.itertuples(index=False, name=None)]
    table = table.drop(columns=parts).assign(model=of)
    return Cells(table, tuple(_model(*one) for one in places), int(hidden), shown, int(unreadable))


def of_model(found: Cells, model: Model, learned: Collection[str] = ()) -> Cases:
    """The cases that a model answered.

    Parameters
    ----------
    found : Cells
    model : Model
        One of its models.
    learned : collection of str, optional
        ``image_id`` of the cells that the model learned from.
    """
    own = found.table[found.table["model"] == found.models.index(model)]
    known = own["image_id"].isin(learned)
    left_out, own = int(known.sum()), own[~known]
    patients = measures.of_patients(measures.of_cells(own, model.point), [own["case_id"]])
    numbers = next(iter(patients.values())).index
    names = own.drop_duplicates("case_id").set_index("case_id")["identifier"]
    return Cases(
        tuple(int(number) for number in numbers),
        tuple(names.reindex(numbers)),
        patients,
        left_out,
        int(patients["hue"]["mean"].isna().sum()),
    )


def _model(
    name: str, version: float | None, record_sha256: str, threshold: float, low: float, high: float
) -> Model:
    number = None if version is None else int(version)
    return Model(name, number, record_sha256, OperatingPoint(low, high, threshold))
