"""How charts look: title, units, colours with a dash or a mark of their own."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.estimate import Estimate
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, OperatingPoint

# By decision: the cell grid's two colours, a little lighter, to be seen on light and dark pages.
COLOURS = {
    NORMAL_LIKE: "#3B8BD0",
    INDETERMINATE: "#8C8C96",
    ALL_LIKE: "#DD6B20",
}
ALL, NORMAL = COLOURS[ALL_LIKE], COLOURS[NORMAL_LIKE]
GREY = "#8A94A0"
# Of the line that marks a threshold.
MARKER = "#808080"
# Told apart by colour-blind readers, on light and on dark; each with a dash and a mark of its own.
SERIES = (
    (ALL, "solid", "diamond"),
    (NORMAL, "dash", "circle"),
    ("#2E9E6B", "dot", "square"),
    ("#B565C4", "dashdot", "triangle-up"),
    ("#A58A00", "longdash", "cross"),
)
HEIGHT = 340


def finish(
    figure: go.Figure, title: str, x: str, y: str, height: int = HEIGHT, **layout: object
) -> go.Figure:
    """Give a figure its title, its axes' titles, its height in pixels and the common layout; return it."""
    figure.update_layout(
        title={"text": title, "font_size": 15, "y": 0.98, "yanchor": "top", "x": 0, "xanchor": "left"},
        height=height,
        # Room for a legend of two lines below the title, as it has beside another chart at 768 pixels.
        margin={"l": 0, "r": 12, "t": 78, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        separators=".,",
        **layout,
    )
    # Left to itself, the browser measures each label to hide one that leaves the chart: a third of the
    # time that a chart takes. The margins have room for all.
    figure.update_xaxes(title_text=x, automargin=True, ticklabeloverflow="allow")
    figure.update_yaxes(title_text=y, automargin=True, ticklabeloverflow="allow")
    return figure


def limits(figure: go.Figure, point: OperatingPoint, *, legend: bool = False) -> None:
    """Shade where a model abstains, and mark both limits; where it always answers, the one.

    ``legend`` is whether the legend says what is shaded, where no title does.
    """
    if point.abstains:
        figure.add_vrect(
            x0=point.low,
            x1=point.high,
            fillcolor=MARKER,
            opacity=0.18,
            line_width=0,
            name=f"Abstains: {point.low:.3f} to {point.high:.3f}",
            showlegend=legend,
        )
    for limit in dict.fromkeys(point.limits):
        figure.add_vline(x=limit, line_dash="dash", line_width=2, line_color=MARKER)


def limits_title(point: OperatingPoint) -> str:
    """What a title says of :func:`limits`."""
    return "the range where the model abstains (shaded)" if point.abstains else "the limit (dashed)"


def band(figure: go.Figure, x: pd.Series, low: pd.Series, high: pd.Series, colour: str) -> None:
    """Draw the 95 % band of a curve behind it; places where it is not defined are left open."""
    quiet = {"hoverinfo": "skip", "showlegend": False, "mode": "lines", "line_width": 0}
    known = low.notna() & high.notna()
    figure.add_scatter(x=x[known], y=high[known], **quiet)
    figure.add_scatter(x=x[known], y=low[known], fill="tonexty", fillcolor=faint(colour), **quiet)


def dots(
    figure: go.Figure, name: str, estimates: Sequence[Estimate], y: Sequence[float], marker: dict[str, object]
) -> None:
    """Draw shares with their intervals, each at its height; ``marker`` is its colour and symbols."""
    value, low, high = np.array([(one.value, one.low, one.high) for one in estimates]).reshape(-1, 3).T
    figure.add_scatter(
        x=value,
        y=y,
        name=name,
        mode="markers",
        marker={"size": 10, **marker},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (high - value).clip(min=0),
            "arrayminus": (value - low).clip(min=0),
            "thickness": 1.5,
        },
        hovertemplate="%{x:.1%}<extra></extra>",
    )


def faint(colour: str) -> str:
    """Make a colour, given as #RRGGBB, nearly transparent."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def percent(figure: go.Figure, *axes: str) -> go.Figure:
    """Let the axes named, "x" or "y", go from 0 to 100 %; return the figure."""
    for axis in axes:
        update = figure.update_xaxes if axis == "x" else figure.update_yaxes
        update(range=[-0.01, 1.02], tickformat=".0%")
    return figure
