"""Pixels to one cell: who it is, where it lies, and the square that is cut out about it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.imaging import reader
from leukemia.imaging.loss import Loss

# A pixel belongs to the cell where its luma is above this (0 to 255). The archive's background is
# exactly 0; JPEG copies of it ripple by a few levels.
BACKGROUND = 16
# Pixels a side, at C-NMC's magnification, of a square about a cell's middle that holds all of it: the largest
# cells seen there measure 318.
WHOLE = 384


@dataclass(frozen=True)
class Cell:
    """One decoded image and what was measured on it.

    Attributes
    ----------
    pixels : numpy.ndarray
        The whole frame, uint8 RGB, shape (height, width, 3).
    image_id : str
        SHA-256 of the pixels and their shape, 64 hex digits: the same for the same picture in
        whatever lossless format it came.
    area : int
        Pixels of the frame that belong to the cell (not the black background).
    middle : tuple of int
        Row and column of the cell's middle: the medians of its pixels' positions, which stray
        specks hardly move. The frame's middle where nothing stands out from black.
    loss : Loss or None
        How its file was compressed; None where that is exact or not asked.
    scale_note : str
        What a reader must know of its scale; empty where it goes without saying.
    depth_note : str
        What was assumed of its samples to tell their levels; empty where nothing was.
    """

    pixels: np.ndarray
    image_id: str
    area: int
    middle: tuple[int, int]
    loss: Loss | None = None
    scale_note: str = ""
    depth_note: str = ""

    @property
    def note(self) -> str:
        """What a reader of an answer on it must know of the picture; empty where there is nothing."""
        return "; ".join(
            filter(None, (self.scale_note, self.depth_note, self.loss.note if self.loss else ""))
        )

    @property
    def height(self) -> int:
        """Frame height in pixels."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Frame width in pixels."""
        return self.pixels.shape[1]


def read_cell(path: Path) -> Cell:
    """Read, decode and measure an image file; see :mod:`leukemia.imaging.reader` for the errors."""
    return measure_cell(reader.decode(reader.read(path)))


def measure_cell(pixels: np.ndarray, image_id: str = "") -> Cell:
    """Measure a decoded frame: identity, cell area and middle.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB.
    image_id : str, optional
        Of the picture that the frame was made from, where it is not the picture itself.
    """
    pixels = np.ascontiguousarray(pixels)
    mask = foreground(pixels)
    middle = _median(mask.sum(axis=1)), _median(mask.sum(axis=0))
    return Cell(pixels, image_id or identify(pixels), int(np.count_nonzero(mask)), middle)


def crop_cell(cell: Cell, size: int) -> np.ndarray:
    """Cut a square about the cell's middle at the frame's scale; pad with black outside the frame.

    It is never resized to fit: 450- and 600-pixel frames of C-NMC have one magnification, and a
    cell's size is part of what tells a blast. A frame of another scale is brought to theirs before it is
    measured, see :mod:`leukemia.imaging.scale`.

    Parameters
    ----------
    cell : Cell
        A measured frame.
    size : int
        Side of the square in frame pixels.

    Returns
    -------
    numpy.ndarray
        uint8, shape (size, size, 3), RGB.
    """
    y, x = cell.middle[0] - size // 2, cell.middle[1] - size // 2
    out = np.zeros((size, size, 3), np.uint8)
    y0, y1 = max(y, 0), min(y + size, cell.height)
    x0, x1 = max(x, 0), min(x + size, cell.width)
    out[y0 - y : y1 - y, x0 - x : x1 - x] = cell.pixels[y0:y1, x0:x1]
    return out


def center_crop(crops: np.ndarray, size: int) -> np.ndarray:
    """Cut the middle out of wider crops: what :func:`crop_cell` gives at that size.

    Parameters
    ----------
    crops : numpy.ndarray
        Shape (n, side, side, 3), made by :func:`crop_cell`.
    size : int
        Side of the smaller squares in frame pixels, at most ``side``.

    Returns
    -------
    numpy.ndarray
        A view, shape (n, size, size, 3).
    """
    edge = (crops.shape[1] - size) // 2
    return crops[:, edge : edge + size, edge : edge + size]


def foreground(pixels: np.ndarray) -> np.ndarray:
    """Tell the pixels of a cell from the black background.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB.

    Returns
    -------
    numpy.ndarray
        bool, shape (height, width): luma above :data:`BACKGROUND`.
    """
    return np.asarray(Image.fromarray(pixels).convert("L")) > BACKGROUND


def identify(pixels: np.ndarray) -> str:
    """SHA-256 of pixels (uint8, C-contiguous) and their shape, 64 hex digits."""
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}:".encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def _median(counts: np.ndarray) -> int:
    total = counts.sum()
    if not total:
        return len(counts) // 2
    return int(np.searchsorted(np.cumsum(counts), total / 2))
