"""A background job on screen: progress, problems, Cancel and Resume."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.errors import LeukemiaError
from leukemia.jobs import Job, JobKind, JobState, JobStatus
from leukemia.markdown import plain
from leukemia.plots import times
from pages.components import flash, offer

EVERY = 1.0  # seconds between two readings
SHOWN = 8  # problems
FLASH = "job"


def start(data: Path, kind: JobKind, title: str, arguments: Sequence[str]) -> None:
    """Start a job, as a callback; a message at :data:`FLASH` says why where that fails."""
    try:
        jobs.submit(data, kind, title, arguments)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))


def again(job: Job) -> None:
    """Run a job's command again, as a callback."""
    try:
        jobs.resubmit(job)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))


def cancel(job: Job) -> None:
    """Cancel a job, as a callback; a message at :data:`FLASH` says why where that fails."""
    try:
        jobs.cancel(job)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))


def follow(job: Job, *, stop: str = "Cancel") -> None:
    """Show a job while it works, without running the page again until it ends; ``stop`` is on its button."""
    st.fragment(_watch, run_every=EVERY)(job, stop)


def unfinished(data: Path, kind: JobKind, *, resume: str = "Resume") -> bool:
    """Show the last job of a kind while it works, or how it ended if that was not well; whether it is so."""
    job = jobs.latest(data, kind)
    state = jobs.state(job) if job else None
    if state and state.active:
        follow(job)
    elif state and state.status != JobStatus.DONE:
        ended(job, state, resume=resume)
    else:
        return False
    return True


def ended(
    job: Job, state: JobState, *, resume: str = "Resume", on_click: Callable[[Job], None] = again
) -> None:
    """Say how a job ended that did not end well, with a button to resume it."""
    text = f"{plain(job.title)}: {plain(state.message) or 'interrupted.'}"
    if state.status == JobStatus.STOPPED:
        st.info(text, icon=":material/stop_circle:")
    else:
        st.error(text, icon=":material/error:")
    problems(state)
    with st.container(horizontal=True):
        st.button(
            resume, key=f"again-{job.kind}", icon=":material/play_arrow:", on_click=on_click, args=(job,)
        )
    log(job)


def problems(state: JobState) -> None:
    """Show what went wrong so far."""
    if not state.problem_count:
        return
    lines = [f"- {plain(text)}" for text in state.problems[:SHOWN]]
    if state.problem_count > len(lines):
        lines.append(f"- and {state.problem_count - len(lines):,} more")
    one = state.problem_count == 1
    st.markdown(f"**{state.problem_count:,} problem{'' if one else 's'} found**\n\n" + "\n".join(lines))


def _watch(job: Job, stop: str) -> None:
    state = jobs.state(job)
    if not state.active:
        st.rerun()
    st.progress(state.share, f"{how_far(state)} · {times.clock(job.elapsed)} so far")
    st.button(
        stop if state.status == JobStatus.RUNNING else "Stopping …",
        key=f"cancel-{job.kind}",
        icon=":material/stop:",
        on_click=cancel,
        args=(job,),
        disabled=state.status != JobStatus.RUNNING or not offer.may_change(job),
    )
    st.caption("It runs in the background: you can leave or close this page.")
    # Below what is pressed, which stays where it is.
    if state.counts:
        with st.container(horizontal=True):
            for name, count in sorted(state.counts.items()):
                st.metric(name if name.isupper() else name.capitalize(), f"{count:,}", width=120)
    problems(state)
    log(job)


def how_far(state: JobState, unit: str = "") -> str:
    """What a job is doing, how far it is with that, and how long that takes still."""
    what = plain(state.what) or "Starting the program"
    left = f", about {times.about(state.left)} left" if state.left else ""
    if not state.total:
        return f"{what}{left} …"
    return f"{what}: {state.done:,} of {state.total:,}{unit}{left}"


def log(job: Job) -> None:
    """Show the last lines of its log, folded away."""
    if tail := jobs.log_tail(job, 20):
        with st.expander("Log"):
            st.code(tail, language=None, wrap_lines=True)
