"""One cell opened: large, with its answer, what moves that, its neighbours and its measures.

:func:`panel` lays it out wherever a page wants it; :func:`window` is a dialog over the page, with the
neighbouring cells on the arrow keys. Both take :class:`Opened`, which a page makes of what it shows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.imaging.cell import center_crop
from leukemia.imaging.stain import StainMatch
from leukemia.operating_point import OperatingPoint
from pages.components import cell_view_html, cell_view_reference, cell_view_why, model_in_service

KEYS = "Arrow keys: previous and next cell. Escape closes."


@dataclass(frozen=True)
class Opened:
    """A cell as a page opens it.

    Attributes
    ----------
    key : str
        Which cell, among those of the page.
    name : str
        What it is called: untrusted text.
    image_id : str
        SHA-256 of its pixels; empty where it is not known.
    crop : callable
        Gives uint8 RGB, shape (side, side, 3), about the cell's middle at the model's scale, ``side`` at
        least the bundle's ``input_size``; or None where there is no picture. Called when it is opened.
    probability : float or None
        Of ALL, as the page shows it; None where ``error`` says why.
    error : str
        Why there is no probability, or empty.
    area : int
        Pixels of the whole cell at the model's scale; 0 where they are counted in the crop.
    note : str
        Of an :class:`~leukemia.inference.classifier.Answer`.
    lossy : bool
        Whether its file was compressed with loss, so that it cannot be told by its pixels.
    held_out : bool
        Whether the probability is that of a network which had not seen the patient.
    drawn : bool
        Whether it is a drawing.
    stain : StainMatch or None
        What was done to its colours before the model read it; the picture is shown as it is.
    more : tuple of (str, str)
        Names and values to be shown beside, such as label and patient: untrusted text.
    """

    key: str
    name: str
    image_id: str
    crop: Callable[[], np.ndarray | None]
    probability: float | None
    error: str = ""
    area: int = 0
    note: str = ""
    lossy: bool = False
    held_out: bool = False
    drawn: bool = False
    stain: StainMatch | None = None
    more: tuple[tuple[str, str], ...] = ()


def open_it(place: str, key: str) -> None:
    """Have :func:`window` open a cell; a callback, or before the window is laid out.

    Parameters
    ----------
    place : str
        The ``place`` of the window.
    key : str
        Of the cell.
    """
    st.session_state[_state(place)] = key


def is_open(place: str) -> bool:
    """Whether a cell is open in a window."""
    return bool(opened(place))


def opened(place: str) -> str:
    """The key of the cell that is open in a window; empty for none."""
    return st.session_state.get(_state(place), "")


def window(
    cells: Sequence[Opened], bundle: Bundle, point: OperatingPoint, *, place: str, version: str = ""
) -> None:
    """Open the cell that :func:`open_it` named over the page; nothing where it named none of these.

    Parameters
    ----------
    cells : sequence of Opened
        In reading order: the arrow keys step among them.
    bundle : Bundle
        The model that answers.
    point : OperatingPoint
        By which cells are called.
    place : str
        Keeps this window apart from others.
    version : str, optional
        What the model is called; by default the bundle's name.
    """
    by_key = {cell.key: cell for cell in cells}
    if st.session_state.get(_state(place)) not in by_key:
        _close(place)
        return

    @st.dialog("Cell details", width="large", on_dismiss=lambda: _close(place))
    def over() -> None:
        # Only this function runs again when something in it is pressed.
        at = st.session_state.get(_state(place))
        if at not in by_key:
            st.rerun()
        arrows(list(by_key), at, place, partial(open_it, place))
        panel(by_key[at], bundle, point, place=place, version=version)

    over()


def panel(cell: Opened, bundle: Bundle, point: OperatingPoint, *, place: str, version: str = "") -> None:
    """Lay out a cell; see :func:`window`."""
    st.html(cell_view_html.STYLE)
    whole = cell.crop()
    crop = None if whole is None else center_crop(whole[None], bundle.input_size)[0]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.html(_picture(cell, crop, bundle))
    with right:
        known = model_in_service.learned_from(bundle)
        st.html(cell_view_html.answer(cell.image_id, cell.probability, cell.error, point, known, cell.lossy))
        st.html(cell_view_html.facts(_facts(cell, version or bundle.name)))
    read = cell.stain.apply(crop) if cell.stain and crop is not None else crop
    further(cell, read, bundle, place=place)


def further(cell: Opened, crop: np.ndarray | None, bundle: Bundle, *, place: str) -> None:
    """Lay out why a cell is answered as it is, and what it lies beside; the end of :func:`panel`.

    Parameters
    ----------
    cell : Opened
    crop : numpy.ndarray or None
        What the model reads: uint8 RGB, shape (``input_size``, ``input_size``, 3).
    bundle : Bundle
    place : str
        Keeps these widgets apart from others.
    """
    if crop is not None:
        cell_view_why.show(cell, crop, bundle, place)
        cell_view_reference.show(cell, crop, bundle, place)


def arrows(keys: Sequence[str], at: str, place: str, open_key: Callable[[str], None]) -> None:
    """Lay out the buttons, and take the keys, that go to the cell before and after.

    Parameters
    ----------
    keys : sequence of str
        Of the cells in reading order.
    at : str
        The one that is open, among ``keys``.
    place : str
        Keeps these widgets apart from others.
    open_key : callable
        Called with the key of the cell to open.
    """
    position = keys.index(at)
    with st.container(horizontal=True, vertical_alignment="center"):
        for step, label, icon, press in ((-1, "Previous", "back", "Left"), (1, "Next", "forward", "Right")):
            target = position + step
            inside = 0 <= target < len(keys)
            st.button(
                label,
                key=f"{place}-{label.lower()}",
                icon=f":material/arrow_{icon}:",
                shortcut=press,
                on_click=open_key,
                args=(keys[target] if inside else at,),
                disabled=not inside,
            )
        st.caption(f"{position + 1:,} of {len(keys):,}. {KEYS}")


def _state(place: str) -> str:
    return f"{place}-opened-cell"


def _close(place: str) -> None:
    st.session_state.pop(_state(place), None)


def _picture(cell: Opened, crop: np.ndarray | None, bundle: Bundle) -> str:
    if crop is None:
        return cell_view_html.missing(
            "The picture of this cell is not on this computer. To see it, import the set that it comes from "
            "under Dataset › Import."
        )
    caption = cell_view_html.scale_words(cell.note, bundle.pixel_size, bundle.input_size)
    return cell_view_html.picture(
        crop, bundle.pixel_size, spoken=f"Cell {cell.name}", caption=caption, drawn=cell.drawn
    )


def _facts(cell: Opened, version: str) -> list[tuple[str, str]]:
    held_out = "The answer above is held out: it comes from a network that had not seen this patient."
    return [
        ("Cell", cell.name),
        *cell.more,
        ("Answer", held_out if cell.held_out and cell.probability is not None else ""),
        ("Picture", cell.note),
        ("Model", version),
        ("Image ID", cell.image_id[:16]),
    ]
