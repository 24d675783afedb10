"""Curves of a training on the page: of the one that runs, and of past ones."""

from collections.abc import Mapping

import streamlit as st

from leukemia.markdown import plain
from leukemia.plots import training_curves
from leukemia.plots.training_curves import Epochs, History, VegaChart
from pages.components import charts


def show(epochs: Epochs) -> None:
    """Show loss, and recall with specificity, epoch by epoch."""
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(training_curves.loss(epochs))
    with right:
        _chart(training_curves.rates(epochs))


def show_past(history: History) -> None:
    """Show the curves of a training that ended."""
    if history:
        show(Epochs(history, planned=len(history)))
    else:
        st.caption("No epochs are recorded for this run.")


def show_overlaid(histories: Mapping[str, History], key: str) -> None:
    """Show one metric of several trainings in one chart; it is chosen here."""
    if metrics := training_curves.metrics_of(histories):
        metric = st.selectbox("Curve", metrics, format_func=training_curves.OVERLAID.get, key=key, width=240)
        charts.show(training_curves.overlaid(histories, metric))


def _chart(chart: VegaChart) -> None:
    st.vega_lite_chart(chart.rows, chart.spec)
    st.caption(plain(chart.caption))
