"""Why a cell is answered as it is: a map, computed when it is asked for."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError
from leukemia.imaging import morphology
from leukemia.imaging.cell import foreground
from leukemia.inference import occlusion
from leukemia.inference.occlusion import Heatmap
from leukemia.markdown import plain
from leukemia.plots import heatmap
from pages.components import cell_view_html, model_in_service

if TYPE_CHECKING:
    from pages.components.cell_view import Opened

# The last map of a session: it belongs to one cell and one model.
MAP, ASKED = "cell-map", "cell-map-asked"
ASK = "Show what moves the answer"
LIMITS = (
    "It is not a reason that a pathologist would give, and it does not show that the answer is right. It "
    "shows only where a change of the picture moves the answer."
)
METHOD = (
    "{covers} regions are covered in turn with the cell's mean colour, and each time the model answers again "
    "(occlusion, Zeiler and Fergus 2014)."
)


def show(cell: "Opened", crop: np.ndarray, bundle: Bundle, place: str) -> None:
    """Lay out the map of a cell, or the button that computes it.

    Parameters
    ----------
    cell : Opened
    crop : numpy.ndarray
        What the model reads: uint8 RGB, shape (size, size, 3).
    bundle : Bundle
    place : str
        Keeps these widgets apart from others.
    """
    st.markdown("**What moves the model's answer**")
    shown = _computed(cell, crop, bundle, place)
    if shown is None:
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.html(
            cell_view_html.picture(
                heatmap.overlay(crop, shown.values),
                bundle.pixel_size,
                spoken=f"Map of {cell.name}: where a change moves the answer",
                caption=heatmap.caption(shown.values),
            )
        )
    with right:
        st.markdown(_finding(shown, crop))
        if cell.probability is None or abs(shown.probability - cell.probability) > 10.0**-4:
            st.markdown(_other_answer(shown, cell))
        st.caption(f"{LIMITS} {METHOD.format(covers=shown.covers)}")


def _computed(cell: "Opened", crop: np.ndarray, bundle: Bundle, place: str) -> Heatmap | None:
    """The map, where it was asked for; else the button that asks."""
    of = (bundle.identity, cell.image_id, cell.key, cell.stain)
    at, shown = st.session_state.get(MAP, (None, None))
    if at == of:
        return shown
    here = st.empty()
    if st.session_state.get(ASKED) != of:
        with here.container():
            st.caption(
                "A map of the places where a change of the picture moves the answer. It takes a few seconds."
            )
            st.button(
                ASK,
                key=f"{place}-why",
                icon=":material/local_fire_department:",
                on_click=lambda: st.session_state.update({ASKED: of}),
            )
        return None
    try:
        with here, st.spinner("Covering one region after another …"):
            shown = occlusion.explain(model_in_service.loaded(bundle).predict_each, crop)
    except BundleError as error:
        st.session_state.pop(ASKED)
        here.error(plain(str(error)), icon=":material/error:")
        return None
    # Not before: a run of the page that is cut short begins anew.
    st.session_state[MAP] = of, shown
    st.session_state.pop(ASKED)
    here.empty()
    return shown


def _finding(shown: Heatmap, crop: np.ndarray) -> str:
    text = (
        f"The model gives **{shown.probability:.3f}**. With one region covered it gives between "
        f"**{shown.lowest:.3f}** and **{shown.highest:.3f}**."
    )
    inside, cell = morphology.nucleus(crop), foreground(crop)
    if inside.any() and shown.values.any():
        weight = occlusion.share_within(shown.values, inside)["absolute"]
        text += (
            f" {weight:.0%} of the map's weight lies in the nucleus, which is "
            f"{inside.sum() / cell.sum():.0%} of the cell (roughly, by its colour)."
        )
    return text


def _other_answer(shown: Heatmap, cell: "Opened") -> str:
    of = "The map is of the model itself."
    if cell.probability is None:
        return of  # no answer stands above that it could be compared with
    why = "a network that had not seen this patient" if cell.held_out else "another reading of this cell"
    return f"{of} The answer above comes from {why} and may differ."
