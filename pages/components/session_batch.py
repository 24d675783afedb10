"""The batch of cells of this session: the Classify page answers it, other pages may add to it."""

import streamlit as st

from leukemia import settings
from leukemia.cases.cells import PICTURE
from leukemia.imaging.scale import Scale
from leukemia.inference.batch import Batch
from leukemia.inference.corrections import Corrections
from leukemia.inference.scale_bar import ScaleBars
from leukemia.inference.waiting import WaitingFields
from leukemia.storage.workspace import Workspace

RECORDED = "answers-on-record"  # what of the batch is; see answers_on_record
CORRECTIONS = "corrections"  # that were made on its fields by hand
SCALE_BARS = "scale-bars"  # that were marked on them


def of_session() -> Batch:
    """The batch, empty where this session has none yet."""
    if "batch" not in st.session_state:
        st.session_state.batch = new()
    return st.session_state.batch


def new(scale: Scale | None = None) -> Batch:
    """An empty batch, for answers that may go into a case; its fields wait below the data folder."""
    waiting = WaitingFields(Workspace(settings.load().data).waiting_fields)
    return Batch(scale=scale, picture=PICTURE, waiting_fields=waiting)


def start_anew() -> None:
    """Empty the batch; the scale that was stated for this session's images stays."""
    st.session_state.pop(RECORDED, None)
    st.session_state.pop(CORRECTIONS, None)
    st.session_state.pop(SCALE_BARS, None)
    before = of_session()
    before.remove(before.fields)  # the pixels that wait on disk, now rather than when it is forgotten
    st.session_state.batch = new(before.scale)


def corrections() -> Corrections:
    """What was changed by hand on the fields of the batch."""
    return st.session_state.setdefault(CORRECTIONS, Corrections())


def scale_bars() -> ScaleBars:
    """The fields of the batch whose scale is that of a bar."""
    return st.session_state.setdefault(SCALE_BARS, ScaleBars())
