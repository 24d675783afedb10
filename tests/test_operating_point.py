"""From which probabilities cells are called."""

import numpy as np
import pytest

from leukemia.errors import BundleError
from leukemia.operating_point import OperatingPoint


def test_the_threshold_goes_with_the_limit_that_passes_it():
    point = OperatingPoint(0.3, 0.9, 0.5)
    assert point.moved(0.4, 0.6) == OperatingPoint(0.4, 0.6, 0.5)
    assert point.moved(0.7, 0.8).threshold == 0.7
    assert point.moved(0.1, 0.2).threshold == 0.2


def test_another_threshold_widens_limits_that_abstain_and_takes_others_with_it():
    assert OperatingPoint(0.3, 0.9, 0.5).around(0.95) == OperatingPoint(0.3, 0.95, 0.95)
    assert OperatingPoint.of(0.5).around(0.3) == OperatingPoint.of(0.3)


def test_cells_are_called_all_from_the_upper_limit_on_and_normal_below_the_lower():
    called = OperatingPoint(0.3, 0.9, 0.5).call(np.array([0.2999, 0.3, 0.8999, 0.9]))
    assert called.tolist() == ["Normal", "Indeterminate", "Indeterminate", "ALL"]


@pytest.mark.parametrize(
    "ends",
    [(float("nan"), 0.9, 0.5), (0.3, float("nan"), 0.5), (0.9, 0.3, 0.5), (-0.1, 0.9, 0.5), (0.3, 0.9, 1.2)],
)
def test_what_are_no_limits_is_refused_in_a_sentence(ends):
    with pytest.raises(BundleError, match="from 0 to 1"):
        OperatingPoint(*ends)


def test_the_nearest_limit_counts():
    point = OperatingPoint(0.3, 0.9, 0.5)
    assert point.distance(0.25) == pytest.approx(-0.05)
    assert point.distance(0.88) == pytest.approx(-0.02)
    assert point.distance(0.95) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("probability", "shown", "sentence"),
    [
        (0.2031, "0.2031", "Normal-like below 0.2034, ALL-like at 0.6744 or above"),
        (0.20342, "0.20342", "Normal-like below 0.20340, ALL-like at 0.67438 or above"),
        (0.2034, "0.203", "Normal-like below 0.203, ALL-like at 0.674 or above"),
        (0.6744, "0.67440", "Normal-like below 0.20340, ALL-like at 0.67438 or above"),
        (0.5, "0.500", "Normal-like below 0.203, ALL-like at 0.674 or above"),
    ],
)
def test_a_probability_is_never_shown_as_the_limit_it_is_not(probability, shown, sentence):
    point = OperatingPoint(0.2034, 0.67438, 0.5)
    assert point.shown(probability) == shown
    assert point.sentence(point.digits(probability)).startswith(sentence)
    assert str(point) == "Normal-like below 0.203, ALL-like at 0.674 or above, Indeterminate between them."
