"""Fields of a case corrected by hand: cells drawn, outlined anew, removed; each change can be taken back.

No cell is deleted. One that is removed, or replaced by the same cell with another outline, stays on record
with its answer, its picture and its verdicts, says who removed it and when, and counts nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from leukemia.access import people, permissions
from leukemia.access.permissions import Action
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.bundles.bundle import Bundle
from leukemia.cases import fields as case_fields
from leukemia.cases import rows as rows_of
from leukemia.cases.case import open_case, reader_name, touch
from leukemia.cases.cells import Cell, cells_of
from leukemia.cases.tables import CELLS, FIELD_CHANGES, PLACES, STANDS
from leukemia.errors import RecordsError
from leukemia.inference.batch import Result
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation.place import Place
from leukemia.storage import database

NOTHING = "There is nothing of yours to take back in this field."
ALREADY = "Cell {} of this case is outlined just so already."


@dataclass(frozen=True)
class Removed:
    """A cell of a field that was removed, or replaced, by hand.

    Attributes
    ----------
    number, field, position : int
        Of the cell in its case; of its field; of the cell in the field.
    at, by : str
        When (ISO 8601, UTC), and who.
    """

    number: int
    field: int
    position: int
    at: str
    by: str


@permissions.requires(Action.CORRECT_FIELDS, signed_by="who")
def put(
    data: Path,
    case_id: int,
    field: int,
    result: Result,
    bundle: Bundle,
    point: OperatingPoint,
    *,
    who: str,
    version: int | None = None,
    replaces: int | None = None,
) -> int:
    """Add a cell that was outlined by hand, in place of another one or beside all.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id, field : int
        The case, and which of its fields.
    result : Result
        Its answer, with its place in the field.
    bundle : Bundle
        The model that answered.
    point : OperatingPoint
        By which it is called.
    who : str
    version : int, optional
        The model's number in the registry.
    replaces : int, optional
        Number of the cell that is outlined anew.

    Returns
    -------
    int
        The new cell's number in the case.

    Raises
    ------
    RecordsError
        Where there is no such field or cell, the case holds just this cell already, it is signed, or nothing
        could be written.
    """
    person, place = reader_name(who), result.answer.place
    model, (measured,) = rows_of.model(bundle, point, version), rows_of.measured([result], bundle)
    with database.writing(data) as connection:
        case = open_case(connection, case_id)
        case_fields.field_of(connection, data, case_id, field)
        old = _cell(connection, case_id, field, replaces) if replaces is not None else None
        _refuse_twice(connection, case_id, result.answer.image_id)
        if old:
            _mark(connection, case_id, old.number, trail.now(), person)
        number = rows_of.highest(connection, case_id) + 1
        new = rows_of.NewCells(case, model, point)
        new.take(number, result, measured, field)
        entries = [
            Entry(
                trail.CELL_OUTLINED if old else trail.CELL_DRAWN,
                person,
                case_id=case_id,
                cell=number,
                image_id=result.answer.image_id,
                old=f"cell {old.number}, {_told(field, old.place)}" if old else "",
                new=_told(field, place),
            ),
            *new.insert(connection, person),
        ]
        recorded = trail.append(connection, entries)
        changed = {"removed": replaces, "added": number}
        _note(connection, recorded[0].number, case_id, field, person, changed)
        touch(connection, case_id, recorded)
    return number


@permissions.requires(Action.CORRECT_FIELDS, signed_by="who")
def remove(data: Path, case_id: int, number: int, *, who: str) -> None:
    """Mark a cell of a field as removed: it is no white cell.

    Raises
    ------
    RecordsError
        Where there is no such cell of a field, the case is signed, or nothing could be written.
    """
    person = reader_name(who)
    with database.writing(data) as connection:
        open_case(connection, case_id)
        cell = _cell(connection, case_id, None, number)
        told = _told(cell.field, cell.place)
        entry = Entry(
            trail.CELL_REMOVED, person, case_id=case_id, cell=number, image_id=cell.image_id, old=told
        )
        recorded = trail.append(connection, [entry])
        _mark(connection, case_id, number, recorded[0].at, person)
        _note(connection, recorded[0].number, case_id, cell.field, person, {"removed": number})
        touch(connection, case_id, recorded)


@permissions.requires(Action.CORRECT_FIELDS, signed_by="who")
def undo(data: Path, case_id: int, field: int, *, who: str) -> None:
    """Take back what somebody changed last on a field; again, what they changed before that.

    Raises
    ------
    RecordsError
        Where there is nothing to take back, another one has changed the cell since, the case is signed, or
        nothing could be written.
    """
    person = reader_name(who)
    with database.writing(data) as connection:
        open_case(connection, case_id)
        last = _last(connection, case_id, field, person)
        if last is None:
            raise RecordsError(NOTHING)
        added = None if last.added is None else _cell(connection, case_id, field, last.added)
        if added:
            _mark(connection, case_id, added.number, trail.now(), person)
        if last.removed is not None:
            image_id = connection.scalar(
                sa.select(CELLS.c.image_id).where(CELLS.c.case_id == case_id, CELLS.c.number == last.removed)
            )
            _refuse_twice(connection, case_id, image_id)
            _mark(connection, case_id, last.removed, None, None)
        now = _cell(connection, case_id, field, last.removed) if last.removed is not None else None
        entry = Entry(
            trail.CHANGE_UNDONE,
            person,
            case_id=case_id,
            cell=last.added if last.removed is None else last.removed,
            old=f"cell {added.number}, {_told(field, added.place)}" if added else "",
            new=f"cell {now.number}, {_told(field, now.place)}" if now else "",
        )
        recorded = trail.append(connection, [entry])
        _note(connection, recorded[0].number, case_id, field, person, {"undoes": last.number})
        touch(connection, case_id, recorded)


def can_undo(data: Path, case_id: int, field: int, who: str) -> bool:
    """Whether somebody has changed a field and not taken it back; RecordsError where it cannot be read."""
    with database.reading(data) as connection:
        return _last(connection, case_id, field, who) is not None


def removed(data: Path, case_id: int) -> list[Removed]:
    """The cells of a case that were removed or replaced by hand; RecordsError where they cannot be read."""
    of = (PLACES.c.case_id == CELLS.c.case_id) & (PLACES.c.number == CELLS.c.number)
    wanted = (
        sa.select(CELLS.c.number, PLACES.c.field, PLACES.c.position, CELLS.c.removed_at, CELLS.c.removed_by)
        .join(PLACES, of)
        .where(CELLS.c.case_id == case_id, sa.not_(STANDS))
        .order_by(CELLS.c.number)
    )
    with database.reading(data) as connection:
        return [Removed(*row) for row in connection.execute(wanted)]


def next_position(data: Path, case_id: int, field: int) -> int:
    """The number that the next cell of a field gets in it: one that none of its cells ever had."""
    highest = sa.select(sa.func.max(PLACES.c.position)).where(
        PLACES.c.case_id == case_id, PLACES.c.field == field
    )
    with database.reading(data) as connection:
        return int(connection.scalar(highest) or 0) + 1


def _cell(connection: sa.Connection, case_id: int, field: int | None, number: int) -> Cell:
    found = cells_of(connection, case_id, [number])
    if not found or found[0].place is None or field not in (None, found[0].field):
        who = connection.scalar(
            sa.select(CELLS.c.removed_by).where(CELLS.c.case_id == case_id, CELLS.c.number == number)
        )
        by = f": {who} has removed or changed it" if who else ""
        raise RecordsError(f"{database.NOTHING_SAVED} Cell {number} is not in this field any more{by}.")
    return found[0]


def _refuse_twice(connection: sa.Connection, case_id: int, image_id: str) -> None:
    there = sa.select(CELLS.c.number).where(CELLS.c.case_id == case_id, CELLS.c.image_id == image_id, STANDS)
    number = connection.scalar(there) if image_id else None
    if number is not None:
        raise RecordsError(f"{database.NOTHING_SAVED} {ALREADY.format(number)}")


def _mark(connection: sa.Connection, case_id: int, number: int, at: str | None, by: str | None) -> None:
    connection.execute(
        CELLS.update()
        .where(CELLS.c.case_id == case_id, CELLS.c.number == number)
        .values(removed_at=at, removed_by=by)
    )


def _note(
    connection: sa.Connection,
    number: int,
    case_id: int,
    field: int,
    who: str,
    changed: Mapping[str, int | None],
) -> None:
    nothing = dict.fromkeys(("removed", "added", "undoes"))
    row = {"number": number, "case_id": case_id, "field": field, "who": who}
    connection.execute(FIELD_CHANGES.insert(), row | nothing | dict(changed))


def _last(connection: sa.Connection, case_id: int, field: int, who: str) -> sa.Row | None:
    """The last change of a field by somebody that is not taken back."""
    of_field = (FIELD_CHANGES.c.case_id == case_id) & (FIELD_CHANGES.c.field == field)
    own = people.is_called(connection, FIELD_CHANGES.c.who, who, of_field)
    rows = connection.execute(
        sa.select(FIELD_CHANGES).where(of_field, own).order_by(FIELD_CHANGES.c.number)
    ).all()
    undone = {row.undoes for row in rows} - {None}
    standing = [row for row in rows if row.undoes is None and row.number not in undone]
    return standing[-1] if standing else None


def _told(field: int, place: Place) -> str:
    sides = ", ".join(f"{side:.0f}" for side in (place.x, place.y, place.width, place.height))
    return f"field {field}, box {sides}"
