"""Whether a probability means what it says, and what silence on the unsure cells would gain."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from leukemia.evaluation import calibration, conformal
from leukemia.evaluation.metrics import ECE_BINS
from leukemia.plots.chart import Chart
from leukemia.plots.curves import thinned
from leukemia.plots.style import ALL, GREY, SERIES, finish, percent

# The share of cells answered that the caption of the coverage curve names.
ANSWERED = 0.8


def reliability(predictions: pd.DataFrame, around: pd.DataFrame) -> Chart:
    """Reliability diagram above the counts of cells in its bins.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns label and probability.
    around : pandas.DataFrame
        Of :func:`leukemia.evaluation.curves.reliability_band`.
    """
    points = calibration.reliability(predictions, ECE_BINS)
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
        name="Share of ALL, with 95% interval over patients",
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
        hovertemplate="predicted %{x:.1%}, observed %{y:.1%} of %{customdata:,} cells<extra></extra>",
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
    figure.update_xaxes(title_text="Predicted probability of ALL", row=2, col=1)
    gap = points["share"] - points["probability"]
    row = points.loc[(gap.abs() * points["cells"]).idxmax()]
    side = "more" if row["share"] > row["probability"] else "fewer"
    caption = (
        "Points on the dotted line are perfectly calibrated. The largest gap, weighted by cells: where the "
        f"model predicts {row['probability']:.1%} on average, {row['share']:.1%} of {row['cells']:,.0f} "
        f"cells are ALL, {side} than predicted."
    )
    return Chart(figure, caption)


def coverage(predictions: pd.DataFrame, threshold: float) -> Chart:
    """Accuracy and sensitivity against the share of cells that are answered, at a threshold."""
    figure, every = go.Figure(), conformal.coverage_curve(predictions, threshold)
    curve = every.iloc[thinned(len(every))]
    for (column, name), (colour, dash, _) in zip(
        (("sensitivity", "Sensitivity"), ("accuracy", "Accuracy")), SERIES, strict=False
    ):
        figure.add_scatter(
            x=curve["coverage"],
            y=curve[column],
            name=f"{name} of the answered cells",
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="%{x:.0%} answered: %{y:.1%}",
        )
    finish(
        figure,
        "Accuracy when the least certain cells are left out",
        "Share of cells answered",
        "Share called correctly",
    )
    best = every[every["coverage"] >= ANSWERED].iloc[-1]
    caption = (
        f"When every cell is answered, {every.iloc[0]['accuracy']:.1%} are called correctly. When only the "
        f"{ANSWERED:.0%} furthest from the threshold (by logit) are answered, {best['accuracy']:.1%} are."
    )
    return Chart(percent(figure, "x", "y"), caption)
