"""A model card as it is read on a page."""

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.markdown import without_pictures

# A table by source is wider than the card on most screens: it scrolls, and the card keeps its edge.
STYLE = "<style>.st-key-card-text table { display: block; overflow-x: auto; max-width: 100%; }</style>"


def show(bundle: Bundle) -> None:
    """Lay the card out."""
    st.html(STYLE)
    with st.container(key="card-text"):
        st.markdown(without_pictures(bundle.card))
