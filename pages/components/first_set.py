"""What a page shows where nothing has been imported yet: the import that runs, or the ways to a set."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.access.permissions import Action
from leukemia.jobs import JobKind, JobStatus
from leukemia.markdown import plain
from leukemia.storage.workspace import Workspace
from pages.components import flash, job_status, offer
from pages.components.section_picker import WORD as SECTION

KIND, TITLE = JobKind.IMPORT, "Import of the sample set"
NOTHING = "No images have been imported yet."
ABOUT = (
    "720 synthetic cells of 24 patients in C-NMC's layout, with its pitfalls: try the page without a "
    "download. They were drawn by a program; results on them say nothing about leukemia."
)


def show(data: Path) -> None:
    """Lay it out for a data folder without a set."""
    data = Path(data).resolve()
    flash.show(job_status.FLASH)
    job = jobs.latest(data, KIND)
    state = jobs.state(job) if job else None
    if state and state.active:
        st.subheader(plain(job.title))
        st.caption("This page fills as soon as the import has finished.")
        job_status.follow(job)
        return
    if state and state.status != JobStatus.DONE:
        job_status.ended(job, state)
    st.info(NOTHING, icon=":material/folder_off:")
    if not offer.allowed(Action.IMPORT):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Prepare the sample set",
            type="primary",
            icon=":material/draw:",
            on_click=prepare_sample,
            args=(data,),
            disabled=jobs.running(data, jobs.Lane.CHANGE) is not None,
        )
        st.page_link(
            "pages/dataset.py",
            label="Import your own download of C-NMC 2019",
            icon=":material/download:",
            query_params={SECTION: "import"},
        )
    st.caption(ABOUT)


def exists(data: Path) -> bool:
    """Whether a set was imported into the data folder, be it whole or damaged."""
    return Workspace(data).manifest.exists()


def arguments(data: Path) -> list[str]:
    """The command that draws the sample set and imports it."""
    return ["prepare", "--sample", "--output", str(data)]


def prepare_sample(data: Path) -> None:
    """Draw the sample set and import it in the background, as a callback."""
    job_status.start(data, KIND, TITLE, arguments(data))
