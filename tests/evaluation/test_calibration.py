import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from leukemia.evaluation import calibration
from tests.support import plain_estimates


@pytest.fixture(scope="module")
def overconfident():
    """Logits twice as large as they should be and moved by one: (logit, truth, fold)."""
    rng = np.random.default_rng(0)
    right = rng.normal(0.8, 1.5, 4_000)
    truth = rng.random(4_000) < expit(right)
    return 2 * right + 1, truth, rng.integers(0, 5, 4_000)


def test_platt_is_logistic_regression_on_the_logit(overconfident):
    values, truth, _ = overconfident
    fitted = calibration.platt(values, truth)
    expected = LogisticRegression(C=1e9, tol=1e-9).fit(values[:, None], truth)
    assert fitted.stretch == pytest.approx(expected.coef_[0, 0], abs=1e-3)
    assert fitted.shift == pytest.approx(expected.intercept_[0], abs=1e-3)
    assert fitted.stretch == pytest.approx(0.5, abs=0.05)


def test_temperature_leaves_even_odds_where_they_are(overconfident):
    values, truth, _ = overconfident
    fitted = calibration.temperature(values - 1, truth)
    assert fitted.probability(np.array([0.0])) == 0.5
    assert fitted.stretch == pytest.approx(0.5, abs=0.05)


def test_calibration_keeps_the_order_and_lowers_the_error(overconfident):
    values, truth, fold = overconfident
    fitted, losses = calibration.choose(values, truth, fold)
    assert fitted.method == "platt"
    assert losses["platt"] < losses["temperature"] < losses["none"]
    after = fitted.probability(values)
    assert roc_auc_score(truth, after) == roc_auc_score(truth, values)
    weights = np.ones(len(truth))
    error = plain_estimates.expected_calibration_error
    assert error(truth, after, weights) < 0.025 < error(truth, expit(values), weights)


def test_the_log_loss_is_scikit_learns(overconfident):
    values, truth, _ = overconfident
    assert calibration.log_loss(truth, expit(values)) == pytest.approx(log_loss(truth, expit(values)))


def test_classes_that_part_perfectly_stay_finite():
    values = np.concatenate([np.full(50, -40.0), np.full(50, 40.0)])
    truth = values > 0
    for fit in calibration.METHODS.values():
        assert np.isfinite(fit(values, truth).probability(values)).all()


def test_the_reliability_points_are_scikit_learns(overconfident):
    values, truth, _ = overconfident
    frame = pd.DataFrame({"probability": expit(values), "label": np.where(truth, "ALL", "Normal")})
    points = calibration.reliability(frame, 10)
    share, mean = calibration_curve(truth, expit(values), n_bins=10)
    assert points["share"].to_numpy() == pytest.approx(share)
    assert points["probability"].to_numpy() == pytest.approx(mean)
    assert points["cells"].sum() == len(truth)


def test_a_record_makes_the_same_calibration():
    fitted = calibration.Calibration("platt", 0.5, -0.2)
    again = calibration.Calibration(**fitted.record())
    assert again == fitted
    assert fitted.probability(logit(0.7)) == pytest.approx(expit(0.5 * logit(0.7) - 0.2))
