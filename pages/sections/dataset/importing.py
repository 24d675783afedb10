"""Import a download, or the sample set, in the background: the same import as the command line's."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.access.permissions import Action
from leukemia.dataset.importing import places
from leukemia.errors import DatasetError, LeukemiaError
from leukemia.jobs import Job, JobKind, JobState, JobStatus
from leukemia.markdown import plain
from leukemia.storage.workspace import Workspace
from pages.components import first_set, flash, job_status, offer
from pages.sections.dataset import address, resources

KIND = JobKind.IMPORT
DOWNLOAD, SAMPLE = "A download on the server", "The sample set"
SOURCE, PATH, REPLACE = "import-source", "import-path", "import-replace"
WHERE = "Folder or .zip on the server"
ABOUT = {
    DOWNLOAD: "C-NMC 2019 as downloaded, in the archive's own layout or Kaggle's. Nothing is unpacked or "
    "changed there.",
    SAMPLE: first_set.ABOUT,
}
REFUSED = "import-refused"
TICK = "Not started. To replace the current set, tick the box, then start the import again."


def show(data: Path) -> None:
    """Lay out the section for the data folder, prepared or not."""
    data = Path(data).resolve()
    contents = _contents(data)
    flash.show(job_status.FLASH)
    job = jobs.latest(data, KIND)
    state = jobs.state(job) if job else None
    if job and state.active:
        st.subheader(plain(job.title))
        job_status.follow(job)
        return
    if job:
        _ended(job, state)
    _form(data, contents)


def _contents(data: Path) -> str:
    """Say what the folder holds, and return it in words; empty where that is nothing."""
    try:
        tally = resources.catalog(data).tally()
    except DatasetError as error:
        if Workspace(data).manifest.exists():
            st.error(plain(str(error)), icon=":material/error:")
            return "a damaged set"
        st.markdown("No images yet. Import a download or the sample set.")
        return ""
    kind = "synthetic" if resources.catalog(data).synthetic else "real"
    contents = f"{tally.images:,} {kind} images of {tally.patients:,} patients"
    st.markdown(f"The data folder holds **{contents}**.")
    return contents


def _form(data: Path, contents: str) -> None:
    st.subheader("Import")
    if not offer.allowed(Action.IMPORT):
        return
    source = st.segmented_control(
        "What to import", (DOWNLOAD, SAMPLE), key=SOURCE, default=DOWNLOAD, required=True
    )
    st.caption(ABOUT[source])
    if source == DOWNLOAD:
        st.text_input(WHERE, key=PATH, placeholder="/srv/downloads/C-NMC_Leukemia.zip")
    agreed = True
    if contents:
        agreed = st.checkbox(
            f"Replace the current set ({contents}). Label corrections stay with their images.",
            key=REPLACE,
        )
    other = jobs.running(data, jobs.Lane.CHANGE)
    if other:
        st.info(
            f"{plain(other.title)} is using this data folder. Please wait until it has finished.",
            icon=":material/pending:",
        )
    st.button(
        "Start the import",
        type="primary",
        icon=":material/download:",
        on_click=_start,
        args=(data,),
        disabled=not agreed or other is not None,
    )
    flash.show(REFUSED)


def _start(data: Path) -> None:
    # As they are at the press: they may have changed since the form was laid out.
    state = st.session_state
    if first_set.exists(data) and not state.get(REPLACE):
        flash.put(REFUSED, flash.ERROR, TICK)
        return
    if state[SOURCE] == SAMPLE:
        first_set.prepare_sample(data)
        return
    try:
        path = places.named(state.get(PATH, ""))
    except LeukemiaError as error:
        flash.put(REFUSED, flash.ERROR, str(error))
        return
    job_status.start(data, KIND, f"Import of {path.name}", ["prepare", str(path), "--output", str(data)])


def _ended(job: Job, state: JobState) -> None:
    if state.status != JobStatus.DONE:
        st.subheader(plain(job.title))
        st.caption("The set is unchanged. Everything read so far is kept, so you can resume the import.")
        job_status.ended(job, state)
        return
    with st.expander(f"{plain(job.title)}: done. Report", icon=":material/check_circle:"):
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
