"""The benchmark of finding cells: what counts as found, and labels that are wrong by eye."""

import numpy as np

from benchmarks.segmentation.found import Searched, agreements, judge
from leukemia.training.finder.corrections import Corrections

LABELLED = np.array([[10, 10, 50, 50], [100, 100, 140, 140]], float)


def searched(path, boxes):
    return Searched(path, "640 x 480", LABELLED, np.array(boxes, float).reshape(-1, 4), 0.1, 0.1)


def test_a_cell_is_found_by_one_box_that_shares_half_of_both():
    boxes = np.array([[12, 10, 52, 50], [11, 10, 51, 50], [100, 100, 120, 120]], float)
    assert agreements(LABELLED, boxes) == ([1], [0, 2])


def test_figures_are_told_by_size_and_without_copies(tmp_path):
    one, copy = tmp_path / "one.jpg", tmp_path / "copy.jpg"
    lines = judge([searched(one, LABELLED[:1]), searched(copy, LABELLED)], {copy}, listed=True)
    told = {line.partition(":")[0].strip(): line for line in lines}
    assert "recall 0.750 (3 of 4), precision 1.000 (3 of 3)" in told["all"]
    assert "recall 0.500 (1 of 2)" in told["all but copies"] and told["640 x 480"]
    assert lines[-1] == "  missed one.jpg [100, 100, 140, 140]"


def test_a_wrong_label_is_taken_away_and_one_that_lacks_is_added(tmp_path):
    corrected = Corrections(
        added={"one.jpg": [[200, 200, 240, 240]]},
        wrong={"one.jpg": [([101, 99, 141, 139], None)]},
    )
    lines = judge([searched(tmp_path / "one.jpg", LABELLED[:1])], set(), corrected)
    assert "recall 0.500 (1 of 2)" in lines[0]
