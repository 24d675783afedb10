"""The scale of one field by its scale bar: marked on the field, or typed, and how long it is."""

import math
from collections.abc import Callable

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.inference.batch import Batch
from leukemia.segmentation.change import Change
from pages.components import flash, model_in_service
from pages.components import session_batch as session

USE, BACK = "Search the field at this scale", "Back to the scale as it was"
HOW = (
    "Mark the bar with the tool **Scale bar** above, or type its length in pixels. The field is then "
    "searched anew at that scale, whatever its file or its red cells say."
)
MARKED = "The line is {:.1f} pixels long. Say below how long the scale bar is."
NO_LINE = "Mark the scale bar from end to end."


def show(batch: Batch, key: str) -> None:
    """Ask how long a field's scale bar is.

    Parameters
    ----------
    batch : Batch
    key : str
        Of the field.
    """
    pixels, micrometres = _names(key)
    can_take_back = session.scale_bars().can_take_back(key)
    expanded = can_take_back or batch.needs_scale(key) or st.session_state.get(pixels) is not None
    with st.expander("Scale bar", icon=":material/straighten:", expanded=expanded):
        st.caption(HOW)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            options = {"min_value": 0.0, "value": None, "width": 220}
            st.number_input("Length in pixels", step=1.0, format="%.1f", key=pixels, **options)
            st.number_input(
                "Length in micrometres",
                step=1.0,
                placeholder="as written beside it",
                key=micrometres,
                **options,
            )
            st.button(USE, key=f"bar-use-{key}", type="primary", on_click=_use, args=(key,))
            if can_take_back:
                st.button(BACK, key=f"bar-back-{key}", on_click=_take_back, args=(key,))
        flash.show(_flash(key))


def mark(key: str, change: Change) -> str:
    """Take over the line that was drawn on a field; what is to be said of it.

    Raises
    ------
    LeukemiaError
        Where it is no line.
    """
    if len(change.ring) != 2:
        raise LeukemiaError(NO_LINE)
    length = math.dist(*change.ring)
    st.session_state[_names(key)[0]] = round(length, 1)
    return MARKED.format(length)


def _use(key: str) -> None:
    pixels, micrometres = (st.session_state.get(name) or 0.0 for name in _names(key))
    _do(key, lambda batch, bars, *rest: bars.apply(batch, *rest, key, pixels, micrometres))


def _take_back(key: str) -> None:
    _do(key, lambda batch, bars, *rest: bars.take_back(batch, *rest, key))


def _do(key: str, act: Callable[..., None]) -> None:
    batch = session.of_session()
    try:
        act(batch, session.scale_bars(), model_in_service.classifier(), session.corrections())
    except LeukemiaError as error:
        flash.put(_flash(key), flash.WARNING, str(error))
        return
    for name in _names(key):
        st.session_state.pop(name, None)


def _names(key: str) -> tuple[str, str]:
    return f"bar-pixels-{key}", f"bar-micrometres-{key}"


def _flash(key: str) -> str:
    return f"bar-{key}"
