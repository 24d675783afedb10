"""What ties one run to others: a sweep to the training of its best settings, a version to its source."""

from pathlib import Path

import streamlit as st

from leukemia.markdown import plain
from leukemia.registry import versions
from leukemia.tracking import run_history
from leukemia.tracking.records import BEST_OF, Run, RunKind, RunStatus
from pages.sections.training.run_table import RUN

SWEEP = "These are the best settings of a sweep, trained to the end and judged once on the test patients."
NONE_YET = "The best settings have not been trained to the end yet."


def show(data: Path, run: Run) -> None:
    """Lay the ties out, each with a link; raises RegistryError where MLflow cannot be asked."""
    if run.kind == RunKind.SWEEP:
        found = run_history.best_of(data, run.run_id)
        if not found and run.status == RunStatus.FINISHED:
            st.caption(NONE_YET)
        for one in found:
            became = f"became version {one.version}" if one.version else one.status
            _link(one.run_id, f"The best settings, trained to the end: {one.name} ({became})")
    if sweep := run.tags.get(BEST_OF):
        st.caption(SWEEP)
        _link(sweep, "The sweep that found them")
    if versions.MADE_FROM in run.tags:
        _threshold(run)


def _threshold(run: Run) -> None:
    said = {name: plain(run.tags.get(name, "")) for name in (versions.CHANGED_BY, versions.REASON)}
    source, chosen = plain(run.tags[versions.MADE_FROM]), plain(run.tags.get(versions.CHOSEN, ""))
    before = plain(run.tags.get(versions.BEFORE, "")[:6])
    st.markdown(
        f"Another threshold for {source} ({before} before), chosen {chosen} by "
        f"**{said[versions.CHANGED_BY]}**: {said[versions.REASON]}"
    )
    if made_from := run.tags.get(versions.MADE_FROM_RUN):
        _link(made_from, f"The run of {run.tags[versions.MADE_FROM]}")


def _link(run_id: str, label: str) -> None:
    st.page_link(
        "pages/training.py",
        label=plain(label),
        icon=":material/arrow_forward:",
        query_params={"section": "runs", RUN: run_id},
    )
