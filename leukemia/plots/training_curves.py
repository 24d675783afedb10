"""Curves of a training, epoch by epoch, each with what to notice in it; light to import.

Vega-Lite and not Plotly for the training that runs: Streamlit makes a Plotly chart anew at each change of
its data, which flickers and loses a reader's zoom; a Vega-Lite chart is given new rows and stays.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from leukemia.plots.chart import Chart
from leukemia.plots.style import ALL, GREY, NORMAL, SERIES, finish, percent

# Metrics of each epoch, the first epoch first.
History = Sequence[Mapping[str, float]]
# Name of a line to its metric, its colour and its dash.
Lines = dict[str, tuple[str, str, list[int]]]

COLUMNS = ("epoch", "value", "line", "part", "mark")
FINISHED, UNDER_WAY, EARLIER = "finished", "under way", "earlier"
HEIGHT = 380
MOST_LABELLED = 20  # epochs that are each labelled
# Validation is what counts: its lines are solid.
TRAINING, VALIDATION = [3, 3], [1, 0]
# The wheel alone scrolls the page; with Shift, browsers scroll it sideways.
ZOOM = {"type": "interval", "zoom": "wheel![event.altKey]"}
HOW_TO_ZOOM = "Alt + mouse wheel to zoom, drag to move, double-click to reset."
LOSS_TITLE = "Loss (cross-entropy)"
# Epochs after the best one from which on a rise is no chance.
LATER = 2
# Shares that differ by less are taken as equal.
EQUAL = 0.05
RATES = (
    "Sensitivity (recall): the share of ALL cells found. Specificity: the share of normal cells called "
    "Normal-like."
)

# Metrics in which several trainings are laid over each other.
OVERLAID = {
    "val_loss": "Validation loss",
    "val_auroc": "Validation AUROC",
    "val_recall": "Validation sensitivity (recall)",
    "val_specificity": "Validation specificity",
    "loss": "Training loss",
    "recall": "Training sensitivity (recall)",
    "specificity": "Training specificity",
}
LOSSES = ("val_loss", "loss")


@dataclass(frozen=True)
class Epochs:
    """What there is to draw of a training.

    Attributes
    ----------
    history : History
        Metrics of the finished epochs.
    current : dict
        Metrics of the epoch under way, so far; may be empty.
    share : float
        How much of that epoch is done, 0 to 1.
    planned : int
        The most epochs that it trains for.
    earlier : sequence of History
        Of earlier folds, drawn faintly.
    """

    history: History
    current: Mapping[str, float] = field(default_factory=dict)
    share: float = 0.0
    planned: int = 1
    earlier: Sequence[History] = ()


@dataclass(frozen=True)
class VegaChart:
    """A Vega-Lite chart with its caption.

    Attributes
    ----------
    rows : pandas.DataFrame
        What is drawn: columns :data:`COLUMNS`.
    spec : dict
        The chart without its rows; the same for all rows of one training.
    caption : str
        What to notice, as plain text.
    """

    rows: pd.DataFrame
    spec: dict[str, Any]
    caption: str


def loss(epochs: Epochs) -> VegaChart:
    """Draw the loss by epoch."""
    lines = {
        "Training": ("loss", SERIES[3][0], TRAINING),
        "Validation": ("val_loss", SERIES[2][0], VALIDATION),
    }
    lines = _known(epochs, lines)
    spec = _spec("Loss by epoch", LOSS_TITLE, epochs.planned, lines)
    return VegaChart(_rows(epochs, lines), spec, loss_caption(epochs.history, epochs.current))


def rates(epochs: Epochs) -> VegaChart:
    """Draw recall and specificity by epoch, at a threshold of 0.5."""
    lines = {
        "Sensitivity, training": ("recall", ALL, TRAINING),
        "Sensitivity, validation": ("val_recall", ALL, VALIDATION),
        "Specificity, training": ("specificity", NORMAL, TRAINING),
        "Specificity, validation": ("val_specificity", NORMAL, VALIDATION),
    }
    lines = _known(epochs, lines)
    share = {"scale": {"domain": [0, 1]}, "axis": {"format": ".0%"}}
    spec = _spec(
        "Sensitivity (recall) and specificity by epoch", "Share of cells", epochs.planned, lines, share
    )
    return VegaChart(_rows(epochs, lines), spec, rates_caption(epochs.history))


def loss_caption(history: History, current: Mapping[str, float]) -> str:
    """Say whether the training still improves on patients that were held out.

    Parameters are attributes of :class:`Epochs`.
    """
    if any(not math.isfinite(epoch["loss"]) for epoch in (*history, current) if "loss" in epoch):
        return (
            "The loss is no longer a number: the training has diverged. Cancel it and start again with a "
            "lower learning rate."
        )
    if not history:
        return "The first epoch is running. The loss should fall."
    held_out = [epoch["val_loss"] for epoch in history if "val_loss" in epoch]
    if len(held_out) != len(history):
        return (
            "No patients are held out for validation here: a falling loss shows only that the network fits "
            "its training patients. The held-out patients are evaluated at the end."
        )
    best = min(range(len(held_out)), key=held_out.__getitem__)
    lowest = f"Validation loss was lowest in epoch {best + 1} ({held_out[best]:.3f})"
    behind = len(held_out) - 1 - best
    if behind >= LATER and history[-1]["loss"] < history[best]["loss"]:
        return (
            f"{lowest} and is {held_out[-1]:.3f} now, while training loss is still falling: a sign of "
            "overfitting. The best epoch is kept, not the last."
        )
    if behind == 0 and len(held_out) > 1:
        return f"{lowest}, the last one: the network is still improving on patients it is not trained on."
    return f"{lowest}. The best epoch on validation patients is kept, not the last."


def rates_caption(history: History) -> str:
    """Say what recall and specificity are now, and how far training is ahead of validation."""
    if not history:
        return RATES
    last = history[-1]
    part, prefix = ("validation", "val_") if "val_recall" in last else ("training", "")
    recall, specificity = last.get(f"{prefix}recall"), last.get(f"{prefix}specificity")
    if recall is None or specificity is None:
        return RATES
    now = (
        f"After epoch {len(history)}, {recall:.0%} of the {part} ALL cells are found and {specificity:.0%} "
        "of the normal cells are called Normal-like, at a threshold of 0.5."
    )
    gap = last.get("recall", recall) + last.get("specificity", specificity) - recall - specificity
    if prefix and gap / 2 > EQUAL:
        return (
            f"{now} Results on training patients are {50 * gap:.0f} points better on average: a sign of "
            "overfitting."
        )
    return f"{now} The threshold is chosen at the end."


def metrics_of(histories: Mapping[str, History]) -> list[str]:
    """List the metrics of :data:`OVERLAID` that any epoch of these trainings has."""
    return [name for name in OVERLAID if any(name in epoch for one in histories.values() for epoch in one)]


def overlaid(histories: Mapping[str, History], metric: str) -> Chart:
    """Lay one metric of several trainings over each other.

    Parameters
    ----------
    histories : mapping
        Name of each training to its epochs.
    metric : str
        One of :data:`OVERLAID`.
    """
    figure = go.Figure()
    for number, (training, history) in enumerate(histories.items()):
        values = {n: epoch[metric] for n, epoch in enumerate(history, 1) if metric in epoch}
        colour, dash, mark = SERIES[number] if number < len(SERIES) else (GREY, "dot", "circle")
        figure.add_scatter(
            x=list(values),
            y=list(values.values()),
            name=escape(training),
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": mark, "size": 7},
            hovertemplate=f"epoch %{{x}}: %{{y:{'.3f' if metric in LOSSES else '.1%'}}}",
        )
    unit = LOSS_TITLE if metric in LOSSES else "Share of cells, at threshold 0.5"
    unit = "Area under the curve" if "auroc" in metric else unit
    finish(figure, f"{OVERLAID[metric]} by epoch", "Epoch", unit)
    epochs = max(map(len, histories.values()))
    figure.update_xaxes(range=[0, max(1, epochs) + 0.5], dtick=1 if epochs <= MOST_LABELLED else None)
    if metric in LOSSES:
        figure.update_yaxes(rangemode="tozero")
    else:
        percent(figure, "y")
    return Chart(figure, _overlaid_caption(histories, metric))


def _overlaid_caption(histories: Mapping[str, History], metric: str) -> str:
    last = {
        name: history[-1][metric] for name, history in histories.items() if history and metric in history[-1]
    }
    if len(last) < 2:
        return "Only one of these runs has finished an epoch."
    low, high = min(last, key=last.get), max(last, key=last.get)
    form = "{:.3f}" if metric in LOSSES or "auroc" in metric else "{:.1%}"
    ends = f"from {form.format(last[low])} ({low}) to {form.format(last[high])} ({high})"
    return f"After the last epoch, {OVERLAID[metric].lower().replace('auroc', 'AUROC')} ranges {ends}."


def _known(epochs: Epochs, lines: Lines) -> Lines:
    """The lines that there will be: without validation patients, a legend promises none of theirs."""
    if not epochs.history:
        return lines
    return {line: one for line, one in lines.items() if any(one[0] in epoch for epoch in epochs.history)}


def _rows(epochs: Epochs, lines: Lines) -> pd.DataFrame:
    rows = []
    for line, (name, _, _) in lines.items():
        for part, history in enumerate(epochs.earlier, 1):
            rows += [(n, one[name], line, part, EARLIER) for n, one in enumerate(history, 1) if name in one]
        rows += [(n, one[name], line, 0, FINISHED) for n, one in enumerate(epochs.history, 1) if name in one]
        if name in epochs.current:
            rows.append((len(epochs.history) + epochs.share, epochs.current[name], line, 0, UNDER_WAY))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"epoch": float, "value": float, "part": int})


def _spec(
    title: str, unit: str, planned: int, lines: Lines, y: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Make the same chart at each call, so that the browser keeps it and takes new rows in."""
    # Two columns of words fit a chart of half a narrow screen.
    legend = {"orient": "top", "title": None, "columns": 2, "labelLimit": 0, "symbolSize": 90}
    legend |= {"labelFontSize": 11, "columnPadding": 6, "labelOffset": 3}

    def by_line(values: list[Any]) -> dict[str, Any]:
        scale = {"domain": list(lines), "range": values}
        return {"field": "line", "type": "nominal", "scale": scale, "legend": legend}

    colour = by_line([colour for _, colour, _ in lines.values()])
    dash = by_line([dash for _, _, dash in lines.values()])
    axis = {"title": unit, "format": ".2f", **(y or {}).get("axis", {})}
    quiet = colour | {"legend": None}
    return {
        "title": {"text": title, "anchor": "start"},
        "height": HEIGHT,
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "scale": {"domain": [0, max(1, planned) + 0.5], "nice": False},
                "axis": {"title": "Epoch", "tickCount": min(planned, MOST_LABELLED) + 1, "tickMinStep": 1},
            },
            "y": {"field": "value", "type": "quantitative", **(y or {}), "axis": axis},
            "tooltip": [
                {"field": "line", "title": "Metric"},
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
