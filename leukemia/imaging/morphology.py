"""What can be measured on a cell as a morphologist would name it: size, nucleus, density, granularity.

They are measures to look at beside a model's answer, not what the model reads.
"""

from dataclasses import dataclass

import numpy as np

from leukemia.imaging.cell import foreground

# Light that passes where nothing absorbs it. The frames show no glass to measure it on: the whole range.
WHITE = 255.0
# Micrometres: what is finer than this is a grain, what is coarser is shading.
GRAIN = 0.4
# Levels of green by which two classes must lie apart to be two.
LEAST_CONTRAST = 8


@dataclass(frozen=True)
class Measures:
    """Measures of one cell.

    Attributes
    ----------
    area : float
        Square micrometres; as uncertain as the square of the scale, see :mod:`leukemia.imaging.scale`.
    nucleus_share : float
        Area of the nucleus over that of the cell, 0 to 1; 0 where no nucleus is told from the rest.
    density : float
        Mean optical density of green light over the nucleus, or the cell where it has none: 0 is clear, 1
        lets a tenth through [1]_.
    granularity : float
        Standard deviation of that density within :data:`GRAIN` micrometres, over the same pixels.

    References
    ----------
    .. [1] Ruifrok AC, Johnston DA. Quantification of histochemical staining by color deconvolution. Anal
           Quant Cytol Histol 2001;23:291-299.
    """

    area: float
    nucleus_share: float
    density: float
    granularity: float


NAMES = tuple(Measures.__dataclass_fields__)


def measure(crop: np.ndarray, area: int, pixel_size: float) -> Measures:
    """Measure a cell.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3), a cell on black.
    area : int
        Pixels of the whole cell, also of what a large one has outside the crop.
    pixel_size : float
        Micrometres per pixel.
    """
    from scipy import ndimage

    cell, inside = foreground(crop), nucleus(crop)
    share = inside.sum() / max(cell.sum(), 1)
    over = inside if inside.any() else cell
    if not over.any():
        return Measures(0.0, 0.0, 0.0, 0.0)
    density = -np.log10((np.maximum(crop[..., 1], 1) / WHITE).astype(np.float32))
    # Means over what is measured alone: the black around it is no density.
    known = over.astype(np.float32)
    near = [ndimage.gaussian_filter(part, GRAIN / pixel_size) for part in (density * known, known)]
    grains = (density - near[0] / np.maximum(near[1], 1e-6))[over]
    return Measures(
        area * pixel_size**2, float(share), float(density[over].mean()), float(np.sqrt((grains**2).mean()))
    )


def nucleus(crop: np.ndarray) -> np.ndarray:
    """Tell the nucleus from the cytoplasm: the darker of two classes of green by Otsu's method [1]_, filled.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3), a cell on black.

    Returns
    -------
    numpy.ndarray
        bool, shape (size, size); all False where the cell has no two classes.

    References
    ----------
    .. [1] Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern
           1979;9:62-66.
    """
    from scipy import ndimage

    cell = foreground(crop)
    # Single pixels are mostly the camera's noise.
    green = ndimage.uniform_filter(crop[..., 1].astype(np.float32), 3)
    inside = ndimage.binary_erosion(cell, iterations=2)
    if not inside.any() or np.ptp(green[inside]) < LEAST_CONTRAST:
        return np.zeros_like(cell)
    dark = inside & (green <= _otsu(green[inside]))
    dark = ndimage.binary_opening(dark, iterations=2)
    # Nucleoli and gaps in the chromatin belong to it; stray specks of the cytoplasm do not.
    dark = ndimage.binary_fill_holes(ndimage.binary_closing(dark, iterations=4)) & cell
    parts, count = ndimage.label(dark)
    if not count:
        return np.zeros_like(cell)
    sizes = np.bincount(parts.ravel())[1:]
    # A nucleus may have lobes: parts of some size beside the largest.
    return np.isin(parts, 1 + np.flatnonzero(sizes >= sizes.max() / 5))


def _otsu(values: np.ndarray) -> float:
    """The level that parts values (0 to 255) with the most variance between both sides."""
    count, _ = np.histogram(values, 256, (0, 256))
    weight, total = np.cumsum(count), np.cumsum(count * np.arange(256))
    below, above = weight, weight[-1] - weight
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = total / below - (total[-1] - total) / above
        between = np.where((below > 0) & (above > 0), below * above * apart**2, -1.0)
    return float(between.argmax())
