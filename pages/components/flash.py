"""A message that a press leaves behind: shown once, when the page is next laid out."""

import streamlit as st

from leukemia.markdown import plain

SUCCESS, WARNING, ERROR = "success", "warning", "error"
_SHOWN_BY = {
    SUCCESS: (st.success, ":material/check_circle:"),
    WARNING: (st.warning, ":material/warning:"),
    ERROR: (st.error, ":material/error:"),
}
_KEY = "flash-"


def put(place: str, kind: str, text: str) -> None:
    """Leave a message for a place; text is shown as it is, without Markdown."""
    st.session_state[_KEY + place] = (kind, text)


def waits(place: str) -> bool:
    """Whether a message waits to be shown at a place."""
    return _KEY + place in st.session_state


def show(place: str) -> None:
    """Show the message of a place, if there is one, and forget it."""
    # There in any case: what moves up where a message goes is made anew, and loses what is being typed in it.
    here = st.empty()
    if waits(place):
        kind, text = st.session_state.pop(_KEY + place)
        box, icon = _SHOWN_BY[kind]
        with here:
            box(plain(text), icon=icon)
