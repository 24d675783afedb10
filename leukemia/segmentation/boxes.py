"""Boxes about cells: from the network's maps, one box a cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from leukemia.segmentation.network import STRIDE, Maps

WHITE, RED, PLATELET = range(3)
# The probability from which a peak is a cell, by kind. Of the fields held out of the training no white cell
# is lost up to 0.5.
LEAST = (0.4, 0.4, 0.4)
# Two boxes of one kind with this much in common (intersection over union), or of which one holds this share
# of the other, are one cell.
SAME, WITHIN = 0.45, 0.75


@dataclass(frozen=True)
class Boxes:
    """Cells of one kind.

    Attributes
    ----------
    sides : numpy.ndarray
        float64, shape (n, 4): left, top, right and bottom in pixels.
    confidence : numpy.ndarray
        float64, shape (n,): 0 to 1.
    """

    sides: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.confidence)

    @property
    def diameters(self) -> np.ndarray:
        """Geometric means of width and height, in pixels."""
        return np.sqrt(_areas(self.sides))

    @property
    def middles(self) -> np.ndarray:
        """Column and row of the middles, shape (n, 2)."""
        return (self.sides[:, :2] + self.sides[:, 2:]) / 2

    def scaled(self, across: float, down: float) -> "Boxes":
        """The same in a field that is so many times as wide and high."""
        return Boxes(self.sides * (across, down, across, down), self.confidence)

    def moved(self, right: float, down: float) -> "Boxes":
        """The same, so many pixels to the right and down."""
        return Boxes(self.sides + np.array([right, down, right, down]), self.confidence)

    def clipped(self, width: float, height: float) -> "Boxes":
        """What lies within a field of this size."""
        return Boxes(np.clip(self.sides, 0, (width, height, width, height)), self.confidence)

    def where(self, chosen: np.ndarray | Sequence[int]) -> "Boxes":
        """Some of them, by position or by a mask."""
        return Boxes(self.sides[chosen], self.confidence[chosen])


def joined(several: Sequence[Boxes]) -> Boxes:
    """Boxes of several tiles, in one."""
    return Boxes(
        np.concatenate([one.sides for one in several]), np.concatenate([one.confidence for one in several])
    )


def peaks(maps: Maps, kind: int) -> Boxes:
    """Boxes of one kind by the peaks of its map, in pixels of the tile; one cell may have several."""
    centres = maps.centres[..., kind]
    highest = (centres == ndimage.maximum_filter(centres, 3)) & (centres >= LEAST[kind])
    rows, columns = np.nonzero(highest)
    middle = (np.stack([columns, rows], axis=1) + 0.5) * STRIDE
    sides = maps.sides[rows, columns].astype(np.float64)
    return Boxes(
        np.concatenate([middle - sides[:, :2], middle + sides[:, 2:]], axis=1),
        centres[rows, columns].astype(np.float64),
    )


def apart(found: Boxes) -> Boxes:
    """One box a cell, the surest first: of those that are the same cell the surest one."""
    order = np.argsort(-found.confidence, kind="stable")
    sides = found.sides[order]
    kept: list[int] = []
    for one in range(len(order)):
        if not same_cell(sides[kept], sides[one]).any():
            kept.append(one)
    return found.where(order[kept])


def same_cell(sides: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which of several boxes (n, 4) are of the same cell as another (4,): bool, shape (n,)."""
    common, size, own = overlap(sides, other), _areas(sides), _areas(other[None])[0]
    return (common > SAME * (size + own - common)) | (common > WITHIN * np.minimum(size, own))


def overlap(sides: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Area in common of boxes (n, 4) with another (4,), in square pixels, shape (n,)."""
    common = np.minimum(sides[:, 2:], other[2:]) - np.maximum(sides[:, :2], other[:2])
    return np.prod(np.maximum(common, 0), axis=1)


def _areas(sides: np.ndarray) -> np.ndarray:
    return np.prod(np.maximum(sides[:, 2:] - sides[:, :2], 0), axis=1)
