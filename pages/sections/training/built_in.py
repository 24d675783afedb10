"""How the built-in model was trained, by its own record: a finished run before there are others."""

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.bundles.schema import Record
from leukemia.classes import ALL, NORMAL
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from pages.components import model_in_service
from pages.sections.training import curves

TITLE = "How the built-in model was trained"


def show(*, expanded: bool) -> None:
    """Show it, folded away unless ``expanded``; nothing where its record has no epochs."""
    try:
        bundle = model_in_service.built_in()
    except LeukemiaError:
        return  # said where it would answer
    if not bundle.record.history:
        return
    with st.expander(TITLE, icon=":material/history_edu:", expanded=expanded):
        st.markdown(_about(bundle))
        curves.show_past(list(bundle.record.history))
        st.page_link(
            "pages/performance.py",
            label="How well it does on patients it had never seen",
            icon=":material/monitoring:",
        )


def _about(bundle: Bundle) -> str:
    record = bundle.record
    cells = " and ".join(
        f"{record.split.training.cells.get(label, 0):,} {word} cells of "
        f"{record.split.training.patient_groups.get(label, 0)} patient groups"
        for label, word in ((ALL, "ALL"), (NORMAL, "normal"))
    )
    name, finished = plain(record.recipe.name), plain(record.created[:10])
    return f"**{name}**, finished on {finished}: {_epochs(record)} on {cells}."


def _epochs(record: Record) -> str:
    run = f"{record.epochs.run} epoch{'s' * (record.epochs.run != 1)}"
    kept = f", epoch {record.epochs.best} kept" if record.epochs.best != record.epochs.run else ""
    return f"{run}{kept}"
