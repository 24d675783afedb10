"""First the criterion, then the cells: two forms, and the first is locked once it was sent."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import streamlit as st

from leukemia import attribution, jobs
from leukemia.access.permissions import Action
from leukemia.dataset.importing import places
from leukemia.errors import ArchiveError, LeukemiaError
from leukemia.jobs import JobKind
from leukemia.markdown import plain
from leukemia.registry.versions import Version
from leukemia.reports import verification_wording as wording
from leukemia.verification import labelled_cells, statistics, store
from leukemia.verification.statistics import CONFIDENCES, USUAL_CONFIDENCE, Criterion
from leukemia.verification.store import Verification
from pages.components import flash, identity, job_status, offer, scale_question

# Which verification the section shows.
CHOSEN = "verify-chosen"
SITE, WHO = "verify-site", "verify-who"
SENSITIVITY, SPECIFICITY, CONFIDENCE = "verify-sensitivity", "verify-specificity", "verify-confidence"
SERVER, UPLOAD = "On the server", "Upload a .zip"
WHERE, PATH, FILE = "verify-where", "verify-path", "verify-file"
MAX_UPLOAD = 1_000  # MB: some thousands of cells
SCALE, PIXEL_SIZE = "verify-scale", "verify-pixel-size"
AUTOMATIC, STATED, NATIVE = "From the files", "State it", "Native C-NMC frames"
STATE, BRING = "verify-state", "verify-bring"
AT_WORK = "The criterion was not withdrawn: its cells are being classified. Cancel that first."
AS_EVER = (
    "Frames of 450 × 450 and 600 × 600 pixels are native, and a TIFF or DICOM file may record its own scale. "
    "Any other frame is not answered unless you state the scale."
)


def state(data: Path, version: Version) -> None:
    """Ask for the criterion."""
    st.subheader("1. State what you accept")
    if not offer.allowed(Action.VERIFY):
        return
    state = st.session_state
    for key, value in ((WHO, identity.name()), (SITE, ""), (SENSITIVITY, None), (SPECIFICITY, None)):
        state.setdefault(key, value)
    state.setdefault(CONFIDENCE, USUAL_CONFIDENCE)
    with st.form("verify-criterion"):
        left, middle, right = st.columns(3)
        left.number_input("Minimum sensitivity (%)", 1.0, 99.9, step=1.0, key=SENSITIVITY, placeholder="90")
        middle.number_input("Minimum specificity (%)", 1.0, 99.9, step=1.0, key=SPECIFICITY, placeholder="80")
        right.selectbox("Confidence", CONFIDENCES, key=CONFIDENCE, format_func=lambda share: f"{share:.0%}")
        left, right = st.columns(2)
        left.text_input("Laboratory", key=SITE, max_chars=attribution.MAX_WHO)
        identity.field(right, "Your name", key=WHO)
        st.form_submit_button(
            "State this criterion",
            type="primary",
            icon=":material/lock:",
            on_click=_state,
            args=(data, version),
        )
    flash.show(STATE)
    st.caption(
        "It is recorded with the time and cannot be changed once the cells are classified. Each patient "
        "weighs "
        f"the same. At least {statistics.LEAST_PATIENTS} patients of each class are needed; CLSI EP12 "
        "recommends 50."
    )


def bring(verification: Verification, version: Version) -> None:
    """Show the locked criterion, and ask for the cells."""
    criterion = verification.stated.criterion
    with st.container(border=True):
        st.markdown(f":material/lock: **Criterion.** {plain(wording.criterion(verification.stated))}")
        st.caption(plain(wording.fewest(criterion)))
    st.subheader("2. Add your labelled cells")
    if not offer.allowed(Action.VERIFY):
        return
    st.caption(plain(labelled_cells.EXPECTED))
    where = st.segmented_control(
        "Where are they?", (SERVER, UPLOAD), default=SERVER, required=True, key=WHERE
    )
    if where == SERVER:
        st.text_input("Folder, CSV or .zip on the server", key=PATH, placeholder="/srv/cells/verification")
    else:
        st.file_uploader("A .zip with the cells", type="zip", key=FILE, max_upload_size=MAX_UPLOAD)
    how = st.segmented_control(
        "Scale of the images", (AUTOMATIC, STATED, NATIVE), default=AUTOMATIC, required=True, key=SCALE
    )
    if how == STATED:
        scale_question.field(version.bundle.pixel_size, PIXEL_SIZE)
    elif how == AUTOMATIC:
        st.caption(AS_EVER)
    with st.container(horizontal=True):
        st.button(
            "Classify these cells",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_bring,
            args=(verification, version),
        )
        st.button("Withdraw the criterion", icon=":material/undo:", on_click=_withdraw, args=(verification,))
    flash.show(BRING)


def _state(data: Path, version: Version) -> None:
    state = st.session_state
    if state[SENSITIVITY] is None or state[SPECIFICITY] is None:
        flash.put(STATE, flash.ERROR, "Please enter the minimum sensitivity and specificity.")
        return
    try:
        criterion = Criterion(state[SENSITIVITY] / 100, state[SPECIFICITY] / 100, state[CONFIDENCE])
        stated = store.state(data, version.bundle, version.name, state[SITE], criterion, state[WHO])
    except LeukemiaError as error:
        flash.put(STATE, flash.ERROR, str(error))
        return
    identity.remember(state[WHO])
    state[CHOSEN] = stated.id


def _bring(verification: Verification, version: Version) -> None:
    state = st.session_state
    arguments = ["--model", str(version.bundle.folder.resolve()), "--data", str(verification.data)]
    if state[SCALE] == STATED:
        if not state.get(PIXEL_SIZE):
            flash.put(BRING, flash.ERROR, "Enter the micrometres of one pixel first.")
            return
        arguments += ["--pixel-size", repr(state[PIXEL_SIZE])]
    elif state[SCALE] == NATIVE:
        arguments += ["--pixel-size", "native"]
    if state[WHERE] == UPLOAD and state.get(FILE) is None:
        flash.put(BRING, flash.ERROR, "Choose a .zip first.")
        return
    title = f"Verification at {verification.stated.site}"
    try:
        with _source(verification) as source:
            jobs.submit(
                verification.data,
                JobKind.VERIFY,
                title,
                ["verify-stated", verification.id, str(source), *arguments],
            )
    except ArchiveError as error:
        flash.put(BRING, flash.ERROR, str(error))
    except LeukemiaError as error:
        # At the top of the page: this form may be gone from it, since another job runs or a role was taken.
        flash.put(job_status.FLASH, flash.ERROR, str(error))


def _source(verification: Verification) -> AbstractContextManager[Path]:
    """What was named on the server, or the upload, which is kept only where its job was started."""
    state = st.session_state
    if state[WHERE] == SERVER:
        # It may have been withdrawn right before, with a press that came together; an upload is checked too.
        store.check_waits(verification)
        return nullcontext(places.named(state.get(PATH, ""), tables=True))
    return store.upload(verification, state[FILE].getbuffer())


def _withdraw(verification: Verification) -> None:
    job = jobs.running(verification.data, JobKind.VERIFY.lane)
    if job and verification.id in job.arguments:
        # At the top of the page: this form is gone from it while the job runs.
        flash.put(job_status.FLASH, flash.ERROR, AT_WORK)
        return
    try:
        store.drop(verification)
    except LeukemiaError as error:
        flash.put(BRING, flash.ERROR, str(error))
