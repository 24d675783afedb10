"""The job that runs, the queue behind it, and how the last one ended: read again every second.

Nothing is remembered here: everything is in the data folder, so that the page also shows a run that
someone else started, or that outlived the dashboard.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.access.permissions import Action
from leukemia.errors import LeukemiaError
from leukemia.jobs import Job, JobState, JobStatus, WaitingJob
from leukemia.markdown import plain
from leukemia.plots import times
from pages.components import flash, identity, job_status, offer
from pages.sections.training import running

LEFT = "training-now-left"
EVERY = 1.0  # seconds between two updates
NOTHING = "Nothing is running. Anyone's training shows here."


@st.fragment(run_every=EVERY)
def show(data: Path) -> None:
    """Show the section."""
    if st.session_state.pop(LEFT, False):
        st.rerun()  # another section was asked for: that is the page's work
    flash.show(job_status.FLASH)
    try:
        jobs.advance(data)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
    job, waiting = jobs.running(data, jobs.Lane.CHANGE), jobs.waiting(data)
    if job is None:
        if not waiting:
            st.info(NOTHING, icon=":material/hourglass_empty:")
            st.button("New run", icon=":material/add:", on_click=_go, args=({"section": "new"},))
    elif job.kind in jobs.TRAININGS:
        running.show(job, jobs.state(job))
    else:
        _show_other(job)
    if waiting:
        _show_queue(data, waiting)
    _show_last(data, job, waiting)


def _show_other(job: Job) -> None:
    state = jobs.state(job)
    st.info(
        f"{plain(job.title)} is running on this data folder; trainings wait for it.",
        icon=":material/pending:",
    )
    st.progress(state.share, job_status.how_far(state))


def _show_queue(data: Path, waiting: list[WaitingJob]) -> None:
    st.subheader("Queue", anchor=False)
    several = f"{len(waiting)} trainings are" if len(waiting) > 1 else "1 training is"
    st.caption(f"{several} waiting. One runs at a time; the next one starts automatically.")
    # Moving one makes others wait.
    may_move = offer.may(Action.CHANGE_OTHERS_JOBS)
    for place, training in enumerate(waiting, 1):
        _show_waiting(data, place, training, last=place == len(waiting), may_move=may_move)


def _show_waiting(data: Path, place: int, training: WaitingJob, *, last: bool, may_move: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"queue-{place}"):
        by = f" by {plain(training.by)}" if training.by else ""
        added = f":small[added {times.when(training.asked)}{by}]"
        st.markdown(f"**{place}.** {plain(training.title)}  \n{added}", width="stretch")
        for icon, meaning, disabled, change in (
            ("arrow_upward", "Move up", place == 1 or not may_move, lambda: jobs.move(data, training.id, -1)),
            ("arrow_downward", "Move down", last or not may_move, lambda: jobs.move(data, training.id, 1)),
            (
                "delete",
                "Remove from the queue",
                not offer.may_change(training),
                lambda: jobs.drop(data, training.id),
            ),
        ):
            st.button(
                "",
                key=f"queue-{icon}-{training.id}",
                icon=f":material/{icon}:",
                help=meaning,
                disabled=disabled,
                on_click=_try,
                args=(change,),
            )


def _show_last(data: Path, running: Job | None, waiting: list[WaitingJob]) -> None:
    """Show how the last training ended, unless someone has resumed it already."""
    last = next((job for job in jobs.history(data, jobs.TRAININGS) if job != running), None)
    resumed = {one.arguments for one in (*waiting, *([running] if running else []))}
    if last is None or last.arguments in resumed:
        return
    state = jobs.state(last)
    if state.active:
        return
    st.subheader("Last finished", anchor=False)
    if state.status == JobStatus.DONE:
        _show_done(last, state)
    else:
        job_status.ended(last, state, on_click=_resume)
        st.caption(f"{_dates(last)} Resume to continue from its last finished epoch, with the same settings.")


def _show_done(job: Job, state: JobState) -> None:
    version = state.training.version
    became = f" It is version {version}. Promote it under Runs to put it in service." if version else ""
    st.success(f"{plain(job.title)}: done.{became}", icon=":material/check_circle:")
    for sentence in state.training.warnings:
        st.warning(plain(sentence), icon=":material/warning:")
    st.caption(_dates(job))
    if run := state.training.run_id:
        st.button(
            "Open it in Runs",
            icon=":material/arrow_forward:",
            type="primary",
            on_click=_go,
            args=({"section": "runs", "run": run},),
        )
    job_status.log(job)


def _dates(job: Job) -> str:
    ended = jobs.ended_at(job)
    by = f" by {plain(job.by)}" if job.by else ""
    return f"Started {times.when(job.started)}{by}{f', ended {times.when(ended)}' if ended else ''}."


def _resume(job: Job) -> None:
    _try(lambda: jobs.resubmit(job, identity.name()))


def _try(change: Callable[[], object]) -> None:
    try:
        change()
    except LeukemiaError as error:
        flash.put(job_status.FLASH, flash.ERROR, str(error))


def _go(query: dict[str, str]) -> None:
    st.query_params.from_dict(query)
    st.session_state[LEFT] = True
