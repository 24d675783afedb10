"""A chart with its caption, on a page."""

import streamlit as st

from leukemia.markdown import plain
from leukemia.plots.chart import Chart


def show(chart: Chart, key: str | None = None) -> None:
    """Show a chart and below it what to notice."""
    st.plotly_chart(chart.figure, config={"displayModeBar": False}, key=key)
    st.caption(plain(chart.caption))
