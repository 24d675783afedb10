"""Cells of a case that were answered with their stain matched: what was done to their colours."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from leukemia.cases.tables import STAINS
from leukemia.imaging.stain import Stain, StainMatch


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


def _stain(text: str) -> Stain:
    kept = json.loads(text)
    return Stain(tuple(kept["middle"]), tuple(kept["spread"]), kept["cells"])
