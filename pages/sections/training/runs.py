"""Runs that were, whoever started them: looked at, compared, put in service and taken back."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.registry import versions
from leukemia.tracking import run_history
from leukemia.tracking.records import Run, RunKind, RunStatus
from pages.sections.training import (
    run_curves,
    run_details,
    run_links,
    run_table,
    sweep_charts,
    version_change,
    version_compare,
    version_in_service,
)

LIMIT = 200
MORE = "training-past-limit"
EVERY = "5s"
NONE = "No run yet: start one in the section New run, or with python -m leukemia train in a terminal."
NO_SUCH = "The run that the address names is not on record here."


def show(data: Path) -> None:
    """Lay the section out."""
    version_in_service.show(data)
    limit = st.session_state.get(MORE, LIMIT)
    try:
        runs = run_history.runs(data, limit)
        chosen = _chosen(data, runs)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
        return
    if not runs:
        st.info(NONE, icon=":material/history:")
        return
    _list(data, runs, limit)
    if chosen is None and st.query_params.get(run_table.RUN):
        st.info(NO_SUCH, icon=":material/search_off:")
    elif chosen is None:
        st.caption("Choose a run in the table, by the box at the start of its row, to see it in full.")
    else:
        one(data, chosen)


def one(data: Path, run: Run) -> None:
    """Lay out one run in full."""
    run_details.head(run)
    try:
        run_links.show(data, run)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
    if run.version:
        _version(data, run.version)
    try:
        _course(data, run)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
    with st.expander("Settings, data and program", icon=":material/tune:", expanded=not run.version):
        run_details.origin(data, run)
        run_details.settings(run)


def _chosen(data: Path, runs: Sequence[Run]) -> Run | None:
    """The run that the address names: one of these, an older one, or a part of one."""
    asked = st.query_params.get(run_table.RUN, "")
    found = next((run for run in runs if run.run_id == asked), None)
    return found or (run_history.run(data, asked) if asked else None)


def _list(data: Path, runs: Sequence[Run], limit: int) -> None:
    wanted = run_table.filters(runs)
    shown = [run for run in runs if wanted.lets(run)]
    if len(shown) == len(runs):
        st.markdown(f"**{len(runs):,} {'run' if len(runs) == 1 else 'runs'}**, the newest first")
    else:
        st.markdown(f"**{len(shown):,} of {len(runs):,} runs** match")
    aliases = {}
    with suppress(LeukemiaError):  # told above
        aliases = dict(versions.registry_state(data).aliases)
    if shown:
        run_table.show(shown, aliases)
    if len(runs) == limit:
        st.button("Show older runs", icon=":material/expand_more:", on_click=_older, args=(limit,))
    if any(run.status == RunStatus.RUNNING for run in runs):
        _watch(data, limit, {(run.run_id, run.status) for run in runs})


def _older(limit: int) -> None:
    st.session_state[MORE] = limit + LIMIT


@st.fragment(run_every=EVERY)
def _watch(data: Path, limit: int, seen: set[tuple[str, str]]) -> None:
    """Look whether a run began or ended while this page is looked at."""
    with suppress(LeukemiaError):
        if {(run.run_id, run.status) for run in run_history.runs(data, limit)} != seen:
            st.rerun()


def _version(data: Path, number: int) -> None:
    with st.container(border=True):
        st.markdown(f"**Model version {number}**")
        version_compare.show(number)
        st.page_link(
            "pages/performance.py",
            label=f"Version {number} on the page Performance",
            icon=":material/monitoring:",
            query_params={"version": str(number)},
        )
        version_change.show(data, number)


def _course(data: Path, run: Run) -> None:
    if run.kind == RunKind.SWEEP:
        sweep_charts.show(data, run)
    parts = run_history.children(data, run.run_id)
    # A sweep learns in its trials alone; what it keeps of itself are no epochs.
    history = run_history.histories(data, run.run_id) if run.kind != RunKind.SWEEP else []
    if history or not (parts or run.kind == RunKind.SWEEP):
        st.markdown("**Epoch by epoch**")
        run_curves.show(history)
    if parts:
        _parts(data, run, parts)


def _parts(data: Path, run: Run, parts: Sequence[Run]) -> None:
    if run.kind == RunKind.SWEEP:  # its trials stand in a table above
        st.markdown("**Trials, epoch by epoch**")
    else:
        st.markdown(f"**Folds**: {len(parts)}, each a run of its own")
        st.dataframe(_frame(parts), hide_index=True)
    histories = {part.name or part.run_id[:8]: run_history.histories(data, part.run_id) for part in parts}
    run_curves.several(
        {name: found for name, found in histories.items() if found}, f"training-part-{run.run_id}"
    )


def _frame(parts: Sequence[Run]) -> pd.DataFrame:
    """Folds or trials as a table; figures that none of them has are left out."""
    table = pd.DataFrame(
        {
            "Part": [part.name or part.run_id[:8] for part in parts],
            "Status": [part.status for part in parts],
            "Took": [run_table.took(part) for part in parts],
            **{
                title: [run_table.interval(part, name) for part in parts]
                for name, title in run_table.FIGURES.items()
            },
        }
    )
    empty = [title for title in run_table.FIGURES.values() if (table[title] == run_table.UNKNOWN).all()]
    return table.drop(columns=empty)
