"""What the sections share: the catalog, the model in service, the measurement of brightness."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.bundles.bundle import Bundle
from leukemia.dataset.catalog import brightness
from leukemia.dataset.catalog.catalog import Catalog, open_catalog, stamp
from leukemia.errors import BundleError, LeukemiaError
from leukemia.jobs import JobKind, JobStatus
from leukemia.markdown import plain
from pages.components import job_status, model_in_service

KIND, TITLE = JobKind.MEASURE, "Measuring brightness"
AGAIN = "measure-again"


def model() -> tuple[Bundle | None, str]:
    """The model in service, or None and why there is none."""
    try:
        return model_in_service.bundle(), ""
    except BundleError as error:
        return None, str(error)


def catalog(data: Path) -> Catalog:
    """The cells of a prepared folder as they are now; raises DatasetError where it is not prepared."""
    bundle, _ = model()
    data = Path(data).resolve()
    return _open(data, stamp(data), bundle.identity if bundle else "", bundle)


def measure_brightness(data: Path) -> bool:
    """Tell whether the brightness of all cells is measured; where not, start that and show how far it is."""
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
    state = jobs.state(last)
    if state.active:
        return False
    return state.status == JobStatus.DONE or st.session_state.pop(AGAIN, False)


@st.fragment(run_every=2.0)
def _progress(data: Path) -> None:
    last = jobs.latest(data, KIND)
    state = jobs.state(last) if last else None
    if state is None or state.active:
        share, how_far = (state.share, job_status.how_far(state)) if state else (0.0, f"{TITLE} …")
        st.progress(share, f"{how_far}. It runs in the background: you can leave this page.")
    elif state.status == JobStatus.DONE:
        st.rerun()
    else:
        st.caption(f"Brightness is not measured: {plain(state.message) or 'the work was interrupted.'}")
        st.button("Resume measuring", on_click=lambda: st.session_state.update({AGAIN: True}))


# Rows of the manifest, no image. One at a time: a manifest of a million rows takes half a gigabyte.
@st.cache_resource(max_entries=1, show_spinner="Reading the manifest …")
def _open(data: Path, state: tuple[object, ...], identity: str, _bundle: Bundle | None) -> Catalog:
    if _bundle is None:
        return open_catalog(data)
    return open_catalog(
        data,
        _bundle.predictions,
        _bundle.operating_point,
        groups=_bundle.record.split.groups(),
        synthetic=_bundle.synthetic,
    )
