"""One cell of a case opened large: with its answer and why, or the picture alone where that is kept back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.errors import RecordsError
from leukemia.markdown import plain
from pages.components import cell_view, cell_view_html
from pages.components.cell_view import Opened
from pages.sections.cases import answered_by

HIDDEN = "The model's answer is hidden until you have given your verdict."


def open_it(case_id: int, number: int) -> None:
    """Have :func:`show` open a cell when the whole page is next laid out; a callback."""
    st.session_state[_asked(case_id)] = number


def asked_for(case_id: int) -> int | None:
    """The cell that was asked for, once; None for none."""
    return st.session_state.pop(_asked(case_id), None)


def follow(case_id: int) -> None:
    """Run the whole page again where a cell was asked for while only a part of it ran."""
    if _asked(case_id) in st.session_state:
        st.rerun()


def show(data: Path, case: Case, found: Sequence[Cell], number: int | None) -> None:
    """Open a cell over the page; the one that was open stays so where none is asked for.

    Parameters
    ----------
    data : Path
        The data folder.
    case : Case
    found : sequence of Cell
        As the reader may see them.
    number : int or None
        Of :func:`asked_for`.
    """
    place = f"case-{case.id}"
    cell = next((one for one in found if one.number == number), None)
    bundle = answered_by.bundle(data, cell) if cell and not cell.hidden else None
    if cell and bundle is None:
        _picture_alone(data, cell)
        return
    if cell:
        cell_view.open_it(place, str(number))
    if not cell_view.is_open(place):
        return
    at = next((one for one in found if str(one.number) == cell_view.opened(place)), None)
    bundle = answered_by.bundle(data, at) if at and not at.hidden else None
    if at and bundle:
        same = [one for one in found if not one.hidden and _model(one) == _model(at)]
        version = f"version {at.version}" if at.version else at.model
        cell_view.window([_opened(data, one) for one in same], bundle, at.point, place=place, version=version)


def _picture_alone(data: Path, cell: Cell) -> None:
    @st.dialog(f"Cell {cell.number}", width="large")
    def over() -> None:
        st.html(cell_view_html.STYLE)
        st.caption(HIDDEN if cell.hidden else answered_by.GONE)
        try:
            crop = cells.picture(data, cell.case_id, cell.number).crop
        except RecordsError as error:
            st.warning(plain(str(error)), icon=":material/warning:")
            return
        caption = cell_view_html.scale_words(cell.note, cell.pixel_size, cell.input_size)
        spoken = f"Cell {cell.number}"
        st.html(
            cell_view_html.picture(crop, cell.pixel_size, spoken=spoken, caption=caption, drawn=cell.drawn)
        )

    over()


def _opened(data: Path, cell: Cell) -> Opened:
    def pixels() -> np.ndarray | None:
        return cells.picture(data, cell.case_id, cell.number).pixels if cell.image_id else None

    return Opened(
        str(cell.number),
        cell.name or f"cell {cell.number}",
        cell.image_id,
        pixels,
        cell.probability,
        cell.error,
        cell.area,
        cell.note,
        drawn=cell.drawn,
        stain=cell.stain,
        lossy=bool(cell.lossy),
        more=tuple((one.reader, one.verdict) for one in cell.readings),
    )


def _model(cell: Cell) -> tuple:
    return cell.record_sha256, cell.point


def _asked(case_id: int) -> str:
    return f"open-cell-{case_id}"
