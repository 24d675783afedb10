"""A training that runs: how far it is, how long it will take, and its curves as they grow."""

import time
from typing import Any

import streamlit as st

from leukemia.jobs import launcher
from leukemia.jobs.job import CANCEL, read
from leukemia.jobs.launcher import Job, State
from leukemia.markdown import plain
from leukemia.plots import times
from leukemia.plots.run_table import KINDS
from leukemia.plots.training_curves import HOW_TO_ZOOM, Epochs
from pages.components import job_status
from pages.sections.training import curves

LEAVE = (
    "It runs in the background: you can leave or close this page. Cancel stops it between two batches; if it "
    f"has not stopped after {launcher.GRACE:.0f} seconds, it is forced to. Finished epochs are kept, and you "
    "can resume from the last one."
)


def show(job: Job, state: State) -> None:
    """Show a running training, cross-validation or sweep."""
    facts, parts = state.facts, _parts(state.facts)
    st.subheader(plain(job.title), anchor=False)
    st.caption(_about(job, facts))
    for sentence in facts.get("warnings") or ():
        st.warning(plain(str(sentence)), icon=":material/warning:")
    st.progress(state.share, _how_far(state))
    _show_numbers(job, facts, parts)
    st.button(
        "Cancel" if state.phase == "running" else _stopping(job),
        key=f"cancel-{job.folder.name}",
        icon=":material/stop:",
        on_click=launcher.cancel,
        args=(job,),
        disabled=state.phase != "running",
    )
    st.caption(LEAVE)
    if job.kind == "sweep":
        # Plotly and SciPy, which take a while to import.
        from pages.sections.training import sweep_trials

        sweep_trials.show_running(facts)
    elif len(parts) > 1 or (parts and parts[0].get("name")):
        _show_folds(parts, int(facts.get("epochs") or 0))
    if parts:
        _show_curves(job, state, parts)
    job_status.problems(state)
    job_status.log(job)


def _parts(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the folds or trials so far, or the one part of a single run; the last one runs."""
    return [part for part in facts.get("parts") or () if isinstance(part, dict)]


def _about(job: Job, facts: dict[str, Any]) -> str:
    by = f" by {plain(job.by)}" if job.by else ""
    recipe = f" of {plain(str(facts['recipe']))}" if facts.get("recipe") else ""
    so_far = times.clock(times.since(job.started))
    return f"{KINDS[job.kind]}{recipe}, started {times.when(job.started)}{by}; {so_far} so far."


def _how_far(state: State) -> str:
    if not state.total:
        return f"{plain(state.what) or 'Starting: loading libraries'} …"
    unit = " batches" if "epoch" in state.what.lower() else ""
    return f"{plain(state.what)}: {state.done:,} of {state.total:,}{unit}"


def _show_numbers(job: Job, facts: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    epochs, done = int(facts.get("epochs") or 0), len(parts[-1].get("history") or ()) if parts else 0
    left, memory = facts.get("left"), facts.get("memory")
    with st.container(horizontal=True):
        if job.kind != "train":
            name = str(parts[-1].get("name") or "") if parts else ""
            st.metric("Running", name.capitalize() or "–", width=180)
        st.metric("Epochs finished", f"{done} of {epochs}" if epochs else "–", width=160)
        st.metric(
            "Time left",
            times.about(left) if left else "–",
            width=180,
            help="Estimated from the epochs so far. It ends earlier if it stops improving.",
        )
        st.metric("Memory", f"{memory / 1024**3:.1f} GB" if memory else "–", width=140)


def _stopping(job: Job) -> str:
    until = (read(job.folder / CANCEL) or {}).get("until", 0.0)
    left = max(0, round(until - time.time()))
    return f"Stopping, within {left} s …" if left else "Stopping …"


def _show_folds(folds: list[dict[str, Any]], epochs: int) -> None:
    rows = []
    for number, fold in enumerate(folds, 1):
        history = fold.get("history") or [{}]
        rows.append(
            {
                "fold": str(fold.get("name") or number),
                "state": "running" if number == len(folds) else "done",
                "epochs": f"{len(fold.get('history') or ())} of {epochs}",
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
            "recall": number("training recall", format="percent"),
            "specificity": number("training specificity", format="percent"),
        },
    )


def _show_curves(job: Job, state: State, parts: list[dict[str, Any]]) -> None:
    history, current = parts[-1].get("history") or [], state.facts.get("step") or {}
    earlier = [part.get("history") or [] for part in parts[:-1]] if job.kind == "crossvalidate" else []
    curves.show(Epochs(history, current, state.share, int(state.facts.get("epochs") or 1), earlier))
    st.caption(f"Open circles: the epoch that is running. {HOW_TO_ZOOM}")
