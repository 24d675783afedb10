"""Who sits in front of the page."""

from pathlib import Path
from typing import Any

import streamlit as st

from leukemia.access import acting
from leukemia.access.users import User
from leukemia.attribution import MAX_WHO, clean
from leukemia.errors import AccessError
from pages.components import streamlit_runs

# A name that was given once serves the whole visit, on every page.
NAME = "reviewer"
# The field on an opened case in which it is changed.
FIELD = "case-reader"
TAB = "reader-of-tab"

_tab = st.components.v2.component(
    "leukemia.reader_of_tab",
    html="<span></span>",
    js=Path(__file__).with_name("reader_of_tab.js").read_text(encoding="utf-8"),
)


def name() -> str:
    """Who is signed in, or gave a name before; empty where nobody did."""
    # What is typed counts at once: a press that came with it may be answered before the field is.
    state = st.session_state
    return signed_in() or clean(state.get(FIELD) or "") or clean(state.get(NAME, ""))


def signed_in() -> str:
    """Who is signed in, by the name on record; empty where nobody is, or has to be."""
    try:
        return user().name
    except AccessError:
        return ""


def user() -> User:
    """Who a page is laid out for; what is done asks again (:func:`leukemia.access.acting.user`).

    Raises
    ------
    AccessError
        Where nobody is signed in, or their roles cannot be known.
    """
    return streamlit_runs.once_a_run("user", acting.user)


def field(place: Any, label: str, *, key: str, **options: Any) -> None:
    """Ask for the name; of whoever is signed in, show the one that goes on record.

    Parameters
    ----------
    place : Any
        Where it is laid out: Streamlit itself, or a column.
    label, key : str
        Of the field.
    **options : Any
        Of Streamlit's ``text_input``.
    """
    if known := signed_in():
        st.session_state[key] = known
    place.text_input(label, key=key, disabled=bool(known), **{"max_chars": MAX_WHO} | options)


def of_tab() -> None:
    """Know the name again after the tab was reloaded; to be laid out once, where a name is asked for."""
    if signed_in():
        return

    def known() -> None:
        given = st.session_state[TAB].get("name")
        if isinstance(given, str) and not name():
            remember(given[:MAX_WHO])

    _tab(key=TAB, data={"name": name()}, on_name_change=known)


def prefill(key: str) -> None:
    """Put the name into a field before it is laid out, unless another one was typed there."""
    if (known := name()) != st.session_state.get(key) and not _typed(key):
        st.session_state[key] = st.session_state[_prefilled(key)] = known


def in_field(key: str) -> str:
    """The name in a field of :func:`prefill` as a press finds it; :func:`name` where none was typed there."""
    return _typed(key) or name()


def remember(who: str) -> None:
    """Keep a name for the rest of the visit."""
    if kept := clean(who):
        st.session_state[NAME] = kept
        if FIELD in st.session_state:
            st.session_state[FIELD] = kept


def _typed(key: str) -> str:
    """What stands in a field; empty where that is what was put there."""
    given = st.session_state.get(key) or ""
    return "" if given == st.session_state.get(_prefilled(key)) else given


def _prefilled(key: str) -> str:
    return f"{key}-prefilled"
