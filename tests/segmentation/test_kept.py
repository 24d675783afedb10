"""All pixels of a field, kept without loss and checked when they are read."""

import numpy as np
import pytest
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging.cell import identify
from leukemia.segmentation import kept
from tests.support.fields import draw


@pytest.fixture
def pixels():
    noise = np.random.default_rng(0).integers(0, 30, (480, 640, 3), np.uint8)
    return draw() // 2 + noise


def test_a_field_comes_back_pixel_by_pixel(tmp_path, pixels):
    image_id = identify(pixels)
    file = kept.save(tmp_path / "fields", Image.fromarray(pixels), image_id)
    assert file.name == f"{image_id}.png"
    assert (np.asarray(kept.load(file, image_id).image) == pixels).all()
    assert [one.name for one in file.parent.iterdir()] == [file.name], "nothing is left beside it"


def test_pixels_that_are_not_those_that_were_kept_are_refused(tmp_path, pixels):
    image_id = identify(pixels)
    file = kept.save(tmp_path, Image.fromarray(pixels), image_id)
    other = pixels.copy()
    other[0, 0, 0] ^= 1
    Image.fromarray(other).save(file)
    with pytest.raises(ImageError, match="damaged"):
        kept.load(file, image_id)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ImageError, match="damaged"):
        kept.load(file, image_id)


@pytest.mark.parametrize("file", [None, "gone.png"])
def test_pixels_that_were_not_kept_are_a_sentence(tmp_path, file):
    with pytest.raises(ImageError, match="not kept"):
        kept.load(file and tmp_path / file, "f" * 64)
