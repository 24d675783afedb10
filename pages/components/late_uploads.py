"""Files dropped on an uploader in the moment in which it is replaced by an empty one.

The browser sends them, but nobody lists them, or they are listed in the very run that empties the page. They
are told by not having been there when the page was last laid out, and looked for among what the session sent.
"""

import time

import streamlit as st

from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.storage import files
from pages.components import streamlit_internals

# Seconds after which nothing is on its way any more, and between two looks.
WATCHED, EVERY = 30.0, 1.0
SEEN, WATCH = "uploads_seen", "uploads_watched"


def seen() -> set[str]:
    """The file_ids of what the session had sent when the page was last laid out."""
    return st.session_state.get(SEEN, set())


def watch() -> None:
    """From now on look for files that were not seen."""
    st.session_state[WATCH] = time.monotonic() + WATCHED, set(seen())


def take(batch: Batch) -> None:
    """Have those that arrive answered as if they had been listed."""
    if WATCH in st.session_state:
        st.fragment(_look, run_every=EVERY)(batch)
    st.session_state[SEEN] = set(streamlit_internals.uploads())


def _look(batch: Batch) -> None:
    until, before = st.session_state.get(WATCH, (0.0, set()))
    found = {key: file for key, file in streamlit_internals.uploads().items() if key not in before}
    batch.add(
        Item(key, Source(files.shown(file.name), lambda file=file: file.data))
        for key, file in found.items()
        if file.data
    )
    before.update(found)
    over = time.monotonic() > until
    if over:
        st.session_state.pop(WATCH, None)
    if found or over:
        st.rerun()
