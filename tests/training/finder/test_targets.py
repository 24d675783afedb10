"""What the network is asked to answer is what is read from its answers."""

from dataclasses import replace

import numpy as np
import pytest

from leukemia.segmentation import boxes
from leukemia.segmentation.boxes import PLATELET, RED, WHITE
from leukemia.segmentation.network import UNIT, Maps
from leukemia.training.finder import targets
from leukemia.training.finder.patches import Patch

CELLS = {WHITE: [(10, 12, 44, 46), (45, 20, 77, 60)], RED: [(60, 66, 78, 84)], PLATELET: [(20, 70, 25, 75)]}


def patch(cells=CELLS):
    white = np.zeros((96, 96), bool)
    for left, top, right, bottom in cells.get(WHITE, []):
        white[max(top, 0) : bottom, max(left, 0) : right] = True
    kinds = [kind for kind, some in cells.items() for _ in some]
    sides = [box for some in cells.values() for box in some]
    return Patch(
        np.zeros((96, 96, 3), np.uint8), np.array(sides, np.float32).reshape(-1, 4), np.array(kinds), white
    )


def maps(one):
    answer = targets.places(one)
    return Maps(answer[..., :3], np.exp(answer[..., 3:7]) * UNIT, targets.white(one)[..., 0])


@pytest.mark.parametrize("kind", CELLS)
def test_the_peaks_of_the_targets_are_the_boxes(kind):
    found = boxes.apart(boxes.peaks(maps(patch()), kind))
    order = found.sides[:, 0].argsort()
    assert found.sides[order] == pytest.approx(np.array(CELLS[kind], float), abs=0.3)


def test_a_cell_that_the_patch_cuts_is_asked_for_as_far_as_it_is_seen():
    (box,) = boxes.apart(boxes.peaks(maps(patch({WHITE: [(-10, 20, 24, 54)]})), WHITE)).sides
    assert box == pytest.approx([0, 20, 24, 54], abs=1.1)


def test_of_a_cell_that_is_hardly_seen_nothing_is_asked():
    answer = targets.places(patch({WHITE: [(-41, 20, 4, 54)]}))
    assert answer[..., :3].max() == 0 and answer[5:13, 0, -1].max() == 0 and answer[:, 2:, -1].min() == 1


def test_a_sliver_of_a_cell_is_asked_for_as_far_as_it_is_seen():
    found = boxes.apart(boxes.peaks(maps(patch({WHITE: [(-30, 20, 8, 54)]})), WHITE))
    assert found.sides == pytest.approx(np.array([[0, 20, 8, 54]]), abs=0.3)


def test_a_cell_ends_where_the_picture_does():
    whole = patch({WHITE: [(40, 60, 80, 100)]})
    ended = boxes.apart(boxes.peaks(maps(replace(whole, width=60, height=80)), WHITE))
    assert ended.sides == pytest.approx(np.array([[40, 60, 60, 80]]), abs=0.3)


def test_the_loss_is_lower_for_the_truth_than_for_nothing_or_another_place():
    truth = targets.places(patch())[None]
    right = truth[..., :7].copy()
    losses = [
        float(targets.places_loss(truth, answer))
        for answer in (right, np.zeros_like(right), np.roll(right, 6, axis=1))
    ]
    assert losses[0] < 0.2 * min(losses[1:])
