"""The plain way to white cells, without training.

Nuclei by their saturation (Otsu), parted by a watershed of the distance to their edge, each box grown by the
cytoplasm that cells have on average.
"""

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import regionprops
from skimage.segmentation import watershed

from leukemia.segmentation.field import Field

# Pixels of a nucleus at the least, where the longer side is 180, and how many times as large as its nucleus a
# cell is: the best of 1.0 to 1.5 on the part ``train``.
NUCLEUS, GROWN = 150, 1.3


def plain(field: Field) -> np.ndarray:
    """Boxes (n, 4) of white cells by the saturation of their nuclei."""
    times = min(1.0, 180 / max(field.width, field.height))  # a nucleus is about 25 pixels across
    size = round(field.width * times), round(field.height * times)
    pixels = field.part((0, 0, field.width, field.height), size).astype(np.float32)
    saturation = 1 - pixels.min(axis=2) / np.maximum(pixels.max(axis=2), 1)
    smooth = ndimage.gaussian_filter(saturation, 1)
    nuclei = ndimage.binary_opening(smooth > threshold_otsu(smooth), iterations=2)
    nuclei = ndimage.binary_fill_holes(ndimage.binary_closing(nuclei, iterations=3))
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(nuclei), 2)
    parts, _ = ndimage.label(nuclei)
    peaks = peak_local_max(depth, min_distance=10, labels=parts)
    markers = np.zeros(parts.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    boxes = []
    for region in regionprops(watershed(-depth, markers, mask=nuclei)):
        if region.area < NUCLEUS:
            continue
        top, left, bottom, right = region.bbox
        middle, half = np.array([left + right, top + bottom]) / 2, np.array([right - left, bottom - top]) / 2
        boxes.append(np.concatenate([middle - GROWN * half, middle + GROWN * half]) / times)
    limits = (field.width, field.height) * 2
    return np.clip(np.array(boxes).reshape(-1, 4), 0, limits)
