"""How trainings that were went, epoch by epoch; in the charts of the one at work."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from leukemia.plots.chart import Chart
from leukemia.plots.style import GREY, SERIES, finish, percent
from pages.components import charts
from pages.sections.training import curves, live_charts
from pages.sections.training.live_charts import Seen

History = Sequence[Mapping[str, float]]
# What several trainings can be laid over each other by, and what a reader calls it.
OVERLAID = {
    "val_loss": "Validation loss",
    "val_auroc": "Validation AUROC",
    "val_recall": "Validation recall",
    "val_specificity": "Validation specificity",
    "loss": "Training loss",
    "recall": "Training recall",
    "specificity": "Training specificity",
}
LOSSES = ("val_loss", "loss")
TOLD_APART = len(SERIES)


def show(history: History) -> None:
    """Lay out the curves of one training."""
    if not history:
        st.caption("No epoch of its own is on record.")
        return
    curves.show(Seen([dict(epoch) for epoch in history], epochs=len(history)))


def several(histories: Mapping[str, History], key: str) -> None:
    """Lay out one figure of several trainings over each other; which one is chosen here."""
    known = [name for name in OVERLAID if any(name in epoch for one in histories.values() for epoch in one)]
    if not known:
        return
    name = st.selectbox("Curve", known, format_func=OVERLAID.get, key=key, width=240)
    charts.show(Chart(overlaid(histories, name), _about(histories, name)))


def overlaid(histories: Mapping[str, History], name: str) -> go.Figure:
    """The chart of :func:`several`."""
    figure = go.Figure()
    for number, (whose, history) in enumerate(histories.items()):
        found = {n: epoch[name] for n, epoch in enumerate(history, 1) if name in epoch}
        colour, dash, mark = SERIES[number] if number < TOLD_APART else (GREY, "dot", "circle")
        figure.add_scatter(
            x=list(found),
            y=list(found.values()),
            name=escape(whose),
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": mark, "size": 7},
            hovertemplate=f"epoch %{{x}}: %{{y:{'.3f' if name in LOSSES else '.1%'}}}",
        )
    unit = "Loss (cross-entropy)" if name in LOSSES else "Share of cells, at threshold 0.5"
    finish(figure, f"{OVERLAID[name]} by epoch", "Epoch", "Area under the curve" if "auroc" in name else unit)
    epochs = max(map(len, histories.values()))
    figure.update_xaxes(
        range=[0, max(1, epochs) + 0.5], dtick=1 if epochs <= live_charts.MOST_LABELLED else None
    )
    if name in LOSSES:
        figure.update_yaxes(rangemode="tozero")
        return figure
    return percent(figure, "y")


def _about(histories: Mapping[str, History], name: str) -> str:
    last = {whose: one[-1][name] for whose, one in histories.items() if one and name in one[-1]}
    if len(last) < 2:
        return "Only one of them came to the end of an epoch."
    low, high = min(last, key=last.get), max(last, key=last.get)
    how = "{:.3f}" if name in LOSSES or "auroc" in name else "{:.1%}"
    return f"After the last epoch from {how.format(last[low])} ({low}) to {how.format(last[high])} ({high})."
