"""The black surround of a field that was seen through an eyepiece: what its rim cuts is no whole cell."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from leukemia.imaging.cell import BACKGROUND
from leukemia.segmentation.field import Field
from leukemia.segmentation.network import PIXEL_SIZE
from leukemia.segmentation.outline import Outline

# Square micrometres from which on a dark region at the picture's border is no nucleus that lies there; and of
# one that holds a corner of the picture, where little is left of the surround of a wide field.
LEAST, IN_CORNER = 300.0, 20.0
# Micrometres that lie between an outline and the surround at the most where this cuts the cell: the rim is as
# unsharp as the picture.
NEAR = 0.8
# Pixels a side at which it is asked whether there is a surround, and pixels in all at which it is looked for.
LOOKED_AT = 256
MOST = 16 * 10**6


@dataclass(frozen=True)
class Surround:
    """The surround of a field.

    Attributes
    ----------
    near : numpy.ndarray or None
        bool, the whole field made smaller: the surround and what lies at its rim. None where there is none.
    across, down : float
        Pixels of the field for one of it.
    """

    near: np.ndarray | None = None
    across: float = 1.0
    down: float = 1.0

    @classmethod
    def of(cls, field: Field, pixel_size: float) -> "Surround":
        """Look for the surround of a field; ``pixel_size`` is in micrometres per pixel."""
        if not _border(_dark(field, min(field.width, LOOKED_AT), min(field.height, LOOKED_AT))).any():
            return cls()
        finest = (MOST / (field.width * field.height)) ** 0.5
        times = min(1.0, pixel_size / PIXEL_SIZE, finest)
        dark = _dark(field, *(max(1, round(side * times)) for side in (field.width, field.height)))
        across, down = field.width / dark.shape[1], field.height / dark.shape[0]
        regions, count = ndimage.label(dark)
        areas = np.bincount(regions.ravel(), minlength=count + 1) * across * down * pixel_size**2
        least = np.full(count + 1, LEAST)
        least[regions[[0, 0, -1, -1], [0, -1, 0, -1]]] = IN_CORNER
        numbers = np.unique(_border(regions))
        numbers = numbers[(numbers > 0) & (areas >= least)[numbers]]
        if not len(numbers):
            return cls()
        steps = max(1, round(NEAR / pixel_size / max(across, down)))
        return cls(ndimage.binary_dilation(np.isin(regions, numbers), iterations=steps), across, down)

    def cuts(self, line: Outline) -> bool:
        """Whether a cell with this outline lies at the surround."""
        if self.near is None:
            return False
        rows, columns = np.nonzero(line.mask)
        y = ((line.top + (rows + 0.5) * line.down) / self.down).astype(int)
        x = ((line.left + (columns + 0.5) * line.across) / self.across).astype(int)
        height, width = self.near.shape
        return bool(self.near[y.clip(0, height - 1), x.clip(0, width - 1)].any())


def _dark(field: Field, width: int, height: int) -> np.ndarray:
    return field.part((0, 0, field.width, field.height), (width, height)).max(axis=2) <= BACKGROUND


def _border(of: np.ndarray) -> np.ndarray:
    return np.concatenate([of[0], of[-1], of[:, 0], of[:, -1]])
