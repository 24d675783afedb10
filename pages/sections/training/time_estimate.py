"""How long a training takes on this machine, by what was measured on it; measured where it was not yet."""

from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.jobs import launcher
from leukemia.jobs.launcher import Job, State
from leukemia.markdown import plain
from leukemia.recipes import throughput
from leukemia.recipes.definitions import Definition
from leukemia.recipes.settings import Training
from pages.sections.training import times

KIND = "pace"
EVERY = 2.0
ASKED = "pace-asked"


def show(
    data: Path, outline: Definition, training: Training, *, cells: int, kind: str, **counts: int
) -> None:
    """Say how long it takes, or measure that in the background; ``counts`` are folds, trials, views."""
    seconds = throughput.estimate(data, outline.name, training, cells=cells, kind=kind, **counts)
    if seconds is not None:
        _tell(seconds, kind)
    elif work := launcher.running(data, launcher.CHANGE):
        st.caption(
            f":material/timer: How long it takes was not measured on this machine yet; while "
            f"{plain(work.title)} works, it would come out wrong."
        )
    else:
        _measure(data, outline)


def _tell(seconds: float, kind: str) -> None:
    early = "" if kind == "crossvalidate" else " It ends earlier where it stops getting better."
    st.markdown(
        f":material/timer: At most about **{times.about(seconds)}** with these settings, by what was "
        f"measured on this machine.{early}"
    )


def _measure(data: Path, outline: Definition) -> None:
    last = _last(data, outline.name)
    state = launcher.state(last) if last else None
    asked = st.session_state.pop(ASKED, "") == outline.name
    if not asked and not (state and state.active) and (words := _why_not_by_itself(outline, state)):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/timer: {words}", width="content")
            st.button("Measure it", on_click=_ask, args=(outline.name,))
        return
    if not launcher.running(data, launcher.MEASURE):
        arguments = ["pace", "--recipe", outline.name, "--data", str(data)]
        try:
            launcher.start(
                data, KIND, f"Measuring the pace of {outline.name}", arguments, lane=launcher.MEASURE
            )
        except LeukemiaError as error:
            st.caption(f":material/timer: How long it takes is not measured: {plain(str(error))}")
            return
    _wait(data)


def _why_not_by_itself(outline: Definition, state: State | None) -> str:
    if state and state.phase != "done":
        return f"How long it takes could not be measured: {plain(state.message)}"
    if outline.needs:
        return "How long it takes was not measured on this machine yet; that needs what the recipe needs."
    return ""


def _ask(recipe: str) -> None:
    st.session_state[ASKED] = recipe


@st.fragment(run_every=EVERY)
def _wait(data: Path) -> None:
    work = launcher.running(data, launcher.MEASURE)
    if work is None:
        st.rerun()
    what = "" if work.kind == KIND else f", after this: {plain(work.title)}"
    st.caption(f":material/timer: How long it takes is being measured on this machine{what} …")


def _last(data: Path, recipe: str) -> Job | None:
    return next((job for job in launcher.history(data, (KIND,)) if recipe in job.arguments), None)
