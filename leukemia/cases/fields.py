"""The fields of a smear that cells of a case were found in, and where in them each cell lies."""

import json
import shutil
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
from leukemia.segmentation import kept
from leukemia.segmentation.place import FieldPicture, Place
from leukemia.segmentation.scale import FieldScale
from leukemia.storage import atomic, database, files
from leukemia.storage.workspace import Workspace

LONGEST_NAME, LONGEST_NOTE, LONGEST_ORIGIN = 300, 1_000, 200
# Bytes that all pixels of a case's fields take at the most; of further ones only the small picture stays.
MOST = 4 * 1024**3
NO_FIELD = "There is no field {} in this case."
NO_ROOM = "The field cannot be kept on the disk. Free some space on it."


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
    scale : FieldScale or None
        None where it was added before scales were kept.
    lossy : bool
        Whether its file was compressed with loss.
    file : Path or None
        Where all its pixels lie; None where they were not kept.
    """

    case_id: int
    number: int
    image_id: str
    name: str
    width: int
    height: int
    note: str
    scale: FieldScale | None = None
    lossy: bool = False
    file: Path | None = None


def insert(
    connection: sa.Connection,
    data: Path,
    case: Case,
    given: Mapping[str, FieldPicture],
    results: Iterable[Result],
    who: str,
) -> tuple[dict[str, int], list[Entry]]:
    """Add fields to a case, in a transaction; those that it holds already are left out.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    data : Path
        The data folder, where all their pixels are kept.
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
    known = numbers(connection, case.id)
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
            "lossy": field.lossy,
            **_scale_row(field.scale),
        }
    _keep(data, [given[key] for key in rows], _size(data, known))
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


def numbers(connection: sa.Connection, case_id: int) -> dict[str, int]:
    """The numbers of a case's fields, by the image_id of each, within a transaction."""
    there = sa.select(FIELDS.c.image_id, FIELDS.c.number).where(FIELDS.c.case_id == case_id)
    return {row.image_id: row.number for row in connection.execute(there)}


def place_row(case_id: int, number: int, field: int, place: Place) -> dict[str, object]:
    """A cell's place as a row of the table."""
    return {
        "case_id": case_id,
        "number": number,
        "field": field,
        "position": place.number,
        **{name: getattr(place, name) for name in ("x", "y", "width", "height", "edge")},
        "confidence": place.confidence or 0.0,
        "by_hand": place.confidence is None,
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
                None if row.by_hand else row.confidence,
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
    return [_field(data, row) for row in found]


def field_of(connection: sa.Connection, data: Path, case_id: int, number: int) -> CaseField:
    """A field within a transaction; raises RecordsError where there is none."""
    columns = [column for column in FIELDS.c if column.name != "picture"]
    wanted = sa.select(*columns).where(FIELDS.c.case_id == case_id, FIELDS.c.number == number)
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise RecordsError(NO_FIELD.format(number))
    return _field(data, row)


def size(found: Iterable[CaseField]) -> int:
    """Bytes that all pixels of some fields take."""
    return sum(one.file.stat().st_size for one in found if one.file)


def picture(data: Path, case_id: int, number: int) -> bytes:
    """A field's picture, WebP; raises RecordsError where there is no such field."""
    wanted = sa.select(FIELDS.c.picture).where(FIELDS.c.case_id == case_id, FIELDS.c.number == number)
    with database.reading(data) as connection:
        found = connection.scalar(wanted)
    if found is None:
        raise RecordsError(NO_FIELD.format(number))
    return found


def _field(data: Path, row: sa.RowMapping) -> CaseField:
    """A row of the table, without the picture."""
    scale, file = None, Workspace(data).fields / kept.name(row["image_id"])
    if row["pixel_size"] is not None:
        scale = FieldScale(row["pixel_size"], row["scale_origin"] or "", bool(row["scale_known"]))
    plain = {name: row[name] for name in ("case_id", "number", "image_id", "width", "height", "note")}
    return CaseField(
        **plain,
        name=_called(row["name"], row["number"]),
        scale=scale,
        lossy=bool(row["lossy"]),
        file=file if file.is_file() else None,
    )


def _scale_row(scale: FieldScale | None) -> dict[str, object]:
    if scale is None:
        return {"pixel_size": None, "scale_origin": None, "scale_known": None}
    return {
        "pixel_size": scale.pixel_size,
        "scale_origin": scale.origin[:LONGEST_ORIGIN],
        "scale_known": scale.known,
    }


def _size(data: Path, image_ids: Iterable[str]) -> int:
    files = (Workspace(data).fields / kept.name(image_id) for image_id in image_ids)
    return sum(file.stat().st_size for file in files if file.is_file())


def _keep(data: Path, given: Iterable[FieldPicture], size: int) -> None:
    """Keep all pixels of fields, as far as there is room for them in their case."""
    for field in given:
        if field.file is None or not field.file.is_file():
            continue
        target = Workspace(data).fields / kept.name(field.image_id)
        size += field.file.stat().st_size
        if size > MOST or target.is_file():
            continue
        try:
            with atomic.whole_file(target) as partial:
                shutil.copyfile(field.file, partial)
        except OSError as error:
            raise RecordsError(f"{database.NOTHING_SAVED} {NO_ROOM}") from error


def _called(name: str, number: int) -> str:
    return name or f"field {number}"
