"""Every patient's cells in a strip: who is called right, and who is not."""

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.classes import LABELS
from leukemia.operating_point import OperatingPoint
from leukemia.plots.chart import Chart
from leukemia.plots.style import ALL, MARKER, NORMAL, finish, limits, limits_title

Spec = dict[str, Any]
# Strips that one chart holds; the worst ones where there are more.
STRIPS = 80
# Dots a patient in the strip plot; beyond that, evenly chosen from the lowest to the highest.
DOTS = 60
ROW, LONGEST = 26, 120  # pixels: a patient's strip, and its name
SIZE = 34  # square pixels of a dot


def strips(predictions: pd.DataFrame, table: pd.DataFrame, point: OperatingPoint) -> Chart:
    """Draw a strip for each patient: a dot for each cell, at its probability; the worst patient on top.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability.
    table : pandas.DataFrame
        Of :func:`leukemia.evaluation.breakdown.patients.table`.
    point : OperatingPoint
        Its limits are drawn; the table is at its threshold.
    """
    order, shown = _worst(predictions, table)
    every, figure = dots(shown, order), go.Figure()
    for label, colour, mark in zip(LABELS, (NORMAL, ALL), ("circle", "diamond"), strict=True):
        own = every[every["label"] == label]
        figure.add_scatter(
            x=own["probability"],
            y=own["height"],
            customdata=[escape(name) for name in own["patient_group"]],
            name=f"{label} cells",
            mode="markers",
            marker={"color": colour, "symbol": mark, "size": 5, "opacity": 0.6},
            hovertemplate="patient %{customdata}: %{x:.3f}<extra></extra>",
        )
    limits(figure, point)
    finish(
        figure,
        _title(point),
        "Probability of ALL",
        "Patient group",
        height=120 + ROW * len(order),
    )
    figure.update_xaxes(range=[-0.01, 1.01])
    figure.update_yaxes(
        tickvals=list(range(len(order), 0, -1)),
        ticktext=[_short(name) for name in order],
        range=[0.4, len(order) + 0.6],
        zeroline=False,
    )
    return Chart(figure, caption(table, point))


def on_canvas(
    predictions: pd.DataFrame, table: pd.DataFrame, point: OperatingPoint
) -> tuple[pd.DataFrame, Spec]:
    """Return the chart of :func:`strips` as rows and a chart of Vega-Lite.

    A browser draws its thousands of dots on a canvas, where Plotly makes an element of each.
    """
    order, shown = _worst(predictions, table)
    every = dots(shown, order)
    rows = pd.DataFrame(
        {
            "patient": every["patient_group"],
            "cells": every["label"] + " cells",
            "probability": every["probability"],
            # Vega counts downwards.
            "shift": -every["shift"],
        }
    )
    kinds = [f"{label} cells" for label in LABELS]
    spec = {
        "title": {"text": _title(point), "anchor": "start", "fontSize": 15},
        "height": ROW * len(order),
        "layer": [
            {
                "data": {"values": [{"low": point.low, "high": point.high}]},
                "mark": {"type": "rect", "color": MARKER, "opacity": 0.18},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative"},
                    "x2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": SIZE, "opacity": 0.65},
                "encoding": {
                    "y": {
                        "field": "patient",
                        "type": "nominal",
                        "sort": order,
                        "title": "Patient group",
                        "axis": {"labelLimit": LONGEST, "grid": True, "tickBand": "center"},
                    },
                    "yOffset": {"field": "shift", "type": "quantitative", "scale": {"domain": [-0.5, 0.5]}},
                    "x": {
                        "field": "probability",
                        "type": "quantitative",
                        "title": "Probability of ALL",
                        "scale": {"domain": [0, 1]},
                        "axis": {"tickCount": 5},
                    },
                    "color": _by(kinds, [NORMAL, ALL]),
                    "shape": _by(kinds, ["circle", "diamond"]),
                    "tooltip": [
                        {"field": "patient", "type": "nominal", "title": "patient"},
                        {"field": "cells", "type": "nominal", "title": "of"},
                        {"field": "probability", "type": "quantitative", "format": ".3f"},
                    ],
                },
            },
            {
                "data": {"values": [{"limit": limit} for limit in point.limits]},
                "mark": {"type": "rule", "strokeDash": [8, 6], "strokeWidth": 2, "color": MARKER},
                "encoding": {"x": {"field": "limit", "type": "quantitative"}},
            },
        ],
    }
    return rows, spec


def caption(table: pd.DataFrame, point: OperatingPoint) -> str:
    """Return what to notice in the strips of all patients of a table; see :func:`strips`."""
    wrong = int((table["accuracy"] < 0.5).sum())
    of = "of the shaded range" if point.abstains else "of the dashed line"
    return (
        f"ALL cells (diamonds) should be to the right {of}, normal cells (circles) to the left. In {wrong} "
        f"of {len(table)} patient groups most cells are on the wrong side of the threshold, "
        f"{point.threshold:.3f}. At most {DOTS} cells per patient are drawn, evenly chosen."
    )


def dots(predictions: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Choose the cells that a strip plot shows, and place them.

    Returns
    -------
    pandas.DataFrame
        Rows of the predictions with the further columns ``shift``, how far a dot lies from the middle of
        its strip, in strips, and ``height``, where that is; the patient named first is on top.
    """
    rng = np.random.default_rng(0)
    shown = pd.concat([_some(cells) for _, cells in predictions.groupby(["label", "patient_group"])])
    place = {name: len(order) - number for number, name in enumerate(order)}
    shift = rng.uniform(-0.3, 0.3, len(shown))
    return shown.assign(shift=shift, height=shown["patient_group"].map(place) + shift)


def _worst(predictions: pd.DataFrame, table: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    order = list(dict.fromkeys(table["patient_group"]))[:STRIPS]
    return order, predictions[predictions["patient_group"].isin(order)]


def _some(cells: pd.DataFrame) -> pd.DataFrame:
    if len(cells) <= DOTS:
        return cells
    chosen = np.linspace(0, len(cells) - 1, DOTS).round().astype(int)
    return cells.sort_values("probability").iloc[chosen]


def _title(point: OperatingPoint) -> str:
    return f"Cells by patient and {limits_title(point)}"


def _short(name: str, most: int = 18) -> str:
    return escape(name if len(name) <= most else f"{name[: most - 1]}…")


def _by(kinds: list[str], values: list[str]) -> Spec:
    return {
        "field": "cells",
        "type": "nominal",
        "scale": {"domain": kinds, "range": values},
        "legend": {"title": None, "orient": "top", "direction": "horizontal", "symbolSize": 90},
    }
