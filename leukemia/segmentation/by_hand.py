"""White cells outlined by hand: within a box that a person drew, or by the corners of an outline."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from skimage.draw import polygon2mask

from leukemia.errors import ImageError
from leukemia.segmentation import find, outline
from leukemia.segmentation.boxes import Boxes, overlap
from leukemia.segmentation.field import Field
from leukemia.segmentation.find import Found
from leukemia.segmentation.network import Network, shipped
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.segment import WhiteCell
from leukemia.segmentation.surround import Surround

# What is read about a box, as a share of its longer side: neighbours are parted from its cell.
AROUND = 1.0
# How far beyond the drawn box its outline may go, as a share of its sides: it may be drawn too tight.
BEYOND = 0.05
# Of a found box, the share in common with the drawn one from which both mean the same cell.
SAME = 0.4
# Pixels of the field that a cell has across at the least, and corners of an outline at the most.
LEAST, MOST_CORNERS = 8.0, 2_000
TOO_SMALL = f"A cell has at least {LEAST:.0f} pixels across. Draw the box round the whole cell."
NOTHING_DRAWN = "Draw a box or an outline round the cell first."
OUTSIDE = "The box lies outside the field."
NOT_FOUND = "No outline was found in the box. Draw it closer round the cell, or move its outline by hand."
FEW_CORNERS = "An outline needs at least three corners that enclose the cell."


def in_box(
    field: Field, box: Sequence[float], pixel_size: float, network: Network | None = None
) -> WhiteCell:
    """Outline the cell in a box that was drawn by hand.

    The outline is found as that of any cell, and ends where the box does, or just beyond it.

    Parameters
    ----------
    field : Field
    box : sequence of float
        Left, top, width and height in pixels of the field.
    pixel_size : float
        Micrometres per pixel of the field.
    network : Network, optional
        Other than the one that comes with the program.

    Raises
    ------
    ImageError
        Where the box is too small, outside the field, or holds no outline.
    """
    sides = _sides(field, box)
    around = AROUND * float(max(sides[2:] - sides[:2]))
    left, top = (int(max(side - around, 0)) for side in sides[:2])
    right, bottom = (
        int(np.ceil(min(side + around, full)))
        for side, full in zip(sides[2:], (field.width, field.height), strict=True)
    )
    part = replace(field, image=field.image.crop((left, top, right, bottom)))
    found = find.find(part, network or shipped(), pixel_size)
    own = sides - (left, top, left, top)
    line = outline.outline(part, _with(found, own), 0)
    line = _cut(replace(line, left=line.left + left, top=line.top + top), sides)
    return _cell(field, sides, line, pixel_size)


def by_corners(field: Field, ring: Sequence[Sequence[float]], pixel_size: float) -> WhiteCell:
    """A cell by the corners of its outline.

    Parameters
    ----------
    field : Field
    ring : sequence of (float, float)
        Corners in pixels of the field; that the last is the first goes without saying.
    pixel_size : float
        Micrometres per pixel of the field.

    Raises
    ------
    ImageError
        Where they enclose no cell, or one that is too small.
    """
    corners = np.asarray(ring, np.float64)
    if corners.ndim != 2 or corners.shape[1:] != (2,) or not 3 <= len(corners) <= MOST_CORNERS:
        raise ImageError(FEW_CORNERS)
    if not np.isfinite(corners).all():
        raise ImageError(FEW_CORNERS)
    corners = np.clip(corners, 0, (field.width, field.height))
    low, high = corners.min(axis=0), corners.max(axis=0)
    sides = _sides(field, (*low, *(high - low)))
    # As fine as outlines that are found.
    finer = max(outline.PIXEL_SIZE, pixel_size) / pixel_size
    size = tuple(max(8, round(float(span) / finer)) for span in sides[2:] - sides[:2])
    across, down = (sides[2] - sides[0]) / size[0], (sides[3] - sides[1]) / size[1]
    # A pixel's middle is at its number and a half.
    points = (corners - sides[:2]) / (across, down) - 0.5
    mask = polygon2mask(size[::-1], points[:, ::-1])
    if np.count_nonzero(mask) < mask.size / 8:
        raise ImageError(FEW_CORNERS)
    return _cell(field, sides, Outline(mask, float(sides[0]), float(sides[1]), across, down), pixel_size)


def _sides(field: Field, box: Sequence[float]) -> np.ndarray:
    """Left, top, right and bottom of a box within the field, float64, shape (4,)."""
    if len(box) != 4:
        raise ImageError(NOTHING_DRAWN)
    x, y, width, height = (float(side) for side in box)
    if not np.isfinite([x, y, width, height]).all():
        raise ImageError(OUTSIDE)
    sides = np.clip([x, y, x + width, y + height], 0, (field.width, field.height, field.width, field.height))
    if not (sides[2] > sides[0] and sides[3] > sides[1]):
        raise ImageError(OUTSIDE)
    if min(sides[2] - sides[0], sides[3] - sides[1]) < LEAST:
        raise ImageError(TOO_SMALL)
    return sides


def _with(found: Found, own: np.ndarray) -> Found:
    """What was found, with the drawn box first in place of those that mean the same cell."""
    common = overlap(found.white.sides, own)
    size = found.white.diameters**2
    drawn = float(np.prod(own[2:] - own[:2]))
    others = found.white.where(common < SAME * np.minimum(size, drawn))
    sides = np.concatenate([own[None], others.sides])
    return replace(found, white=Boxes(sides, np.concatenate([[1.0], others.confidence])))


def _cut(line: Outline, sides: np.ndarray) -> Outline:
    """The part of an outline within a box, or just beyond it."""
    more = BEYOND * (sides[2:] - sides[:2])
    left, top, right, bottom = (*(sides[:2] - more), *(sides[2:] + more))
    height, width = line.mask.shape
    columns = line.left + (np.arange(width) + 0.5) * line.across
    rows = line.top + (np.arange(height) + 0.5) * line.down
    within = ((rows > top) & (rows < bottom))[:, None] & ((columns > left) & (columns < right))
    mask = line.mask & within
    if not mask.any():
        raise ImageError(NOT_FOUND)
    return replace(line, mask=mask)


def _cell(field: Field, sides: np.ndarray, line: Outline, pixel_size: float) -> WhiteCell:
    edge = find.at_edge(Boxes(sides[None], np.ones(1)), field, pixel_size)
    cut = bool(edge[0]) or Surround.of(field, pixel_size).cuts(line)
    left, top, right, bottom = (float(side) for side in sides)
    return WhiteCell(left, top, right - left, bottom - top, None, cut, line)
