"""The overview's charts. Each class has its colour and, where areas meet, its pattern."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from leukemia.dataset.catalog.filters import UNKNOWN, UNLABELLED
from leukemia.dataset.catalog.summary import ImagesPerPatient
from leukemia.inference import decisions
from leukemia.plots.style import COLOURS

CLASSES = ("Normal", "ALL")
TONES = {
    "Normal": COLOURS[decisions.NORMAL_LIKE],
    "ALL": COLOURS[decisions.ALL_LIKE],
    UNLABELLED: "#8A94A0",
}
PATTERNS = {"Normal": "", "ALL": "/", UNLABELLED: "."}
# Lines over the class's colour; by itself, Plotly would leave white between them.
PATTERN = {"fillmode": "overlay", "solidity": 0.2, "size": 7, "fgcolor": "rgba(0, 0, 0, 0.45)"}
HEIGHT = 340
# Bars of the long tail are told apart up to here.
NAMED = 80


def counts(found: pd.DataFrame, what: str, title: str) -> go.Figure:
    """Bars by source, a colour a class; ``what`` is a column of ``summary.by_source``."""
    figure = go.Figure()
    for label in (*CLASSES, ""):
        rows = found[(found["label"] == label) & (found[what] > 0)]
        if not rows.empty:
            _bars(figure, label or UNLABELLED, rows["source"], rows[what])
    return _finish(figure, title, "Source", what.capitalize(), barmode="group")


def tail(found: ImagesPerPatient) -> go.Figure:
    """Images a patient, the patient with most of them first."""
    figure = go.Figure()
    ranks = {patient: rank for rank, patient in enumerate(dict.fromkeys(found.patients["patient"]), 1)}
    for label in CLASSES:
        rows = found.patients[found.patients["label"] == label]
        at = rows["patient"].map(ranks)
        _bars(figure, label, at, rows["images"], names=[f"Patient {name}" for name in rows["patient"]])
    _finish(figure, "Images a patient", "Patients, most images first", "Images", barmode="stack")
    if len(ranks) <= NAMED:
        figure.update_xaxes(
            tickvals=list(ranks.values()), ticktext=list(ranks), tickfont_size=9, tickangle=-90
        )
    figure.update_layout(bargap=0.15 if len(ranks) <= NAMED else 0)
    return figure


def parts(found: pd.DataFrame, what: str, title: str) -> go.Figure:
    """Bars by part of the split, a colour a class; ``what`` is images or groups."""
    figure = go.Figure()
    found = found.replace({"subset": {UNKNOWN: "in no part"}})
    for label in CLASSES:
        rows = found[found["label"] == label]
        _bars(figure, label, rows["subset"], rows[what])
    figure.update_xaxes(categoryorder="array", categoryarray=list(dict.fromkeys(found["subset"])))
    unit = {"images": "Images", "groups": "Patient groups"}[what]
    return _finish(figure, title, "Part of the split", unit, barmode="group")


def spread(found: pd.DataFrame, title: str, unit: str) -> go.Figure:
    """Histogram by class, as shares of the class's cells; of ``summary.histogram``."""
    figure = go.Figure()
    for label in CLASSES:
        rows = found[found["label"] == label]
        _bars(figure, label, rows["middle"], 100 * rows["share"], opacity=0.65, width=rows["width"])
        figure.data[-1].hovertemplate = f"%{{x:,.0f}}: %{{y:.1f}} % of {label} cells<extra></extra>"
    _finish(figure, title, unit, "% of the class's cells", barmode="overlay")
    figure.update_layout(bargap=0)
    return figure


def boxes(found: pd.DataFrame, title: str, unit: str) -> go.Figure:
    """Boxes by source and class; of ``summary.quantiles``."""
    figure = go.Figure()
    for label in CLASSES:
        rows = found[found["label"] == label]
        figure.add_box(
            x=rows["source"],
            q1=rows["q1"],
            median=rows["median"],
            q3=rows["q3"],
            lowerfence=rows["low"],
            upperfence=rows["high"],
            name=label,
            marker_color=TONES[label],
            fillcolor="rgba(0,0,0,0)" if label == "Normal" else None,
        )
    return _finish(figure, title, "Source", unit, boxmode="group")


def frames(found: pd.DataFrame) -> go.Figure:
    """Images by frame size."""
    each = found.groupby("frame", sort=False)["images"].sum()
    figure = go.Figure()
    figure.add_bar(y=list(each.index), x=list(each), orientation="h", marker_color=TONES[UNLABELLED])
    figure.data[0].text = [f"{count:,}" for count in each]
    figure.data[0].textposition = "auto"
    _finish(figure, "Frame sizes", "Images", "Pixels")
    figure.update_layout(showlegend=False, height=max(200, 110 + 45 * len(each)))
    figure.update_yaxes(type="category")
    return figure


def _bars(
    figure: go.Figure, label: str, x: Sequence, y: Sequence, names: list[str] | None = None, **more
) -> None:
    figure.add_bar(
        x=list(x),
        y=list(y),
        name=label,
        hovertext=names,
        marker={"color": TONES[label], "pattern": {"shape": PATTERNS[label], **PATTERN}},
        **more,
    )


def _finish(figure: go.Figure, title: str, x: str, y: str, **layout) -> go.Figure:
    figure.update_layout(
        title={"text": title, "font_size": 15, "y": 0.98, "yanchor": "top", "x": 0, "xanchor": "left"},
        height=HEIGHT,
        margin={"l": 0, "r": 12, "t": 62, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        separators=".,",
        **layout,
    )
    figure.update_xaxes(title_text=x, automargin=True)
    figure.update_yaxes(title_text=y, rangemode="tozero", automargin=True)
    return figure
