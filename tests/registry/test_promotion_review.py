"""What must be read before a promotion: what is worse, what is missing, where it was not judged."""

import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import comparison
from leukemia.registry import promotion_review
from tests.support import bundle_factory

NAMES = ("Version 2", "version 1")


@pytest.fixture
def judged(tiny_bundle, tmp_path):
    return bundle_factory.judge_by_source(bundle_factory.copy_bundle(tiny_bundle, tmp_path / "judged"))


def blinded(judged, folder):
    """The same version with the ALL cells of one source called with less certainty."""
    predictions = bundles.read(judged).predictions
    hit = (predictions["source"] == "fold_0") & (predictions["label"] == "ALL")
    lower = predictions.assign(probability=predictions["probability"].where(~hit, 0.1))
    return bundles.read(bundle_factory.copy_bundle(judged, folder, predictions=lower))


def test_every_figure_that_is_worse_is_listed_with_its_paired_interval(judged, tmp_path):
    present, candidate = bundles.read(judged), blinded(judged, tmp_path / "blinded")
    lines = promotion_review.worse(tmp_path, candidate, present, NAMES)
    frame = comparison.shared([present.predictions, candidate.predictions])
    columns = [comparison.columns(one, present.operating_point) for one in comparison.cells(frame, 2)]
    differences = comparison.differences(*columns)
    worse = [
        one for one in differences if one.change.value * (-1 if one.name in comparison.ERRORS else 1) < 0
    ]
    assert {"sensitivity", "auroc", "missed", "all_like"} <= {one.name for one in worse}
    assert lines[0].startswith("On the 60 cells of 12 patient groups that both held out with the same label.")
    for one in differences:
        assert (one.sentence() in lines[0]) == (one in worse)
    (of_source,) = (line for line in lines if " worse in fold_0: " in line)
    assert of_source.startswith("On the same cells, patients weighted equally, worse in fold_0: ")
    # What became of its ALL cells, in the words that all cells have.
    versions = comparison.cells_by_source(frame, 2)
    (by_source,) = comparison.by_source(versions, [present.operating_point] * 2)
    (missed,) = (one for one in by_source["fold_0"] if one.name == "missed")
    assert missed.change.value == 1 - missed.first.value
    assert missed.sentence() in of_source and "ALL cells called Normal-like outright +" in of_source
    assert not any("worse in fold_2" in line for line in lines)


def test_a_version_that_is_no_worse_has_nothing_to_read(judged, tmp_path):
    present = bundles.read(judged)
    assert promotion_review.worse(tmp_path, present, present, NAMES) == []


def test_versions_of_different_patients_are_not_compared(judged, tmp_path):
    predictions = bundles.read(judged).predictions
    other = predictions.assign(image_id=[f"{number:064x}" for number in range(len(predictions))])
    candidate = bundles.read(bundle_factory.copy_bundle(judged, tmp_path / "other", predictions=other))
    (line,) = promotion_review.worse(tmp_path, candidate, bundles.read(judged), NAMES)
    assert "cannot be compared on the same patients" in line and "different cells" in line


def test_what_only_one_of_them_held_out_is_said(judged, tmp_path):
    present, predictions = bundles.read(judged), blinded(judged, tmp_path / "blinded").predictions
    folder = bundle_factory.copy_bundle(judged, tmp_path / "fewer", predictions=predictions.iloc[5:])
    lines = promotion_review.worse(tmp_path, bundles.read(folder), present, NAMES)
    assert "Each version held out cells of its own (version 1 60, Version 2 55)" in lines[0]
    assert "different patients and cannot be compared" in lines[0]


def test_each_missing_safeguard_is_named(judged, tiny_bundle):
    assert promotion_review.missing(bundles.read(tiny_bundle)) == [
        promotion_review.NO_CALIBRATION,
        promotion_review.NEVER_ABSTAINS,
        promotion_review.NO_NOVELTY,
    ]
    assert promotion_review.NEVER_ABSTAINS not in promotion_review.missing(bundles.read(judged))


def test_sources_that_were_not_judged_are_named(judged, tiny_bundle, tmp_path):
    present = bundles.read(judged)
    predictions = present.predictions
    one = bundle_factory.copy_bundle(
        judged, tmp_path / "one", predictions=predictions[predictions["source"] == "fold_2"]
    )
    absent, few = promotion_review.unjudged(tmp_path, bundles.read(one), present)
    assert "not judged on any cell of fold_0" in absent
    assert "fold_2 (2 ALL and 2 healthy patient groups)" in few
    assert promotion_review.unjudged(tmp_path, bundles.read(tiny_bundle), present) == [
        promotion_review.NO_SOURCES
    ]


def test_the_shipped_model_lacks_no_safeguard():
    from leukemia.settings import SHIPPED

    assert promotion_review.missing(bundles.read(SHIPPED)) == []
    assert np.isfinite(bundles.read(SHIPPED).operating_point.limits).all()
