"""The head of a page: its title, what the page is for and what to do next, and the way into the tour."""

import streamlit as st

from pages.components import tour


def show(title: str, purpose: str) -> None:
    """Lay it out; ``purpose`` is a line of Markdown."""
    st.title(title)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(purpose, width="stretch")
        tour.offer()
