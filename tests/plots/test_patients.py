"""The strip plot: on the page a canvas, in the report Plotly; the same dots in both."""

import numpy as np
import pytest

from leukemia.evaluation.breakdown import patients
from leukemia.operating_point import OperatingPoint
from leukemia.plots import patients as plots


@pytest.fixture
def predictions(answers):
    return answers(seed=1, patients=6, most=90)


def test_both_strip_plots_show_the_same_dots(predictions):
    table = patients.table(predictions, 0.4)
    order = list(dict.fromkeys(table["patient_group"]))
    point = OperatingPoint(0.3, 0.8, 0.4)
    rows, spec = plots.on_canvas(predictions, table, point)
    figure = plots.strips(predictions, table, point).figure
    for trace in figure.data:
        own = rows[rows["cells"] == trace.name]
        assert np.allclose(own["probability"], trace.x)
        # The first patient is on top in both; Vega counts downwards.
        height = own["patient"].map({name: len(order) - n for n, name in enumerate(order)}) - own["shift"]
        assert np.allclose(height, trace.y)
    shaded, dots, line = spec["layer"]
    assert dots["encoding"]["y"]["sort"] == order
    assert line["data"]["values"] == [{"limit": 0.3}, {"limit": 0.8}]
    assert shaded["data"]["values"] == [{"low": 0.3, "high": 0.8}]
    assert sorted(shape.x0 for shape in figure.layout.shapes) == [0.3, 0.3, 0.8]


def test_of_many_cells_of_a_patient_some_are_drawn_from_the_lowest_to_the_highest(predictions):
    rows, _ = plots.on_canvas(predictions, patients.table(predictions, 0.4), OperatingPoint.of(0.4))
    counted = rows.groupby("patient").size()
    assert counted.max() == plots.DOTS
    whole = predictions.groupby("patient_group")["probability"].agg(["min", "max"])
    drawn = rows.groupby("patient")["probability"].agg(["min", "max"])
    assert np.allclose(whole.to_numpy(), drawn.to_numpy())
