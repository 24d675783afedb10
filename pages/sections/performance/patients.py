"""One row per patient, and patients as the unit."""

from typing import Any

import pandas as pd
import streamlit as st

from leukemia.evaluation.breakdown import patients
from leukemia.markdown import plain
from leukemia.plots import patients as patient_plots
from leukemia.registry.versions import Version
from leukemia.reports import wording
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    """Lay out rates over patients, the table and each patient's cells."""
    predictions = version.bundle.predictions
    table = patients.table(predictions, picked.value)
    with st.container(horizontal=True):
        for name, value, counted, meaning in wording.patient_rates(table):
            with st.container(width=300):
                st.metric(name, value, help=meaning)
                st.caption(counted)
    st.caption(" ".join(filter(None, (_about(table), wording.patients_at_own_threshold(predictions)))))
    st.dataframe(_shown(table), hide_index=True, column_config=_columns(), height=_height(len(table)))
    st.vega_lite_chart(*patient_plots.on_canvas(predictions, table, picked.point))
    st.caption(plain(patient_plots.caption(table, picked.point)))


def _about(table: pd.DataFrame) -> str:
    worst = table.iloc[0]
    right = f"{worst['accuracy']:.1%} of {worst['cells']:,} cells called correctly"
    if worst["cells"] == 1:
        right = "its only cell was " + ("called correctly" if worst["accuracy"] else "misclassified")
    return (
        f"Worst: patient group {plain(str(worst['patient_group']))} ({worst['label']}), {right}. A patient "
        f"is called ALL-like if the mean probability of its cells reaches the threshold. With {len(table)} "
        "patient groups, one group more or fewer changes these shares by several points."
    )


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient group": table["patient_group"],
            "label": table["label"],
            "cells": table["cells"],
            "called ALL-like": 100 * table["called"],
            "accuracy": 100 * table["accuracy"],
            "mean probability": table["probability"],
            "as a patient": table["right"].map({True: "✓ right", False: "✗ wrong"}),
        }
    )


def _columns() -> dict[str, Any]:
    share = {name: st.column_config.NumberColumn(format="%.1f%%") for name in ("called ALL-like", "accuracy")}
    return share | {"mean probability": st.column_config.NumberColumn(format="%.3f")}


def _height(rows: int) -> int:
    return min(38 + 35 * rows, 560)
