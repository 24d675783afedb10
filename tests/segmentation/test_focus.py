"""Focus: a blurred field is told from a sharp one, whatever its stain, and has a sentence of its own."""

import numpy as np
import pytest
from PIL import ImageFilter

from leukemia.errors import ImageError
from leukemia.imaging.scale import stated
from leukemia.segmentation import focus
from leukemia.segmentation.field import Field
from leukemia.segmentation.segment import segment
from tests.support.fields import PIXEL_SIZE, ColourNetwork, field

NETWORK = ColourNetwork()


def blurred(micrometres, **settings):
    image = field(**settings).image
    return Field(image.filter(ImageFilter.GaussianBlur(micrometres / PIXEL_SIZE)))


def test_a_blurred_field_is_refused_in_a_sentence_whether_its_scale_is_known_or_not():
    for said in (stated(PIXEL_SIZE), None):
        with pytest.raises(ImageError, match="out of focus"):
            segment(blurred(3.0), said, NETWORK)
    assert len(segment(blurred(0.2), stated(PIXEL_SIZE), NETWORK).cells) == 1


def test_the_more_blurred_the_less_sharp():
    values = [focus.sharpness(blurred(size), PIXEL_SIZE) for size in (0.1, 0.5, 1.0, 2.0)]
    assert values == sorted(values, reverse=True) and len(set(values)) == 4


def test_neither_a_pale_stain_nor_noise_counts():
    sharp, soft = field(), blurred(3.0)
    rng = np.random.default_rng(0)
    for one, expected in ((sharp, False), (soft, True)):
        pixels = np.asarray(one.image).astype(float)
        noisy = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255)
        for changed in (200 + pixels * 0.2, noisy):
            assert focus.is_blurred(Field.of(changed.astype(np.uint8)), PIXEL_SIZE) == expected


def test_a_field_that_is_sharp_in_a_corner_is_searched():
    pixels = np.asarray(blurred(3.0, width=2_000, height=2_000).image).copy()
    pixels[-700:, -700:] = np.asarray(field(width=2_000, height=2_000).image)[-700:, -700:]
    assert not focus.is_blurred(Field.of(pixels), PIXEL_SIZE)


def test_a_coarse_field_is_not_taken_for_a_blurred_one():
    small = field().image.resize((64, 48))
    assert not focus.is_blurred(Field(small), PIXEL_SIZE * 10)


def test_where_nothing_varies_nothing_is_blurred():
    assert not focus.is_blurred(Field.of(np.full((300, 300, 3), 200, np.uint8)), PIXEL_SIZE)
