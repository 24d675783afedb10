"""Import a download, or the drawn set, in the background: the same import as the command line's."""

import os
import zipfile
from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.errors import DatasetError
from leukemia.jobs import Job, JobKind, JobState, JobStatus
from leukemia.markdown import plain
from leukemia.storage.workspace import Workspace
from pages.components import flash, job_status
from pages.sections.dataset import address, resources

KIND = JobKind.IMPORT
DOWNLOAD, SAMPLE = "A download on the server", "The sample set"
WHERE = "Folder or .zip on the server"
ABOUT = {
    DOWNLOAD: "C-NMC 2019 as it is downloaded: the archive's own layout or Kaggle's. Nothing is unpacked or "
    "changed there.",
    SAMPLE: "720 cells of 24 patients, drawn by a program in C-NMC's layout, with its traps: to try the page "
    "without a download. Nothing learned from them says anything about leukemia.",
}
REFUSED = "import-refused"


def show(data: Path) -> None:
    """Lay the section out."""
    data = Path(data).resolve()
    there = _there(data)
    flash.show(job_status.FLASH)
    job = jobs.latest(data, KIND)
    state = jobs.state(job) if job else None
    if job and state.active:
        st.subheader(plain(job.title))
        job_status.follow(job)
        return
    if job:
        _ended(job, state)
    _form(data, there)


def refusal(text: str) -> str:
    """Why a path cannot be imported, in a sentence; empty where it can be tried."""
    if not text.strip():
        return "Name a folder or a .zip on the server."
    path = Path(text.strip()).expanduser()
    try:
        if not path.exists():
            return f"No such file or folder on the server: {path}."
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            return f"{path} is not readable for this program: its owner must allow it."
        if path.is_file() and not zipfile.is_zipfile(path):
            return f"{path} is not a folder or a whole .zip file."
    except (OSError, ValueError) as error:
        return f"This path cannot be opened: {getattr(error, 'strerror', None) or 'it is not a path'}."
    return ""


def _there(data: Path) -> str:
    """Say what the folder holds; empty where that is nothing."""
    try:
        tally = resources.catalog(data).tally()
    except DatasetError as error:
        if Workspace(data).manifest.exists():
            st.error(plain(str(error)), icon=":material/error:")
            return "a damaged set"
        st.markdown("No images yet: import a download, or draw the sample set.")
        return ""
    kind = "drawn" if resources.catalog(data).synthetic else "real"
    held = f"{tally.images:,} {kind} images of {tally.patients:,} patients"
    st.markdown(f"The data folder holds **{held}**.")
    return held


def _form(data: Path, there: str) -> None:
    st.subheader("Import")
    source = st.segmented_control(
        "What to import", (DOWNLOAD, SAMPLE), key="import-source", default=DOWNLOAD, required=True
    )
    st.caption(ABOUT[source])
    if source == DOWNLOAD:
        st.text_input(WHERE, key="import-path", placeholder="/srv/downloads/C-NMC_Leukemia.zip")
    agreed = True
    if there:
        agreed = st.checkbox(
            f"Replace what is there ({there}); corrections of labels are kept with their images",
            key="import-replace",
        )
    other = jobs.running(data, jobs.Lane.CHANGE)
    if other:
        st.info(
            f"{plain(other.title)} works on this data folder: wait for its end.", icon=":material/pending:"
        )
    st.button(
        "Start the import",
        type="primary",
        icon=":material/download:",
        on_click=_start,
        args=(data, source == SAMPLE),
        disabled=not agreed or other is not None,
    )
    flash.show(REFUSED)


def _start(data: Path, sample: bool) -> None:
    if sample:
        what, title = ["--sample"], "Import of the sample set"
    else:
        text = st.session_state["import-path"]
        if why := refusal(text):
            flash.put(REFUSED, flash.ERROR, why)
            return
        path = Path(text.strip()).expanduser().resolve()
        what, title = [str(path)], f"Import of {path.name}"
    job_status.start(data, KIND, title, ["prepare", *what, "--output", str(data)])


def _ended(job: Job, state: JobState) -> None:
    if state.status != JobStatus.DONE:
        st.subheader(plain(job.title))
        st.caption("The set is as it was before. What was read so far is kept for going on.")
        job_status.ended(job, state)
        return
    with st.expander(f"{plain(job.title)}: done. What was found", icon=":material/check_circle:"):
        for line in state.imported.report:
            st.markdown(plain(line))
        job_status.problems(state)
    with st.container(horizontal=True):
        for title in ("Overview", "Gallery", "Checks"):
            st.button(
                title,
                key=f"import-to-{title}",
                icon=":material/arrow_forward:",
                on_click=address.put,
                args=(address.SECTION, title.lower()),
            )
