"""Shares of the cells of each class that are called ALL-like, Indeterminate and Normal-like."""

import pandas as pd
import pytest

from leukemia.evaluation import estimates, three_way
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.operating_point import OperatingPoint

# Patient A has three ALL cells, B one; C two normal cells, D one.
CELLS = pd.DataFrame(
    {
        "patient_group": list("AAABCCD"),
        "label": ["ALL"] * 4 + ["Normal"] * 3,
        "probability": [0.95, 0.6, 0.1, 0.95, 0.1, 0.5, 0.95],
    }
)
POINT = OperatingPoint(0.3, 0.9, 0.5)


def values(shares):
    return {name: round(one.value, 4) for name, one in shares.items()}


def test_shares_of_each_class_by_cell_and_by_patient():
    assert values(three_way.evaluate(CELLS, POINT)) == {
        "all_like": 0.5,
        "all_indeterminate": 0.25,
        "missed": 0.25,
        "alarmed": 0.3333,
        "normal_indeterminate": 0.3333,
        "normal_like": 0.3333,
    }
    assert values(three_way.evaluate(CELLS, POINT, equal=True)) == {
        "all_like": 0.6667,
        "all_indeterminate": 0.1667,
        "missed": 0.1667,
        "alarmed": 0.5,
        "normal_indeterminate": 0.25,
        "normal_like": 0.25,
    }


def test_counts_are_those_of_the_shares():
    counts = three_way.counts(CELLS, POINT)
    assert counts == {
        "all_like": 2,
        "all_indeterminate": 1,
        "missed": 1,
        "alarmed": 1,
        "normal_indeterminate": 1,
        "normal_like": 1,
    }


def test_intervals_come_from_whole_patients():
    shares = three_way.evaluate(CELLS, POINT)
    # Of two patients, a resample holds one of them twice, or both: never other values of their cells.
    assert (shares["all_like"].low, shares["all_like"].high) == (pytest.approx(1 / 3), 1.0)


def test_with_both_limits_at_the_threshold_they_are_sensitivity_and_specificity():
    at = estimates.at_threshold(PatientBootstrap(CELLS), 0.5)
    shares = three_way.evaluate(CELLS, OperatingPoint.of(0.5))
    assert shares["all_like"] == at["sensitivity"]
    assert shares["normal_like"] == at["specificity"]
    assert shares["all_indeterminate"].value == 0


def test_they_are_said_class_by_class():
    first, second = three_way.sentences(three_way.evaluate(CELLS, POINT))
    assert first.startswith("Of ALL cells, 50.0% (")
    assert "25.0% (0.0 to 33.3) Indeterminate" in first
    assert second.startswith("Of normal cells, ")
