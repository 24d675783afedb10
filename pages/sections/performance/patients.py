"""A row a patient, and patients as the unit."""

import pandas as pd
import streamlit as st

from leukemia.evaluation import patients, wording
from leukemia.markdown import plain
from leukemia.registry.versions import Version
from pages.sections.performance import more_charts, strip_chart
from pages.sections.performance.threshold_picker import Picked

# Strips that one chart holds; the worst ones where there are more.
STRIPS = 80


def show(version: Version, picked: Picked) -> None:
    predictions = version.bundle.predictions
    found = patients.table(predictions, picked.value)
    rates = patients.rates(found)
    with st.container(horizontal=True):
        for name, (right, people, share) in rates.items():
            with st.container(width=300):
                st.metric(
                    f"Patient-level {name}", wording.number(share.value, True), help=patients.MEANING[name]
                )
                st.caption(f"{right} of {people} patients; Wilson 95 %: {ends(share)}")
    st.caption(notice(found))
    st.dataframe(shown(found), hide_index=True, column_config=_columns(), height=_height(len(found)))
    order = list(dict.fromkeys(found["patient_group"]))[:STRIPS]
    own = predictions[predictions["patient_group"].isin(order)]
    st.vega_lite_chart(*strip_chart.strips(own, order, picked.value))
    st.caption(about_strips(found))


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """The table as it is read."""
    return pd.DataFrame(
        {
            "patient group": found["patient_group"],
            "label": found["label"],
            "cells": found["cells"],
            "called ALL-like": 100 * found["called"],
            "accuracy": 100 * found["accuracy"],
            "mean probability": found["probability"],
            "as a patient": found["right"].map({True: "✓ right", False: "✗ wrong"}),
        }
    )


def ends(share) -> str:
    return f"{100 * share.low:.1f} to {100 * share.high:.1f}%"


def notice(found: pd.DataFrame) -> str:
    worst = found.iloc[0]
    return (
        f"Worst: patient group {plain(str(worst['patient_group']))} ({worst['label']}), "
        f"{worst['accuracy']:.0%} of {worst['cells']:,} cells called right. A patient is called by the mean "
        f"probability of its cells. With {len(found)} patient groups, one more or less moves "
        "these shares by several points."
    )


def about_strips(found: pd.DataFrame) -> str:
    away = int((found["accuracy"] < 0.5).sum())
    more = f" Of more than {more_charts.DOTS} cells of a patient, as many are drawn, evenly chosen."
    return (
        "Diamonds (ALL) belong to the right of the dashed line, circles (normal) to the left. "
        f"In {away} of {len(found)} patient groups most cells lie on the wrong side.{more}"
    )


def _columns() -> dict:
    share = {name: st.column_config.NumberColumn(format="%.1f%%") for name in ("called ALL-like", "accuracy")}
    return share | {"mean probability": st.column_config.NumberColumn(format="%.3f")}


def _height(rows: int) -> int:
    return min(38 + 35 * rows, 560)
