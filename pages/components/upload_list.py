"""The list of an uploader's files, passed with one press of Tab: each file has a button to remove it."""

from pathlib import Path

import streamlit as st

_list = st.components.v2.component(
    "leukemia.uploads",
    html="<span></span>",
    js=Path(__file__).with_name("upload_list.js").read_text(encoding="utf-8"),
)


def one_stop() -> None:
    """Make the list of files on this page one stop of the Tab key; the arrow keys move within it."""
    _list(key="upload-list", data={})
