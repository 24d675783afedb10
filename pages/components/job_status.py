"""A background job, seen: how far it is, what it found, how to end it and how to go on."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.jobs import launcher
from leukemia.jobs.launcher import Job, State
from leukemia.markdown import plain
from pages.components import flash

EVERY = 1.0  # seconds between two looks
SHOWN = 8
FLASH = "job"


def start(data: Path, kind: str, title: str, arguments: Sequence[str], lane: str) -> None:
    """Start a job, as a callback; a message at :data:`FLASH` says why where that fails."""
    try:
        launcher.start(data, kind, title, arguments, lane=lane)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))


def again(job: Job) -> None:
    """Start a job's command again, as a callback."""
    try:
        launcher.again(job)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))


def follow(job: Job) -> None:
    """Show a job while it works, without running the page again until it ends."""
    st.fragment(_watch, run_every=EVERY)(job)


def ended(job: Job, state: State, *, go_on: str = "Go on", on_click: Callable[[Job], None] = again) -> None:
    """Say how a job ended that did not end well, with a button to go on from there."""
    text = f"{plain(job.title)}: {plain(state.message) or 'broken off.'}"
    if state.phase == "stopped":
        st.info(text, icon=":material/stop_circle:")
    else:
        st.error(text, icon=":material/error:")
    problems(state)
    with st.container(horizontal=True):
        st.button(
            go_on, key=f"again-{job.kind}", icon=":material/play_arrow:", on_click=on_click, args=(job,)
        )
    log(job)


def problems(state: State) -> None:
    """What a job found wrong so far."""
    if not state.problem_count:
        return
    lines = [f"- {plain(text)}" for text in state.problems[:SHOWN]]
    if state.problem_count > len(lines):
        lines.append(f"- and {state.problem_count - len(lines):,} more")
    one = state.problem_count == 1
    st.markdown(f"**{state.problem_count:,} problem{'' if one else 's'} found**\n\n" + "\n".join(lines))


def _watch(job: Job) -> None:
    state = launcher.state(job)
    if not state.active:
        st.rerun()
    st.progress(state.share, _how_far(job, state))
    if state.counts:
        with st.container(horizontal=True):
            for name, count in sorted(state.counts.items()):
                st.metric(name if name.isupper() else name.capitalize(), f"{count:,}", width=120)
    problems(state)
    st.button(
        "Cancel" if state.phase == "running" else "Ending …",
        key=f"cancel-{job.kind}",
        icon=":material/stop:",
        on_click=launcher.cancel,
        args=(job,),
        disabled=state.phase != "running",
    )
    st.caption("It runs in the background: this page can be left or closed meanwhile.")
    log(job)


def _how_far(job: Job, state: State) -> str:
    seconds = (datetime.now(UTC) - datetime.fromisoformat(job.started)).total_seconds()
    clock = f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
    if not state.total:
        return f"{plain(job.title)}: starting, {clock}"
    return f"{plain(state.what)}: {state.done:,} of {state.total:,}, {clock}"


def log(job: Job) -> None:
    """The last lines of its log, folded away."""
    if tail := launcher.log_tail(job, 20):
        with st.expander("Log"):
            st.code(tail, language=None, wrap_lines=True)
