"""Every page is entered by the front door, also one whose own address was opened first."""

import streamlit as st

from pages.components import streamlit_internals


def enter() -> None:
    """Have ``dashboard.py`` show the page, with its notice and its care for errors.

    Until ``dashboard.py`` ran once, Streamlit takes the folder ``pages`` for its older kind of
    application: whoever opens the address of a page first after a start sees the bare page.
    """
    if streamlit_internals.leave_pages_folder():
        st.rerun()
