import shutil

import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.errors import LeukemiaError
from leukemia.evaluation import estimates
from leukemia.evaluation.breakdown import patients, subgroups
from leukemia.evaluation.out_of_fold import evaluate_mean
from leukemia.inference import scoring
from leukemia.reports.evaluation_tables import difference_tables, fold_table, split_table, summary
from tests.support import bundle_factory


def test_the_held_out_predictions_are_judged_at_the_threshold(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    text = "\n".join(summary(scoring.on_held_out(bundle)))
    assert "60 cells of 12 patient groups (6 with ALL, 6 healthy)" in text
    assert "Trained on synthetic cells." in text
    counts = bundle.record.confusion
    assert f"{counts['tp']:>16,} {counts['fn']:>19,}" in text


def test_several_bundles_make_a_table(tiny_bundle, copied_bundle):
    one = bundles.read(tiny_bundle)
    other = bundles.read(bundle_factory.edit(copied_bundle, {"split.by": "image"}))
    plain, leaky = split_table([one, other])[2:]
    assert f"| {one.record.estimates['auroc']} |" in plain
    assert "| patient | 0.875 |" in plain
    assert "| image (leaky) |" in leaky


@pytest.fixture(scope="module")
def folded(tiny_bundle, tmp_path_factory):
    """The tiny bundle as if judged by six folds, each of two patients."""
    folder = shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("folded") / "bundle")
    frame = pd.read_csv(folder / bundles.PREDICTIONS, dtype={"patient_group": str})
    frame["fold"] = frame["patient_group"].str.lstrip("H").astype(int)
    frame["cell_area"], frame["source"] = range(20_000, 20_000 + len(frame)), "fold_0"
    frame.loc[frame["fold"] > 3, "source"] = "fold_2"
    quiet = {"indeterminate": 0.25, "missed": 0.01, "alarmed": 0.02}
    changes = {
        "views": 2,
        "indeterminate": {"low": 0.4, "high": 0.6, "missed": 0.05, "alarmed": 0.1, "out_of_fold": quiet},
        "novelty": {"limit": 2.0, "pass": 0.99, "passed_out_of_fold": 0.987},
        "split.folds": 6,
    }
    return bundles.read(bundle_factory.edit(bundle_factory.write_predictions(folder, frame), changes))


def test_what_folds_say_is_printed_with_weak_spots_and_silence(folded):
    text = "\n".join(summary(scoring.on_held_out(folded)))
    weak = subgroups.estimate(folded.predictions, folded.threshold)
    assert {"auroc_hard_sources", "auroc_small", "best_weighted_f1"} <= set(weak)
    for name, estimate in weak.items():
        assert f"{name:<28} {estimate!s:<26}" in text
    assert (
        "1.0% of ALL cells Normal-like, 2.0% of normal cells ALL-like, 25.0% of cells Indeterminate" in text
    )
    assert "98.7% of cells are within the novelty limit" in text


def test_cross_validated_bundles_make_a_table_of_their_own(folded):
    head, _, row, again = fold_table([folded, folded])
    assert row == again
    assert head.count("|") == row.count("|")
    estimate = estimates.of(folded.predictions, folded.threshold)["auroc"]
    assert row.startswith(f"| tiny-test, 2 views | {estimate} |")
    right = patients.table(folded.predictions, folded.threshold)["right"]
    assert row.endswith(f"| {right.sum()} of {len(right)} |")


def test_the_mean_of_bundles_is_judged_as_each_was(folded):
    *_, mean = fold_table([folded, folded], together=True)
    assert mean.startswith("| mean of these 2 |")
    evaluation = evaluate_mean([folded.predictions] * 2, ["one", "one"])
    # The mean of twice the same ranks the cells of a fold as it did.
    for fold, own in evaluation.predictions.groupby("fold"):
        first = folded.predictions[folded.predictions["fold"] == fold].sort_values("image_id")
        assert (
            own.sort_values("image_id")["probability"].rank().tolist() == first["probability"].rank().tolist()
        )


def test_bundles_of_other_folds_make_no_mean(folded, tmp_path):
    folder = shutil.copytree(folded.folder, tmp_path / "other")
    frame = pd.read_csv(folder / bundles.PREDICTIONS, dtype={"patient_group": str})
    frame["fold"] = (frame["fold"] + 1) % 6
    bundle_factory.write_predictions(folder, frame)
    with pytest.raises(LeukemiaError, match="other was evaluated on different cells or folds from"):
        fold_table([folded, bundles.read(folder)], together=True)


def test_a_table_of_bundles_of_different_patients_says_so(folded, tmp_path):
    assert not any("DIFFERENT PATIENTS" in line for line in difference_tables([folded, folded]))
    fewer = bundles.read(
        bundle_factory.copy_bundle(folded.folder, tmp_path / "fewer", predictions=folded.predictions.iloc[7:])
    )
    text = " ".join(difference_tables([folded, fewer]))
    assert f"DIFFERENT PATIENTS (cells held out: {folded.folder.name} 60, fewer 53)" in text
