"""Curves of a training that is at work: finished epochs, and the one under way.

Vega-Lite and not Plotly: Streamlit makes a Plotly chart anew at each change of its data, which flickers
and loses a reader's zoom; this one is told new data and goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from leukemia.plots.style import ALL, GREY, NORMAL, SERIES

History = Sequence[dict[str, float]]
COLUMNS = ("epoch", "value", "line", "part", "mark")
FINISHED, UNDER_WAY, EARLIER = "finished", "under way", "earlier"
HEIGHT = 380
MOST_LABELLED = 20  # epochs that are each labelled
# Dashes by whose figure it is: held-out patients count, so theirs is the whole line.
TRAINING, VALIDATION = [3, 3], [1, 0]
# The wheel alone goes on turning the page; with Shift, browsers turn it sideways.
ZOOM = {"type": "interval", "zoom": "wheel![event.altKey]"}
HOW_TO_ZOOM = "Alt and wheel zoom, dragging moves, a double click shows all again."


@dataclass(frozen=True)
class Seen:
    """What there is to draw of a training.

    Attributes
    ----------
    history : sequence of dict
        Figures of the finished epochs.
    step : dict
        Figures of the epoch under way, so far; may be empty.
    at : float
        How much of that epoch is done, 0 to 1.
    epochs : int
        How many there are at most.
    earlier : sequence of histories
        Of earlier folds, drawn faintly.
    """

    history: History
    step: dict[str, float] = field(default_factory=dict)
    at: float = 0.0
    epochs: int = 1
    earlier: Sequence[History] = ()


def loss(seen: Seen) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Loss by epoch: the rows, and the chart as Vega-Lite."""
    lines = {
        "Training": ("loss", SERIES[3][0], TRAINING),
        "Validation": ("val_loss", SERIES[2][0], VALIDATION),
    }
    return _rows(seen, lines), _chart("Loss by epoch", "Loss (cross-entropy)", seen.epochs, lines)


def rates(seen: Seen) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Recall and specificity by epoch, at a threshold of one half; see :func:`loss`."""
    lines = {
        "Recall, training": ("recall", ALL, TRAINING),
        "Recall, validation": ("val_recall", ALL, VALIDATION),
        "Specificity, training": ("specificity", NORMAL, TRAINING),
        "Specificity, validation": ("val_specificity", NORMAL, VALIDATION),
    }
    share = {"scale": {"domain": [0, 1]}, "axis": {"format": ".0%"}}
    title = "Recall and specificity by epoch"
    return _rows(seen, lines), _chart(title, "Share of cells", seen.epochs, lines, share)


def _rows(seen: Seen, lines: dict[str, tuple[str, str, list[int]]]) -> pd.DataFrame:
    rows = []
    for line, (name, _, _) in lines.items():
        for part, history in enumerate(seen.earlier, 1):
            rows += [(n, one[name], line, part, EARLIER) for n, one in enumerate(history, 1) if name in one]
        rows += [(n, one[name], line, 0, FINISHED) for n, one in enumerate(seen.history, 1) if name in one]
        if name in seen.step:
            rows.append((len(seen.history) + seen.at, seen.step[name], line, 0, UNDER_WAY))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"epoch": float, "value": float, "part": int})


def _chart(
    title: str, unit: str, epochs: int, lines: dict[str, tuple[str, str, list[int]]], y: dict | None = None
) -> dict[str, Any]:
    """The same at each look, so that the browser keeps the chart and takes new rows in."""
    names = list(lines)
    # Two columns of words fit a chart of half a narrow screen.
    legend = {"orient": "top", "title": None, "columns": 2, "labelLimit": 0, "symbolSize": 90}
    legend |= {"labelFontSize": 11, "columnPadding": 6, "labelOffset": 3}
    colour = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": names, "range": [colour for _, colour, _ in lines.values()]},
        "legend": legend,
    }
    dash = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": names, "range": [dash for _, _, dash in lines.values()]},
        "legend": legend,
    }
    axis = {"title": unit, "format": ".2f", **(y or {}).get("axis", {})}
    quiet = colour | {"legend": None}
    return {
        "title": {"text": title, "anchor": "start"},
        "height": HEIGHT,
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "scale": {"domain": [0, max(1, epochs) + 0.5], "nice": False},
                "axis": {"title": "Epoch", "tickCount": min(epochs, MOST_LABELLED) + 1, "tickMinStep": 1},
            },
            "y": {"field": "value", "type": "quantitative", **(y or {}), "axis": axis},
            "tooltip": [
                {"field": "line", "title": "Figure"},
                {"field": "epoch", "title": "Epoch", "format": ".3~g"},
                {"field": "value", "title": unit, "format": ".3f"},
                {"field": "mark", "title": "Epoch is"},
            ],
        },
        "layer": [
            {
                "transform": [{"filter": {"field": "mark", "equal": EARLIER}}],
                "mark": {"type": "line", "color": GREY, "opacity": 0.35, "strokeWidth": 1, "clip": True},
                "encoding": {"detail": [{"field": "part"}, {"field": "line"}]},
            },
            {
                "params": [{"name": "zoom", "select": ZOOM, "bind": "scales"}],
                "transform": [{"filter": f"datum.mark !== '{EARLIER}'"}],
                "mark": {"type": "line", "strokeWidth": 2.5, "clip": True},
                "encoding": {"color": colour, "strokeDash": dash},
            },
            _points(FINISHED, quiet, filled=True),
            _points(UNDER_WAY, quiet, filled=False),
        ],
    }


def _points(mark: str, colour: dict[str, Any], *, filled: bool) -> dict[str, Any]:
    return {
        "transform": [{"filter": {"field": "mark", "equal": mark}}],
        "mark": {"type": "point", "filled": filled, "size": 55, "opacity": 1, "clip": True},
        "encoding": {"color": colour},
    }
