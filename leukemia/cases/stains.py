"""Cells of a case that were answered with their stain matched: what was done to their colours."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa

from leukemia.cases.tables import PLACES, STAINS
from leukemia.imaging.stain import Stain, StainMatch
from leukemia.storage import database


def row(case_id: int, number: int, match: StainMatch) -> dict[str, object]:
    """What was done to a cell as a row of the table."""
    return {
        "case_id": case_id,
        "number": number,
        "distance_before": match.distance_before,
        "distance_limit": match.limit,
        "own": json.dumps(asdict(match.own)),
        "target": json.dumps(asdict(match.target)),
    }


def stains(
    connection: sa.Connection, case_id: int, numbers: Sequence[int] | None = None
) -> dict[int, StainMatch]:
    """What was done to all, or some, cells of a case, by their numbers; those answered as they are: none."""
    wanted = sa.select(STAINS).where(STAINS.c.case_id == case_id)
    if numbers is not None:
        wanted = wanted.where(STAINS.c.number.in_(numbers))
    return {
        one.number: StainMatch(_stain(one.own), _stain(one.target), one.distance_before, one.distance_limit)
        for one in connection.execute(wanted)
    }


def of_field(data: Path, case_id: int, field: int) -> Stain | None:
    """The stain by which a field's cells were matched, those that were removed by hand included.

    None where they were answered as they are; raises RecordsError where it cannot be read.
    """
    wanted = (
        sa.select(STAINS.c.own)
        .join(PLACES, (PLACES.c.case_id == STAINS.c.case_id) & (PLACES.c.number == STAINS.c.number))
        .where(STAINS.c.case_id == case_id, PLACES.c.field == field)
        .order_by(STAINS.c.number)
        .limit(1)
    )
    with database.reading(data) as connection:
        own = connection.scalar(wanted)
    return _stain(own) if own else None


def _stain(text: str) -> Stain:
    kept = json.loads(text)
    return Stain(tuple(kept["middle"]), tuple(kept["spread"]), kept["cells"])
