"""What the browser sends of a field is checked before anything is done with it."""

import pytest

from leukemia.errors import LeukemiaError
from leukemia.segmentation.change import Change
from pages.components import field_change


def test_a_change_is_read_as_it_was_made():
    sent = {"id": "1", "kind": "outline", "cell": "A 2", "box": None, "ring": [[1, 2], [3.5, 4], [5, 6]]}
    assert field_change.read(sent) == Change("outline", "A 2", (), ((1.0, 2.0), (3.5, 4.0), (5.0, 6.0)))
    sent = {"id": "1", "kind": "draw", "cell": "", "box": [1, 2, 30, 40.5]}
    assert field_change.read(sent) == Change("draw", "", (1.0, 2.0, 30.0, 40.5))
    assert field_change.read({"id": "1", "kind": "undo"}) == Change("undo")


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"kind": "sign"},
        {"kind": "remove", "cell": 7},
        {"kind": "remove", "cell": "7" * 201},
        {"kind": "draw", "box": [1, 2, 3]},
        {"kind": "draw", "box": [1, 2, 3, "4"]},
        {"kind": "draw", "box": [1, 2, 3, True]},
        {"kind": "draw", "box": [1, 2, 3, float("nan")]},
        {"kind": "draw", "box": "1234"},
        {"kind": "outline", "ring": [[1, 2], [3]]},
        {"kind": "outline", "ring": [1, 2]},
        {"kind": "outline", "ring": [[0, 0]] * 2_001},
    ],
)
def test_anything_else_is_a_sentence(sent):
    with pytest.raises(LeukemiaError, match="Reload the page"):
        field_change.read(sent)
