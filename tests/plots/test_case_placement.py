"""A case among the patients of the model's record, in a chart and in words."""

import pandas as pd

from leukemia.cases.summary import Placement
from leukemia.plots import case_placement

SHARES = pd.DataFrame(
    {
        "patient_group": ["H<1>", "H2", "7", "8"],
        "label": ["Normal", "Normal", "ALL", "ALL"],
        "cells": [10, 20, 30, 40],
        "share": [0.1, 0.5, 0.4, 0.9],
    }
)


def test_each_patient_is_a_mark_at_its_share_and_names_are_text():
    chart = case_placement.strips(Placement(SHARES, 0.5, 1, 2, 1, 2))
    healthy, ill = chart.figure.data
    assert list(healthy.x) == [0.1, 0.5]
    assert list(ill.x) == [0.4, 0.9]
    assert healthy.marker.symbol != ill.marker.symbol
    assert healthy.customdata[0] == "H&lt;1&gt;, 10 cells"
    assert chart.figure.layout.shapes[0].x0 == 0.5


def test_the_sentence_counts_as_people_do():
    one = case_placement.sentence(Placement(SHARES, 0.5, 1, 2, 1, 2))
    assert one.startswith(
        "1 of 2 patients with ALL has a lower share of ALL-like cells than this case (50.0%)."
    )
    assert "1 of 2 healthy patients has the same share or a higher one" in one
    none = case_placement.sentence(Placement(SHARES, 0.95, 2, 2, 0, 2))
    assert "0 of 2 healthy patients have the same share" in none
