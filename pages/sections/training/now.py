"""The run at work, what waits behind it, and how the last one ended: read anew every second.

Nothing is remembered here: what a page sees lies in the data folder, so that it finds a run again that
somebody else started, or that outlived the dashboard.
"""

from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.jobs import launcher, progress
from leukemia.jobs import queue as waiting
from leukemia.jobs.job import read
from leukemia.jobs.launcher import Job, State
from leukemia.jobs.queue import Waiting
from leukemia.markdown import plain
from pages.components import flash, identity, job_status
from pages.sections.training import live, queue, times

LEFT = "training-now-left"
EVERY = 1.0  # seconds between two looks
NOTHING = "Nothing is at work. A training that is started, by whomever, is seen here."


@st.fragment(run_every=EVERY)
def show(data: Path) -> None:
    """Lay the section out."""
    if st.session_state.pop(LEFT, False):
        st.rerun()  # another section was asked for: that is the page's work
    flash.show(job_status.FLASH)
    try:
        waiting.advance(data)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
    busy, found = launcher.running(data, launcher.CHANGE), waiting.queue(data)
    if busy is None:
        if not found:
            _nothing()
    elif busy.kind in waiting.KINDS:
        live.show(busy, launcher.state(busy))
    else:
        _other(busy)
    queue.show(data, found)
    _last(data, busy, found)


def _nothing() -> None:
    st.info(NOTHING, icon=":material/hourglass_empty:")
    st.button("New run", icon=":material/add:", on_click=_go, args=({"section": "new"},))


def _other(job: Job) -> None:
    state = launcher.state(job)
    st.info(
        f"{plain(job.title)} works on this data folder; trainings wait for it.", icon=":material/pending:"
    )
    if state.total:
        st.progress(state.share, f"{plain(state.what)}: {state.done:,} of {state.total:,}")


def _last(data: Path, busy: Job | None, found: list[Waiting]) -> None:
    """How the one before ended, unless somebody goes on with it already."""
    past = (job for job in launcher.history(data, waiting.KINDS) if job != busy)
    job = next(past, None)
    if job is None or job.arguments in {one.arguments for one in (*found, *([busy] if busy else []))}:
        return
    state = launcher.state(job)
    if state.active:
        return
    st.subheader("What ended last", anchor=False)
    if state.phase == "done":
        _done(job, state)
    else:
        job_status.ended(job, state, on_click=_go_on)
        st.caption(_ended(job) + " Going on takes up its last finished epoch, with the same settings.")


def _done(job: Job, state: State) -> None:
    version = state.facts.get("version")
    kept = f" It is version {version} in the registry; nothing is in service by that." if version else ""
    st.success(f"{plain(job.title)}: done.{kept}", icon=":material/check_circle:")
    for sentence in state.facts.get("warnings") or ():
        st.warning(plain(str(sentence)), icon=":material/warning:")
    st.caption(_ended(job))
    run = str(state.facts.get("run_id") or "")
    if run:
        there = {"section": "runs", "run": run}
        icon = ":material/arrow_forward:"
        st.button("See it in Runs", icon=icon, type="primary", on_click=_go, args=(there,))
    job_status.log(job)


def _ended(job: Job) -> str:
    at = (read(job.folder / progress.END) or {}).get("ended")
    who = f" by {plain(job.by)}" if job.by else ""
    return f"Started {times.when(job.started)}{who}{f', ended {times.when(at)}' if at else ''}."


def _go_on(job: Job) -> None:
    try:
        waiting.again(job, identity.name())
    except LeukemiaError as error:
        flash.put(job_status.FLASH, flash.ERROR, str(error))


def _go(query: dict[str, str]) -> None:
    st.query_params.from_dict(query)
    st.session_state[LEFT] = True
