"""Curves of one version over its thresholds: sensitivity and specificity, ROC, precision-recall."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.curves import BY_THRESHOLD, HeldOutCurves
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.formatting import interval
from leukemia.operating_point import OperatingPoint
from leukemia.plots.chart import Chart
from leukemia.plots.style import GREY, MARKER, SERIES, band, finish, limits, percent

NAMES = {
    "sensitivity": "Sensitivity (ALL cells found)",
    "specificity": "Specificity",
    "ppv": "Precision (PPV)",
}
# A curve is drawn with at most so many points.
POINTS = 600
FALSE_ALARMS = "False alarms: share of normal cells called ALL-like"
SENSITIVITY = "Sensitivity (recall): share of ALL cells found"
PRECISION = "Precision (PPV)"
CHANCE, ALL_CALLED = "No better than chance", "All cells called ALL-like"


def against_threshold(
    held_out: HeldOutCurves, chosen: OperatingPoint, estimates: dict[str, Estimate]
) -> Chart:
    """Sensitivity, specificity and precision against the threshold, with the operating point.

    Parameters
    ----------
    held_out : HeldOutCurves
    chosen : OperatingPoint
        Threshold and limits.
    estimates : dict of str to Estimate
        Of :func:`leukemia.evaluation.estimates.at_threshold`, at its threshold.
    """
    figure, curve = go.Figure(), held_out.curves.against_threshold
    for name, (colour, _, _) in zip(BY_THRESHOLD, SERIES, strict=False):
        band(figure, curve["threshold"], curve[f"{name}_low"], curve[f"{name}_high"], colour)
    for name, (colour, dash, mark) in zip(BY_THRESHOLD, SERIES, strict=False):
        figure.add_scatter(
            x=curve["threshold"],
            y=curve[name],
            name=NAMES[name],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="from %{x:.3f}: %{y:.1%}",
        )
        point(figure, chosen.threshold, estimates[name].value, colour, mark)
    limits(figure, chosen, legend=True)
    figure.add_vline(x=chosen.threshold, line_width=2, line_color=MARKER)
    title = "Sensitivity, specificity and precision by threshold"
    finish(figure, title, "Threshold (probability of ALL)", "Share")
    figure.update_xaxes(range=[-0.01, 1.01])
    sensitivity, specificity = (interval(estimates[name], True) for name in ("sensitivity", "specificity"))
    shaded = " In the shaded range the model abstains: cells there are Indeterminate." * chosen.abstains
    caption = (
        f"At the solid line, the threshold, sensitivity is {sensitivity} and specificity {specificity}. "
        f"A lower threshold finds more ALL cells and raises more false alarms.{shaded} Bands are 95% "
        "intervals over patients."
    )
    return Chart(percent(figure, "y"), caption)


def roc(held_out: HeldOutCurves, estimates: dict[str, Estimate]) -> Chart:
    """ROC curve with its band and the operating point; arguments as of :func:`against_threshold`."""
    curves, figure = held_out.curves, go.Figure()
    colour, _, mark = SERIES[0]
    around = curves.roc_band
    band(figure, around["false_alarms"], around["low"], around["high"], colour)
    reference(figure, (0, 1), CHANCE)
    line(figure, curves.roc["false_alarms"], curves.roc["sensitivity"], "ROC curve", 0, legend=False)
    x, y = 1 - estimates["specificity"].value, estimates["sensitivity"].value
    point(figure, x, y, colour, mark, "Chosen threshold")
    finish(figure, "ROC curve", FALSE_ALARMS, SENSITIVITY)
    caption = (
        f"The area under the curve is {interval(held_out.ranking['auroc'])}: the chance that an ALL "
        "cell gets a higher probability than a normal cell."
    )
    return Chart(percent(figure, "x", "y"), caption)


def precision_recall(held_out: HeldOutCurves, estimates: dict[str, Estimate]) -> Chart:
    """Precision-recall curve with its band, the operating point and the share of ALL cells."""
    curves, share, figure = held_out.curves, held_out.share_of_all, go.Figure()
    colour, _, mark = SERIES[0]
    around, curve = curves.precision_recall_band, curves.precision_recall
    band(figure, around["sensitivity"], around["low"], around["high"], colour)
    reference(figure, (share, share), ALL_CALLED)
    line(figure, curve["sensitivity"], curve["ppv"], "Precision-recall curve", 0, legend=False)
    x, y = estimates["sensitivity"].value, estimates["ppv"].value
    point(figure, x, y, colour, mark, "Chosen threshold")
    finish(figure, "Precision-recall curve", SENSITIVITY, PRECISION)
    caption = (
        f"Of the cells called ALL-like at the chosen threshold, {interval(estimates['ppv'], True)} "
        f"are ALL. The average precision is {interval(held_out.ranking['average_precision'])}. Both "
        f"depend on the share of ALL among these cells ({share:.1%}): see Prevalence."
    )
    return Chart(percent(figure, "x", "y"), caption)


def line(
    figure: go.Figure, x: pd.Series, y: pd.Series, name: str, number: int, *, legend: bool = True
) -> None:
    """Draw a curve in the colour and dash of a number of the series; of a long one, :data:`POINTS` points."""
    colour, dash, _ = SERIES[number]
    rows = thinned(len(x))
    figure.add_scatter(
        x=x.iloc[rows],
        y=y.iloc[rows],
        name=escape(name),
        showlegend=legend,
        mode="lines",
        line={"color": colour, "dash": dash, "width": 2},
        hovertemplate="%{x:.1%}, %{y:.1%}",
    )


def thinned(length: int) -> np.ndarray:
    """Which rows of a curve are drawn: positions, int, at most :data:`POINTS`, both ends among them."""
    return np.unique(np.linspace(0, length - 1, min(length, POINTS)).round().astype(int))


def point(figure: go.Figure, x: float, y: float, colour: str, mark: str, name: str = "") -> None:
    """Mark an operating point; with a name it stands in the legend."""
    figure.add_scatter(
        x=[x],
        y=[y],
        name=name,
        showlegend=bool(name),
        mode="markers",
        marker={"color": colour, "symbol": mark, "size": 12, "line": {"width": 2, "color": MARKER}},
        hovertemplate="chosen: %{y:.1%}<extra></extra>",
    )


def reference(figure: go.Figure, y: tuple[float, float], name: str) -> None:
    """Draw the dotted line from x = 0 to 1 that a curve is compared with, between two heights."""
    figure.add_scatter(
        x=[0, 1], y=list(y), name=name, mode="lines", line={"color": GREY, "dash": "dot"}, hoverinfo="skip"
    )
