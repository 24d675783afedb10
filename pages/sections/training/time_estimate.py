"""How long a training takes on this machine, as measured on it; measured here where it was not yet."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.errors import LeukemiaError
from leukemia.jobs import Job, JobKind, JobState, JobStatus
from leukemia.markdown import plain
from leukemia.plots import times
from leukemia.recipes import throughput
from leukemia.recipes.definitions import Definition
from leukemia.recipes.settings import Training

KIND = JobKind.PACE
EVERY = 2.0
ASKED = "pace-asked"


def show(data: Path, recipe: Definition, training: Training, *, cells: int, kind: str, **counts: int) -> None:
    """Say how long it takes, or measure that in the background.

    Parameters are those of :func:`leukemia.recipes.throughput.estimate`.
    """
    seconds = throughput.estimate(data, recipe.name, training, cells=cells, kind=kind, **counts)
    if seconds is not None:
        early = "" if kind == "crossvalidate" else " It ends earlier if it stops improving."
        st.markdown(
            f":material/timer: At most about **{times.about(seconds)}** with these settings, as measured on "
            f"this machine.{early}"
        )
    elif running := jobs.running(data, jobs.Lane.CHANGE):
        st.caption(
            f":material/timer: The training time has not been measured on this machine yet. It cannot be "
            f"measured while {plain(running.title)} is running."
        )
    else:
        _measure(data, recipe)


def _measure(data: Path, recipe: Definition) -> None:
    last = _last(data, recipe.name)
    state = jobs.state(last) if last else None
    asked = st.session_state.pop(ASKED, "") == recipe.name
    if not asked and not (state and state.active) and (why := _why_not_by_itself(recipe, state)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/timer: {why}", width="content")
            st.button("Measure it", on_click=_ask, args=(recipe.name,))
        return
    if not jobs.running(data, jobs.Lane.MEASURE):
        arguments = ["pace", "--recipe", recipe.name, "--data", str(data)]
        try:
            jobs.submit(data, KIND, f"Measuring the speed of {recipe.name}", arguments)
        except LeukemiaError as error:
            st.caption(f":material/timer: The training time cannot be measured: {plain(str(error))}")
            return
    _wait(data)


def _why_not_by_itself(recipe: Definition, state: JobState | None) -> str:
    if state and state.status != JobStatus.DONE:
        return f"The training time could not be measured: {plain(state.message)}"
    if recipe.needs:
        return (
            "The training time has not been measured on this machine yet. Install what the recipe needs "
            "to measure it."
        )
    return ""


def _ask(recipe: str) -> None:
    st.session_state[ASKED] = recipe


@st.fragment(run_every=EVERY)
def _wait(data: Path) -> None:
    running = jobs.running(data, jobs.Lane.MEASURE)
    if running is None:
        st.rerun()
    after = "" if running.kind == KIND else f", after this: {plain(running.title)}"
    st.caption(f":material/timer: The training time is being measured on this machine{after} …")


def _last(data: Path, recipe: str) -> Job | None:
    return next((job for job in jobs.history(data, (KIND,)) if recipe in job.arguments), None)
