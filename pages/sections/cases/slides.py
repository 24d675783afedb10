"""A whole slide into a case: searched in the background, paused and resumed; its cells become the case's."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.access.permissions import Action
from leukemia.cases import slides
from leukemia.cases.case import Case
from leukemia.errors import BundleError, ImageError, LeukemiaError
from leukemia.imaging import scale
from leukemia.imaging.slide import Slide
from leukemia.jobs import Job, JobKind, JobStatus
from leukemia.markdown import plain
from leukemia.segmentation.slides.search import DIFFERENTIAL, MOST
from leukemia.storage import files
from leukemia.storage.workspace import Workspace
from pages.components import flash, identity, job_status, model_in_service, offer, scale_question
from pages.sections.cases import words

FLASH = "slide"
NONE = (
    "There are no slides yet. Put them into the folder {} on the server: tiled TIFF, SVS, NDPI, SCN or BIF."
)
WHOLE, COUNT = "All of it", "A differential count"
ABOUT = {
    WHOLE: f"The whole slide is searched. The search ends at {MOST:,} white cells.",
    COUNT: f"The first {DIFFERENTIAL} white cells along the battlement track, from the film's edge inwards.",
}
TOO_COARSE = (
    "This slide has {:.3g} µm per pixel. The model reads cells of at most {:.2g} µm per pixel: the cells of "
    "this slide will be listed, but not classified."
)


def show(data: Path, case: Case) -> None:
    """Lay out the choice of a slide, or how its search stands.

    Parameters
    ----------
    data : Path
        The data folder.
    case : Case
        An open one.
    """
    if not offer.may(Action.MAKE_CASES):
        return
    try:
        pixel_size = model_in_service.bundle().pixel_size
    except BundleError:
        return  # said where images are dropped
    job = jobs.latest(data, JobKind.SLIDE)
    state = jobs.state(job) if job else None
    ours = job is not None and _case_of(job) == str(case.id)
    busy = state is not None and state.active
    waits = ours and not busy and state.status != JobStatus.DONE
    opened = flash.waits(FLASH) or (ours and (busy or waits))
    with st.expander("Add a whole slide", icon=":material/crop_landscape:", expanded=opened):
        flash.show(FLASH)
        flash.show(job_status.FLASH)
        if busy and ours:
            job_status.follow(job, stop="Pause")
            return
        if busy:
            st.info(f"{plain(job.title)} is running. Only one slide is searched at a time.")
            return
        if waits:
            job_status.ended(job, state)
        _form(data, case, pixel_size)


def _form(data: Path, case: Case, pixel_size: float) -> None:
    there = slides.there(data)
    if not there:
        st.caption(plain(NONE.format(Workspace(data).slides.resolve())))
        return
    path = st.selectbox("Slide", there, format_func=lambda one: files.shown(one.name), key=_slide_key(case))
    how = st.segmented_control(
        "What to search", (WHOLE, COUNT), default=WHOLE, required=True, key=_how_key(case)
    )
    st.caption(ABOUT[how])
    try:
        with Slide(path) as slide:
            recorded = slide.pixel_size
    except ImageError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if recorded is None:
        st.markdown("The slide does not record how large one pixel is.")
        scale_question.field(pixel_size, _scale_key(case))
    elif recorded > pixel_size * scale.FACTORS[1]:
        st.warning(TOO_COARSE.format(recorded, pixel_size * scale.FACTORS[1]), icon=":material/straighten:")
    st.button(
        "Search the slide",
        key=f"slide-search-{case.id}",
        icon=":material/search:",
        type="primary",
        on_click=_start,
        args=(data, case),
    )


def _start(data: Path, case: Case) -> None:
    """Search the slide that is chosen as the button is pressed: it may not be the one laid out last."""
    if not identity.name():
        flash.put(FLASH, flash.WARNING, words.NAME_FIRST)
        return
    path, how = st.session_state[_slide_key(case)], st.session_state[_how_key(case)]
    arguments = ["add-slide", str(path.resolve()), "--case", str(case.id), "--data", str(data.resolve())]
    if how == COUNT:
        arguments.append("--battlement")
    try:
        with Slide(path) as slide:
            ask_scale = slide.pixel_size is None
        if ask_scale:
            stated = st.session_state.get(_scale_key(case))
            if not stated:
                flash.put(FLASH, flash.WARNING, scale_question.NEEDED)
                return
            arguments += ["--pixel-size", repr(stated)]
        title = f"Search of {files.shown(path.name)}" if case.keep_names else "Search of a slide"
        jobs.submit(data, JobKind.SLIDE, title, arguments, by=identity.name())
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))


def _case_of(job: Job) -> str:
    """The number of the case that a search is for."""
    return job.arguments[job.arguments.index("--case") + 1] if "--case" in job.arguments else ""


def _slide_key(case: Case) -> str:
    return f"slide-{case.id}"


def _how_key(case: Case) -> str:
    return f"slide-how-{case.id}"


def _scale_key(case: Case) -> str:
    return f"slide-scale-{case.id}"
