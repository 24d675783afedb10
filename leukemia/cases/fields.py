"""The fields of a smear that cells of a case were found in, and where in them each cell lies."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases.case import Case
from leukemia.cases.tables import FIELDS, PLACES
from leukemia.errors import RecordsError
from leukemia.inference.batch import Result
from leukemia.segmentation.place import FieldPicture, Place
from leukemia.storage import database, files

LONGEST_NAME, LONGEST_NOTE = 300, 1_000


@dataclass(frozen=True)
class CaseField:
    """A field of a case, without its picture.

    Attributes
    ----------
    case_id, number : int
        The case; and which of its fields, from 1, as they came.
    image_id : str
        SHA-256 of its pixels.
    name : str
        What it is called: its file's name where the case keeps names, else its number. Untrusted text.
    width, height : int
        In pixels.
    note : str
        What a reader must know of it, its scale first.
    """

    case_id: int
    number: int
    image_id: str
    name: str
    width: int
    height: int
    note: str


def insert(
    connection: sa.Connection,
    case: Case,
    given: Mapping[str, FieldPicture],
    results: Iterable[Result],
    who: str,
) -> tuple[dict[str, int], list[Entry]]:
    """Add fields to a case, in a transaction; those that it holds already are left out.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    case : Case
    given : mapping of str to FieldPicture
        By the key of each.
    results : iterable of Result
        The answers on their cells.
    who : str

    Returns
    -------
    tuple of dict and list
        The numbers of the new fields by key, and their entries for the trail, to be appended.
    """
    there = sa.select(FIELDS.c.image_id, FIELDS.c.number).where(FIELDS.c.case_id == case.id)
    known = {row.image_id: row.number for row in connection.execute(there)}
    cells = [result.field for result in results]
    rows: dict[str, dict] = {}
    for key, field in given.items():
        if field.image_id in known:
            continue
        known[field.image_id] = number = max(known.values(), default=0) + 1
        rows[key] = {
            "case_id": case.id,
            "number": number,
            "image_id": field.image_id,
            "name": files.shown(field.name)[:LONGEST_NAME] if case.keep_names else "",
            "width": field.width,
            "height": field.height,
            "note": files.shown(field.note)[:LONGEST_NOTE],
            "picture": field.picture,
        }
    if rows:
        connection.execute(FIELDS.insert(), list(rows.values()))
    entries = [
        Entry(
            trail.FIELD,
            who,
            case_id=case.id,
            image_id=row["image_id"],
            new=f"field {row['number']}, white cells: {cells.count(key)}",
            reason=row["note"],
        )
        for key, row in rows.items()
    ]
    return {key: row["number"] for key, row in rows.items()}, entries


def place_row(case_id: int, number: int, field: int, place: Place) -> dict[str, object]:
    """A cell's place as a row of the table."""
    return {
        "case_id": case_id,
        "number": number,
        "field": field,
        "position": place.number,
        **{name: getattr(place, name) for name in ("x", "y", "width", "height", "confidence", "edge")},
        "ring": json.dumps(place.ring),
    }


def places(
    connection: sa.Connection, case_id: int, numbers: Sequence[int] | None = None
) -> dict[int, tuple[int, Place]]:
    """Where all, or some, cells of a case lie: by the cell's number, the field's number and the place."""
    wanted = (
        sa.select(PLACES, FIELDS.c.name)
        .join(FIELDS, (FIELDS.c.case_id == PLACES.c.case_id) & (FIELDS.c.number == PLACES.c.field))
        .where(PLACES.c.case_id == case_id)
    )
    if numbers is not None:
        wanted = wanted.where(PLACES.c.number.in_(numbers))
    return {
        row.number: (
            row.field,
            Place(
                _called(row.name, row.field),
                row.position,
                row.x,
                row.y,
                row.width,
                row.height,
                row.confidence,
                row.edge,
                tuple((x, y) for x, y in json.loads(row.ring)),
            ),
        )
        for row in connection.execute(wanted)
    }


def fields(data: Path, case_id: int) -> list[CaseField]:
    """The fields of a case as they came; raises RecordsError where they cannot be read."""
    columns = [column for column in FIELDS.c if column.name != "picture"]
    wanted = sa.select(*columns).where(FIELDS.c.case_id == case_id).order_by(FIELDS.c.number)
    with database.reading(data) as connection:
        found = connection.execute(wanted).mappings().all()
    return [CaseField(**dict(row) | {"name": _called(row["name"], row["number"])}) for row in found]


def picture(data: Path, case_id: int, number: int) -> bytes:
    """A field's picture, WebP; raises RecordsError where there is no such field."""
    wanted = sa.select(FIELDS.c.picture).where(FIELDS.c.case_id == case_id, FIELDS.c.number == number)
    with database.reading(data) as connection:
        found = connection.scalar(wanted)
    if found is None:
        raise RecordsError(f"There is no field {number} in this case.")
    return found


def _called(name: str, number: int) -> str:
    return name or f"field {number}"
