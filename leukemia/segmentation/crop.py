"""A cell of a field, cut out as those of C-NMC 2019 are: on black, centred in a frame, at their scale."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import morphology
from leukemia.imaging import scale as scales
from leukemia.segmentation.field import Field
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.scale import UNKNOWN, FieldScale

# Sides of the frames, and how much of one stays black about the cell.
FRAMES, MARGIN = (450, 600), 10
# Of a PNG: the next levels take two to four times as long for a few per cent less.
PACKING = 1
# Pixels about a cell within which its nucleus is sought: more than morphology moves an edge by.
RIM = 12


@dataclass(frozen=True)
class Crop:
    """A cell on black.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 RGB, shape (side, side, 3), side being one of :data:`FRAMES`.
    left, top : float
        Where the frame begins in the field, in pixels of the field.
    times : float
        Pixels of the frame for one of the field.
    """

    pixels: np.ndarray
    left: float
    top: float
    times: float

    def png(self) -> bytes:
        """The frame as a PNG."""
        out = io.BytesIO()
        Image.fromarray(self.pixels).save(out, "PNG", compress_level=PACKING)
        return out.getvalue()

    def nucleus(self) -> Outline | None:
        """The nucleus by :func:`leukemia.imaging.morphology.nucleus`; None where it is not told apart."""
        # All but a rim about the cell is black, and costs most of the time.
        rows, columns = (np.flatnonzero(self.pixels.any(axis=(axis, 2))) for axis in (1, 0))
        if not len(rows):
            return None
        (top, bottom), (left, right) = ((max(at[0] - RIM, 0), at[-1] + 1 + RIM) for at in (rows, columns))
        mask = morphology.nucleus(np.ascontiguousarray(self.pixels[top:bottom, left:right]))
        if not mask.any():
            return None
        return Outline(
            mask, self.left + left / self.times, self.top + top / self.times, 1 / self.times, 1 / self.times
        )


def cut_out(field: Field, outline: Outline, scale: FieldScale, target: float = scales.PIXEL_SIZE) -> Crop:
    """Cut a cell out.

    Parameters
    ----------
    field : Field
    outline : Outline
        Of the cell.
    scale : FieldScale
        Of the field.
    target : float, optional
        Micrometres per pixel of the frame.

    Raises
    ------
    ImageError
        Where the scale is unknown or too far from the target, or the cell does not fit into a frame.
    """
    if not scale.known:
        raise ImageError(UNKNOWN)
    times = scales.factor(scales.Scale(scale.pixel_size), target)
    left, top, right, bottom = outline.box
    needed = max(right - left, bottom - top) * times + 2 * MARGIN
    side = next((frame for frame in FRAMES if frame >= needed), None)
    if side is None:
        raise ImageError("Larger than any single cell at this magnification.")
    span = side / times
    # To whole pixels of the field, so that one at the same scale keeps its pixels.
    left, top = round((left + right - span) / 2), round((top + bottom - span) / 2)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + span, field.width), min(top + span, field.height)
    first = round((x0 - left) * times), round((y0 - top) * times)
    end = min(round((x1 - left) * times), side), min(round((y1 - top) * times), side)
    size = end[0] - first[0], end[1] - first[1]
    frame = np.zeros((side, side, 3), np.uint8)
    inner = np.s_[first[1] : end[1], first[0] : end[0]]
    frame[inner] = field.part((x0, y0, x1, y1), size)
    frame[~outline.raster((left, top), times, (side, side))] = 0
    return Crop(frame, float(left), float(top), times)
