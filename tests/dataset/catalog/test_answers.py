"""What the catalog says of a model's split and answers, and of corrected labels."""

import pandas as pd

from leukemia.dataset import label_log
from leukemia.dataset.catalog import catalog, summary
from leukemia.dataset.catalog.catalog import open_catalog
from leukemia.dataset.catalog.filters import INDETERMINATE, UNDECIDED, UNKNOWN, Filters
from leukemia.operating_point import OperatingPoint
from tests.dataset.catalog.conftest import THRESHOLD, paths


def test_a_leaky_split_tells_test_images_only(data, cells, model):
    predictions, _ = model
    groups = list(cells.loc[cells["label"] != "", "patient_group"].unique())
    both = {"training": groups, "validation": [], "test": groups}
    opened = open_catalog(data, predictions, OperatingPoint.of(THRESHOLD), groups=both, synthetic=True)
    tested = cells[cells["image_id"].isin(predictions["image_id"]) & (cells["label"] != "")]
    assert opened.choices.subsets == ("test", UNKNOWN)
    assert opened.count(Filters(subsets=("test",))) == len(tested)


def test_after_a_cross_validation_a_cells_part_is_the_fold_that_held_it_out(data, cells):
    labelled = cells[cells["label"] != ""].drop_duplicates("image_id")
    groups = sorted(labelled["patient_group"].unique())
    fold = labelled["patient_group"].map({group: number % 3 for number, group in enumerate(groups)})
    everyone = {"training": groups, "validation": [], "test": groups}
    predictions = labelled.assign(probability=0.5, fold=fold)
    opened = open_catalog(data, predictions, OperatingPoint.of(0.5), groups=everyone, synthetic=True)
    assert opened.choices.subsets == ("fold 1", "fold 2", "fold 3", UNKNOWN)
    assert summary.groups_in_two_subsets(opened) == (0, len(groups))
    held_out = set(labelled.loc[fold == 1, "image_id"])
    wanted = cells[cells["image_id"].isin(held_out) & (cells["label"] != "")]
    assert paths(opened.page(Filters(subsets=("fold 2",)), size=1_000)) == list(wanted["path"])


def test_a_group_on_two_sides_is_counted(data, cells):
    labelled = cells[cells["label"] != ""].drop_duplicates("image_id")
    fold = pd.Series(0, labelled.index).where(labelled["patient"] != "H2", 1)
    predictions = labelled.assign(probability=0.5, fold=fold)
    twice, groups = summary.groups_in_two_subsets(
        open_catalog(data, predictions, OperatingPoint.of(0.5), synthetic=True)
    )
    assert (twice, groups) == (1, labelled["patient_group"].nunique())


def test_within_a_band_a_cell_is_neither_right_nor_wrong(data, model, expected):
    predictions, split = model
    low, high = 0.3, 0.6
    opened = open_catalog(
        data, predictions, OperatingPoint(low, high, THRESHOLD), groups=split, synthetic=True
    )
    within = expected["probability"].between(low, high, inclusive="left")
    assert 0 < within.sum() < expected["probability"].notna().sum()
    wanted = list(expected.loc[within, "path"])
    assert paths(opened.page(Filters(decisions=(INDETERMINATE,)), size=1_000)) == wanted
    assert paths(opened.page(Filters(outcomes=(UNDECIDED,)), size=1_000)) == wanted
    wrong = expected[(expected["outcome"] == "wrong") & ~within]
    assert paths(opened.page(Filters(outcomes=("wrong",)), size=1_000)) == list(wrong["path"])


def test_a_model_of_real_cells_has_no_part_in_a_drawn_set(data, model):
    _, split = model
    opened = open_catalog(
        data,
        pd.DataFrame({"image_id": [], "probability": []}),
        OperatingPoint.of(0.5),
        groups=split,
        synthetic=False,
    )
    assert opened.choices.subsets == (UNKNOWN,)


def test_a_corrected_label_counts_and_a_doubted_one_is_told(data, known, expected, model):
    normal, blast = (
        expected[(expected["label"] == label) & (expected["part"] == "test")] for label in ("Normal", "ALL")
    )
    first, second = normal["image_id"].iloc[0], blast["image_id"].iloc[-1]
    before = catalog.stamp(data)
    label_log.correct(data, first, "ALL", who="A", reason="a blast")
    label_log.correct(data, second, "doubted", who="A", reason="a smudge")
    assert catalog.stamp(data) != before
    predictions, split = model
    opened = open_catalog(data, predictions, OperatingPoint.of(THRESHOLD), groups=split, synthetic=True)
    record = opened.record(first)
    assert (record.label, record.original_label, record.review) == ("ALL", "Normal", "corrected")
    assert record.outcome == {"ALL": "right", "Normal": "wrong"}[record.decision]
    assert (opened.record(second).label, opened.record(second).review) == ("ALL", "doubted")
    assert {r.image_id for r in opened.page(Filters(reviews=("doubted",)))} == {second}
    assert opened.tally().all == known.tally().all + known.count(Filters(images=(first,)))
