"""The two limits between which a model abstains, moved by hand."""

import streamlit as st

from leukemia.operating_point import OperatingPoint

LABEL = "Normal-like below the left handle, ALL-like at or above the right one"


def show(own: OperatingPoint, key: str) -> OperatingPoint:
    """Lay out the slider and return the operating point that it is at, the model's own to begin with."""
    # The model's own limits and threshold are steps of their own, so that no rounding moves a decision.
    kept = {*own.limits, own.threshold}
    steps = sorted({*(step / 100 for step in range(101)), *kept})
    low, high = st.select_slider(
        LABEL,
        options=steps,
        value=own.limits,
        key=key,
        format_func=lambda value: f"{value:.3f}" if value in kept else f"{value:.2f}",
        help=(
            "Between the handles the model abstains (Indeterminate). Further left, fewer ALL cells are "
            "missed; further right, fewer normal cells are called ALL-like. With both handles in the same "
            "place, no cell is left Indeterminate."
        ),
    )
    return own.moved(low, high)
