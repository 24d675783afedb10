"""The cards of the review grid: each cell told as far as its reader may know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leukemia.cases import cells
from leukemia.cases.cells import Cell

KEPT_BACK = "others' verdicts: after yours"
HIDDEN = "model's answer: after your verdict"


@dataclass(frozen=True)
class Cards:
    """All cards of a case, and how far the reader is.

    Attributes
    ----------
    by_number : dict of int to dict
        As the grid takes them, in the order of the cells.
    progress : str
        How many are read, and what is still needed.
    """

    by_number: dict[int, dict[str, Any]] = field(default_factory=dict)
    progress: str = ""

    def unlike(self, other: "Cards") -> list[dict[str, Any]]:
        """Those cards that differ from another state of the same case."""
        return [card for number, card in self.by_number.items() if card != other.by_number.get(number)]


def read(data: Path, case_id: int, reader: str) -> Cards:
    """The cards of a case for one reader; raises RecordsError where they cannot be read."""
    found = cells.cells(data, case_id, reader=reader)
    return Cards({cell.number: as_card(cell, reader) for cell in found}, _progress(found, reader))


def as_card(cell: Cell, reader: str) -> dict[str, Any]:
    """A cell as the grid takes it, told as far as this reader may know.

    Parameters
    ----------
    cell : Cell
        As :func:`leukemia.cases.cells.cells` gives it for the reader.
    reader : str
    """
    own = cell.by(reader)
    return {
        "number": cell.number,
        "picture": bool(cell.image_id),
        "own": own.verdict if own else "",
        "reason": own.reason if own else "",
        "status": cell.status,
        "needed": cell.needs_verdict,
        "probability": cell.probability,
        "uncertainty": _uncertainty(cell),
        "lines": [*_model(cell), *_others(cell, reader)],
    }


def _model(cell: Cell) -> list[tuple[str, str]]:
    if cell.hidden:
        return [(HIDDEN, "quiet")]
    if cell.probability is None:
        lines = [(f"Model: {cell.called.lower()}", "urgent"), (cell.error, "quiet")]
    else:
        lines = [(f"Model: {cell.decision}, {cell.point.shown(cell.probability)}", "")]
    more = [cell.name, cell.note, "synthetic drawing" * cell.drawn]
    return lines + [(text, "quiet") for text in more if text]


def _others(cell: Cell, reader: str) -> list[tuple[str, str]]:
    if cell.others_hidden:
        return [(KEPT_BACK, "quiet")]
    lines = [
        (f"{one.reader}: {one.verdict}{f' ({one.reason})' if one.reason else ''}", "")
        for one in cell.readings
        if one.reader != reader
    ]
    if cell.status == "disputed":
        lines.append(("Readers disagree", "urgent"))
    if cell.decided:
        lines.append((f"Settled by {cell.decided.who}: {cell.decided.verdict}", "urgent"))
    return lines


def _uncertainty(cell: Cell) -> float | None:
    """How sure the model is, the least sure first: below 0 between the limits, -1 without an answer."""
    if cell.hidden:
        return None
    if cell.probability is None:
        return -1.0
    apart = abs(cell.point.distance(cell.probability))
    return -apart if cell.low <= cell.probability < cell.high else apart


def _progress(found: Sequence[Cell], reader: str) -> str:
    read = sum(cell.by(reader) is not None for cell in found)
    needed = sum(cell.needs_verdict for cell in found)
    said = f"You have read {read:,} of {len(found):,} cells."
    if any(cell.hidden or cell.others_hidden for cell in found):
        return said
    if not needed:
        return f"{said} No cell is waiting for a verdict."
    need = "needs" if needed == 1 else "need"
    return f"{said} {needed:,} still {need} a verdict before the case can be signed."
