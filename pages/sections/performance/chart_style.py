"""How charts look here: title, units, colours with a dash or a mark of their own."""

import plotly.graph_objects as go

from leukemia.inference import decisions
from pages.sections.classify.chart import COLOURS

ALL, NORMAL = COLOURS[decisions.ALL_LIKE], COLOURS[decisions.NORMAL_LIKE]
GREY = "#8A94A0"
# Told apart by colour-blind readers, on light and on dark; each with a dash and a mark of its own.
SERIES = (
    (ALL, "solid", "diamond"),
    (NORMAL, "dash", "circle"),
    ("#2E9E6B", "dot", "square"),
    ("#B565C4", "dashdot", "triangle-up"),
    ("#A58A00", "longdash", "cross"),
)
HEIGHT = 340


def finish(figure: go.Figure, title: str, x: str, y: str, height: int = HEIGHT, **layout) -> go.Figure:
    figure.update_layout(
        title={"text": title, "font_size": 15, "y": 0.98, "yanchor": "top", "x": 0, "xanchor": "left"},
        height=height,
        margin={"l": 0, "r": 12, "t": 64, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        separators=".,",
        **layout,
    )
    figure.update_xaxes(title_text=x, automargin=True)
    figure.update_yaxes(title_text=y, automargin=True)
    return figure


def band(figure: go.Figure, x, low, high, colour: str) -> None:
    """The 95 % band of a curve, behind it; places where it is not defined are left open."""
    quiet = {"hoverinfo": "skip", "showlegend": False, "mode": "lines", "line_width": 0}
    known = low.notna() & high.notna()
    figure.add_scatter(x=x[known], y=high[known], **quiet)
    figure.add_scatter(x=x[known], y=low[known], fill="tonexty", fillcolor=faint(colour), **quiet)


def faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def percent(figure: go.Figure, *axes: str) -> go.Figure:
    """Axes from 0 to 100 %."""
    for axis in axes:
        update = figure.update_xaxes if axis == "x" else figure.update_yaxes
        update(range=[-0.01, 1.02], tickformat=".0%")
    return figure
