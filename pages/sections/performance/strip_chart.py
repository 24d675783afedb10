"""The strip plot on the page: thousands of dots on a canvas, where Plotly makes an element of each."""

from typing import Any

import pandas as pd

from leukemia.plots.style import ALL, NORMAL
from pages.sections.performance import more_charts

Spec = dict[str, Any]
ROW, LONGEST = 26, 120  # pixels: a patient's strip, and its name
SIZE = 34  # square pixels of a dot


def strips(predictions: pd.DataFrame, order: list[str], threshold: float) -> tuple[pd.DataFrame, Spec]:
    """The same as :func:`more_charts.strips`, as rows and a chart of Vega-Lite."""
    dots = more_charts.dots(predictions, order)
    rows = pd.DataFrame(
        {
            "patient": dots["patient_group"],
            "cells": dots["label"] + " cells",
            "probability": dots["probability"],
            # Vega counts downwards.
            "shift": -dots["shift"],
        }
    )
    kinds = [f"{label} cells" for label in ("Normal", "ALL")]
    spec = {
        "title": {"text": "Cells by patient and the threshold (dashed)", "anchor": "start", "fontSize": 15},
        "height": ROW * len(order),
        "layer": [
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
                "data": {"values": [{"threshold": threshold}]},
                "mark": {"type": "rule", "strokeDash": [8, 6], "strokeWidth": 2, "color": "#808080"},
                "encoding": {"x": {"field": "threshold", "type": "quantitative"}},
            },
        ],
    }
    return rows, spec


def _by(kinds: list[str], looks: list[str]) -> Spec:
    return {
        "field": "cells",
        "type": "nominal",
        "scale": {"domain": kinds, "range": looks},
        "legend": {"title": None, "orient": "top", "direction": "horizontal", "symbolSize": 90},
    }
