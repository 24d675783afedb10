"""A chart with its caption, on a page."""

import time

import streamlit as st

from leukemia.markdown import plain
from leukemia.plots.chart import Chart

# Seconds in which a browser shows what it was sent.
PAINT = 0.1
SHOWN = "charts-shown"


def show(chart: Chart, key: str | None = None) -> None:
    """Show a chart and below it what to notice."""
    st.plotly_chart(chart.figure, config={"displayModeBar": False}, key=key)
    st.caption(plain(chart.caption))


def wait_for_paint() -> None:
    """Let the browser show what is laid out so far, before the first chart of a session.

    The charts' script keeps a browser busy for half a second and more when it first runs.
    """
    if SHOWN not in st.session_state:
        st.session_state[SHOWN] = True
        time.sleep(PAINT)
