"""Is it one stained cell, cut out on black? Where not, the refusal says what to do."""

import numpy as np

from leukemia.errors import ImageError
from leukemia.imaging import reader
from leukemia.imaging.cell import BACKGROUND, Cell, foreground, measure_cell

# A cut-out cell has a dark frame. In C-NMC at least 99 % of the border pixels are black unless
# the cell touches the frame.
DARK_BORDER = 0.6
# Frame pixels of one cell at C-NMC's magnification: seen there 4,000 to 80,000.
CELL_AREA = (1_500, 130_000)
# Frame pixels from which a second region, apart from the first, is a cell of its own: the largest seen
# in C-NMC measures 2,100. Looked at in every fourth row and column.
SECOND_CELL = 4_000
STRIDE = 4
# Mean spread between a cell pixel's channels (levels) under which a picture has no stain.
COLOUR = 6.0


def open_cell(data: bytes) -> Cell:
    """Decode, measure and check one upload; what is refused says why (:func:`check_single_cell`)."""
    cell = measure_cell(reader.decode(data))
    check_single_cell(cell)
    return cell


def check_single_cell(cell: Cell) -> None:
    """Refuse what is not one cut-out cell on a dark background.

    Raises
    ------
    ImageError
        For a blank frame, a photograph or smear, a speck, several cells, a picture without colour.
    """
    pixels = cell.pixels
    sample = pixels[::8, ::8].reshape(-1, 3)
    if cell.area == 0 or np.ptp(sample) < BACKGROUND:
        raise ImageError("The image is blank: no cell is visible.")
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if (border.max(axis=1) <= BACKGROUND).mean() < DARK_BORDER:
        raise ImageError(
            "Not a single cut-out cell: the background is not black. Cut smears and photographs into "
            "single cells first."
        )
    smallest, largest = CELL_AREA
    if cell.area < smallest:
        raise ImageError("No cell on the black background is large enough to classify.")
    if cell.area > largest:
        raise ImageError("Larger than any single cell at this magnification. Cut out one cell.")
    if _second_region(pixels) >= SECOND_CELL:
        raise ImageError("More than one cell is in the image. Cut out a single cell.")
    if _colour(sample) < COLOUR:
        raise ImageError("The image has no colour. A stained cell is needed.")


def _second_region(pixels: np.ndarray) -> int:
    """Frame pixels of the second largest region that lies apart from the others; 0 where there is one."""
    from scipy import ndimage

    regions, count = ndimage.label(foreground(np.ascontiguousarray(pixels[::STRIDE, ::STRIDE])))
    if count < 2:
        return 0
    return int(np.sort(np.bincount(regions.ravel())[1:])[-2]) * STRIDE**2


def _colour(sample: np.ndarray) -> float:
    stained = sample[sample.max(axis=1) > BACKGROUND].astype(np.int16)
    return float(np.ptp(stained, axis=1).mean()) if len(stained) else 0.0
