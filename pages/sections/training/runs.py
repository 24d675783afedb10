"""Run runs, whoever started them: listed, opened, compared, put in service and rolled back."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.plots.run_table import folds_table
from leukemia.registry import publish, versions
from leukemia.tracking import run_history
from leukemia.tracking.records import Run, RunKind, RunStatus
from pages.components import model_in_service
from pages.sections.training import (
    built_in,
    curves,
    run_details,
    run_table,
    sweep_trials,
    version_in_service,
    version_panel,
)

LIMIT = 200
MORE = "training-past-limit"
EVERY = "5s"
NONE = "No runs yet. Start one under New run, or with python -m leukemia train in a terminal."
NO_SUCH = "No run is recorded at this address."


def show(data: Path) -> None:
    """Show the section."""
    version_in_service.show(data)
    limit = st.session_state.get(MORE, LIMIT)
    try:
        runs = run_history.runs(data, limit)
        selected = _selected(data, runs)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
        return
    if not runs:
        st.info(NONE, icon=":material/history:")
        built_in.show(expanded=True)
        return
    _list(data, runs, limit)
    if selected:
        _show_run(data, selected)
    elif st.query_params.get(run_table.RUN):
        st.info(NO_SUCH, icon=":material/search_off:")
    else:
        st.caption("Select a run with the box at the start of its row to see its details.")
        built_in.show(expanded=False)


def _selected(data: Path, runs: Sequence[Run]) -> Run | None:
    """Return the run that the address names: one of these, an older one, or a part of one."""
    asked = st.query_params.get(run_table.RUN, "")
    listed = next((run for run in runs if run.run_id == asked), None)
    return listed or (run_history.run(data, asked) if asked else None)


def _list(data: Path, runs: Sequence[Run], limit: int) -> None:
    filters = run_table.filters(runs)
    shown = [run for run in runs if filters.match(run)]
    if len(shown) == len(runs):
        st.markdown(f"**{len(runs):,} {'run' if len(runs) == 1 else 'runs'}**, newest first")
    else:
        st.markdown(f"**{len(shown):,} of {len(runs):,} runs** match")
    aliases = {}
    with suppress(LeukemiaError):  # said above
        aliases = dict(versions.registry_state(data).aliases)
    if shown:
        run_table.show(shown, aliases, *_held_out(data))
    if len(runs) == limit:
        st.button("Show older runs", icon=":material/expand_more:", on_click=_show_older, args=(limit,))
    if any(run.status == RunStatus.RUNNING for run in runs):
        _watch(data, limit, {(run.run_id, run.status) for run in runs})


def _held_out(data: Path) -> tuple[dict[int, str], str]:
    """What tells the held-out cells of each version apart, and those of the model in service."""
    try:
        known = {one.number: one.facts.get("held_out", "") for one in versions.registered(data)}
        return known, publish.held_out(model_in_service.bundle())
    except LeukemiaError:
        return {}, ""


def _show_older(limit: int) -> None:
    st.session_state[MORE] = limit + LIMIT


@st.fragment(run_every=EVERY)
def _watch(data: Path, limit: int, shown: set[tuple[str, str]]) -> None:
    """Run the page again when a run starts or ends."""
    with suppress(LeukemiaError):
        if {(run.run_id, run.status) for run in run_history.runs(data, limit)} != shown:
            st.rerun()


def _show_run(data: Path, run: Run) -> None:
    run_details.show_head(run)
    try:
        run_details.show_links(data, run)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
    if run.version:
        version_panel.show(data, run.version)
    try:
        _show_course(data, run)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
    with st.expander("Settings, data and program", icon=":material/tune:", expanded=not run.version):
        run_details.show_origin(data, run)
        run_details.show_settings(run)


def _show_course(data: Path, run: Run) -> None:
    parts = run_history.children(data, run.run_id)
    if run.kind == RunKind.SWEEP:
        # A sweep trains in its trials alone; what it records itself are no epochs.
        sweep_trials.show(data, run)
        if parts:
            st.markdown("**Trials, epoch by epoch**")
    else:
        history = run_history.histories(data, run.run_id)
        if history or not parts:
            st.markdown("**Epoch by epoch**")
            curves.show_past(history)
        if parts:
            st.markdown(f"**Folds**: {len(parts)}, each with its own run")
            st.dataframe(folds_table(parts), hide_index=True)
    histories = {part.name or part.run_id[:8]: run_history.histories(data, part.run_id) for part in parts}
    curves.show_overlaid(
        {name: history for name, history in histories.items() if history}, f"training-part-{run.run_id}"
    )
