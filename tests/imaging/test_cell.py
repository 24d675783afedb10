"""Pixels to a cell: identity, area, middle and crop."""

import hashlib

import numpy as np
import pytest

from leukemia.imaging.cell import crop_cell, measure_cell
from tests.support.pictures import ellipse


def test_identity_knows_the_shape():
    flat = np.arange(24 * 36 * 3, dtype=np.uint8)
    ids = {measure_cell(flat.reshape(shape)).image_id for shape in ((24, 36, 3), (36, 24, 3))}
    assert len(ids) == 2
    assert all(len(i) == len(hashlib.sha256().hexdigest()) for i in ids)


def test_measures_area_and_middle():
    cell = measure_cell(ellipse(area=20_000, at=(200, 260)))
    assert cell.area == pytest.approx(20_000, rel=0.01)
    assert cell.middle == pytest.approx((200, 260), abs=1)
    assert (cell.height, cell.width) == (450, 450)


@pytest.mark.parametrize("frame", [450, 600])
def test_crop_keeps_the_scale_whatever_the_frame(frame):
    crop = crop_cell(measure_cell(ellipse(frame, area=26_000)), 256)
    assert crop.shape == (256, 256, 3)
    assert np.count_nonzero(crop.max(axis=2)) == pytest.approx(26_000, rel=0.01)


def test_crops_of_both_frames_are_the_same_picture():
    small, large = (crop_cell(measure_cell(ellipse(f)), 256) for f in (450, 600))
    assert np.array_equal(small, large)


def test_crop_pads_with_black_beyond_the_frame():
    crop = crop_cell(measure_cell(ellipse(120, area=6_000)), 256)
    assert crop[:60].max() == 0
    assert np.count_nonzero(crop.max(axis=2)) == pytest.approx(6_000, rel=0.02)


def test_crop_follows_a_cell_off_the_middle_and_ignores_specks():
    pixels = ellipse(at=(150, 300))
    pixels[440:444, 5:9] = 255
    crop = crop_cell(measure_cell(pixels), 256)
    ys, xs = np.nonzero(crop.max(axis=2))
    assert (ys.mean(), xs.mean()) == pytest.approx((128, 128), abs=2)
