"""Charts of one version, and of several over each other."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.curves import BY_THRESHOLD
from leukemia.evaluation.estimates import Estimate
from leukemia.plots.style import GREY, SERIES, band, finish, percent

NAMES = {"sensitivity": "Recall (ALL cells found)", "specificity": "Specificity", "ppv": "Precision (PPV)"}
# A curve is drawn with at most so many points.
POINTS = 600
FALSE, RECALL, PRECISION = (
    "False alarms: share of normal cells",
    "Recall: share of ALL cells found",
    "Precision",
)


def against_threshold(found: pd.DataFrame, threshold: float, at: dict[str, Estimate]) -> go.Figure:
    """Recall, specificity and precision against the threshold, with the operating point."""
    figure = go.Figure()
    for name, (colour, _, _) in zip(BY_THRESHOLD, SERIES, strict=False):
        band(figure, found["threshold"], found[f"{name}_low"], found[f"{name}_high"], colour)
    for name, (colour, dash, mark) in zip(BY_THRESHOLD, SERIES, strict=False):
        figure.add_scatter(
            x=found["threshold"],
            y=found[name],
            name=NAMES[name],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="from %{x:.3f}: %{y:.1%}",
        )
        _point(figure, threshold, at[name].value, colour, mark)
    figure.add_vline(x=threshold, line_dash="dash", line_width=2, line_color="#808080")
    finish(
        figure, "Recall, specificity and precision by threshold", "Threshold (probability of ALL)", "Share"
    )
    figure.update_xaxes(range=[-0.01, 1.01])
    return percent(figure, "y")


def roc(curve: pd.DataFrame, around: pd.DataFrame, at: dict[str, Estimate]) -> go.Figure:
    """ROC curve with its band and the operating point."""
    figure = go.Figure()
    colour, _, mark = SERIES[0]
    band(figure, around["false_alarms"], around["low"], around["high"], colour)
    _diagonal(figure, "No better than chance")
    _line(figure, curve["false_alarms"], curve["sensitivity"], "ROC curve", 0)
    _point(figure, 1 - at["specificity"].value, at["sensitivity"].value, colour, mark, "Picked threshold")
    return percent(finish(figure, "ROC curve", FALSE, RECALL), "x", "y")


def precision_recall(
    curve: pd.DataFrame, around: pd.DataFrame, at: dict[str, Estimate], share: float
) -> go.Figure:
    """Precision-recall curve with its band, the operating point and the share of ALL cells."""
    figure = go.Figure()
    colour, _, mark = SERIES[0]
    band(figure, around["sensitivity"], around["low"], around["high"], colour)
    _across(figure, share, "All cells called ALL-like")
    _line(figure, curve["sensitivity"], curve["ppv"], "Precision-recall curve", 0)
    _point(figure, at["sensitivity"].value, at["ppv"].value, colour, mark, "Picked threshold")
    return percent(finish(figure, "Precision-recall curve", RECALL, PRECISION), "x", "y")


def rocs(curves: dict[str, tuple[pd.DataFrame, dict[str, Estimate]]]) -> go.Figure:
    """ROC curves of several versions, each with its operating point."""
    figure = go.Figure()
    _diagonal(figure, "No better than chance")
    for number, (name, (curve, at)) in enumerate(curves.items()):
        colour, _, mark = SERIES[number]
        _line(figure, curve["false_alarms"], curve["sensitivity"], name, number)
        _point(figure, 1 - at["specificity"].value, at["sensitivity"].value, colour, mark)
    return percent(finish(figure, "ROC curves on the same cells", FALSE, RECALL), "x", "y")


def precision_recalls(curves: dict[str, tuple[pd.DataFrame, dict[str, Estimate]]], share: float) -> go.Figure:
    """Precision-recall curves of several versions, each with its operating point."""
    figure = go.Figure()
    _across(figure, share, "All cells called ALL-like")
    for number, (name, (curve, at)) in enumerate(curves.items()):
        colour, _, mark = SERIES[number]
        _line(figure, curve["sensitivity"], curve["ppv"], name, number)
        _point(figure, at["sensitivity"].value, at["ppv"].value, colour, mark)
    title = "Precision-recall curves on the same cells"
    return percent(finish(figure, title, RECALL, PRECISION), "x", "y")


def prevalence(curve: pd.DataFrame, at: float, found: dict[str, Estimate], own: float) -> go.Figure:
    """PPV and NPV against the prevalence, on a scale by logit."""
    figure = go.Figure()
    place = np.log10(curve["prevalence"] / (1 - curve["prevalence"]))
    names = {"ppv": "PPV: called ALL-like, and ALL", "npv": "NPV: called Normal-like, and normal"}
    for name, (colour, _, _) in zip(names, SERIES, strict=False):
        band(figure, place, curve[f"{name}_low"], curve[f"{name}_high"], colour)
    for name, (colour, dash, mark) in zip(names, SERIES, strict=False):
        figure.add_scatter(
            x=place,
            y=curve[name],
            customdata=curve["prevalence"],
            name=names[name],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="at %{customdata:.1%}: %{y:.1%}",
        )
        _point(figure, np.log10(at / (1 - at)), found[name].value, colour, mark)
    figure.add_vline(x=np.log10(at / (1 - at)), line_dash="dash", line_width=2, line_color="#808080")
    figure.add_vline(x=np.log10(own / (1 - own)), line_dash="dot", line_width=2, line_color=GREY)
    ticks = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999])
    finish(figure, "PPV and NPV by prevalence", "Prevalence: share of ALL among the cells", "Share")
    figure.update_xaxes(
        tickvals=np.log10(ticks / (1 - ticks)), ticktext=[f"{100 * tick:g}%" for tick in ticks]
    )
    return percent(figure, "y")


def _line(figure: go.Figure, x: pd.Series, y: pd.Series, name: str, number: int) -> None:
    colour, dash, _ = SERIES[number]
    keep = (
        np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int)) if len(x) > POINTS else slice(None)
    )
    figure.add_scatter(
        x=x.iloc[keep],
        y=y.iloc[keep],
        name=escape(name),
        mode="lines",
        line={"color": colour, "dash": dash, "width": 2},
        hovertemplate="%{x:.1%}, %{y:.1%}",
    )


def _point(figure: go.Figure, x: float, y: float, colour: str, mark: str, name: str = "") -> None:
    figure.add_scatter(
        x=[x],
        y=[y],
        name=name,
        showlegend=bool(name),
        mode="markers",
        marker={"color": colour, "symbol": mark, "size": 12, "line": {"width": 2, "color": "#808080"}},
        hovertemplate="picked: %{y:.1%}<extra></extra>",
    )


def _diagonal(figure: go.Figure, name: str) -> None:
    figure.add_scatter(
        x=[0, 1], y=[0, 1], name=name, mode="lines", line={"color": GREY, "dash": "dot"}, hoverinfo="skip"
    )


def _across(figure: go.Figure, y: float, name: str) -> None:
    figure.add_scatter(
        x=[0, 1], y=[y, y], name=name, mode="lines", line={"color": GREY, "dash": "dot"}, hoverinfo="skip"
    )
