"""Cells of a case worked through by keyboard: each verdict is saved as it is given."""

import base64
from pathlib import Path
from typing import Any

import streamlit as st

from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import REASONS
from leukemia.errors import RecordsError
from leukemia.markdown import plain
from leukemia.operating_point import UNCLASSIFIED
from pages.components import identity
from pages.sections.cases import opened_cell, saving

FOLDER = Path(__file__).parent
# Pictures that are sent to the browser at once: when cells are added, only the last of these is sent again.
BLOCK = 50
KEPT_BACK = "others' verdicts: after yours"
HIDDEN = "model's answer: after your verdict"


def _read(*names: str) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


_pictures = st.components.v2.component(
    "leukemia.review_pictures", html="<span></span>", js=_read("review_pictures.js")
)
_grid = st.components.v2.component(
    "leukemia.review",
    html=_read("review_grid.html"),
    css=_read("review_grid.css"),
    js=_read("review_card.js", "review_choices.js", "review_grid.js"),
)


def show(data: Path, case: Case) -> None:
    """Lay out the cells with the reader's verdicts, the model's answers and, where allowed, the others'."""
    found = cells.cells(data, case.id, reader=identity.name())
    asked_for = opened_cell.asked_for(case.id)
    _send_pictures(data, case.id, [cell.number for cell in found if cell.image_id])
    st.fragment(_review)(data, case)
    opened_cell.show(data, case, found, asked_for)


def _send_pictures(data: Path, case_id: int, numbers: list[int]) -> None:
    small = cells.thumbnails(data, case_id, numbers)
    for start in range(0, len(numbers), BLOCK):
        block = {
            number: base64.b64encode(small[number]).decode("ascii")
            for number in numbers[start : start + BLOCK]
            if number in small
        }
        _pictures(key=f"pictures-{case_id}-{start}", data={"case": case_id, "pictures": block})


def _review(data: Path, case: Case) -> None:
    key, reader = f"review-{case.id}", identity.name()
    try:
        found = cells.cells(data, case.id, reader=reader)
    except RecordsError as error:
        # What was shown stays: verdicts that wait there are sent again.
        st.error(plain(str(error)), icon=":material/error:")
        found = None
    kept = f"review-cells-{case.id}"
    if found is not None:
        st.session_state[kept] = [as_card(cell, reader) for cell in found]
        st.markdown(_progress(found, reader))
    given = {
        "case": case.id,
        "reader": reader,
        "locked": case.is_signed,
        "cells": st.session_state.get(kept, []),
        "reasons": REASONS,
        "spoken": f"Cells of the case {case.identifier}",
        **saving.outcome(case.id),
    }

    def opened() -> None:
        if number := st.session_state[key].get("opened"):
            opened_cell.open_it(case.id, number)

    _grid(
        key=key,
        data=given,
        on_queue_change=lambda: saving.take(data, case.id, st.session_state[key].get("queue")),
        on_opened_change=opened,
    )
    opened_cell.follow(case.id)


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
        lines = [(f"Model: {UNCLASSIFIED.lower()}", "urgent"), (cell.error, "quiet")]
    else:
        lines = [(f"Model: {cell.decision}, {cell.probability:.3f}", "")]
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
    if cell.settlement and cell.status == "settled":
        lines.append((f"Settled by {cell.settlement.who}: {cell.settlement.verdict}", "urgent"))
    return lines


def _uncertainty(cell: Cell) -> float | None:
    """How sure the model is, the least sure first: below 0 between the limits, -1 without an answer."""
    if cell.hidden:
        return None
    if cell.probability is None:
        return -1.0
    apart = abs(cell.point.distance(cell.probability))
    return -apart if cell.low <= cell.probability < cell.high else apart


def _progress(found: list[Cell], reader: str) -> str:
    read = sum(cell.by(reader) is not None for cell in found)
    needed = sum(cell.needs_verdict for cell in found)
    said = f"**You have read {read:,} of {len(found):,} cells.**"
    if any(cell.hidden or cell.others_hidden for cell in found):
        return said
    need = "needs" if needed == 1 else "need"
    return f"{said} {needed:,} still {need} a verdict before the case can be signed."
