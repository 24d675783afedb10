"""The cells of a case: added with the model's answers, listed with the readers' verdicts, opened."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import clean
from leukemia.audit import trail
from leukemia.bundles.bundle import Bundle
from leukemia.cases import fields as case_fields
from leukemia.cases import rows as rows_of
from leukemia.cases import stains
from leukemia.cases.case import UNREAD, case_of, open_case, reader_name, touch
from leukemia.cases.cell import Cell, Reading, Settlement, as_seen
from leukemia.cases.picture import Picture
from leukemia.cases.tables import CELLS, PICTURES, READINGS, SETTLEMENTS, STANDS
from leukemia.errors import RecordsError
from leukemia.imaging.cell import WHOLE
from leukemia.inference.batch import Result
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation.place import FieldPicture
from leukemia.storage import database

# Pixels a side, at the model's scale, of the lossless picture that is kept of a cell. The model's own crop is
# the middle of it. To be asked of a Batch or a Classifier.
PICTURE = WHOLE
PER_QUERY = 500


@dataclass(frozen=True)
class Added:
    """What became of results given to :func:`add`.

    Attributes
    ----------
    new, already : tuple of int
        Numbers of new cells; numbers of those there already.
    fields, fields_already : tuple of int
        Numbers of new fields; numbers of those there already. What was found in one of the latter and is no
        cell of the case, such as one that was removed by hand, is counted nowhere.
    """

    new: tuple[int, ...]
    already: tuple[int, ...] = ()
    fields: tuple[int, ...] = ()
    fields_already: tuple[int, ...] = ()


@permissions.requires(Action.MAKE_CASES, signed_by="who")
def add(
    data: Path,
    case_id: int,
    results: Iterable[Result],
    bundle: Bundle,
    point: OperatingPoint,
    *,
    who: str,
    version: int | None = None,
    fields: Mapping[str, FieldPicture] | None = None,
) -> Added:
    """Add answered images to a case, all or none of them.

    An image that the case holds already (the same pixels) is not added again; of a field that it holds
    already, no cell is. A field without a white cell is kept, but is no cell.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    results : iterable of Result
        Of a :class:`~leukemia.inference.batch.Batch` made with ``picture=PICTURE``.
    bundle : Bundle
        The model that answered.
    point : OperatingPoint
        The threshold and limits by which cells are called.
    who : str
    version : int, optional
        The model's number in the registry.
    fields : mapping of str to FieldPicture, optional
        The batch's fields; those without a result are left out.

    Raises
    ------
    RecordsError
        Where there is no such case, it is signed, or nothing could be written.
    """
    person, results = reader_name(who), list(results)
    items = {one.item for one in results}
    given = {key: field for key, field in (fields or {}).items() if key in items}
    results = [one for one in results if one.key not in given]
    model, measured = rows_of.model(bundle, point, version), rows_of.measured(results, bundle)
    with database.writing(data) as connection:
        case = open_case(connection, case_id)
        there = sa.select(CELLS.c.image_id, CELLS.c.number).where(CELLS.c.case_id == case_id, STANDS)
        known = {row.image_id: row.number for row in connection.execute(there)}
        last = rows_of.highest(connection, case_id)
        numbers, entries = case_fields.insert(connection, data, case, given, results, person)
        fields_known = case_fields.numbers(connection, case_id)
        new, already = rows_of.NewCells(case, model, point), []
        for result, look in zip(results, measured, strict=True):
            image_id = result.answer.image_id
            again = result.field in given and result.field not in numbers
            if image_id and image_id in known:
                already.append(known[image_id])
                continue
            if again:
                continue
            last += 1
            new.take(last, result, look, numbers.get(result.field, 0))
            if image_id:
                known[image_id] = last
        entries += new.insert(connection, person)
        if entries:
            touch(connection, case_id, trail.append(connection, entries))
    return Added(
        tuple(row["number"] for row in new.cells),
        tuple(already),
        tuple(numbers.values()),
        tuple(fields_known[one.image_id] for key, one in given.items() if key not in numbers),
    )


def cells(data: Path, case_id: int, *, reader: str | None = None) -> list[Cell]:
    """The cells of a case as they came, without their pictures.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    reader : str, optional
        Who is to see them: what the case keeps back from her is left out. None for all there is, as a
        report has it.

    Raises
    ------
    RecordsError
        Where there is no such case, or it cannot be read.
    """
    with database.reading(data) as connection:
        case = case_of(connection, case_id)
        found = cells_of(connection, case_id)
    return found if reader is None else [as_seen(cell, case, clean(reader)) for cell in found]


def cells_of(connection: sa.Connection, case_id: int, numbers: Sequence[int] | None = None) -> list[Cell]:
    """All, or some, cells of a case within a transaction; without those that were removed by hand."""

    def of(table: sa.Table, column: sa.Column) -> sa.Select:
        wanted = sa.select(table).where(table.c.case_id == case_id).order_by(table.c.number)
        return wanted if numbers is None else wanted.where(column.in_(numbers))

    # The others were removed by hand.
    standing = of(CELLS, CELLS.c.number).where(STANDS)
    told = [column for column in CELLS.c if not column.name.startswith("removed_")]
    found = connection.execute(standing.with_only_columns(*told)).mappings().all()
    placed = case_fields.places(connection, case_id, numbers)
    matched = stains.stains(connection, case_id, numbers)

    def cell(row: sa.RowMapping, **more: object) -> Cell:
        field, place = placed.get(row["number"], (0, None))
        return Cell(**row, field=field, place=place, stain=matched.get(row["number"]), **more)

    if all(row["status"] == UNREAD for row in found):
        return [cell(row) for row in found]
    counting = _counting(connection.execute(of(READINGS, READINGS.c.cell)))
    settled = {
        row.cell: Settlement(row.number, row.cell, row.verdict, row.who, row.reason, row.at)
        for row in connection.execute(of(SETTLEMENTS, SETTLEMENTS.c.cell))
    }
    return [
        cell(
            row,
            readings=counting.get(row["number"], ()),
            settlement=settled.get(row["number"]),
        )
        for row in found
    ]


def _counting(rows: Iterable[sa.Row]) -> dict[int, tuple[Reading, ...]]:
    """Each reader's verdict that counts, by cell: the last one that she did not take back."""
    standing: dict[int, dict[str, list[sa.Row]]] = {}
    for row in rows:
        own, reader = standing.setdefault(row.cell, {}), clean(row.reader)
        before = own.pop(reader, [])  # whoever acted last stands last
        left = [*before, row] if row.undoes is None else [one for one in before if one.act != row.undoes]
        if left:
            own[reader] = left
    return {cell: tuple(reading_of(given[-1]) for given in own.values()) for cell, own in standing.items()}


def reading_of(row: sa.Row) -> Reading:
    """A row of the readings, the reader's name as it is kept now: by it, one is told from another."""
    return Reading(row.number, row.cell, clean(row.reader), row.verdict, row.reason, row.at)


def thumbnails(data: Path, case_id: int, numbers: Iterable[int]) -> dict[int, bytes]:
    """Small pictures of some cells of a case: number to JPEG; a cell without a picture is left out."""
    wanted, out = list(numbers), {}
    with database.reading(data) as connection:
        for start in range(0, len(wanted), PER_QUERY):
            some = PICTURES.c.number.in_(wanted[start : start + PER_QUERY])
            rows = sa.select(PICTURES.c.number, PICTURES.c.thumbnail).where(
                PICTURES.c.case_id == case_id, some
            )
            out |= {row.number: row.thumbnail for row in connection.execute(rows)}
    return out


def picture(data: Path, case_id: int, number: int) -> Picture:
    """A cell's pixels; raises RecordsError where it has none."""
    with database.reading(data) as connection:
        row = connection.execute(
            sa.select(PICTURES.c.picture, CELLS.c.input_size, CELLS.c.pixel_size)
            .join(CELLS, (CELLS.c.case_id == PICTURES.c.case_id) & (CELLS.c.number == PICTURES.c.number))
            .where(PICTURES.c.case_id == case_id, PICTURES.c.number == number)
        ).one_or_none()
    if row is None:
        raise RecordsError(f"There is no picture of cell {number} in this case.")
    return Picture(*row)


def elsewhere(data: Path, case_id: int) -> dict[int, list[str]]:
    """Which cells of a case other cases hold, too: number to the identifiers of those cases."""
    from leukemia.cases.tables import CASES

    other = CELLS.alias()
    rows = (
        sa.select(CELLS.c.number, CASES.c.identifier)
        .join(other, (other.c.image_id == CELLS.c.image_id) & (other.c.case_id != CELLS.c.case_id))
        .join(CASES, CASES.c.id == other.c.case_id)
        .where(CELLS.c.case_id == case_id, CELLS.c.image_id != "", STANDS, other.c.removed_at.is_(None))
        .order_by(CELLS.c.number, CASES.c.identifier)
    )
    out: dict[int, list[str]] = {}
    with database.reading(data) as connection:
        for number, identifier in connection.execute(rows):
            out.setdefault(number, []).append(identifier)
    return out
