"""How fast a large field is searched."""

import resource
import time
from pathlib import Path

import numpy as np

from leukemia.segmentation import find, scale
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.network import Network
from leukemia.training.finder import labelled_fields

LARGE = 10_000, 10_000


def large(fields: Path, network: Network) -> str:
    """How fast a field of 100 megapixels is searched, made of fields of one size side by side."""
    files = labelled_fields.pictures(fields, "val")
    same = [one for one in map(read_field, files) if one.width == 575]
    side = -(-LARGE[0] // 575)
    whole = Field.of(np.zeros((LARGE[1], LARGE[0], 3), np.uint8))
    for number in range(side * side):
        whole.image.paste(same[number % len(same)].image, (number % side * 575, number // side * 575))
    began = time.perf_counter()
    pixel_size = scale.choose(whole, network).pixel_size
    found = find.find(whole, network, pixel_size)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"100 megapixels at {pixel_size:.3f} µm a pixel: {100 / took:.1f} megapixels a second, "
        f"{len(found.white):,} white cells, at most {peak:,.0f} MB"
    )
