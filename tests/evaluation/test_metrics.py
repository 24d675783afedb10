import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from leukemia.errors import DatasetError
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import as_record
from tests.support import plain_estimates


@pytest.fixture
def predictions():
    """Cells of 14 patients whose probabilities hang together."""
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(14):
        label = "Normal" if patient < 5 else "ALL"
        shift = rng.normal(0.35 if label == "Normal" else 0.65, 0.1)
        for value in rng.normal(shift, 0.15, 40).clip(0, 1).round(2):  # rounded: ties must be right too
            rows.append((f"p{patient}", label, value))
    return pd.DataFrame(rows, columns=["patient_group", "label", "probability"])


def test_every_figure_equals_scikit_learns(predictions):
    truth, probability = predictions["label"] == "ALL", predictions["probability"]
    called = probability >= 0.5
    expected = {
        "sensitivity": sk.recall_score(truth, called),
        "specificity": sk.recall_score(~truth, ~called),
        "ppv": sk.precision_score(truth, called),
        "npv": sk.precision_score(~truth, ~called),
        "accuracy": sk.accuracy_score(truth, called),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, called),
        "f1": sk.f1_score(truth, called),
        "weighted_f1": sk.f1_score(truth, called, average="weighted"),
        "auroc": sk.roc_auc_score(truth, probability),
        "average_precision": sk.average_precision_score(truth, probability),
        "brier": sk.brier_score_loss(truth, probability),
    }
    known = estimates.of(predictions, 0.5)
    assert set(known) == set(metrics.MEANING) == {*expected, "ece"}
    for name, value in expected.items():
        assert known[name].value == pytest.approx(value), name
    for estimate in known.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_calibration_error_by_hand():
    truth = np.array([1, 0, 1, 1], bool)
    probability = np.array([0.1, 0.1, 0.95, 1.0])
    # Two of two cells in the bin of 0.1 (half are ALL: gap 0.4), two in the last bin (gap 0.025).
    error = plain_estimates.expected_calibration_error(truth, probability, np.ones(4), bins=10)
    assert error == pytest.approx((2 * 0.4 + 2 * 0.025) / 4)


def test_intervals_are_over_patients_and_not_cells(predictions):
    wide = estimates.of(predictions, 0.5)["auroc"]
    alone = predictions.assign(patient_group=[f"c{i}" for i in range(len(predictions))])
    narrow = estimates.of(alone, 0.5)["auroc"]
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_resamples_keep_the_number_of_patients_of_each_class(predictions):
    predictions = predictions.drop(predictions.index[:37])  # the first patient has three cells left
    seen = []

    def compute(weights):
        first = predictions.drop_duplicates("patient_group").index
        drawn = pd.Series(weights, index=predictions.index)
        assert (drawn.groupby(predictions["patient_group"]).nunique() == 1).all()
        seen.append(drawn[first].groupby(predictions.loc[first, "label"]).sum().to_dict())
        return {"n": weights.sum()}

    estimates.by_resampling(predictions, compute, resamples=50)
    assert all(drawn == {"ALL": 9, "Normal": 5} for drawn in seen)


def test_the_quick_figures_are_the_same_figures(predictions):
    quick, full = estimates.at_threshold(PatientBootstrap(predictions), 0.4), estimates.of(predictions, 0.4)
    assert all(quick[name] == full[name] for name in quick)


def test_the_same_seed_gives_the_same_intervals(predictions):
    assert estimates.of(predictions, 0.5) == estimates.of(predictions, 0.5)
    assert estimates.of(predictions, 0.5) != estimates.of(predictions, 0.5, seed=1)


def share(own, threshold, strictly=False):
    """Share of cells at the threshold or above, each patient weighing the same."""
    reached = own["probability"] > threshold if strictly else own["probability"] >= threshold
    return reached.groupby(own["patient_group"]).mean().mean()


@pytest.mark.parametrize("target", [0.5, 0.9, 0.95, 1.0])
def test_the_threshold_is_the_highest_that_reaches_the_recall(predictions, target):
    threshold = metrics.choose_threshold(predictions, target)
    positive = predictions[predictions["label"] == "ALL"]
    assert share(positive, threshold) >= target - 1e-9
    assert share(positive, threshold, strictly=True) < target


def test_the_threshold_reaches_the_recall_in_each_source_with_enough_patients():
    rng = np.random.default_rng(0)
    rows = [
        (f"{source}{number}", "ALL", rng.beta(high, 2), source)
        for source, patients, high in (("easy", 20, 30), ("hard", 8, 4), ("tiny", 2, 1))
        for number in range(patients)
        for _ in range(200 if source == "easy" else 20)
    ]
    frame = pd.DataFrame(rows, columns=["patient_group", "label", "probability", "source"])
    chosen = metrics.thresholds(frame, 0.9)
    assert set(chosen) == {"", "easy", "hard"}, "two patients set no threshold of their own"
    assert metrics.choose_threshold(frame, 0.9) == chosen["hard"] < chosen[""]
    for source in ("easy", "hard"):
        assert share(frame[frame["source"] == source], chosen["hard"]) >= 0.9 - 1e-9
    assert share(frame[frame["source"] == "hard"], chosen["hard"], strictly=True) < 0.9
    assert metrics.choose_threshold(frame.drop(columns="source"), 0.9) == chosen[""]


def test_what_is_not_defined_is_nan_and_null_in_the_record():
    predictions = pd.DataFrame(
        {
            "patient_group": list("abcd"),
            "label": ["ALL", "ALL", "Normal", "Normal"],
            "probability": [0.6, 0.7, 0.2, 0.3],
        }
    )
    known = estimates.of(predictions, 0.99)
    assert np.isnan(known["ppv"].value)
    assert as_record(known)["ppv"]["value"] is None
    assert as_record(known)["auroc"]["value"] == 1.0


def test_one_class_alone_is_refused(predictions):
    with pytest.raises(DatasetError, match="No Normal cell"):
        estimates.of(predictions[predictions["label"] == "ALL"], 0.5)


def test_patients_are_judged_by_their_mean(predictions):
    table = metrics.by_patient(predictions)
    assert len(table) == 14
    one = predictions[predictions["patient_group"] == "p3"]
    assert table.set_index("patient_group").loc["p3", "probability"] == pytest.approx(
        one["probability"].mean()
    )
    called = table["probability"] >= 0.5
    known = estimates.of_patients(predictions, 0.5)
    assert known["accuracy"].value == pytest.approx((called == (table["label"] == "ALL")).mean())


def test_confusion_counts_cells(predictions):
    counts = metrics.confusion(predictions, 0.5)
    assert sum(counts.values()) == len(predictions)
    missed = (predictions["label"] == "ALL") & (predictions["probability"] < 0.5)
    assert counts["fn"] == missed.sum()
