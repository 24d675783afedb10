"""Cells as they are put into a case: their rows in the tables, and their entries in the trail."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import sqlalchemy as sa

from leukemia import settings
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.cases import fields as case_fields
from leukemia.cases import stains
from leukemia.cases.case import UNREAD, Case
from leukemia.cases.picture import Picture
from leukemia.cases.tables import APPEARANCES, CELLS, PICTURES, PLACES, STAINS
from leukemia.imaging import appearance
from leukemia.inference import decisions
from leukemia.inference.batch import Result
from leukemia.operating_point import OperatingPoint
from leukemia.storage import files

LONGEST_TEXT, LONGEST_NAME = 1_000, 300


@dataclass
class NewCells:
    """Cells that one model answered, gathered until they are put into a case.

    Attributes
    ----------
    case : Case
    model : dict of str to object
        Of :func:`model`.
    point : OperatingPoint
        By which they are called.
    cells, pictures, appearances, places, stains : list of dict
        Their rows.
    """

    case: Case
    model: dict[str, object]
    point: OperatingPoint
    cells: list[dict[str, object]] = field(default_factory=list)
    pictures: list[dict[str, object]] = field(default_factory=list)
    appearances: list[dict[str, object]] = field(default_factory=list)
    places: list[dict[str, object]] = field(default_factory=list)
    stains: list[dict[str, object]] = field(default_factory=list)

    def take(self, number: int, result: Result, measured: dict[str, float], in_field: int = 0) -> None:
        """Take a cell under a number of its case, with its place where it lies in a field of it."""
        named = {"case_id": self.case.id, "number": number}
        self.cells.append(named | self.model | answer(result, self.case, self.point))
        if result.answer.image_id:
            self.pictures.append(pictures(self.case.id, number, result))
            self.appearances.append(named | measured)
        if result.answer.stain:
            self.stains.append(stains.row(self.case.id, number, result.answer.stain))
        if in_field:
            self.places.append(case_fields.place_row(self.case.id, number, in_field, result.answer.place))

    def insert(self, connection: sa.Connection, who: str) -> list[Entry]:
        """Put them into the tables; return their entries, to be appended to the trail."""
        rows = {
            CELLS: self.cells,
            PICTURES: self.pictures,
            APPEARANCES: self.appearances,
            PLACES: self.places,
            STAINS: self.stains,
        }
        for table, new in rows.items():
            if new:
                connection.execute(table.insert(), new)
        return [entry(row, who) for row in self.cells]


def model(bundle: Bundle, point: OperatingPoint, version: int | None) -> dict[str, object]:
    """What a cell's row says of the model that answered it."""
    return {
        "model": bundle.name,
        "version": version,
        "record_sha256": bundles.checksum(bundle.folder / bundles.RECORD),
        "threshold": point.threshold,
        "low": point.low,
        "high": point.high,
        "input_size": bundle.input_size,
        "pixel_size": bundle.pixel_size,
    }


def measured(results: Sequence[Result], bundle: Bundle) -> list[dict[str, float]]:
    """Colours and sharpness of what the model read of each picture; empty where there is none."""
    wanted = [column.name for column in APPEARANCES.c if not column.primary_key]

    def measure(result: Result) -> dict[str, float]:
        if not result.answer.picture:
            return {}
        pixels = Picture(result.answer.picture, bundle.input_size, bundle.pixel_size)
        measures = appearance.measure(pixels.crop, result.answer.area)
        return {name: measures[name] for name in wanted}

    with ThreadPoolExecutor(settings.load().workers) as pool:
        return list(pool.map(measure, results))


def highest(connection: sa.Connection, case_id: int) -> int:
    """The highest number that a cell of a case has, or had before it was removed; 0 where it has none."""
    last = sa.select(sa.func.coalesce(sa.func.max(CELLS.c.number), 0)).where(CELLS.c.case_id == case_id)
    return int(connection.scalar(last) or 0)


def answer(result: Result, case: Case, point: OperatingPoint) -> dict[str, object]:
    """The answer to a cell that nobody has read yet."""
    given = result.answer
    return {
        "image_id": given.image_id,
        "name": files.shown(given.name)[:LONGEST_NAME] if case.keep_names else "",
        "drawn": result.drawn,
        "probability": given.probability,
        "decision": decisions.decision(given.probability, point),
        "error": files.shown(given.error)[:LONGEST_TEXT],
        "distance": given.distance,
        "area": given.area,
        "note": files.shown(given.note)[:LONGEST_TEXT],
        "answered_at": given.at,
        "status": UNREAD,
        "verdict": "",
        "lossy": given.lossy,
    }


def pictures(case_id: int, number: int, result: Result) -> dict[str, object]:
    """The pictures of a cell; raises ValueError where the batch kept none."""
    given = result.answer
    if not (given.picture and given.thumbnail):
        raise ValueError("The images must be classified with picture=PICTURE and a thumbnail.")
    return {"case_id": case_id, "number": number, "picture": given.picture, "thumbnail": given.thumbnail}


def entry(row: dict, who: str) -> Entry:
    """What the trail says of an answer; ``row`` is the cell's, whole."""
    version = f"version {row['version']}" if row["version"] else row["model"]
    return Entry(
        trail.ANSWER,
        who,
        case_id=row["case_id"],
        cell=row["number"],
        image_id=row["image_id"],
        version=version,
        record_sha256=row["record_sha256"],
        threshold=row["threshold"],
        low=row["low"],
        high=row["high"],
        probability=row["probability"],
        new=row["decision"],
        reason=row["error"],
    )
