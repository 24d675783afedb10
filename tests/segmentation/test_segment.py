"""A field to its white cells: where they are, at which scale, and what is not one."""

import numpy as np
import pytest

from leukemia.errors import ImageError
from leukemia.imaging.scale import stated
from leukemia.segmentation import scale
from leukemia.segmentation.field import Field
from leukemia.segmentation.segment import segment
from tests.support.fields import PIXEL_SIZE, ColourNetwork, draw, field

NETWORK = ColourNetwork()


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def disc(mask_of, x, y, radius):
    rows, columns = (np.arange(length) + 0.5 for length in mask_of.mask.shape)
    return (
        np.hypot(
            (columns * mask_of.across + mask_of.left - x)[None],
            (rows * mask_of.down + mask_of.top - y)[:, None],
        )
        <= radius
    )


def test_a_white_cell_has_its_box_and_outline_in_pixels_of_the_field():
    (cell,) = segment(field(white=[(300, 200, 60)]), network=NETWORK).cells
    assert [cell.x, cell.y, cell.width, cell.height] == pytest.approx([240, 140, 120, 120], abs=6)
    assert not cell.edge and cell.confidence == pytest.approx(0.9)
    assert dice(cell.outline.mask, disc(cell.outline, 300, 200, 60)) > 0.97
    assert cell.outline.area == pytest.approx(np.pi * 60**2, rel=0.05)


def test_red_cells_are_counted_and_left_alone():
    found = segment(field(white=[]), network=NETWORK)
    assert found.cells == () and found.red == 20


@pytest.mark.parametrize("times", [0.5, 1.0, 1.7])
def test_red_cells_tell_the_scale(times):
    whole = field()
    size = round(whole.width * times), round(whole.height * times)
    resized = Field(whole.image.resize(size))
    told = scale.choose(resized, NETWORK)
    assert told.pixel_size == pytest.approx(PIXEL_SIZE / times, rel=0.08)
    assert "7.2 µm" in told.origin


def test_a_scale_that_is_stated_or_recorded_goes_before_red_cells():
    assert scale.choose(field(), NETWORK, stated(0.07)).pixel_size == 0.07
    assert scale.choose(Field.of(draw(), pixel_size=0.09), NETWORK).pixel_size == 0.09


def test_without_red_cells_white_ones_are_found_and_their_scale_is_unknown():
    found = segment(field(red=[]), network=NETWORK)
    assert len(found.cells) == 1 and not found.scale.known and "State how many" in found.scale.note
    assert found.cells[0].width == pytest.approx(120, abs=10)
    assert segment(field(red=[]), stated(PIXEL_SIZE), NETWORK).scale.known


def test_without_any_cell_it_is_no_field():
    with pytest.raises(ImageError, match="no field of a stained smear"):
        segment(field(red=[], white=[]), network=NETWORK)
    assert segment(field(red=[], white=[]), stated(PIXEL_SIZE), NETWORK).cells == ()


def test_a_scale_that_no_camera_has_is_a_sentence():
    with pytest.raises(ImageError, match="No microscope's camera"):
        segment(field(), stated(50.0), NETWORK)


def test_touching_cells_are_parted():
    pair = segment(field(white=[(250, 240, 55), (356, 240, 55)]), network=NETWORK).cells
    assert [cell.x for cell in pair] == pytest.approx([195, 301], abs=8)
    for cell, x in zip(pair, (250, 356), strict=True):
        assert dice(cell.outline.mask, disc(cell.outline, x, 240, 55)) > 0.94


@pytest.mark.parametrize(("x", "y"), [(20, 240), (620, 240), (320, 15), (320, 470)])
def test_a_cell_that_the_edge_cuts_says_so(x, y):
    (cell,) = segment(field(white=[(x, y, 60)]), network=NETWORK).cells
    assert cell.edge
    left, top, right, bottom = cell.outline.box
    assert left >= 0 and top >= 0 and right <= 640 and bottom <= 480


def test_cells_of_a_large_field_are_found_once_each_also_where_tiles_meet():
    places = [(x, y, 60) for y in (300, 2040, 2060, 3500) for x in (310, 2045, 3300)]
    found = segment(field(width=4300, height=3900, white=places[:6] + places[9:]), network=NETWORK)
    centres = sorted((c.x + c.width / 2, c.y + c.height / 2) for c in found.cells)
    expected = sorted((x, y) for x, y, _ in places[:6] + places[9:])
    assert np.array(centres) == pytest.approx(np.array(expected), abs=8)


def test_a_picture_without_colour_is_no_field():
    grey = np.repeat(draw().mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    with pytest.raises(ImageError, match="no colour"):
        segment(Field.of(grey), network=NETWORK)


def test_what_is_smaller_than_any_white_cell_is_none_unless_the_edge_cuts_it():
    small = [(300, 200, 22), (320, 470, 60)]
    found = segment(field(white=small), network=NETWORK).cells
    assert len(found) == 1 and found[0].edge
    (cell,) = segment(field(white=[(300, 200, 35)]), network=NETWORK).cells
    assert cell.width * PIXEL_SIZE == pytest.approx(7, rel=0.15)
