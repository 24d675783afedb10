import shutil
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.evaluation import estimates, novelty
from leukemia.evaluation.estimate import as_record
from leukemia.imaging.perturbation import PERTURBATIONS
from leukemia.markdown import plain
from leukemia.networks import recipe
from leukemia.training import cross_validation, trainer, training_data
from leukemia.training.plan import Plan
from tests.support.callbacks import AfterEpoch

pytestmark = pytest.mark.slow

RECIPE = recipe.get("dense-baseline").with_training(epochs=1, cells_per_epoch=32)
PLAN = Plan(RECIPE, "fold", target_recall=0.9, folds=4)


@pytest.fixture(scope="module")
def data(prepared, tmp_path_factory):
    """A copy of the prepared folder, so that what a training keeps there is this module's own."""
    return shutil.copytree(prepared, tmp_path_factory.mktemp("crossvalidated") / "data")


@pytest.fixture(scope="module")
def done(data, tmp_path_factory):
    seen = []
    output = tmp_path_factory.mktemp("bundles") / "bundle"
    bundle = cross_validation.crossvalidate(
        PLAN, data, output, [AfterEpoch(lambda fold, index, logs: seen.append((fold, index)))], views=2
    )
    return bundle, seen


def test_every_labelled_cell_is_predicted_by_a_network_that_did_not_see_its_patient(done, data):
    bundle, seen = done
    cells = manifest.read(data)
    cells = cells[cells["label"] != ""]
    found = bundle.predictions
    assert sorted(found["image_id"]) == sorted(cells["image_id"])
    assert (found.groupby("patient_group")["fold"].nunique() == 1).all()
    assert found["fold"].nunique() == 4
    assert [fold for fold, _ in seen] == ["fold 1/4", "fold 2/4", "fold 3/4", "fold 4/4", "all patients"]


def test_the_record_says_how_it_was_judged(done):
    bundle, _ = done
    record = bundle.record
    assert (bundle.folds, record.views, bundle.leaky) == (4, 2, False)
    again = as_record(estimates.of(bundle.predictions, bundle.threshold))
    assert as_record(record.estimates) == again
    assert record.calibration.method in ("none", "temperature", "platt")
    assert record.split.training.cells == {"ALL": 42, "Normal": 30}
    for words in ("assigned to 4 folds", "Out of fold", "indeterminate", "auroc_large"):
        assert words in bundle.card


def test_folds_that_are_done_are_taken_and_not_learned_again(done, data, tmp_path, monkeypatch):
    bundle, _ = done
    monkeypatch.setattr(trainer, "learn", lambda *_, **__: pytest.fail("learned again"))
    monkeypatch.setattr(cross_validation, "outputs", lambda *_, **__: pytest.fail("predicted again"))
    again = cross_validation.crossvalidate(PLAN, data, tmp_path / "again", views=2)
    assert again.predictions.equals(bundle.predictions)
    assert again.threshold == bundle.threshold


def test_what_is_far_is_measured_from_training_cells_alone(done, data):
    from leukemia.training.callbacks import ReportToJob
    from leukemia.training.sampling import draw_reference

    plan = replace(PLAN, fold=0)
    fold = cross_validation.train_fold(
        "fold 1/4", plan, cross_validation.CrossValidation(data, 2, "", ReportToJob("small", 1))
    )
    cells, training = fold.dataset.cells, fold.dataset.rows("training")
    rows = draw_reference(cells, training, plan.seed)
    stored = [np.load(path) for path in (data / "crossvalidation").glob("*/features-2.npy")]
    assert any(
        len(one) == len(rows) and np.allclose(novelty.fit(one).middle, fold.spread.middle) for one in stored
    )
    held_out = cells.iloc[fold.dataset.rows("test")]
    assert fold.predictions["image_id"].tolist() == held_out["image_id"].tolist()
    assert set(held_out["patient_group"]).isdisjoint(cells.iloc[training]["patient_group"])


def test_the_bundle_answers(done, data):
    from leukemia.inference.answer import Source
    from leukemia.inference.classifier import Classifier

    bundle = bundles.read(done[0].folder)
    classifier = Classifier(bundle)
    (answer,) = classifier.classify([Source.file(next(data.glob("ALL-*.png")))])
    assert 0 <= answer.probability <= 1


NOVEL = "Unlike the cells the model was trained on"


def test_a_picture_unlike_the_cells_learned_is_not_answered(done, data):
    from leukemia.dataset.synthetic import sample_writer
    from leukemia.inference.answer import Source
    from leukemia.inference.classifier import Classifier

    classifier = Classifier(bundles.read(done[0].folder))
    noise = np.zeros((450, 450, 3), np.uint8)
    noise[150:300, 150:300] = np.random.default_rng(0).integers(0, 256, (150, 150, 3))
    stripes = np.zeros((450, 450, 3), np.uint8)
    stripes[100:350:2, 100:350] = (0, 255, 0)
    cell = next(data.glob("ALL-*.png")).read_bytes()
    sources = [sample_writer.encode(noise, "PNG"), cell, sample_writer.encode(stripes, "PNG")]
    found = list(classifier.classify(Source(str(i), lambda one=one: one) for i, one in enumerate(sources)))
    assert [answer.error.split(":")[0] for answer in found] == [NOVEL, "", NOVEL]
    assert "grainy" in found[0].error
    assert "colours are different" in found[2].error
    assert [answer.probability is None for answer in found] == [True, False, True]


def test_at_least_most_real_cells_of_other_patients_pass(done):
    found = done[0].record.novelty
    assert found.passed_out_of_fold > 0.9
    assert (done[0].predictions["distance"] <= found.limit).mean() == pytest.approx(0.99, abs=0.02)


@pytest.fixture(scope="module")
def without_sources(prepared, tmp_path_factory):
    """The same cells as if of four sources, patient 3 with cells in two of them."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("sources") / "data")
    cells = manifest.read(folder)
    patients = [name for name in cells["patient_group"].unique() if name]
    names = ("fold_0", "fold_1", "fold_2", "preliminary")
    source = cells["patient_group"].map({name: names[i % 4] for i, name in enumerate(patients)})
    twice = (cells["patient_group"] == "3") & (cells.index % 2 == 0)
    manifest.write(folder, cells.assign(source=source.mask(twice, "fold_0").fillna("final")))
    output = tmp_path_factory.mktemp("bundles") / "bundle"
    seen = []
    callback = AfterEpoch(lambda fold, index, logs: seen.append(fold))
    bundle = cross_validation.crossvalidate(PLAN, folder, output, [callback], leave="source")
    return folder, bundle, seen


def test_each_source_is_left_out_in_turn_and_the_hard_ones_together(without_sources):
    folder, bundle, seen = without_sources
    assert seen == [
        *(f"without {name}" for name in ("fold_0", "fold_1", "fold_2", "preliminary")),
        "without fold_2 and preliminary",
        "all patients",
    ]
    cells = manifest.read(folder)
    cells = cells[cells["label"] != ""]
    predictions = bundle.predictions
    assert sorted(predictions["image_id"]) == sorted(cells["image_id"])
    assert (predictions.groupby("source")["fold"].nunique() == 1).all()
    assert (bundle.record.split.left_out, bundle.folds) == ("source", 4)
    hard = predictions["source"].isin(["fold_2", "preliminary"])
    assert predictions["logit_without_hard"].notna().equals(hard)
    unseen = bundle.record.subgroups["auroc_hard_sources_unseen"]
    truth = predictions.loc[hard, "label"] == "ALL"
    auroc = roc_auc_score(truth, predictions.loc[hard, "logit_without_hard"])
    assert unseen.value == pytest.approx(auroc, abs=1e-3)


def test_beside_folds_of_patients_stands_how_each_source_fares_unseen(without_sources, tmp_path):
    folder, alone, _ = without_sources
    seen = []
    callback = AfterEpoch(lambda fold, index, logs: seen.append(fold))
    bundle = cross_validation.crossvalidate(PLAN, folder, tmp_path / "both", [callback], leave="both")
    # The networks without a source, and the one of all patients, were trained before.
    assert seen == [f"fold {number}/4" for number in (1, 2, 3, 4)]
    predictions, record = bundle.predictions, bundle.record
    assert (predictions.groupby("patient_group")["fold"].nunique() == 1).all()
    assert record.split.left_out == "patients"
    # Moved by one logit within a source, so that the ranking there stays.
    both = predictions.merge(alone.predictions, on="image_id", suffixes=("", "_alone"))
    for _, own in both.groupby("source"):
        assert own["unseen_probability"].corr(own["probability_alone"], method="spearman") > 0.999
    assert (both["unseen_called"] == both["called_alone"]).all()
    auroc = {name: one.estimates["auroc"].value for name, one in record.unseen_sources.sources.items()}
    assert auroc == pytest.approx(
        {name: one.estimates["auroc"].value for name, one in alone.record.by_source.sources.items()}
    )
    assert record.stress == alone.record.stress
    assert "Worst source if the model had not seen it in training" in bundle.card


def test_a_network_without_a_source_did_not_learn_from_its_patients(without_sources):
    folder, _, _ = without_sources
    plan = replace(PLAN, split="source", sources=("fold_0",))
    dataset = training_data.load(folder, plan)
    test, training = (dataset.cells.iloc[dataset.rows(name)] for name in ("test", "training"))
    assert set(test["source"]) == {"fold_0"}
    assert "3" in set(test["patient_group"])
    assert set(test["patient_group"]).isdisjoint(training["patient_group"])
    assert len(test) + len(training) < len(dataset.cells)


def test_the_record_says_what_harmless_changes_of_the_pictures_cost(done):
    bundle, _ = done
    stresses = bundle.record.stress
    assert list(stresses) == ["as they are", *PERTURBATIONS]
    assert stresses["as they are"].change == 0
    assert all(one.change > 0 for name, one in stresses.items() if name != "as they are")
    for name in PERTURBATIONS:
        assert f"| {plain(name)} |" in bundle.card
