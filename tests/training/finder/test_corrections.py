"""Labels that are wrong by eye: taken away, called what they are, or added."""

import csv

import numpy as np
import pytest

from leukemia.segmentation.boxes import PLATELET, RED, WHITE
from leukemia.training.finder import corrections
from leukemia.training.finder.corrections import Corrections, matches

LEFT, RIGHT = [0.0, 0.0, 40.0, 40.0], [100.0, 0.0, 140.0, 40.0]


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Corrections of a field: a white cell that is a red one, one that is none, and one without a label."""
    table = tmp_path / "corrections.csv"
    rows = [
        ("red", 1, 0, 40, 40),
        ("remove", 100, 0, 140, 41),
        ("add", 200, 0, 240, 40),
    ]
    lines = ["part,file,change,left,top,right,bottom,why"]
    lines += [",".join(("val", "one.jpg", *map(str, row), "by eye")) for row in rows]
    table.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(corrections, "TABLE", table)
    return Corrections.read()


def test_labels_are_called_what_they_are_taken_away_or_added(known):
    boxes, kinds = known.apply("one.jpg", np.array([LEFT, RIGHT, LEFT]), np.array([WHITE, WHITE, PLATELET]))
    assert boxes.tolist() == [LEFT, LEFT, [200, 0, 240, 40]]
    assert kinds.tolist() == [RED, PLATELET, WHITE]


def test_another_field_stays_as_it_is(known):
    given = np.array([LEFT, RIGHT]), np.array([WHITE, RED])
    boxes, kinds = known.apply("two.jpg", *given)
    assert (boxes == given[0]).all() and (kinds == given[1]).all()


def test_of_two_labels_that_would_do_the_nearer_is_meant(known):
    near, far = [0.0, 0.0, 41.0, 40.0], [1.0, 0.0, 40.0, 40.0]
    _, kinds = known.apply("one.jpg", np.array([near, far]), np.array([WHITE, WHITE]))
    assert kinds.tolist() == [WHITE, RED, WHITE]


def test_pairs_have_half_of_their_union_in_common():
    assert matches(np.array([LEFT]), np.array([RIGHT])) == []
    assert matches(np.array([RIGHT, LEFT]), np.array([[0.0, 0.0, 40.0, 21.0], [0.0, 0.0, 40.0, 19.0]])) == [
        (1, 0)
    ]


def test_the_table_that_comes_along_is_whole():
    with corrections.TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["change"] for row in rows} == {"add", "remove", *corrections.KINDS}
    assert {row["part"] for row in rows} == {"train", "val", "test"}
    for row in rows:
        left, top, right, bottom = (float(row[side]) for side in ("left", "top", "right", "bottom"))
        assert 0 <= left < right and 0 <= top < bottom and row["why"]
