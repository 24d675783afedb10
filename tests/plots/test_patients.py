"""The strip plot: on the page a canvas, in the report Plotly; the same dots in both."""

import numpy as np
import pytest

from leukemia.evaluation.breakdown import patients
from leukemia.plots import patients as plots


@pytest.fixture
def predictions(answers):
    return answers(seed=1, patients=6, most=90)


def test_both_strip_plots_show_the_same_dots(predictions):
    table = patients.table(predictions, 0.4)
    order = list(dict.fromkeys(table["patient_group"]))
    rows, spec = plots.on_canvas(predictions, table, 0.4)
    figure = plots.strips(predictions, table, 0.4).figure
    for trace in figure.data:
        own = rows[rows["cells"] == trace.name]
        assert np.allclose(own["probability"], trace.x)
        # The first patient is on top in both; Vega counts downwards.
        height = own["patient"].map({name: len(order) - n for n, name in enumerate(order)}) - own["shift"]
        assert np.allclose(height, trace.y)
    dots, line = spec["layer"]
    assert dots["encoding"]["y"]["sort"] == order
    assert line["data"]["values"] == [{"threshold": 0.4}]


def test_of_many_cells_of_a_patient_some_are_drawn_from_the_lowest_to_the_highest(predictions):
    rows, _ = plots.on_canvas(predictions, patients.table(predictions, 0.4), 0.4)
    counted = rows.groupby("patient").size()
    assert counted.max() == plots.DOTS
    whole = predictions.groupby("patient_group")["probability"].agg(["min", "max"])
    drawn = rows.groupby("patient")["probability"].agg(["min", "max"])
    assert np.allclose(whole.to_numpy(), drawn.to_numpy())
