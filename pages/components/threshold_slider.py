"""The threshold, moved by hand."""

import streamlit as st


def show(own: float, key: str) -> float:
    """Lay out the slider and return the threshold that it is at, the model's own to begin with."""
    # The model's own threshold is a step of its own, so that no rounding moves a decision.
    steps = sorted({*(step / 100 for step in range(101)), own})
    return st.select_slider(
        "Threshold: call a cell ALL-like at or above",
        options=steps,
        value=own,
        key=key,
        format_func=lambda value: f"{value:.3f} (model's own)" if value == own else f"{value:.2f}",
        help="A lower threshold misses fewer ALL cells and calls more normal cells ALL-like.",
    )
