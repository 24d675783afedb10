"""The line about a cell, where the network's coarse map takes in glass."""

import numpy as np
import pytest
from scipy import ndimage

from leukemia.segmentation.boxes import Boxes
from leukemia.segmentation.field import Field
from leukemia.segmentation.find import Found
from leukemia.segmentation.network import FINE
from leukemia.segmentation.network import PIXEL_SIZE as WORKING
from leukemia.segmentation.outline import outline

SIDE, PIXEL = 400, 0.05
GLASS, CELL = (235, 225, 222), (90, 40, 110)
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]


def disc(x, y, radius):
    return np.hypot(COLUMNS - x, ROWS - y) <= radius


def drawn(cell, noise=0.0):
    """A field with one cell on glass."""
    pixels = np.where(cell[..., None], CELL, GLASS).astype(float)
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return Field.of(np.clip(pixels, 0, 255).astype(np.uint8))


def found(mapped, box):
    """What a network finds whose map takes in this much."""
    times = PIXEL / WORKING / FINE
    likely = ndimage.zoom(mapped.astype(np.float32), times, order=1)
    none = Boxes(np.zeros((0, 4)), np.zeros(0))
    return Found(Boxes(np.array([box], float), np.ones(1)), none, none, PIXEL, np.uint8(likely * 255))


@pytest.mark.parametrize("noise", [0, 3])
def test_the_glass_within_a_bent_cell_is_no_part_of_it(noise):
    whole = disc(200, 200, 110)
    bent = whole & ~disc(280, 200, 60)
    line = outline(drawn(bent, noise), found(whole, (90, 90, 310, 310)), 0)
    mask = line.raster((0, 0), 1.0, (SIDE, SIDE))
    assert np.count_nonzero(mask & ~bent) < 0.01 * bent.sum()
    assert np.count_nonzero(bent & ~mask) < 0.01 * bent.sum()


def test_a_round_cell_has_no_rim_of_glass():
    cell = disc(200, 200, 100)
    line = outline(drawn(cell), found(disc(200, 200, 108), (100, 100, 301, 301)), 0)
    assert not (line.raster((0, 0), 1.0, (SIDE, SIDE)) & ~cell).any()


def test_a_cell_that_fills_its_field_is_outlined():
    everywhere = np.ones((SIDE, SIDE), bool)
    line = outline(drawn(everywhere), found(everywhere, (0, 0, SIDE, SIDE)), 0)
    assert line.mask.any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("box", [(150, 388, 250, 400), (0, 150, 12, 250), (0, 0, 14, 14), (150, 0, 250, 10)])
def test_a_sliver_at_the_edge_is_outlined_even_where_the_map_is_empty(box):
    cell = disc(200, 445, 57) | disc(-45, 200, 57) | disc(0, 0, 14) | disc(200, -45, 55)
    line = outline(drawn(cell), found(np.zeros((SIDE, SIDE), bool), box), 0)
    left, top, right, bottom = line.box
    assert right - left > 5 and bottom - top > 5
    assert left >= box[0] - 30 and top >= box[1] - 30 and right <= box[2] + 30 and bottom <= box[3] + 30
