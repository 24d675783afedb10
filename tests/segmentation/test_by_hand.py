"""Cells outlined by hand on drawn fields."""

import numpy as np
import pytest

from leukemia.errors import ImageError
from leukemia.segmentation import by_hand
from leukemia.segmentation.segment import segment
from tests.support.fields import PIXEL_SIZE, ColourNetwork, field

CELLS = ((200, 200, 60), (450, 300, 60))


@pytest.fixture(scope="module")
def network():
    return ColourNetwork()


def disc(x, y, radius, corners=40):
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1).tolist()


def test_the_cell_in_a_box_is_outlined_as_one_that_was_found(network):
    smear = field(white=CELLS)
    found = segment(smear, network=network)
    for cell in found.cells:
        drawn = by_hand.in_box(
            smear, (cell.x, cell.y, cell.width, cell.height), found.scale.pixel_size, network
        )
        assert drawn.confidence is None and not drawn.edge
        assert drawn.outline.area == pytest.approx(cell.outline.area, rel=0.03)
        assert drawn.outline.box == pytest.approx(cell.outline.box, abs=3)


def test_a_cell_that_the_network_does_not_find_is_outlined_all_the_same(network):
    class Blind(ColourNetwork):
        def maps(self, pixels):
            maps = super().maps(pixels)
            maps.centres[:] = 0
            return maps

    drawn = by_hand.in_box(field(white=CELLS), (135, 135, 130, 130), PIXEL_SIZE, Blind())
    assert drawn.outline.area == pytest.approx(np.pi * 60**2, rel=0.06)


def test_an_outline_ends_where_the_box_does(network):
    drawn = by_hand.in_box(field(white=CELLS), (140, 140, 60, 120), PIXEL_SIZE, network)
    left, top, right, bottom = drawn.outline.box
    assert (left, right) == (pytest.approx(140, abs=3), pytest.approx(203, abs=1))
    assert (top, bottom) == (pytest.approx(140, abs=3), pytest.approx(260, abs=3))


def test_a_box_beside_another_cell_takes_nothing_of_it(network):
    touching = field(white=((200, 200, 60), (318, 200, 60)))
    drawn = by_hand.in_box(touching, (138, 138, 124, 124), PIXEL_SIZE, network)
    assert drawn.outline.area == pytest.approx(np.pi * 60**2, rel=0.06)


def test_a_box_at_the_edge_of_the_field_is_a_cell_that_is_cut(network):
    smear = field(white=((15, 200, 60),))
    assert by_hand.in_box(smear, (-20, 138, 96, 124), PIXEL_SIZE, network).edge


def test_corners_enclose_what_they_enclose():
    cell = by_hand.by_corners(field(white=CELLS), disc(200, 200, 60), PIXEL_SIZE)
    assert cell.outline.area == pytest.approx(np.pi * 60**2, rel=0.02)
    assert (cell.x, cell.y, cell.width, cell.height) == pytest.approx((140, 140, 120, 120), abs=1)
    ring = cell.outline.polygon()
    assert np.hypot(*(ring - (200, 200)).T) == pytest.approx(60, abs=1.2)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((100, 100, 3, 90), "at least 8 pixels"),
        ((700, 100, 90, 90), "outside the field"),
        ((100, 100, -50, 90), "outside the field"),
        ((float("nan"), 100, 50, 90), "outside the field"),
        ((100, 100, float("inf"), 90), "outside the field"),
    ],
)
def test_a_box_that_can_hold_no_cell_is_refused(network, box, said):
    with pytest.raises(ImageError, match=said):
        by_hand.in_box(field(white=CELLS), box, PIXEL_SIZE, network)


@pytest.mark.parametrize(
    "ring",
    [
        [],
        [(10, 10), (90, 90)],
        [(10, 10), (90, 90), (50, 50)],
        [(10, 10), (float("nan"), 90), (50, 50)],
        [(10, 10, 10), (90, 10, 10), (50, 50, 50)],
        disc(200, 200, 60, by_hand.MOST_CORNERS + 1),
        disc(900, 200, 60),
    ],
)
def test_corners_that_enclose_no_cell_are_refused(ring):
    with pytest.raises(ImageError):
        by_hand.by_corners(field(white=CELLS), ring, PIXEL_SIZE)
