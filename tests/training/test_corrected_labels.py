"""From correction to training: the next run learns the corrected label and leaves a doubted cell out."""

import logging

import keras

from leukemia.dataset import label_log
from leukemia.dataset.label_log import DOUBTED
from leukemia.networks.recipe import Recipe
from leukemia.training import training_data
from leukemia.training.plan import Plan

PLAN = Plan(Recipe(name="none", summary="For tests.", body=lambda x, _: keras.layers.Flatten()(x), crop=64))
BY = {"who": "Dr. Ada", "reason": "Chromatin"}


def load(data):
    return training_data.load(data, PLAN)


def learned(dataset):
    """Image to label over all parts of the split."""
    rows = [row for part in ("training", "validation", "test") for row in dataset.rows(part)]
    cells = dataset.cells.iloc[rows]
    return dict(zip(cells["image_id"], cells["label"], strict=True))


def test_the_next_run_learns_the_corrected_label_and_no_patient_changes_sides(data):
    before = load(data)
    image_id = before.cells.query("label == 'Normal'")["image_id"].iloc[0]
    label_log.correct(data, image_id, "ALL", **BY)
    after = load(data)
    assert learned(after) == learned(before) | {image_id: "ALL"}
    assert after.part.tolist() == before.part.tolist()
    assert after.fingerprint != before.fingerprint


def test_a_doubted_cell_is_left_out_and_said_so(data, caplog):
    before = load(data)
    image_id = before.cells["image_id"].iloc[0]
    label_log.correct(data, image_id, DOUBTED, **BY)
    with caplog.at_level(logging.WARNING):
        after = load(data)
    assert set(learned(before)) - set(learned(after)) == {image_id}
    assert len(learned(after)) == len(learned(before)) - 1
    assert "1 cells with a doubted label are left out." in caplog.text
    assert after.fingerprint != before.fingerprint
    # The crops on disk serve on.
    assert len(list((data / "cache").glob("crops-*.npy"))) == 1


def test_undone_all_is_as_it_was(data):
    before = load(data)
    made = label_log.correct(data, before.cells["image_id"].iloc[0], DOUBTED, **BY)
    label_log.undo(data, made.number, **BY)
    after = load(data)
    assert learned(after) == learned(before)
    assert after.fingerprint == before.fingerprint
