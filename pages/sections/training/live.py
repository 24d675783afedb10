"""The run at work: how far it is, how long it takes yet, and its curves as they grow."""

import time
from typing import Any

import streamlit as st

from leukemia.jobs import launcher
from leukemia.jobs.job import CANCEL, read
from leukemia.jobs.launcher import Job, State
from leukemia.markdown import plain
from pages.components import job_status
from pages.sections.training import curves, live_charts, times
from pages.sections.training.live_charts import Seen

KINDS = {"train": "One run", "crossvalidate": "Cross-validation", "sweep": "Sweep"}
LEAVE = (
    "It runs in the background: this page can be left or closed meanwhile. Cancel ends it between two "
    f"batches; should it not have ended after {launcher.GRACE:.0f} seconds, it is forced to. Finished epochs "
    "stay, and it can go on from the last one."
)


def show(job: Job, state: State) -> None:
    """Lay out a job of one of :data:`KINDS`."""
    facts, parts = state.facts, parts_of(state.facts)
    st.subheader(plain(job.title), anchor=False)
    st.caption(_about(job, facts))
    for sentence in facts.get("warnings") or ():
        st.warning(plain(str(sentence)), icon=":material/warning:")
    st.progress(state.share, _how_far(state))
    _numbers(job, facts, parts)
    st.button(
        "Cancel" if state.phase == "running" else _ending(job),
        key=f"cancel-{job.folder.name}",
        icon=":material/stop:",
        on_click=launcher.cancel,
        args=(job,),
        disabled=state.phase != "running",
    )
    st.caption(LEAVE)
    if job.kind == "sweep":
        from pages.sections.training import sweep_charts

        sweep_charts.live(facts)
    elif len(parts) > 1 or (parts and parts[0].get("name")):
        _table(parts, int(facts.get("epochs") or 0))
    if parts:
        _curves(job, state, parts)
    job_status.problems(state)
    job_status.log(job)


def parts_of(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Folds or trials so far, or the one part of a single run; the last one is at work."""
    return [part for part in facts.get("parts") or () if isinstance(part, dict)]


def _about(job: Job, facts: dict[str, Any]) -> str:
    who = f" by {plain(job.by)}" if job.by else ""
    recipe = f" of {plain(str(facts['recipe']))}" if facts.get("recipe") else ""
    return (
        f"{KINDS[job.kind]}{recipe}, started {times.when(job.started)}{who}; "
        f"{times.clock(times.since(job.started))} so far."
    )


def _how_far(state: State) -> str:
    if not state.total:
        return f"{plain(state.what) or 'Starting: the libraries are being loaded'} …"
    unit = " batches" if "epoch" in state.what.lower() else ""
    return f"{plain(state.what)}: {state.done:,} of {state.total:,}{unit}"


def _numbers(job: Job, facts: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    epochs, done = int(facts.get("epochs") or 0), len(parts[-1].get("history") or ()) if parts else 0
    left, memory = facts.get("left"), facts.get("memory")
    with st.container(horizontal=True):
        if job.kind != "train":
            name = str(parts[-1].get("name") or "") if parts else ""
            st.metric("At work", name.capitalize() or "–", width=180)
        st.metric("Epochs finished", f"{done} of {epochs}" if epochs else "–", width=160)
        st.metric(
            "Time left",
            times.about(left) if left else "–",
            width=180,
            help="By the pace of the epochs so far. It ends earlier where epochs stop getting better.",
        )
        st.metric("Memory", f"{memory / 1024**3:.1f} GB" if memory else "–", width=140)


def _ending(job: Job) -> str:
    until = (read(job.folder / CANCEL) or {}).get("until", 0.0)
    left = max(0, round(until - time.time()))
    return f"Ending, at the latest in {left} s …" if left else "Ending …"


def _table(parts: list[dict[str, Any]], epochs: int) -> None:
    """The folds so far, one a line."""
    rows = []
    for number, part in enumerate(parts, 1):
        history = part.get("history") or [{}]
        at_work = number == len(parts)
        rows.append(
            {
                "part": str(part.get("name") or number),
                "state": "at work" if at_work else "done",
                "epochs": f"{len(part.get('history') or ())} of {epochs}",
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


def _curves(job: Job, state: State, parts: list[dict[str, Any]]) -> None:
    history, step = parts[-1].get("history") or [], state.facts.get("step") or {}
    earlier = [part.get("history") or [] for part in parts[:-1]] if job.kind == "crossvalidate" else []
    curves.show(Seen(history, step, state.share, int(state.facts.get("epochs") or 1), earlier))
    st.caption(f"Open circles are the epoch under way. {live_charts.HOW_TO_ZOOM}")
