"""The cells of one case, or of all cases, as a table that leaves the house: CSV or Parquet."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from leukemia.cases import cells as case_cells
from leukemia.cases import worklist
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.settings import RESEARCH_USE
from leukemia.storage import spreadsheet

COLUMNS = [
    "case",
    "cell",
    "file",
    "image_id",
    "drawn",
    "probability",
    "decision",
    "error",
    "readings",
    "settled_by",
    "settled_why",
    "status",
    "counts_as",
    "normal_like_below",
    "all_like_from",
    "threshold",
    "model",
    "version",
    "record_sha256",
    "classified_at",
    "cell_area_px",
    "field",
    "x",
    "y",
    "width",
    "height",
    "stain_matched",
    "distance",
    "distance_unmatched",
    "note",
    "signed_by",
    "signed_at",
    "notice",
]
FLOATS = ("probability", "x", "y", "width", "height", "distance", "distance_unmatched")
NUMBERS = {"version": "Int64"} | dict.fromkeys(FLOATS, float)
# Of these, what a report shows.
SHOWN = ["cell", "file", "probability", "decision", "error", "readings", "status", "counts_as"]


def cells(of: Iterable[tuple[Case, Sequence[Cell]]]) -> pd.DataFrame:
    """One row a cell, in the cases' order.

    Returns
    -------
    pandas.DataFrame
        Numbers as numbers; text as it is on record. ``counts_as`` is the readers' verdict, or else the
        model's decision; empty where the readers disagree.
    """
    rows = [_row(case, cell) for case, found in of for cell in found]
    return pd.DataFrame(rows, columns=COLUMNS).astype(NUMBERS)


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV text; no text in it is run by a spreadsheet."""
    return spreadsheet.to_csv(table)


def to_parquet(table: pd.DataFrame) -> bytes:
    """The table as Parquet."""
    out = io.BytesIO()
    table.to_parquet(out, index=False)
    return out.getvalue()


def of_all_cases(data: Path) -> pd.DataFrame:
    """The cells of all cases, by identifier; raises RecordsError where they cannot be read.

    Cases that keep answers or verdicts back from readers are left out until they are signed.
    """
    listed = [one.case for one in worklist.worklist(data, order=worklist.BY_IDENTIFIER)]
    return cells((case, case_cells.cells(data, case.id)) for case in listed if not case.keeps_back)


def _row(case: Case, cell: Cell) -> list[object]:
    settled = cell.settlement
    return [
        case.identifier,
        cell.number,
        cell.name,
        cell.image_id,
        cell.drawn,
        cell.probability,
        cell.called,
        cell.error,
        "; ".join(
            f"{one.reader}: {one.verdict}{f' ({one.reason})' if one.reason else ''}" for one in cell.readings
        ),
        settled.who if settled else "",
        settled.reason if settled else "",
        cell.status,
        cell.final,
        cell.low,
        cell.high,
        cell.threshold,
        cell.model,
        cell.version,
        cell.record_sha256,
        cell.answered_at,
        cell.area,
        *_place(cell),
        "yes" if cell.stain else "no",
        cell.distance,
        cell.stain.distance_before if cell.stain else cell.distance,
        cell.note,
        case.signed_by or "",
        case.signed_at or "",
        RESEARCH_USE,
    ]


def _place(cell: Cell) -> tuple[object, ...]:
    """Field and box, in pixels of the field from its upper left corner; empty for a picture of its own."""
    place = cell.place
    return (place.field, place.x, place.y, place.width, place.height) if place else ("", *(None,) * 4)
