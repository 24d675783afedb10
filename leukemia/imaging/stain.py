"""The colours of stained cells: measured, and moved to those of other cells by a map that has an inverse.

The map is Reinhard's [1]_: in the space l-alpha-beta, whose channels hardly depend on each other, the mean
and the standard deviation of each channel are brought to those of the target. Only the pixels of cells count:
training cells stand on black, so nothing is known of the glass about them.

References
----------
.. [1] Reinhard E, Ashikhmin M, Gooch B, Shirley P. Color transfer between images. IEEE Comput Graph Appl
       2001;21(5):34-41, equations 4 to 11.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from leukemia.imaging.cell import foreground

# From RGB to the responses of the eye's cones, and from their logarithms to l-alpha-beta: equations 4 and 6.
CONES = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
AXES = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
# The least level that has a logarithm, of 255.
DARKEST = 1.0
# By how much a channel is stretched at the most: more would only make noise larger.
STRETCH = 2.0
# The least standard deviation that is reckoned with.
LEAST = 1e-3


@dataclass(frozen=True)
class Stain:
    """The colours of some cells in l-alpha-beta: logarithms to the base 10, no unit.

    Attributes
    ----------
    middle : tuple of float
        Mean of each channel over the cells' pixels.
    spread : tuple of float
        Standard deviation of each.
    cells : int
        How many cells were measured.
    """

    middle: tuple[float, float, float]
    spread: tuple[float, float, float]
    cells: int


@dataclass(frozen=True)
class StainMatch:
    """What was done to the colours of a cell before a model read it.

    Attributes
    ----------
    own : Stain
        Of the cells of its field.
    target : Stain
        Of the cells that the model learned from.
    distance_before : float
        How far the cell as it is lies from those.
    limit : float
        How far one may lie from them to be answered.
    """

    own: Stain
    target: Stain
    distance_before: float
    limit: float

    def apply(self, crop: np.ndarray) -> np.ndarray:
        """What the model reads: uint8 RGB, shape (height, width, 3), from the cell as it is."""
        return recolour(crop, self.own, self.target)


@dataclass(frozen=True)
class Recoloured:
    """A cell on black, its stain matched to that of a model's training cells.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 RGB, shape (side, side, 3): the cell recoloured.
    distance, distance_unmatched, distance_limit : float
        How far it lies from the training cells, and as it is; and up to where a model answers.
    """

    pixels: np.ndarray
    distance: float
    distance_unmatched: float
    distance_limit: float


def measure(crops: Iterable[np.ndarray]) -> Stain | None:
    """Measure the colours of cells, each weighing the same however large it is.

    Parameters
    ----------
    crops : iterable of numpy.ndarray
        uint8 RGB, shape (height, width, 3) each, cells on black; taken one at a time.

    Returns
    -------
    Stain or None
        None where no cell stands out from black.
    """
    first, second, cells = np.zeros(3), np.zeros(3), 0
    for crop in crops:
        inside = crop[foreground(np.ascontiguousarray(crop))]
        if not len(inside):
            continue
        values = _to_channels(inside)
        first += values.mean(axis=0)
        second += (values**2).mean(axis=0)
        cells += 1
    if not cells:
        return None
    middle = first / cells
    spread = np.sqrt(np.maximum(second / cells - middle**2, 0))
    return Stain(tuple(map(float, middle)), tuple(map(float, spread)), cells)


def recolour(crop: np.ndarray, own: Stain, target: Stain) -> np.ndarray:
    """Move the colours of a cell by what brings ``own`` to ``target``; black stays black.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (height, width, 3), a cell on black. It is not altered.
    own : Stain
        Of the cells of the same field.
    target : Stain

    Returns
    -------
    numpy.ndarray
        The same shape and type.
    """
    inside = foreground(np.ascontiguousarray(crop))
    out = np.zeros_like(crop)
    if inside.any():
        stretch = np.maximum(target.spread, LEAST) / np.maximum(own.spread, LEAST)
        stretch = np.clip(stretch, 1 / STRETCH, STRETCH)
        moved = (_to_channels(crop[inside]) - own.middle) * stretch + target.middle
        out[inside] = np.round(np.clip(_to_levels(moved), 0, 255))
    return out


def _to_channels(levels: np.ndarray) -> np.ndarray:
    """RGB levels, uint8, shape (n, 3), to l-alpha-beta, float64, the same shape."""
    cones = np.maximum(levels, DARKEST) / 255 @ CONES.T
    return np.log10(cones) @ AXES.T


def _to_levels(channels: np.ndarray) -> np.ndarray:
    """The inverse of :func:`_to_channels`, float64: beyond 0 to 255 where no screen shows the colour."""
    return 10 ** (channels @ np.linalg.inv(AXES).T) @ np.linalg.inv(CONES).T * 255
