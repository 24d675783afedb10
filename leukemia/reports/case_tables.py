"""The cells of one case, or of all cases, as a table that leaves the house: CSV or Parquet."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.cases import cells as case_cells
from leukemia.cases import worklist
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.inference import learned
from leukemia.inference.learned import Learned
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
    "learned_from",
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
# Finds the bundle of the model that answered some cells, or None.
AnsweredBy: TypeAlias = Callable[[Sequence[Cell]], Bundle | None]
FLOATS = ("probability", "x", "y", "width", "height", "distance", "distance_unmatched")
NUMBERS = {"version": "Int64"} | dict.fromkeys(FLOATS, float)
# Of these, what a report shows.
SHOWN = ["cell", "file", "probability", "decision", "error", "readings", "status", "counts_as"]


def learned_from(data: Path, of: Iterable[Cell], answered_by: AnsweredBy) -> dict[str, Learned]:
    """What the models that answered some cells learned from, by ``record_sha256``; without those gone."""
    by_model: dict[str, list[Cell]] = {}
    for cell in of:
        by_model.setdefault(cell.record_sha256, []).append(cell)
    found = {record: answered_by(answered) for record, answered in by_model.items()}
    return {record: learned.of(bundle, data) for record, bundle in found.items() if bundle}


def cells(of: Iterable[tuple[Case, Sequence[Cell]]], known: Mapping[str, Learned]) -> pd.DataFrame:
    """One row a cell, in the cases' order.

    Parameters
    ----------
    of : iterable of Case and its cells
    known : mapping of str to Learned
        Of :func:`learned_from`.

    Returns
    -------
    pandas.DataFrame
        Numbers as numbers; text as it is on record. ``counts_as`` is the readers' verdict, or else the
        model's decision; empty where the readers disagree.
    """
    rows = [_row(case, cell, known.get(cell.record_sha256)) for case, found in of for cell in found]
    return pd.DataFrame(rows, columns=COLUMNS).astype(NUMBERS)


def to_csv(table: pd.DataFrame) -> str:
    """The table as CSV text; no text in it is run by a spreadsheet."""
    return spreadsheet.to_csv(table)


def to_parquet(table: pd.DataFrame) -> bytes:
    """The table as Parquet."""
    out = io.BytesIO()
    table.to_parquet(out, index=False)
    return out.getvalue()


def of_all_cases(data: Path, answered_by: AnsweredBy) -> pd.DataFrame:
    """The cells of all cases, by identifier; raises RecordsError where they cannot be read.

    Cases that keep answers or verdicts back from readers are left out until they are signed.
    """
    listed = [one.case for one in worklist.worklist(data, order=worklist.BY_IDENTIFIER)]
    told = [(case, case_cells.cells(data, case.id)) for case in listed if not case.keeps_back]
    return cells(told, learned_from(data, (cell for _, found in told for cell in found), answered_by))


def _row(case: Case, cell: Cell, known: Learned | None) -> list[object]:
    untold = learned.UNKNOWN if cell.image_id else ""
    settled = cell.decided
    return [
        case.identifier,
        cell.number,
        cell.name,
        cell.image_id,
        cell.drawn,
        cell.probability,
        cell.called,
        cell.error,
        known.tells(cell.image_id, cell.lossy) if known else untold,
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
