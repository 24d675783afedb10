"""At which scale a frame is read: as stated, as its file records it, or by the frame's size."""

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from leukemia.errors import ImageError
from leukemia.imaging import reader, scale, validate
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.imaging.scale import ScaleUnknownError
from tests.support.cases import case
from tests.support.pictures import ellipse, encoded

OURS = 0.05


def tiff(pixels, x, unit, y=None, description=""):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[scale.X_RESOLUTION], tags[scale.Y_RESOLUTION], tags[scale.UNIT] = x, y or x, unit
    if description:
        tags[scale.DESCRIPTION] = description
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


def opened(side, *, stated=None, area=None):
    pixels = ellipse(side, area=area or 30_000 * (side / 450) ** 2)
    return pixels, validate.open_cell(encoded(pixels, "PNG"), stated, OURS)


@pytest.mark.parametrize("side", [224, 256, 299, 451, 1_000])
def test_a_frame_of_another_size_is_not_read_without_its_scale(side):
    with pytest.raises(ScaleUnknownError, match=f"the frame is {side} × {side} pixels"):
        opened(side)


def test_what_is_no_cell_is_called_so_whatever_its_frame():
    smear = np.random.default_rng(0).integers(150, 255, (480, 640, 3)).astype(np.uint8)
    with pytest.raises(ImageError, match="background is not black"):
        validate.open_cell(encoded(smear, "PNG"))


@pytest.mark.parametrize("side", [450, 600])
def test_native_frames_are_read_as_they_are_and_need_no_word(side):
    pixels, cell = opened(side)
    assert np.array_equal(cell.pixels, pixels)
    assert cell.note == ""


@pytest.mark.parametrize("side", [224, 299, 900])
def test_a_resized_frame_at_its_scale_has_the_cell_of_the_whole_one(side):
    size = OURS * 450 / side
    pixels, cell = opened(side, stated=scale.stated(size))
    assert (cell.height, cell.width) == (450, 450)
    assert cell.area == pytest.approx(30_000, rel=0.03)
    assert cell.middle == pytest.approx((225, 225), abs=2)
    assert cell.image_id == measure_cell(pixels).image_id, "it is that of the original pixels"
    assert cell.note == f"scale: {size:.3g} µm per pixel, as stated, resampled by {450 / side:.3g}"


def test_what_is_stated_goes_before_the_file_and_the_frame():
    data = tiff(ellipse(area=30_000), 10_000 / 0.1, 3)
    assert validate.open_cell(data, scale.STATED_NATIVE).note == "scale: native, as stated"
    assert validate.open_cell(data, scale.stated(0.1), OURS).area == pytest.approx(120_000, rel=0.03)
    assert validate.open_cell(data, scale.NATIVE).note == ""
    cell = validate.open_cell(data, None, OURS)
    assert cell.note.startswith("scale: 0.1 µm per pixel, from the file, resampled by 2")


def test_the_models_own_scale_needs_no_resampling():
    pixels, cell = opened(300, stated=scale.stated(OURS), area=30_000)
    assert np.array_equal(cell.pixels, pixels)
    assert cell.note == "scale: 0.05 µm per pixel, as stated"


def test_a_cell_of_an_odd_size_at_the_stated_scale_says_so():
    _, cell = opened(256, stated=scale.STATED_NATIVE)
    assert cell.note == "scale: native, as stated; the cell is unusually small (check the scale)"
    _, cell = opened(450, area=4_000)
    assert cell.note == "", "nobody stated a scale that could be wrong"


IMAGEJ = "ImageJ=1.54f\nunit={}\n"


@pytest.mark.parametrize(
    ("x", "unit", "description", "size"),
    [
        (100_000, 3, "", 0.1),
        (254_000, 2, "", 0.1),
        (10, 1, IMAGEJ.format("micron"), 0.1),
        (10, 1, IMAGEJ.format("\\u00B5m"), 0.1),
        (72, 2, "", None),
        (300, 2, "", None),
        (96, 3, "", None),
        (10, 1, IMAGEJ.format("inch"), None),
        (10, 1, "unit=micron", None),
        (10, 1, "", None),
    ],
)
def test_a_tiff_records_its_scale_where_a_microscope_can_have_it(x, unit, description, size):
    found = reader.open_picture(tiff(ellipse(), x, unit, description=description)).pixel_size
    assert found == pytest.approx(size)


def test_pixels_that_are_not_square_and_resolutions_of_nothing_are_no_scale():
    assert reader.open_picture(tiff(ellipse(), 100_000, 3, y=50_000)).pixel_size is None
    assert reader.open_picture(tiff(ellipse(), TiffImagePlugin.IFDRational(1, 0), 3)).pixel_size is None
    assert reader.open_picture(encoded(ellipse(), "PNG", dpi=(254_000, 254_000))).pixel_size is None


@pytest.mark.parametrize("size", [0.0, -1.0, 0.0124, 0.21, float("nan"), float("inf")])
def test_a_scale_too_far_from_the_models_is_refused_with_what_can_be_used(size):
    with pytest.raises(ImageError, match=r"it can use images of 0\.0125 to 0\.2 µm per pixel"):
        scale.factor(scale.stated(size), OURS)


def test_a_frame_that_would_grow_over_the_limit_is_refused():
    with pytest.raises(ImageError, match="too large to be brought to the model's scale"):
        scale.resample(np.zeros((2_500, 2_500, 3), np.uint8), 4.0)


@pytest.mark.parametrize("side", [224, 256, 299])
@pytest.mark.parametrize("name", ["UID_38_10_1_all", "UID_4_5_3_all"])
def test_real_frames_that_were_resized_have_the_cell_of_the_whole_frame(name, side):
    folder = case("02-resized-frames")
    whole = validate.open_cell((folder / f"{name}-450.png").read_bytes())
    data = (folder / f"{name}-{side}.png").read_bytes()
    with pytest.raises(ScaleUnknownError):
        validate.open_cell(data)
    cell = validate.open_cell(data, scale.stated(OURS * 450 / side), OURS)
    assert cell.area == pytest.approx(whole.area, rel=0.03)
    assert cell.middle == pytest.approx(whole.middle, abs=3)
    apart = np.abs(crop_cell(cell, 256).astype(int) - crop_cell(whole, 256)).mean()
    assert apart < 3, "levels"
