from dataclasses import replace

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.evaluation import estimates, novelty
from leukemia.evaluation.estimate import as_record
from leukemia.networks import recipe
from leukemia.training import cross_validation, trainer
from leukemia.training.plan import Plan
from tests.support.callbacks import AfterEpoch

pytestmark = pytest.mark.slow

RECIPE = replace(recipe.get("dense-baseline").with_training(epochs=1, cells_per_epoch=32), refit=0.01)
PLAN = Plan(RECIPE, "fold", target_recall=0.9, folds=4)


@pytest.fixture(scope="module")
def data(prepared, tmp_path_factory):
    """A copy of the prepared folder, so that what a training keeps there is this module's own."""
    import shutil

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


def test_the_last_layer_is_learned_anew_from_training_cells_alone(done, data):
    from leukemia.networks import head as heads
    from leukemia.training.callbacks import ReportToJob
    from leukemia.training.sampling import draw_for_head

    plan = replace(PLAN, fold=0)
    learned = cross_validation.train_fold(
        plan, cross_validation.CrossValidation(data, 2, "", ReportToJob("small", 1))
    )
    rows = draw_for_head(learned.dataset.cells, learned.dataset.rows("training"), plan.seed)
    kept = [np.load(path) for path in (data / "crossvalidation").glob("*/features-2.npy")]
    (features,) = [
        one
        for one in kept
        if len(one) == len(rows) and np.allclose(novelty.fit(one).middle, learned.spread.middle)
    ]
    kernel, bias = heads.refit(features, learned.dataset.cells.iloc[rows], 0.01)
    head = learned.model.get_layer("probability")
    assert np.allclose(head.get_weights()[0], kernel, atol=1e-6)
    assert np.allclose(head.get_weights()[1], bias, atol=1e-6)
    held_out = learned.dataset.cells.iloc[learned.dataset.rows("test")]
    assert learned.predictions["image_id"].tolist() == held_out["image_id"].tolist()
    assert set(held_out["patient_group"]).isdisjoint(learned.dataset.cells.iloc[rows]["patient_group"])


def test_the_bundle_answers(done, data):
    from leukemia.inference.classifier import Classifier, Source

    bundle = bundles.read(done[0].folder)
    classifier = Classifier(bundle)
    (answer,) = classifier.classify([Source.file(next(data.glob("ALL-*.png")))])
    assert 0 <= answer.probability <= 1


def test_a_picture_unlike_the_cells_learned_is_not_answered(done, data):
    from leukemia.dataset.synthetic import sample_writer
    from leukemia.inference.classifier import NOVEL, Classifier, Source

    classifier = Classifier(bundles.read(done[0].folder))
    noise = np.zeros((450, 450, 3), np.uint8)
    noise[150:300, 150:300] = np.random.default_rng(0).integers(0, 256, (150, 150, 3))
    stripes = np.zeros((450, 450, 3), np.uint8)
    stripes[100:350:2, 100:350] = (0, 255, 0)
    cell = next(data.glob("ALL-*.png")).read_bytes()
    sources = [sample_writer.encode(noise, "PNG"), cell, sample_writer.encode(stripes, "PNG")]
    found = list(classifier.classify(Source(str(i), lambda one=one: one) for i, one in enumerate(sources)))
    assert [answer.error for answer in found] == [NOVEL, "", NOVEL]
    assert [answer.probability is None for answer in found] == [True, False, True]
    (tried,) = classifier.classify([Source("drawn to be tried with", lambda: sources[0], drawn=True)])
    assert tried.probability is not None


def test_at_least_most_real_cells_of_other_patients_pass(done):
    found = done[0].record.novelty
    assert found.passed_out_of_fold > 0.9
    assert (done[0].predictions["distance"] <= found.limit).mean() == pytest.approx(0.99, abs=0.02)


@pytest.fixture(scope="module")
def with_trees(data, tmp_path_factory):
    plan = replace(PLAN, recipe=replace(RECIPE, morphology=True))
    output = tmp_path_factory.mktemp("with-trees") / "bundle"
    return cross_validation.crossvalidate(plan, data, output, views=2)


def test_trees_are_grown_without_the_fold_that_they_are_asked_for(with_trees, data, monkeypatch):
    from leukemia.networks import boosted_trees
    from leukemia.training.callbacks import ReportToJob

    seen = []
    fit = boosted_trees.fit_trees
    monkeypatch.setattr(
        boosted_trees,
        "fit_trees",
        lambda measures, cells, seed: seen.append(cells) or fit(measures, cells, seed),
    )
    plan = replace(PLAN, recipe=replace(RECIPE, morphology=True), fold=0)
    learned = cross_validation.train_fold(
        plan, cross_validation.CrossValidation(data, 2, "", ReportToJob("small", 1))
    )
    (grown_on,) = seen
    assert not set(grown_on["patient_group"]) & set(learned.predictions["patient_group"])
    assert len(grown_on) + len(learned.predictions) == 72
    found = learned.predictions
    assert found["logit"].to_numpy() == pytest.approx(found["network_logit"] + found["trees_logit"])
    assert found["trees_logit"].std() > 0


def test_each_part_of_the_answer_is_judged_and_told(with_trees, done):
    parts = with_trees.record.parts
    assert list(parts) == ["the network", "trees on what a morphologist looks at", "both together"]
    assert all(0 <= part.low <= part.value <= part.high <= 1 for part in parts.values())
    assert "trees on what a morphologist looks at" in with_trees.card
    assert "parts" not in done[0].record.to_dict()
    assert not {"logit", "network_logit", "trees_logit"} & set(with_trees.predictions)


def test_trees_change_the_answer_of_the_bundle(with_trees, done, data):
    from leukemia.inference.classifier import Classifier, Source

    cells = manifest.read(data)
    cells = cells[cells["label"] != ""][:6]
    sources = [Source.file(data / path, path) for path in cells["path"]]
    own, other = (
        [answer.probability for answer in Classifier(one).classify(sources)] for one in (with_trees, done[0])
    )
    assert own != pytest.approx(other, abs=1e-3)
