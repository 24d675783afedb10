import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from leukemia.evaluation import estimates, out_of_fold
from leukemia.evaluation.breakdown import sources, subgroups
from leukemia.operating_point import INDETERMINATE, OperatingPoint


@pytest.fixture(scope="module")
def raw():
    """Out-of-fold logits of 60 patients, those of each fold's network off by a shift of its own."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(60):
        label = "ALL" if number % 3 else "Normal"
        fold = number % 5
        centre = rng.normal(1.2 if label == "ALL" else -1.2, 0.7)
        for cell in range(rng.integers(5, 40)):
            value = 2 * rng.normal(centre, 1) + 0.3 * fold
            area = rng.normal(36_000 if label == "ALL" else 27_000, 6_000)
            source = "fold_2" if number % 4 == 0 else "fold_0"
            distance = rng.gamma(20, 0.05)
            rows.append((f"{number}-{cell}", f"p{number}", label, value, fold, area, source, distance))
    columns = ["image_id", "patient_group", "label", "logit", "fold", "cell_area", "source", "distance"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def evaluation(raw):
    return out_of_fold.evaluate_out_of_fold(raw, 0.95)


def test_every_cell_is_judged_once(raw, evaluation):
    assert sorted(evaluation.predictions["image_id"]) == sorted(raw["image_id"])
    assert evaluation.predictions["probability"].between(0, 1).all()
    assert "logit" not in evaluation.predictions


def test_recall_comes_out_near_its_target_on_cells_that_chose_nothing(evaluation):
    known = estimates.of(evaluation.predictions, evaluation.threshold)
    assert known["sensitivity"].value == pytest.approx(0.95, abs=0.03)
    assert known["auroc"].value > 0.9


def test_a_folds_own_truth_has_no_say_in_its_decisions(raw, evaluation):
    own = raw["fold"] == 2
    lied = raw.copy()
    lied.loc[own, "label"] = lied.loc[own, "label"].map({"ALL": "Normal", "Normal": "ALL"})
    other = out_of_fold.evaluate_out_of_fold(lied, 0.95)
    honest = evaluation.predictions.set_index("image_id")["probability"] >= evaluation.threshold
    misled = other.predictions.set_index("image_id")["probability"] >= other.threshold
    names = raw.loc[own, "image_id"]
    assert (honest[names] == misled[names]).mean() > 0.999
    rest = raw.loc[~own, "image_id"]
    assert (honest[rest] == misled[rest]).mean() < 0.999


def test_a_patient_in_two_folds_has_no_say_in_the_decisions_of_either(raw):
    twice = raw["patient_group"].isin(["p0", "p5", "p10"])
    spread = raw.assign(fold=raw["fold"].mask(twice & (raw.index % 2 == 0), 1))
    lied = spread.copy()
    there = twice & (spread["fold"] == 1)
    lied.loc[there, "label"] = lied.loc[there, "label"].map({"ALL": "Normal", "Normal": "ALL"})
    (honest, first), (misled, second) = (
        (one.predictions.set_index("image_id")["probability"], one.threshold)
        for one in (out_of_fold.evaluate_out_of_fold(frame, 0.95) for frame in (spread, lied))
    )
    names = spread.loc[spread["fold"] == 0, "image_id"]
    assert ((honest[names] >= first) == (misled[names] >= second)).mean() > 0.999


def test_within_a_fold_the_order_of_the_cells_stays(raw, evaluation):
    merged = evaluation.predictions.merge(raw[["image_id", "logit"]], on="image_id")
    for _, own in merged.groupby("fold"):
        assert own["probability"].corr(own["logit"], method="spearman") > 0.9999


def test_what_is_shipped_comes_from_all_folds(raw, evaluation):
    calibrated = evaluation.calibration.probability(raw["logit"])
    truth = raw["label"] == "ALL"
    assert min(evaluation.losses, key=evaluation.losses.get) == evaluation.calibration.method
    assert (calibrated[truth] >= evaluation.threshold).mean() == pytest.approx(0.95, abs=0.03)
    assert abs(calibrated.mean() - truth.mean()) < 0.04


def test_the_band_is_judged_by_patients_that_did_not_make_it(evaluation):
    assert evaluation.abstention["missed"] <= 0.08
    assert evaluation.abstention["alarmed"] <= 0.24
    assert 0 < evaluation.abstention["indeterminate"] < 0.6
    assert evaluation.band.low <= evaluation.band.high


def test_what_the_bands_of_the_other_folds_called_is_kept_cell_by_cell(evaluation):
    frame = evaluation.predictions
    share = (frame["called"] == INDETERMINATE).groupby(frame["patient_group"]).mean().mean()
    assert share == pytest.approx(evaluation.abstention["indeterminate"], abs=1e-4)
    by_source = sources.evaluate(frame, OperatingPoint.of(evaluation.threshold))
    for name, by_others in sources.BY_OTHERS.items():
        value = by_source.each_patient.estimates[by_others].value
        assert value == pytest.approx(evaluation.abstention[name], abs=1e-4)


def test_a_hard_source_sets_the_threshold_and_widens_the_band(raw):
    hard = (raw["source"] == "fold_2") & (raw["label"] == "ALL")
    moved = raw.assign(logit=raw["logit"].where(~hard, raw["logit"] - 2))
    known = out_of_fold.evaluate_out_of_fold(moved, 0.95)
    pooled = out_of_fold.evaluate_out_of_fold(moved.assign(source="one"), 0.95)
    assert known.worst_source == "fold_2"
    at = [
        sources.evaluate(
            one.predictions.assign(source=known.predictions["source"]), OperatingPoint.of(one.threshold)
        )
        for one in (known, pooled)
    ]
    recall = [one.sources["fold_2"].estimates["sensitivity"].value for one in at]
    assert recall[0] > recall[1]
    assert recall[0] == pytest.approx(0.95, abs=0.05)
    assert set(known.promises) == {"fold_0", "fold_2"}


def test_the_limit_of_novelty_lets_unseen_patients_pass(raw, evaluation):
    assert (raw["distance"] <= evaluation.novelty["limit"]).mean() == pytest.approx(0.99, abs=0.002)
    assert evaluation.novelty["passed_out_of_fold"] > 0.97


def test_subgroup_figures_are_scikit_learns(evaluation):
    known = subgroups.estimate(evaluation.predictions, evaluation.threshold)
    # Nobody left the hard sources out here.
    assert set(known) == set(subgroups.MEANING) - {"auroc_hard_sources_unseen"}
    frame = evaluation.predictions
    hard = frame[frame["source"] == "fold_2"]
    auroc = roc_auc_score(hard["label"] == "ALL", hard["probability"])
    assert known["auroc_hard_sources"].value == pytest.approx(auroc)
    large = frame[frame["cell_area"].rank(method="first") > 2 / 3 * len(frame)]
    auroc = roc_auc_score(large["label"] == "ALL", large["probability"])
    assert known["auroc_large"].value == pytest.approx(auroc)
    for estimate in known.values():
        assert estimate.low <= estimate.value <= estimate.high


@pytest.mark.slow
def test_the_best_weighted_f1_is_scikit_learns_at_thresholds_of_the_other_folds(evaluation):
    frame = evaluation.predictions
    called = np.zeros(len(frame), bool)
    for fold in range(5):
        rest, own = frame[frame["fold"] != fold], (frame["fold"] == fold).to_numpy()
        candidates = np.unique(rest["probability"])
        scores = [
            f1_score(rest["label"] == "ALL", rest["probability"] >= one, average="weighted")
            for one in candidates[::7]
        ]
        at = subgroups.best_thresholds(frame)[own]
        assert np.unique(at).size == 1
        best = f1_score(rest["label"] == "ALL", rest["probability"] >= at[0], average="weighted")
        assert best >= max(scores)
        called[own] = frame.loc[own, "probability"] >= at[0]
    expected = f1_score(frame["label"] == "ALL", called, average="weighted")
    best = subgroups.estimate(frame, evaluation.threshold)
    assert best["best_weighted_f1"].value == pytest.approx(expected)
    assert best["best_accuracy_at_coverage"].value > (called == (frame["label"] == "ALL")).mean()


def test_sensitivity_at_a_specificity_and_accuracy_at_a_coverage_by_hand():
    rows = [("ALL", p) for p in (0.9, 0.8, 0.55, 0.2)] + [("Normal", p) for p in (0.1, 0.3, 0.4, 0.45, 0.6)]
    frame = pd.DataFrame(rows, columns=["label", "probability"]).assign(source="fold_0", cell_area=range(9))
    frame["patient_group"] = [str(n) for n in range(9)]
    known = subgroups.estimate(frame, 0.5)
    # At .45 four of five normal cells are called so; three of four ALL cells lie above.
    assert known["sensitivity_at_specificity"].value == 0.75
    # Seven of nine are farthest from .5: without .45 and .55, one ALL cell and one normal cell are wrong.
    assert known["accuracy_at_coverage"].value == pytest.approx(5 / 7)


def test_a_part_with_one_class_has_no_figure(evaluation):
    frame = evaluation.predictions.assign(source="fold_0")
    assert "auroc_hard_sources" not in subgroups.estimate(frame, evaluation.threshold)
