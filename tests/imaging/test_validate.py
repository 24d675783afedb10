"""Only a single stained cell on black is read as one."""

import numpy as np
import pytest

from leukemia.errors import ImageError
from leukemia.imaging import validate
from leukemia.imaging.cell import measure_cell
from leukemia.imaging.scale import NATIVE, ScaleUnknownError, stated
from leukemia.imaging.validate import NotCutOutError
from tests.support.fields import draw
from tests.support.pictures import ellipse, encoded


@pytest.mark.parametrize(
    ("kind", "options"), [("BMP", {}), ("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
)
def test_lossless_formats_give_the_same_pixels_and_identity(kind, options):
    pixels = ellipse()
    cell = validate.open_cell(encoded(pixels, kind, **options))
    assert np.array_equal(cell.pixels, pixels)
    assert cell.image_id == measure_cell(pixels).image_id


def test_jpeg_is_read_as_a_cell():
    cell = validate.open_cell(encoded(ellipse(), "JPEG", quality=80))
    assert cell.area == pytest.approx(30_000, rel=0.05)


def smear(rng):
    """Pink field with purple cells: what a photograph of a smear looks like."""
    field = rng.normal((220, 180, 200), 8, (480, 640, 3))
    for y, x in rng.integers(50, 430, (20, 2)):
        field[y - 15 : y + 15, x - 15 : x + 15] = (120, 70, 150)
    return field.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.zeros((450, 450, 3), np.uint8), "blank"),
        (np.full((450, 450, 3), 255, np.uint8), "blank"),
        (np.full((450, 450, 3), 90, np.uint8), "blank"),
        (smear(np.random.default_rng(0)), "background is not black"),
        (ellipse(area=400), "No cell on the black background is large enough"),
        (ellipse(900, area=300_000), "Larger than any single cell"),
        (ellipse(colour=(130, 130, 130)), "no colour"),
        (np.concatenate([ellipse(area=20_000)[:, 100:350]] * 2, axis=1), "More than one cell"),
        (np.zeros((1, 1, 3), np.uint8), "blank"),
    ],
)
def test_what_is_no_single_cell_says_so(pixels, says):
    with pytest.raises(ImageError, match=says):
        validate.open_cell(encoded(pixels, "PNG"), NATIVE)


@pytest.mark.parametrize(
    "pixels",
    [
        ellipse(900, area=300_000),
        # Too large to be brought to the model's scale, too.
        ellipse(3_000, area=3_000_000),
        np.concatenate([ellipse(area=20_000)[:, 100:350]] * 2, axis=1),
    ],
)
def test_what_lies_on_black_and_is_too_large_or_several_may_be_a_field(pixels):
    with pytest.raises(NotCutOutError, match=r"Larger than any|More than one"):
        validate.open_cell(encoded(pixels, "PNG"), stated(0.05 if len(pixels) < 1_000 else 0.2))


@pytest.mark.parametrize("scale", [None, stated(0.6)])
def test_glass_on_black_may_be_a_field_where_its_scale_is_of_no_use(scale):
    field = draw(white=[(300, 200, 60)])
    field[np.hypot(*np.mgrid[-240:240, -320:320]) > 235] = 0
    with pytest.raises(ImageError, match=r"unknown|too far") as refused:
        validate.open_cell(encoded(field, "PNG"), scale)
    assert isinstance(refused.value, NotCutOutError)
    assert isinstance(refused.value, ScaleUnknownError) == (scale is None)
    with pytest.raises(ImageError, match=r"unknown|too far") as refused:
        validate.open_cell(encoded(ellipse(500), "PNG"), scale)
    assert not isinstance(refused.value, NotCutOutError)


def test_two_touching_cells_on_black_are_read_as_one():
    pixels = np.maximum(ellipse(area=20_000, at=(225, 150)), ellipse(area=20_000, at=(225, 305)))
    assert validate.open_cell(encoded(pixels, "PNG")).area == pytest.approx(40_000, rel=0.05)


def test_a_speck_beside_a_cell_is_no_second_cell():
    pixels = ellipse(area=20_000)
    pixels[10:60, 10:60] = pixels[225, 225]
    assert validate.open_cell(encoded(pixels, "PNG")).area > 20_000
