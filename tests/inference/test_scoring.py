import shutil

import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.errors import DatasetError, LeukemiaError
from leukemia.evaluation import estimates, subgroups
from leukemia.evaluation.out_of_fold import evaluate_mean
from leukemia.inference import scoring
from tests.support import bundle_factory

OTHER = {"ALL": "Normal", "Normal": "ALL"}


def learned_from(folder, groups):
    """Rewrite a bundle's record as if it had learned from these patient groups."""
    return bundles.read(bundle_factory.edit(folder, {"split.training.groups": groups}))


def test_the_held_out_predictions_are_judged_at_the_threshold(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    scored = scoring.from_predictions(bundle)
    told = "\n".join(scored.lines())
    assert "60 cells of 6 ALL and 6 normal patient groups" in told
    assert "Trained on synthetic cells." in told
    counts = bundle.record.confusion
    assert f"{counts['tp']:>16,} {counts['fn']:>19,}" in told


def test_another_set_is_judged_without_the_patients_learned_from(copied_bundle, prepared):
    bundle = learned_from(copied_bundle, ["H1", "1", "2"])
    calls = []
    scored = scoring.on_dataset(bundle, prepared, progress=lambda *a: calls.append(a))
    frame = manifest.read(prepared)
    assert set(scored.predictions["patient_group"]) == set(frame["patient_group"]) - {"H1", "1", "2", ""}
    assert "3 patient groups that it learned from are left out." in scored.notes
    assert calls[-1] == (54, 54, "Classifying")
    assert scored.predictions["probability"].between(0, 1).all()


def test_unreadable_images_are_counted(tiny_bundle, prepared, tmp_path):
    for path in prepared.glob("*.png"):
        (tmp_path / path.name).symlink_to(path)
    frame = manifest.read(prepared)
    victim = tmp_path / frame["path"][0]
    victim.unlink()
    victim.write_bytes(b"broken")
    manifest.write(tmp_path, frame)
    scored = scoring.on_dataset(bundles.read(tiny_bundle), tmp_path)
    assert len(scored.predictions) == 71
    assert scored.notes == ("1 images could not be read and are left out.",)


def test_nothing_left_to_judge_is_an_error(copied_bundle, prepared):
    bundle = learned_from(copied_bundle, sorted(set(manifest.read(prepared)["patient_group"])))
    with pytest.raises(DatasetError, match="Every patient"):
        scoring.on_dataset(bundle, prepared)


def test_several_bundles_make_a_table(tiny_bundle, copied_bundle):
    one = bundles.read(tiny_bundle)
    other = bundles.read(bundle_factory.edit(copied_bundle, {"split.by": "image"}))
    plain, leaky = scoring.table([one, other])[2:]
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
    told = "\n".join(scoring.from_predictions(folded).lines())
    found = subgroups.estimate(folded.predictions, folded.threshold)
    assert {"auroc_hard_sources", "auroc_small", "best_weighted_f1"} <= set(found)
    for name, figure in found.items():
        assert f"{name:<28} {figure!s:<26}" in told
    assert "25.0%; of ALL cells 1.0% are called Normal-like outright, of normal ones 2.0%" in told
    assert "98.7% of cells pass the limit of novelty" in told


def test_cross_validated_bundles_make_a_table_of_their_own(folded):
    head, _, row, again = scoring.fold_table([folded, folded])
    assert row == again
    assert head.count("|") == row.count("|")
    figure = estimates.of(folded.predictions, folded.threshold)["auroc"]
    assert row.startswith(f"| tiny-test, 2 view(s) | {figure} |")
    right, people = scoring.patients_right(folded.predictions)
    assert row.endswith(f"| {right} of {people} |")


def test_patients_are_called_at_the_threshold_of_the_other_folds():
    rows = [
        (f"{label[0]}{fold}", label, fold, probability)
        for fold, shift in enumerate((0, 0, 0, 0, 0.35))
        for label, level in (("ALL", 0.7), ("Normal", 0.3))
        for probability in (level - 0.1 + shift, level + 0.1 - shift / 2)
    ]
    frame = pd.DataFrame(rows, columns=["patient_group", "label", "fold", "probability"])
    # The last fold lies higher; at the others' threshold its healthy patient is called wrong or right
    # as a whole, by the mean logit of both cells.
    right, people = scoring.patients_right(frame)
    assert people == 10
    assert right in (9, 10)
    swapped = frame.assign(label=frame["label"].where(frame["fold"] < 4, frame["label"].map(OTHER)))
    assert scoring.patients_right(swapped)[0] == 8


def test_the_mean_of_bundles_is_judged_as_each_was(folded):
    *_, mean = scoring.fold_table([folded, folded], together=True)
    assert mean.startswith("| mean of these 2 |")
    found = evaluate_mean([folded.predictions] * 2, ["one", "one"])
    # The mean of twice the same ranks the cells of a fold as it did.
    for fold, own in found.predictions.groupby("fold"):
        first = folded.predictions[folded.predictions["fold"] == fold].sort_values("image_id")
        assert (
            own.sort_values("image_id")["probability"].rank().tolist() == first["probability"].rank().tolist()
        )


def test_bundles_of_other_folds_make_no_mean(folded, tmp_path):
    folder = shutil.copytree(folded.folder, tmp_path / "other")
    frame = pd.read_csv(folder / bundles.PREDICTIONS, dtype={"patient_group": str})
    frame["fold"] = (frame["fold"] + 1) % 6
    bundle_factory.write_predictions(folder, frame)
    with pytest.raises(LeukemiaError, match="other was evaluated on other cells or in other folds"):
        scoring.fold_table([folded, bundles.read(folder)], together=True)
