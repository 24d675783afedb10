import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from leukemia.evaluation import calibration, metrics
from tests.support import plain_estimates


@pytest.fixture(scope="module")
def overconfident():
    """Logits twice as large as they should be and moved by one: (logit, truth, weights of cells)."""
    rng = np.random.default_rng(0)
    right = rng.normal(0.8, 1.5, 4_000)
    truth = rng.random(4_000) < expit(right)
    return 2 * right + 1, truth, rng.integers(1, 4, 4_000).astype(float)


def test_platt_is_logistic_regression_on_the_logit(overconfident):
    values, truth, weights = overconfident
    fitted = calibration.platt(values, truth, weights)
    expected = LogisticRegression(C=1e9, tol=1e-9).fit(values[:, None], truth, weights)
    assert fitted.stretch == pytest.approx(expected.coef_[0, 0], abs=1e-3)
    assert fitted.shift == pytest.approx(expected.intercept_[0], abs=1e-3)
    assert fitted.stretch == pytest.approx(0.5, abs=0.05)


def test_temperature_leaves_even_odds_where_they_are(overconfident):
    values, truth, weights = overconfident
    fitted = calibration.temperature(values - 1, truth, weights)
    assert fitted.probability(np.array([0.0])) == 0.5
    assert fitted.stretch == pytest.approx(0.5, abs=0.05)


def of_patients(values, truth, rng, cells=10):
    """The logits as cells of patients, in five folds and one source."""
    frame = pd.DataFrame({"logit": values, "label": np.where(truth, "ALL", "Normal"), "source": "one"})
    order = np.argsort(truth, kind="stable")
    frame.loc[order, "patient_group"] = [f"p{n // cells}" for n in range(len(frame))]
    return frame.assign(fold=rng.integers(0, 5, len(frame)))


def test_calibration_keeps_the_order_and_lowers_the_error(overconfident):
    values, truth, _ = overconfident
    fitted, losses = calibration.choose(of_patients(values, truth, np.random.default_rng(1)))
    assert fitted.method == "platt"
    assert losses["platt"] < losses["temperature"] < losses["none"]
    after = fitted.probability(values)
    assert roc_auc_score(truth, after) == roc_auc_score(truth, values)
    weights = np.ones(len(truth))
    error = plain_estimates.expected_calibration_error
    assert error(truth, after, weights) < 0.025 < error(truth, expit(values), weights)


def test_the_fit_follows_patients_and_not_those_with_most_of_the_cells(overconfident):
    values, truth, _ = overconfident
    frame = of_patients(values, truth, np.random.default_rng(1))
    often = frame[frame["patient_group"] == frame["patient_group"].iloc[0]]
    fitted, losses = calibration.choose(frame)
    again, same = calibration.choose(pd.concat([frame, *[often] * 50], ignore_index=True))
    assert again.stretch == pytest.approx(fitted.stretch, abs=1e-3)
    assert same == pytest.approx(losses, abs=1e-3)


def test_the_loss_that_counts_is_that_of_the_worst_source(overconfident):
    values, truth, _ = overconfident
    frame = of_patients(values, truth, np.random.default_rng(1))
    number = frame["patient_group"].str[1:].astype(int)
    frame.loc[(number < 8) | (number >= 392), "source"] = "two"
    _, losses = calibration.choose(frame)
    worst = [
        log_loss(own["label"] == "ALL", expit(own["logit"]), sample_weight=metrics.patient_weights(own))
        for _, own in frame.groupby("source")
    ]
    assert losses["none"] == pytest.approx(max(worst))


def test_the_log_loss_is_scikit_learns(overconfident):
    values, truth, weights = overconfident
    expected = log_loss(truth, expit(values), sample_weight=weights)
    assert calibration.log_loss(truth, expit(values), weights) == pytest.approx(expected)


def test_classes_that_part_perfectly_stay_finite():
    values = np.concatenate([np.full(50, -40.0), np.full(50, 40.0)])
    truth = values > 0
    for fit in calibration.METHODS.values():
        assert np.isfinite(fit(values, truth, np.ones(100)).probability(values)).all()


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
