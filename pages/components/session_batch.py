"""The batch of cells of this session: the Classify page answers it, other pages may add to it."""

import streamlit as st

from leukemia.cases.cells import PICTURE
from leukemia.inference.batch import Batch

RECORDED = "answers-on-record"  # what of the batch is; see answers_on_record


def of_session() -> Batch:
    """The batch, empty where this session has none yet."""
    return st.session_state.setdefault("batch", Batch(picture=PICTURE))


def start_anew() -> None:
    """Empty the batch; the scale that was stated for this session's images stays."""
    st.session_state.pop(RECORDED, None)
    st.session_state.batch = Batch(scale=of_session().scale, picture=PICTURE)
