"""A claim held against a laboratory's own patients: bounds, verdicts and how many more it takes."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from leukemia.errors import DatasetError
from leukemia.verification import statistics
from leukemia.verification.statistics import Criterion, Verdict


def shares(right, total):
    return np.repeat([1.0, 0.0], [right, total - right])


@pytest.mark.parametrize(("right", "total"), [(5, 5), (3, 5), (29, 29), (0, 8), (45, 50), (390, 400)])
@pytest.mark.parametrize("confidence", statistics.CONFIDENCES)
def test_patients_called_right_or_wrong_as_a_whole_have_the_exact_binomial_bounds(right, total, confidence):
    exact = binomtest(right, total)
    # A two-sided interval has half of what is left over in each tail.
    low, high = exact.proportion_ci(2 * confidence - 1, method="exact")
    assert statistics.lower_bound(shares(right, total), confidence) == pytest.approx(low, abs=1e-7)
    assert statistics.upper_bound(shares(right, total), confidence) == pytest.approx(high, abs=1e-7)


def test_an_interval_is_clopper_and_pearsons_published_one():
    # Agresti A, Coull BA, Am Stat 1998;52:119: 0 and 9 of 10; 81 of 263 is Newcombe's, Stat Med 1998;17:857.
    for right, total, low, high in ((9, 10, 0.5550, 0.9975), (81, 263, 0.2527, 0.3676), (0, 10, 0.0, 0.3085)):
        interval = statistics.mean_interval(shares(right, total))
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-4)


def test_shares_in_between_have_the_quantile_of_a_dirichlet_weighted_mean():
    rng = np.random.default_rng(0)
    own = rng.beta(9, 1, 25)
    drawn = rng.dirichlet(np.ones(26), 200_000) @ np.append(own, 0)
    assert statistics.lower_bound(own, 0.95) == pytest.approx(np.quantile(drawn, 0.05), abs=2e-3)


def test_the_bound_covers_where_one_patient_in_eight_is_of_a_kind_that_is_missed():
    rng = np.random.default_rng(1)
    truth, covered = 0.125 * 0.1 + 0.875 * 0.95, 0
    for _ in range(300):
        own = np.where(rng.random(10) < 0.125, 0.1, 0.95)
        covered += statistics.lower_bound(own, 0.95) <= truth
    # A quarter of the samples hold no such patient: a bound from their spread alone would fail on these.
    assert covered / 300 >= 0.95


def test_a_better_patient_never_lowers_the_bound():
    bounds = [statistics.lower_bound(np.array([0.9] * 9 + [x]), 0.95) for x in (0.5, 0.9, 0.99, 1.0)]
    assert bounds == sorted(bounds) and len(set(bounds)) == 4


@pytest.mark.parametrize(
    ("own", "claim", "verdict"),
    [
        (shares(29, 29), 0.9, Verdict.MET),
        (shares(28, 28), 0.9, Verdict.NOT_SHOWN),
        (shares(10, 20), 0.9, Verdict.NOT_MET),
        (shares(18, 20), 0.9, Verdict.NOT_SHOWN),
    ],
)
def test_a_claim_is_met_not_met_or_not_shown(own, claim, verdict):
    rate = statistics.rate(own, np.full(len(own), 10), claim, 0.95)
    assert rate.verdict == verdict
    assert (rate.bound >= claim) == (verdict == Verdict.MET)


def test_so_many_more_patients_like_these_do_show_it_and_a_tenth_fewer_do_not():
    own = np.random.default_rng(2).beta(9, 1, 40)
    rate = statistics.rate(own, np.full(40, 20), 0.87, 0.95)
    assert rate.verdict == Verdict.NOT_SHOWN and rate.needed > 10

    def like_these(total):
        return np.quantile(own, (np.arange(total) + 0.5) / total)

    assert statistics.lower_bound(like_these(40 + rate.needed), 0.95) >= 0.87 - 5e-4
    assert statistics.lower_bound(like_these(40 + int(0.8 * rate.needed)), 0.95) < 0.87


def test_without_an_error_as_many_are_needed_as_the_rule_says():
    assert statistics.patients_needed(np.ones(10), 0.9, 0.95) == math.ceil(math.log(0.05) / math.log(0.9))
    assert statistics.rate(np.ones(10), np.ones(10), 0.9, 0.95).needed == 19


def test_no_number_of_patients_shows_what_they_do_not_reach():
    assert statistics.patients_needed(np.full(20, 0.8), 0.8, 0.95) is None
    assert statistics.patients_needed(np.full(20, 0.8001), 0.8, 0.95) is None


def test_the_design_effect_is_one_for_independent_cells_and_their_number_where_a_patient_is_all_or_nothing():
    cells = np.full(400, 25)
    independent = np.random.default_rng(3).binomial(25, 0.7, 400) / 25
    assert statistics.design_effect(independent, cells) == pytest.approx(1, abs=0.2)
    assert statistics.design_effect(shares(280, 400), cells) == pytest.approx(25, rel=0.01)
    assert math.isnan(statistics.design_effect(np.ones(5), np.ones(5)))


def test_each_patient_weighs_the_same_and_its_cells_are_nested():
    cells = pd.DataFrame(
        [("A", "ALL", 0.9)] * 90 + [("B", "ALL", 0.1)] * 10 + [("H", "Normal", 0.1)],
        columns=["patient_group", "label", "probability"],
    )
    rates = statistics.at_threshold(cells, 0.5, Criterion(0.8, 0.8))
    assert rates["sensitivity"].value == 0.5
    assert (rates["sensitivity"].patients, rates["sensitivity"].cells) == (2, 100)
    assert rates["specificity"].value == 1


@pytest.mark.parametrize("given", [(0, 0.5), (1, 0.5), (0.5, 1.2), (0.5, 0.5, 0.8), (float("nan"), 0.5)])
def test_a_criterion_out_of_bounds_is_refused(given):
    with pytest.raises(DatasetError, match="must be"):
        Criterion(*given)


def test_too_few_patients_are_said_with_the_least_number():
    cells = pd.DataFrame({"label": ["ALL"] * 9 + ["Normal"] * 4, "patient_group": list("abcdefghijklm")})
    with pytest.raises(DatasetError, match=r"9 with ALL cells and 4 with normal cells. At least 5"):
        statistics.check_patients(cells)
