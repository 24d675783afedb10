"""The cells' brightness is measured in the background: start that once, and tell how far it is."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.dataset.catalog import brightness
from leukemia.errors import LeukemiaError
from leukemia.jobs import JobKind, JobStatus
from leukemia.markdown import plain

KIND = JobKind.MEASURE
TITLE = "Measuring brightness"


def note(data: Path) -> bool:
    """Whether all cells are measured; where not, start it and show how far it is."""
    data = Path(data).resolve()
    if brightness.finished(data):
        return True
    try:
        if _may_start(data):
            jobs.submit(data, KIND, TITLE, ["measure", "--data", str(data)])
    except LeukemiaError as error:
        st.caption(f"Brightness is not measured: {plain(str(error))}")
        return False
    _progress(data)
    return False


def _may_start(data: Path) -> bool:
    """Not while one runs, nor again where the last one failed on the manifest as it is now."""
    last = jobs.latest(data, KIND)
    if last is None:
        return True
    phase = jobs.state(last).status
    if phase in ("running", "stopping"):
        return False
    return phase == "done" or st.session_state.pop("measure-again", False)


@st.fragment(run_every=2.0)
def _progress(data: Path) -> None:
    last = jobs.latest(data, KIND)
    state = jobs.state(last) if last else None
    if state is None or state.active:
        share = state.share if state else 0.0
        how_far = f": {state.done:,} of {state.total:,}" if state and state.total else ""
        st.progress(share, f"{TITLE} in the background{how_far}. The page can be left meanwhile.")
    elif state.status == JobStatus.DONE:
        st.rerun()
    else:
        st.caption(f"Brightness is not measured: {plain(state.message) or 'the work was broken off.'}")
        st.button("Go on measuring", on_click=lambda: st.session_state.update({"measure-again": True}))
