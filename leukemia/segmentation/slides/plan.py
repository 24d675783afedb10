"""A slide in parts of the size of a field of view, and a coarse look at which of them hold anything."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leukemia.imaging.slide import Slide
from leukemia.segmentation import tiles
from leukemia.segmentation.network import PIXEL_SIZE
from leukemia.segmentation.slides.part import SlidePart

# Pixels of the working scale: the side of a part (154 µm), which with its margins is one tile of the network.
SIDE, MARGIN = tiles.SIDE - 2 * tiles.MARGIN, tiles.MARGIN
# A coarse look has so many pixels a side of a part, 6.4 µm each: smaller than any white cell.
COARSE = 24
# Levels by which something in a part differs from the rest of it, where it holds anything. A nucleus of 7 µm
# whose middle is a corner of four coarse pixels darkens each by 20 % of some 140 levels.
CONTRAST = 25


@dataclass(frozen=True)
class Grid:
    """The parts of a slide, in columns and rows.

    Attributes
    ----------
    width, height : int
        Of the slide, in pixels.
    side, margin : float
        Of a part, and of what is read about it, in pixels of the slide.
    """

    width: int
    height: int
    side: float
    margin: float

    @classmethod
    def of(cls, slide: Slide, pixel_size: float) -> "Grid":
        """The grid of a slide with so many micrometres per pixel."""
        times = PIXEL_SIZE / pixel_size
        return cls(slide.width, slide.height, SIDE * times, MARGIN * times)

    @property
    def columns(self) -> int:
        """How many parts lie side by side."""
        return max(1, int(np.ceil(self.width / self.side)))

    @property
    def rows(self) -> int:
        """How many parts lie one above the other."""
        return max(1, int(np.ceil(self.height / self.side)))

    def core(self, column: int, row: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what belongs to a part and no other, in pixels of the slide."""
        return (
            column * self.side,
            row * self.side,
            min((column + 1) * self.side, float(self.width)),
            min((row + 1) * self.side, float(self.height)),
        )

    def read(self, slide: Slide, column: int, row: int) -> SlidePart:
        """A part with its margins."""
        left, top, right, bottom = self.core(column, row)
        x, y = int(max(left - self.margin, 0)), int(max(top - self.margin, 0))
        x1 = int(min(right + self.margin, self.width))
        y1 = int(min(bottom + self.margin, self.height))
        return SlidePart(slide, x, y, x1 - x, y1 - y)


def look(slide: Slide, grid: Grid, progress: Callable[[int, int], None]) -> np.ndarray:
    """Where there is anything but glass.

    Parameters
    ----------
    slide : Slide
    grid : Grid
    progress : callable
        Called with the rows done and all rows.

    Returns
    -------
    numpy.ndarray
        bool, shape (grid.rows, grid.columns). A part that cannot be read counts as holding something.
    """
    holds = np.zeros((grid.rows, grid.columns), bool)
    for row in range(grid.rows):
        progress(row, grid.rows)
        for column in range(grid.columns):
            left, top, right, bottom = grid.core(column, row)
            whole = SlidePart.whole(slide)
            pixels = whole.part((left, top, right, bottom), (COARSE, COARSE)).astype(np.int16)
            holds[row, column] = bool(whole.damaged) or np.ptp(pixels, axis=(0, 1)).max() >= CONTRAST
    progress(grid.rows, grid.rows)
    return holds
