"""A cell cut out as those of C-NMC are: on black, centred, at their scale."""

import numpy as np
import pytest

from leukemia.errors import ImageError
from leukemia.imaging import validate
from leukemia.imaging.cell import measure_cell
from leukemia.imaging.morphology import nucleus
from leukemia.imaging.scale import PIXEL_SIZE as NATIVE
from leukemia.imaging.scale import stated
from leukemia.segmentation.crop import cut_out
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.scale import FieldScale
from leukemia.segmentation.segment import segment
from tests.support.fields import PIXEL_SIZE, ColourNetwork, field

SCALE = FieldScale(PIXEL_SIZE)


def one(**settings):
    whole = field(**settings)
    (cell,) = segment(whole, network=ColourNetwork()).cells
    return whole, cell


def test_it_is_a_frame_that_the_classifier_takes_as_native():
    whole, cell = one(white=[(300, 200, 60)])
    crop = cut_out(whole, cell.outline, SCALE)
    assert crop.pixels.shape == (450, 450, 3)
    opened = validate.open_cell(crop.png())
    assert opened.middle == pytest.approx((225, 225), abs=4)
    assert opened.area == pytest.approx(np.pi * 60**2 * (PIXEL_SIZE / NATIVE) ** 2, rel=0.06)
    assert opened.scale_note == ""


def test_a_cell_is_as_large_as_it_is_whatever_the_field_shows_it_at():
    areas = []
    for times in (0.5, 1.0):
        whole = field(white=[(300, 200, 60)])
        small = whole.__class__(whole.image.resize((round(640 * times), round(480 * times))))
        (cell,) = segment(small, stated(PIXEL_SIZE / times), ColourNetwork()).cells
        areas.append(measure_cell(cut_out(small, cell.outline, FieldScale(PIXEL_SIZE / times)).pixels).area)
    assert areas[0] == pytest.approx(areas[1], rel=0.05)


def test_at_the_models_scale_its_pixels_are_those_of_the_field():
    pixels = np.random.default_rng(0).integers(60, 200, (700, 700, 3), np.uint8)
    mask = np.zeros((200, 200), bool)
    mask[20:180, 20:180] = True
    crop = cut_out(field().of(pixels), Outline(mask, 250, 260, 1, 1), FieldScale(NATIVE))
    left, top = int(crop.left), int(crop.top)
    inside = pixels[260 + 25 : 260 + 175, 250 + 25 : 250 + 175]
    rows, columns = slice(285 - top, 435 - top), slice(275 - left, 425 - left)
    assert np.array_equal(crop.pixels[rows, columns], inside)
    assert not crop.pixels[: 260 - top].any()


def test_at_the_edge_what_is_not_in_the_field_is_black():
    whole, cell = one(white=[(20, 240, 60)])
    crop = cut_out(whole, cell.outline, SCALE)
    assert crop.pixels.shape == (450, 450, 3)
    area = measure_cell(crop.pixels).area
    assert 0.4 < area / (np.pi * 60**2 * (PIXEL_SIZE / NATIVE) ** 2) < 0.8


def test_the_nucleus_is_told_apart():
    whole, cell = one(white=[(300, 200, 60)])
    nucleus = cut_out(whole, cell.outline, SCALE).nucleus()
    assert nucleus.area == pytest.approx(np.pi * 42**2, rel=0.08)


def test_what_cannot_be_brought_to_the_scale_is_refused():
    whole, cell = one()
    with pytest.raises(ImageError, match="too far from the model's scale"):
        cut_out(whole, cell.outline, FieldScale(0.4))
    with pytest.raises(ImageError, match="scale is unknown"):
        cut_out(whole, cell.outline, FieldScale(PIXEL_SIZE, known=False))
    with pytest.raises(ImageError, match="Larger than any single cell"):
        cut_out(whole, Outline(np.ones((700, 700), bool), 0, 0, 1, 1), FieldScale(NATIVE))


def test_an_outline_is_drawn_where_it_lies_to_parts_of_a_pixel():
    rows, columns = np.ogrid[:200, :200]
    disc = Outline(np.hypot(columns - 99.5, rows - 99.5) <= 60, 30.25, 10.5, 0.5, 0.5)
    for times, corner in ((1.0, (0.0, 0.0)), (2.3, (20.4, 7.7)), (0.6, (10.0, 5.0))):
        mask = disc.raster(corner, times, (400, 380))
        rows, columns = np.nonzero(mask)
        middle = (columns.mean() + 0.5) / times + corner[0], (rows.mean() + 0.5) / times + corner[1]
        assert middle == pytest.approx((80.25, 60.5), abs=0.1)
        assert mask.sum() / times**2 == pytest.approx(np.pi * 30**2, rel=0.02)


def test_the_nucleus_is_that_of_the_whole_frame():
    whole, cell = one(white=[(300, 200, 60)])
    crop = cut_out(whole, cell.outline, SCALE)
    frame = nucleus(crop.pixels)
    assert crop.nucleus().raster((crop.left, crop.top), crop.times, frame.shape[::-1])[frame].mean() > 0.995
    assert crop.nucleus().area * crop.times**2 == pytest.approx(frame.sum(), rel=1e-6)
