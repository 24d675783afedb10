"""Why a picture is unlike the cells that a model learned: what of it lies outside their range.

It is measured only where a model gave no answer, to say the reason; the limit is the model's own.
"""

import colorsys
import math

import numpy as np
from PIL import Image

from leukemia.imaging.cell import foreground
from leukemia.imaging.loss import LOW_QUALITY, Loss

# From the cell's edge inwards, in frame pixels, what is left out: the cut is no part of the cell.
RIM = 8
BLURRED = "the image is blurred"
GRAINY = "the image is grainy or over-sharpened"
SMALL = "the cell is unusually small (check the scale)"
LARGE = "the cell is unusually large (check the scale)"
STAIN = "the stain or the colours are different"
LOSSY = "the file is heavily compressed"
MAYBE_LOSSY = "perhaps because the file is compressed with loss ({})"
LOST = ", or its detail was lost in compression ({})"
# What 99 % of the cells measure (percentiles 0.5 to 99.5), with what is said below and above it. Measured
# with :func:`measure` on all 6,157 cells of C-NMC 2019 at hand, in crops of 256 pixels. The ends of the
# sharpness are the lowest and highest of 800 of the frames as they are (1.44 to 2.81) and saved as JPEG of
# quality 95 to 85. A blur of 2 pixels (standard deviation) brings 95 % of these below it, one of 3 all.
RANGES = {
    "sharpness": (1.07, 2.84, BLURRED, GRAINY),
    "size": (9.66, 10.82, SMALL, LARGE),
    "hue": (0.770, 0.838, STAIN, STAIN),
    "saturation": (0.525, 0.712, STAIN, STAIN),
    "brightness": (0.238, 0.404, STAIN, STAIN),
}


def measure(crop: np.ndarray, area: int) -> dict[str, float]:
    """Measure what a refusal may name.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3), a cell on black.
    area : int
        Pixels of the whole cell, at least 1.

    Returns
    -------
    dict of str to float
        ``sharpness``, the logarithm of the variance of luma's Laplacian [1]_ within the cell, taken of means
        over 2x2 pixels: single pixels are mostly the camera's noise, which a good JPEG takes away without
        blurring; ``size``, the logarithm of the area; hue (0 to 1, red at 0), saturation and brightness
        (0 to 1) of the cell's mean colour.

    References
    ----------
    .. [1] Pech-Pacheco JL et al. Diatom autofocusing in brightfield microscopy: a comparative study.
           ICPR 2000;3:314-317.
    """
    from scipy import ndimage

    cell = foreground(crop)
    # A cell without an inside is measured with its rim.
    inside = ndimage.binary_erosion(cell, iterations=RIM)
    inside = inside if inside.any() else cell
    luma = _halved(np.asarray(Image.fromarray(crop).convert("L"), np.float32))
    whole = _halved(inside.astype(np.float32)) == 1
    spread = float(ndimage.laplace(luma)[whole].var()) if whole.any() else 0.0
    colour = crop[inside].mean(axis=0) / 255 if inside.any() else np.zeros(3)
    hue, saturation, brightness = colorsys.rgb_to_hsv(*map(float, colour))
    return {
        "sharpness": math.log(max(spread, 1e-3)),
        "size": math.log(max(area, 1)),
        "hue": hue,
        "saturation": saturation,
        "brightness": brightness,
    }


def _halved(values: np.ndarray) -> np.ndarray:
    """Means over squares of 2x2; a last odd row and column are left out."""
    height, width = (side // 2 for side in values.shape)
    return values[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))


def reasons(crop: np.ndarray, area: int, loss: Loss | None) -> list[str]:
    """In what a picture differs from the cells that were learned, the largest difference first.

    A difference is counted from the end of the range, in widths of the range.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3), a cell on black.
    area : int
        Pixels of the whole cell.
    loss : Loss or None
        How the file was compressed.

    Returns
    -------
    list of str
        For a reader; empty where nothing that is measured lies outside its range and the file is exact.
    """
    apart: dict[str, float] = {}
    for name, value in measure(crop, area).items():
        said, by = _outside(name, value)
        if said == BLURRED and loss and not loss.is_low:
            said += LOST.format(loss)
        if said:
            apart[said] = max(apart.get(said, 0.0), by)
    if loss and loss.quality is not None and loss.is_low:
        apart[f"{LOSSY} ({loss})"] = (LOW_QUALITY - loss.quality) / (100 - LOW_QUALITY)
    if loss and not apart:
        return [MAYBE_LOSSY.format(loss)]
    return sorted(apart, key=lambda said: -apart[said])


def odd_size(area: int) -> str:
    """Say that a cell of so many pixels is smaller or larger than those that were learned; else empty."""
    return _outside("size", math.log(max(area, 1)))[0]


def _outside(name: str, value: float) -> tuple[str, float]:
    """What is said of a value outside its range, and by how many widths of the range it is."""
    low, high, below, above = RANGES[name]
    if value < low:
        return below, (low - value) / (high - low)
    if value > high:
        return above, (value - high) / (high - low)
    return "", 0.0
