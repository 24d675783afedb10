"""A small picture of a whole slide, made block by block."""

import numpy as np
from PIL import Image

from leukemia.imaging.slide import Slide
from leukemia.segmentation.place import FIELD_SIDE
from leukemia.segmentation.slides.part import SlidePart

BLOCK = 64  # pixels of the small picture that are read at a time


def overview(slide: Slide, side: int = FIELD_SIDE) -> Image.Image:
    """A picture of a slide of at most so many pixels a side, RGB."""
    times = max(slide.width, slide.height, side) / side
    width, height = (max(1, round(full / times)) for full in (slide.width, slide.height))
    across, down = slide.width / width, slide.height / height
    whole, out = SlidePart.whole(slide), np.empty((height, width, 3), np.uint8)
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            right, bottom = min(left + BLOCK, width), min(top + BLOCK, height)
            box = left * across, top * down, right * across, bottom * down
            out[top:bottom, left:right] = whole.part(box, (right - left, bottom - top))
    return Image.fromarray(out)
