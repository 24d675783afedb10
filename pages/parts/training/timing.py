"""How long a training takes on this machine, by what was measured on it; measured where it was not yet."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.errors import LeukemiaError
from leukemia.jobs import Job
from leukemia.learning import pace
from leukemia.learning.catalogue import Training
from pages.parts.text import plain
from pages.parts.training import times

KIND = "pace"
EVERY = 2.0
AGAIN = "pace-again"


def show(data: Path, recipe: str, training: Training, *, cells: int, kind: str, **counts: int) -> None:
    """Say how long it takes, or measure that in the background; ``counts`` are folds, trials, views."""
    seconds = pace.estimate(data, recipe, training, cells=cells, kind=kind, **counts)
    if seconds is not None:
        _tell(seconds, kind)
    elif work := jobs.running(data, jobs.CHANGE):
        st.caption(
            f":material/timer: How long it takes was not measured on this machine yet; while "
            f"{plain(work.title)} works, it would come out wrong."
        )
    else:
        _measure(data, recipe)


def _tell(seconds: float, kind: str) -> None:
    early = "" if kind == "crossvalidate" else " It ends earlier where it stops getting better."
    st.markdown(
        f":material/timer: At most about **{times.about(seconds)}** with these settings, by what was "
        f"measured on this machine.{early}"
    )


def _measure(data: Path, recipe: str) -> None:
    last = _last(data, recipe)
    phase = jobs.state(last).phase if last else ""
    if phase in ("failed", "stopped", "lost") and not st.session_state.pop(AGAIN, False):
        state = jobs.state(last)
        st.warning(
            f"How long it takes could not be measured: {plain(state.message)}", icon=":material/timer:"
        )
        st.button("Measure again", on_click=lambda: st.session_state.update({AGAIN: True}))
        return
    if phase not in ("running", "stopping") and not jobs.running(data, jobs.MEASURE):
        arguments = ["pace", "--recipe", recipe, "--data", str(data)]
        try:
            jobs.start(data, KIND, f"Measuring the pace of {recipe}", arguments, lane=jobs.MEASURE)
        except LeukemiaError as error:
            st.caption(f":material/timer: How long it takes is not measured: {plain(str(error))}")
            return
    _wait(data)


@st.fragment(run_every=EVERY)
def _wait(data: Path) -> None:
    work = jobs.running(data, jobs.MEASURE)
    if work is None:
        st.rerun()
    what = "" if work.kind == KIND else f", after this: {plain(work.title)}"
    st.caption(f":material/timer: How long it takes is being measured on this machine{what} …")


def _last(data: Path, recipe: str) -> Job | None:
    return next((job for job in jobs.history(data, (KIND,)) if recipe in job.arguments), None)
