"""The trials of a sweep on the page: of one that runs, and of past ones."""

from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.jobs.facts import SweepFacts
from leukemia.markdown import plain
from leukemia.plots import sweep
from leukemia.tracking import run_history, sweep_results
from leukemia.tracking.records import Run
from leukemia.tracking.sweep_results import SweepResults
from pages.components import charts


def show(data: Path, run: Run) -> None:
    """Show a sweep by its runs in MLflow."""
    try:
        results = sweep_results.of_run(run, run_history.children(data, run.run_id))
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _show(results, run.run_id)


def show_running(facts: SweepFacts) -> None:
    """Show a sweep that runs by what it reports to its job."""
    _show(sweep_results.of_facts(facts), "running")


def _show(results: SweepResults, key: str) -> None:
    if not results.trials:
        st.caption("No trial has started yet.")
        return
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sweep_results.notes(results)))
    if results.best:
        st.markdown(f"**Best settings: trial {results.best.number}**")
        st.dataframe(sweep.best_table(results), hide_index=True)
    if len(results.finished) > 1:
        charts.show(sweep.parallel(results), key=f"sweep-parallel-{key}")
        if contour := sweep.contour(results):
            charts.show(contour, key=f"sweep-contour-{key}")
    if results.finished:
        charts.show(sweep.history(results), key=f"sweep-history-{key}")
    with st.expander(f"All {len(results.trials)} trials"):
        st.dataframe(sweep.trials_table(results), hide_index=True)
    st.caption(sweep.CAUTION)
