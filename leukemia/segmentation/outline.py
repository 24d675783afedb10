"""The outline of a white cell: where colour changes most steeply near the edge that the network tells.

The network says coarsely which pixels belong to a white cell. What lies well within that surely does, and
what lies well beyond does not; between them a watershed finds the line [1]_, and parts cells that touch.

References
----------
.. [1] Meyer F. Topographic distance and watershed lines. Signal Processing 1994;38:113-125.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.measure import approximate_polygon, find_contours
from skimage.segmentation import watershed

from leukemia.segmentation.boxes import overlap
from leukemia.segmentation.field import Field
from leukemia.segmentation.find import Found

# Micrometres per pixel at which outlines are drawn, where the field is as fine: a line that is off by a few
# pixels of C-NMC's scale already moves what the classifier answers.
PIXEL_SIZE = 0.05
# Micrometres by which the network's outline may be off.
UNSURE = 0.9
# What is looked at about a box, as a share of its sides.
AROUND = 0.25
# As parts of a box's ellipse: beyond this a pixel is not of its cell.
BEYOND = 1.4
# Micrometres by which a polygon may leave the outline to need fewer corners.
SIMPLER = 0.1
# The share of what is about a cell that tells the colour of glass, and the levels by which it varies.
BRIGHTEST = 0.25
LIKE_GLASS = 12
OWN, OTHER, NONE = 1, 2, 3


@dataclass(frozen=True)
class Outline:
    """Which pixels belong to a cell.

    Attributes
    ----------
    mask : numpy.ndarray
        bool, a part of the field.
    left, top : float
        Where it begins in the field, in pixels of the field.
    across, down : float
        Pixels of the field for one of the mask.
    """

    mask: np.ndarray
    left: float
    top: float
    across: float
    down: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the cell in pixels of the field."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return (
            self.left + columns[0] * self.across,
            self.top + rows[0] * self.down,
            self.left + (columns[-1] + 1) * self.across,
            self.top + (rows[-1] + 1) * self.down,
        )

    @property
    def area(self) -> float:
        """Square pixels of the field."""
        return float(np.count_nonzero(self.mask)) * self.across * self.down

    def polygon(self, tolerance: float = 0.0) -> np.ndarray:
        """Corners of the outline in pixels of the field, shape (n, 2): column, row; the last is the first.

        Parameters
        ----------
        tolerance : float, optional
            Pixels of the mask by which it may leave the outline.
        """
        lines = find_contours(np.pad(self.mask, 1).astype(np.float32), 0.5)
        line = approximate_polygon(max(lines, key=len), tolerance)
        # Of pixels' middles in the padded mask.
        return (line[:, ::-1] - 0.5) * (self.across, self.down) + (self.left, self.top)

    def raster(self, corner: tuple[float, float], times: float, size: tuple[int, int]) -> np.ndarray:
        """Which pixels of a picture of the field lie within.

        Parameters
        ----------
        corner : tuple of float
            Left and top of the picture in pixels of the field.
        times : float
            Pixels of the picture for one of the field.
        size : tuple of int
            Width and height of the picture.

        Returns
        -------
        numpy.ndarray
            bool, shape (size[1], size[0]).
        """
        left, top = (corner[0] - self.left) / self.across, (corner[1] - self.top) / self.down
        right, bottom = left + size[0] / times / self.across, top + size[1] / times / self.down
        mask = Image.fromarray(np.uint8(self.mask) * 255)
        box = left, top, right, bottom
        by, bilinear = Image.Transform.EXTENT, Image.Resampling.BILINEAR
        return np.asarray(mask.transform(size, by, box, bilinear)) > 127


def outline(field: Field, found: Found, number: int) -> Outline:
    """Outline a white cell.

    Parameters
    ----------
    field : Field
    found : Found
        What was found in it.
    number : int
        Position of the cell in ``found.white``.
    """
    left, top, right, bottom = _area(found.white.sides[number], field)
    finer = max(PIXEL_SIZE, found.pixel_size) / found.pixel_size
    size = tuple(max(8, round(span / finer)) for span in (right - left, bottom - top))
    across, down = (right - left) / size[0], (bottom - top) / size[1]
    pixels = field.part((left, top, right, bottom), size)
    likely = _likely(found, (left, top, right, bottom), size, field)
    columns = left + (np.arange(size[0]) + 0.5) * across
    rows = top + (np.arange(size[1]) + 0.5) * down
    own = ellipse(found.white.sides[number], columns, rows, (field.width, field.height))
    near = overlap(found.white.sides, np.array([left, top, right, bottom])) > 0
    near[number] = False
    others = [ellipse(sides, columns, rows, (field.width, field.height)) for sides in found.white.sides[near]]
    nearest = np.minimum.reduce(others) if others else np.full(own.shape, np.inf)
    unsure = max(1, round(UNSURE / finer / found.pixel_size))
    markers = _markers(likely, own, nearest, unsure)
    glass = _glass(pixels, markers)
    markers[(markers == OWN) & glass] = 0
    mask = (flooded(steepness(pixels), markers) == OWN) & ~glass
    return Outline(_smooth(mask), left, top, across, down)


def steepness(pixels: np.ndarray) -> np.ndarray:
    """How much colour changes at each pixel: the largest of the channels' gradients.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8 RGB, shape (height, width, 3).

    Returns
    -------
    numpy.ndarray
        float32, shape (height, width).
    """
    smooth = ndimage.gaussian_filter(pixels.astype(np.float32), (1, 1, 0))
    return np.sqrt(_largest(sum(ndimage.sobel(smooth, axis) ** 2 for axis in (0, 1))))


def ellipse(sides: np.ndarray, columns: np.ndarray, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """How far pixels lie from a box's middle: 1 on the ellipse that it holds, shape (rows, columns).

    Of a box that the field's edge cuts, the ellipse is that of a cell as long as it is wide.

    Parameters
    ----------
    sides : numpy.ndarray
        Left, top, right and bottom of the box, shape (4,).
    columns, rows : numpy.ndarray
        Where the pixels lie.
    size : tuple of int
        Width and height of the field.
    """
    left, top, right, bottom = (float(side) for side in sides)
    side = max(right - left, bottom - top)
    left = min(left, right - side) if left < 1 else left
    top = min(top, bottom - side) if top < 1 else top
    right = max(right, left + side) if right > size[0] - 1 else right
    bottom = max(bottom, top + side) if bottom > size[1] - 1 else bottom
    return np.hypot(
        ((columns - (left + right) / 2) / max(right - left, 1) * 2)[None, :],
        ((rows - (top + bottom) / 2) / max(bottom - top, 1) * 2)[:, None],
    )


def _area(sides: np.ndarray, field: Field) -> tuple[int, int, int, int]:
    """What is looked at about a box, to whole pixels: at the field's own scale they stay as they are."""
    width, height = sides[2:] - sides[:2]
    return (
        max(int(np.floor(sides[0] - AROUND * width)), 0),
        max(int(np.floor(sides[1] - AROUND * height)), 0),
        min(int(np.ceil(sides[2] + AROUND * width)), field.width),
        min(int(np.ceil(sides[3] + AROUND * height)), field.height),
    )


def _likely(
    found: Found, box: tuple[float, float, float, float], size: tuple[int, int], field: Field
) -> np.ndarray:
    """The network's map of a part of the field, 0 to 1."""
    across, down = found.likely.shape[1] / field.width, found.likely.shape[0] / field.height
    part = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    first = int(part[0]), int(part[1])
    end = min(int(np.ceil(part[2])), found.likely.shape[1]), min(int(np.ceil(part[3])), found.likely.shape[0])
    small = Image.fromarray(found.likely[first[1] : end[1], first[0] : end[0]])
    inner = (
        part[0] - first[0],
        part[1] - first[1],
        min(part[2], end[0]) - first[0],
        min(part[3], end[1]) - first[1],
    )
    return np.asarray(small.resize(size, Image.Resampling.BICUBIC, box=inner)) / 255.0


def _markers(likely: np.ndarray, own: np.ndarray, nearest: np.ndarray, unsure: int) -> np.ndarray:
    """Where it is sure what a pixel belongs to: :data:`OWN`, :data:`OTHER` or :data:`NONE`; elsewhere 0."""
    white = likely > 0.5
    ours, theirs = white & (own <= nearest) & (own < BEYOND), white & (own > nearest)
    apart = ndimage.distance_transform_edt(np.pad(ours, 1, mode="edge"))[1:-1, 1:-1]
    sure = apart > min(unsure, apart.max() / 2)
    if not sure.any():
        # Of a cell that the field's edge cuts, the middle may lie beyond it.
        sure = own < max(0.5, 1.1 * own.min())
    away = ndimage.distance_transform_edt(~(ours | theirs | sure))
    markers = np.zeros(likely.shape, np.int32)
    markers[(away > unsure) | (own > BEYOND)] = NONE
    markers[theirs & (own > 1) & (nearest < 0.8)] = OTHER
    markers[sure] = OWN
    return markers


def flooded(steep: np.ndarray, markers: np.ndarray) -> np.ndarray:
    """Go on with markers over what they leave open, by a watershed [1]_.

    Of what is marked only the rim is visited, since the rest tells nothing: the result is the same, sooner.

    Parameters
    ----------
    steep : numpy.ndarray
        How steep the change of colour is, of shape (height, width).
    markers : numpy.ndarray
        Integers of the same shape; 0 is open.

    Returns
    -------
    numpy.ndarray
        The markers, with none open.
    """
    unsure = markers == 0
    visited = ndimage.binary_dilation(unsure)
    return np.where(unsure, watershed(steep, np.where(visited, markers, 0), mask=visited), markers)


def _largest(channels: np.ndarray) -> np.ndarray:
    """The largest of three channels; numpy's own ``max`` along so short an axis takes ten times as long."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])


def _glass(pixels: np.ndarray, markers: np.ndarray) -> np.ndarray:
    """Which pixels look as the glass about a cell does; none where the cell itself does.

    The network's coarse map takes in some where a cell is bent, a watershed some at its edge; either makes a
    cell look unlike those that the classifier learned. Glass is what is brightest about the cell: where other
    cells leave none of it, little looks like it.
    """
    around = pixels[markers == NONE].astype(np.int16)
    if not len(around):
        return np.zeros(markers.shape, bool)
    green = around[:, 1]
    glass = np.median(around[green >= np.quantile(green, 1 - BRIGHTEST)], axis=0)
    # A median may end in a half.
    alike = _largest(np.abs(2 * pixels.astype(np.int16) - (2 * glass).astype(np.int16))) < 2 * LIKE_GLASS
    return alike & (alike[markers == OWN].mean() <= 0.5)


def _smooth(mask: np.ndarray) -> np.ndarray:
    """One region without holes, its spikes cut off."""
    opened = ndimage.binary_opening(np.pad(mask, 3, mode="edge"), iterations=2)[3:-3, 3:-3]
    parts, count = ndimage.label(opened if opened.any() else mask)
    if count > 1:
        parts = parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])
    return ndimage.binary_fill_holes(parts > 0)
