"""Is it one stained cell, cut out on black, at a known scale? Where not, the refusal says what to do."""

from dataclasses import replace

import numpy as np

from leukemia.errors import ImageError
from leukemia.imaging import appearance, reader
from leukemia.imaging import scale as scales
from leukemia.imaging.cell import BACKGROUND, Cell, foreground, measure_cell
from leukemia.imaging.scale import Scale, ScaleUnknownError

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
# By this factor an area may be off that is reckoned before a frame is resampled.
ROUGHLY = 1.1
# The least level of all channels that a pixel of glass has, and the share of what lies on black from which on
# glass is seen in it. Of 6,157 cells of C-NMC none has .001 of such pixels, and 61 fields of BCCD made round
# have .5 or more.
GLASS, GLASS_SHARE = 165, 0.25
NOT_ON_BLACK = (
    "Not a single cut-out cell: the background is not black. Cut smears and photographs into single cells "
    "first."
)
TOO_LARGE = "Larger than any single cell at this magnification. Cut out one cell."


class NotCutOutError(ImageError):
    """No cell cut out on black: a field of a smear, a photograph of a cell, or something else.

    The background is not black; or it is, as about a field seen through an eyepiece, and what lies on it is
    too large for a cell, or is several.
    """


class MaybeFieldError(NotCutOutError, ScaleUnknownError):
    """Glass lies on the black background, at an unknown scale: a field, unless it has no red cells."""


def open_cell(data: bytes, scale: Scale | None = None, pixel_size: float = scales.PIXEL_SIZE) -> Cell:
    """Decode one upload, bring it to a model's scale, measure and check it.

    Parameters
    ----------
    data : bytes
        The file.
    scale : Scale, optional
        As whoever sends it says; else it is taken from the file or the frame's size.
    pixel_size : float, optional
        The model's own, micrometres per pixel.

    Returns
    -------
    Cell
        Measured at the model's scale; its ``image_id`` is that of the original pixels.

    Raises
    ------
    ScaleUnknownError
        Where it is a cell, but nothing says at which scale.
    NotCutOutError
        Where it is no cell cut out on black: cells may be searched for in it.
    ImageError
        Where it is refused for another reason, see :func:`check_single_cell`.
    """
    picture = reader.open_picture(data)
    cell = measure_cell(picture.pixels)
    _check_cut_out(cell)
    try:
        chosen = scales.choose(scale, picture.pixel_size, cell.height, cell.width)
        times = scales.factor(chosen, pixel_size)
    except ImageError as error:
        if _shows_glass(cell.pixels):
            unknown = isinstance(error, ScaleUnknownError)
            raise (MaybeFieldError if unknown else NotCutOutError)(str(error)) from error
        raise
    if cell.area * times**2 > ROUGHLY * CELL_AREA[1]:
        # It may be too large to be resampled, too.
        raise NotCutOutError(TOO_LARGE)
    if times != 1:
        cell = measure_cell(scales.resample(cell.pixels, times), cell.image_id)
    _check_size(cell)
    return replace(
        cell,
        loss=picture.loss,
        scale_note=_scale_note(chosen, times, cell.area),
        depth_note=picture.note,
    )


def _scale_note(scale: Scale, times: float, area: int) -> str:
    # A scale that is wrong shows in the cell's size.
    said, odd = scales.note(scale, times), appearance.odd_size(area)
    return f"{said}; {odd}" if said and odd else said


def check_single_cell(cell: Cell) -> None:
    """Refuse what is not one cut-out cell on a dark background, at the scale of C-NMC.

    Raises
    ------
    ImageError
        For a blank frame, a photograph or smear, a picture without colour, a speck, several cells.
    """
    _check_cut_out(cell)
    _check_size(cell)


def _check_cut_out(cell: Cell) -> None:
    """Refuse what is no cut-out cell at whatever scale."""
    pixels = cell.pixels
    sample = pixels[::8, ::8].reshape(-1, 3)
    if cell.area == 0 or np.ptp(sample) < BACKGROUND:
        raise ImageError("The image is blank: no cell is visible.")
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if (border.max(axis=1) <= BACKGROUND).mean() < DARK_BORDER:
        raise NotCutOutError(NOT_ON_BLACK)
    if _colour(sample) < COLOUR:
        raise ImageError("The image has no colour. A stained cell is needed.")


def _check_size(cell: Cell) -> None:
    """Refuse what is no single cell of a possible size."""
    smallest, largest = CELL_AREA
    if cell.area < smallest:
        raise ImageError("No cell on the black background is large enough to classify.")
    if cell.area > largest:
        raise NotCutOutError(TOO_LARGE)
    if _second_region(cell.pixels) >= SECOND_CELL:
        raise NotCutOutError("More than one cell is in the image. Cut out a single cell.")


def _second_region(pixels: np.ndarray) -> int:
    """Frame pixels of the second largest region that lies apart from the others; 0 where there is one."""
    from scipy import ndimage

    regions, count = ndimage.label(foreground(np.ascontiguousarray(pixels[::STRIDE, ::STRIDE])))
    if count < 2:
        return 0
    return int(np.sort(np.bincount(regions.ravel())[1:])[-2]) * STRIDE**2


def _shows_glass(pixels: np.ndarray) -> bool:
    """Whether much of what lies on black is as light as glass."""
    sample = pixels[::STRIDE, ::STRIDE].reshape(-1, 3)
    seen = sample[sample.max(axis=1) > BACKGROUND]
    return len(seen) > 0 and float((seen.min(axis=1) >= GLASS).mean()) >= GLASS_SHARE


def _colour(sample: np.ndarray) -> float:
    stained = sample[sample.max(axis=1) > BACKGROUND].astype(np.int16)
    return float(np.ptp(stained, axis=1).mean()) if len(stained) else 0.0
