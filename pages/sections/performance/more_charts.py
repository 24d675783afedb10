"""Charts of calibration, patients and parts of the cells."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from leukemia.evaluation.metrics import ECE_BINS
from leukemia.plots.style import ALL, GREY, NORMAL, SERIES, finish, percent

# Dots a patient in the strip plot; beyond that, evenly chosen from the lowest to the highest.
DOTS = 60
POINTS = 600


def reliability(points: pd.DataFrame, around: pd.DataFrame) -> go.Figure:
    """Reliability diagram above the counts of cells in its bins."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.06)
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        name="Perfectly calibrated",
        mode="lines",
        line={"color": GREY, "dash": "dot"},
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=points["probability"],
        y=points["share"],
        name="Share of ALL, with 95 % over patients",
        mode="lines+markers",
        line={"color": ALL, "width": 1.5},
        marker={"symbol": "diamond", "size": 8},
        error_y={
            "type": "data",
            "symmetric": False,
            # A bin of few patients: the share may lie at an end of its interval.
            "array": (around["high"] - points["share"]).clip(lower=0),
            "arrayminus": (points["share"] - around["low"]).clip(lower=0),
            "thickness": 1.2,
            "width": 3,
        },
        customdata=points["cells"],
        hovertemplate="said %{x:.1%}, was %{y:.1%} of %{customdata:,} cells<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_bar(
        x=(points.index.to_numpy() + 0.5) / ECE_BINS,
        y=points["cells"],
        width=0.9 / ECE_BINS,
        marker_color=GREY,
        showlegend=False,
        text=points["cells"],
        textposition="outside",
        textfont_size=10,
        cliponaxis=False,
        hovertemplate="%{y:,} cells<extra></extra>",
        row=2,
        col=1,
    )
    finish(figure, "Reliability diagram", "", "", height=440)
    figure.update_yaxes(title_text="Share of ALL", range=[-0.02, 1.02], tickformat=".0%", row=1, col=1)
    figure.update_yaxes(title_text="Cells", range=[0, 1.3 * points["cells"].max()], row=2, col=1)
    figure.update_xaxes(range=[0, 1])
    figure.update_xaxes(title_text="Probability of ALL that the model gave", row=2, col=1)
    return figure


def coverage(curve: pd.DataFrame) -> go.Figure:
    """Accuracy and recall against the share of cells that are answered."""
    figure = go.Figure()
    if len(curve) > POINTS:
        curve = curve.iloc[np.unique(np.linspace(0, len(curve) - 1, POINTS).round().astype(int))]
    for (column, name), (colour, dash, _) in zip(
        (("sensitivity", "Recall"), ("accuracy", "Accuracy")), SERIES, strict=False
    ):
        figure.add_scatter(
            x=curve["coverage"],
            y=curve[column],
            name=f"{name} of the answered cells",
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x:.0%} answered: %{y:.1%}",
        )
    finish(figure, "When the least sure cells are left out", "Share of cells answered", "Share right")
    return percent(figure, "x", "y")


def dots(predictions: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """The cells that a strip plot shows: ``shift`` is how far a dot lies from the middle of its strip, in
    strips, ``height`` where that is; the patient named first is on top.
    """
    rng = np.random.default_rng(0)
    shown = pd.concat([_some(cells) for _, cells in predictions.groupby(["label", "patient_group"])])
    place = {name: len(order) - number for number, name in enumerate(order)}
    shift = rng.uniform(-0.3, 0.3, len(shown))
    return shown.assign(shift=shift, height=shown["patient_group"].map(place) + shift)


def strips(predictions: pd.DataFrame, order: list[str], threshold: float) -> go.Figure:
    """A strip a patient: a dot a cell, at its probability; the patient named first on top."""
    every, figure = dots(predictions, order), go.Figure()
    for label, colour, mark in (("Normal", NORMAL, "circle"), ("ALL", ALL, "diamond")):
        shown = every[every["label"] == label]
        figure.add_scatter(
            x=shown["probability"],
            y=shown["height"],
            customdata=[escape(name) for name in shown["patient_group"]],
            name=f"{label} cells",
            mode="markers",
            marker={"color": colour, "symbol": mark, "size": 5, "opacity": 0.6},
            hovertemplate="patient %{customdata}: %{x:.3f}<extra></extra>",
        )
    figure.add_vline(x=threshold, line_dash="dash", line_width=2, line_color="#808080")
    finish(
        figure,
        "Cells by patient and the threshold (dashed)",
        "Probability of ALL",
        "Patient group",
        height=120 + 26 * len(order),
    )
    figure.update_xaxes(range=[-0.01, 1.01])
    figure.update_yaxes(
        tickvals=list(range(len(order), 0, -1)),
        ticktext=[_short(name) for name in order],
        range=[0.4, len(order) + 0.6],
        zeroline=False,
    )
    return figure


def parts(found: pd.DataFrame, by: str) -> go.Figure:
    """Recall and specificity of each part, with their intervals."""
    figure = go.Figure()
    for (name, word), shift, (colour, _, mark) in zip(
        (("sensitivity", "Recall"), ("specificity", "Specificity")), (0.12, -0.12), SERIES, strict=False
    ):
        known = found[found[name].notna()]
        figure.add_scatter(
            x=known[name],
            y=len(found) - known.index.to_numpy() + shift,
            name=word,
            mode="markers",
            marker={"color": colour, "symbol": mark, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (known[f"{name}_high"] - known[name]).clip(lower=0),
                "arrayminus": (known[name] - known[f"{name}_low"]).clip(lower=0),
                "thickness": 1.5,
            },
            hovertemplate="%{x:.1%}<extra></extra>",
        )
    height = 130 + 44 * len(found)
    finish(
        figure,
        f"Recall and specificity by {by.lower()}",
        "Share called right, with 95 % over patients",
        "",
        height=height,
    )
    figure.update_yaxes(
        tickvals=list(range(len(found), 0, -1)),
        ticktext=[escape(name) for name in found["part"]],
        range=[0.4, len(found) + 0.6],
        zeroline=False,
    )
    return percent(figure, "x")


def _some(cells: pd.DataFrame) -> pd.DataFrame:
    if len(cells) <= DOTS:
        return cells
    chosen = np.linspace(0, len(cells) - 1, DOTS).round().astype(int)
    return cells.sort_values("probability").iloc[chosen]


def _short(name: str, most: int = 18) -> str:
    return escape(name if len(name) <= most else f"{name[: most - 1]}…")
