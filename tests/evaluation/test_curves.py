import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from leukemia.errors import DatasetError
from leukemia.evaluation import calibration, curves, estimates, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap
from tests.support import plain_estimates


def test_curves_are_scikit_learns(answers):
    cells = PatientBootstrap(answers(0), resamples=10)
    false, true, _ = sk.roc_curve(cells.truth, cells.probability)
    curve = curves.roc(cells)
    assert np.array_equal(curve.to_numpy(), np.column_stack([false, true]))
    assert sk.auc(curve["false_alarms"], curve["sensitivity"]) == pytest.approx(
        sk.roc_auc_score(cells.truth, cells.probability)
    )
    precision, recall, _ = sk.precision_recall_curve(cells.truth, cells.probability)
    assert np.array_equal(curves.precision_recall(cells).to_numpy(), np.column_stack([recall, precision]))


def test_against_the_threshold_each_point_and_band_is_the_plain_bootstraps(answers):
    predictions = answers(1)
    curve = curves.against_threshold(PatientBootstrap(predictions)).set_index("threshold")
    for threshold in (0.1, 0.5, 0.8):
        expected = plain_estimates.at_threshold(predictions, threshold)
        row = curve.loc[threshold]
        for name in curves.BY_THRESHOLD:
            assert row[name] == pytest.approx(expected[name].value)
            assert row[f"{name}_low"] == pytest.approx(expected[name].low)
            assert row[f"{name}_high"] == pytest.approx(expected[name].high)


def test_a_roc_band_is_the_spread_of_the_resamples_own_curves(answers):
    cells = PatientBootstrap(answers(2), resamples=40)
    band = curves.roc_band(cells)
    place = 30
    assert band["false_alarms"][place] == pytest.approx(0.3)
    highest = []
    for drawn in cells.weights[1:]:
        false, true, _ = sk.roc_curve(
            cells.truth, cells.probability, sample_weight=drawn[cells.unit], drop_intermediate=False
        )
        highest.append(true[false <= 0.3 + 1e-9].max())
    assert band.loc[place, ["low", "high"]].tolist() == pytest.approx(
        list(np.percentile(highest, [2.5, 97.5]))
    )


def test_a_precision_recall_band_is_the_spread_of_the_resamples_own_curves(answers):
    cells = PatientBootstrap(answers(3), resamples=40)
    band = curves.precision_recall_band(cells)
    place = 59
    assert band["sensitivity"][place] == pytest.approx(0.6)
    reached = []
    for drawn in cells.weights[1:]:
        precision, recall, _ = sk.precision_recall_curve(
            cells.truth, cells.probability, sample_weight=drawn[cells.unit]
        )
        reached.append(precision[np.flatnonzero(recall >= 0.6 - 1e-9)[-1]])
    assert band.loc[place, ["low", "high"]].tolist() == pytest.approx(
        list(np.percentile(reached, [2.5, 97.5]))
    )


def test_bands_of_many_different_probabilities_stay_close_to_the_exact_ones():
    rng = np.random.default_rng(0)
    truth = np.repeat([True, False], 2_000)
    predictions = pd.DataFrame(
        {
            "patient_group": [f"{i % 20}" for i in range(4_000)],
            "label": np.where(truth, "ALL", "Normal"),
            "probability": 1 / (1 + np.exp(-rng.normal(truth * 1.5, 1))),
        }
    )
    cells = PatientBootstrap(predictions, resamples=50)
    coarse = curves.roc_band(cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "FINEST", 10_000)
        fine = curves.roc_band(cells)
    assert np.abs(coarse - fine).to_numpy()[1:].max() < 0.02


def test_a_reliability_band_belongs_to_the_bins_of_the_diagram(answers):
    predictions = answers(4)
    cells = PatientBootstrap(predictions)
    points = calibration.reliability(predictions, metrics.ECE_BINS)
    band = curves.reliability_band(cells)
    assert list(band.index) == list(points.index)
    assert ((band["low"] <= points["share"]) & (points["share"] <= band["high"])).all()
    inside = (cells.probability * metrics.ECE_BINS).astype(int).clip(max=metrics.ECE_BINS - 1) == band.index[
        -1
    ]

    def share(weights):
        held = (weights * inside).sum()
        return {"share": (weights * inside * cells.truth).sum() / held if held else float("nan")}

    expected = estimates.by_resampling(predictions, share)["share"]
    assert band.iloc[-1].tolist() == pytest.approx([expected.low, expected.high])


@pytest.mark.parametrize("target", [0.5, 0.8, 0.95, 1.0])
def test_the_threshold_for_a_specificity_reaches_it_and_is_the_lowest_that_does(answers, target):
    predictions = answers(5)
    threshold = curves.threshold_for_specificity(predictions, target)

    def specificity(threshold):
        counts = metrics.confusion(predictions, threshold)
        return counts["tn"] / (counts["tn"] + counts["fp"])

    assert specificity(threshold) >= target
    lower = predictions.loc[predictions["probability"] < threshold, "probability"].max()
    assert specificity(lower) < target


def test_a_specificity_beyond_reach_is_said():
    predictions = pd.DataFrame({"label": ["Normal", "ALL"], "probability": [1.0, 0.5]})
    with pytest.raises(DatasetError, match="No threshold calls 90% of the normal cells"):
        curves.threshold_for_specificity(predictions, 0.9)
    assert curves.threshold_for_specificity(predictions, 0.0) == 0.0
    predictions["probability"] = [0.6, 0.5]
    assert curves.threshold_for_specificity(predictions, 0.9) == 1.0
