"""A training that runs: how far it is, how long it will take, and its curves as they grow."""

import re

import streamlit as st

from leukemia import jobs
from leukemia.jobs import Job, JobKind, JobState, JobStatus
from leukemia.jobs.facts import Part, TrainingFacts
from leukemia.jobs.scheduler import GRACE
from leukemia.markdown import plain
from leukemia.plots import times
from leukemia.plots.run_table import KINDS
from leukemia.plots.training_curves import HOW_TO_ZOOM, Epochs
from pages.components import job_status, offer
from pages.sections.training import curves

LEAVE = (
    "It runs in the background: you can leave or close this page. Cancel stops it between two batches; if "
    f"it has not stopped after {GRACE:.0f} seconds, it is forced to stop. Finished epochs are kept, and "
    "you can resume from the last one."
)


def show(job: Job, state: JobState) -> None:
    """Show a running training, cross-validation or sweep."""
    facts, parts = state.training, state.training.parts
    st.subheader(plain(job.title), anchor=False)
    st.caption(_about(job, facts))
    for sentence in facts.warnings:
        st.warning(plain(sentence), icon=":material/warning:")
    st.progress(state.share, job_status.how_far(state, " batches" if _in_epoch(state) else ""))
    _show_numbers(job, state)
    st.button(
        "Cancel" if state.status == JobStatus.RUNNING else _stopping(job),
        key=f"cancel-{job.folder.name}",
        icon=":material/stop:",
        on_click=job_status.cancel,
        args=(job,),
        disabled=state.status != JobStatus.RUNNING or not offer.may_change(job),
    )
    st.caption(LEAVE)
    if job.kind == JobKind.SWEEP:
        # Plotly and SciPy, which take a while to import.
        from pages.sections.training import sweep_trials

        sweep_trials.show_running(state.sweep)
    elif len(parts) > 1 or (parts and parts[0].name):
        _show_folds(parts, facts.epochs)
    if parts:
        _show_curves(job, state)
    job_status.problems(state)
    job_status.log(job)


def _about(job: Job, facts: TrainingFacts) -> str:
    by = f" by {plain(job.by)}" if job.by else ""
    recipe = f" of {plain(facts.recipe)}" if facts.recipe else ""
    so_far = times.clock(job.elapsed)
    return f"{KINDS[job.kind]}{recipe}, started {times.when(job.started)}{by}; {so_far} so far."


def _in_epoch(state: JobState) -> bool:
    """Whether the network is learning, and not being prepared, evaluated or written."""
    return bool(re.search(r"epoch \d+ of \d+$", state.what, re.IGNORECASE))


def _show_numbers(job: Job, state: JobState) -> None:
    facts = state.training
    part = facts.parts[-1] if facts.parts else Part()
    with st.container(horizontal=True):
        if job.kind != JobKind.TRAIN:
            st.metric("Running", part.name.capitalize() or "–", width=180)
        epochs = f"{len(part.history)} of {facts.epochs}" if facts.epochs else "–"
        st.metric("Epochs finished", epochs, width=160)
        left = facts.left or state.left
        st.metric(
            "Time left",
            times.about(left) if left else "–",
            width=180,
            help="Estimated from the epochs so far, then from the step that is running. It ends earlier if "
            "it stops improving.",
        )
        gigabytes = f"{facts.memory / 1024**3:.1f} GB" if facts.memory else "–"
        st.metric("Memory", gigabytes, width=140)


def _stopping(job: Job) -> str:
    left = max(0, round(jobs.time_to_stop(job) or 0))
    return f"Stopping, within {left} s …" if left else "Stopping …"


def _show_folds(folds: list[Part], epochs: int) -> None:
    rows = []
    for number, fold in enumerate(folds, 1):
        history = fold.history or [{}]
        rows.append(
            {
                "fold": fold.name or str(number),
                "state": "running" if number == len(folds) else "done",
                "epochs": f"{len(fold.history)} of {epochs}",
                "loss": history[-1].get("loss"),
                "recall": history[-1].get("recall"),
                "specificity": history[-1].get("specificity"),
            }
        )
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "loss": number("training loss", format="%.3f"),
            "recall": number("training sensitivity (recall)", format="percent"),
            "specificity": number("training specificity", format="percent"),
        },
    )


def _show_curves(job: Job, state: JobState) -> None:
    facts = state.training
    *before, part = facts.parts
    earlier = [fold.history for fold in before] if job.kind == JobKind.CROSSVALIDATE else []
    curves.show(
        Epochs(part.history, facts.step, state.share if _in_epoch(state) else 1.0, facts.epochs or 1, earlier)
    )
    st.caption(f"Open circles show the epoch in progress. {HOW_TO_ZOOM}")
