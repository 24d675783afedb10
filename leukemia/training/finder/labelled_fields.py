"""Fields with a box for every cell, at one scale, with outlines of the white cells estimated from them.

A box says where a cell ends, not how it is shaped. Within it, the outline runs along the steepest change of
colour between what must be cell (the box's inner ellipse, and the nucleus) and what cannot be (beyond its
ellipse): a watershed from both [1]_.

References
----------
.. [1] Meyer F. Topographic distance and watershed lines. Signal Processing 1994;38:113-125.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from leukemia.errors import DatasetError
from leukemia.imaging import reader
from leukemia.segmentation.boxes import RED, WHITE
from leukemia.segmentation.outline import ellipse, flooded, steepness
from leukemia.segmentation.scale import RED_CELL
from leukemia.training.finder.copies import copies
from leukemia.training.finder.corrections import Corrections

# Micrometres per pixel at which fields are kept: twice as fine as the network reads them.
KEPT_SIZE = 0.15
# Parts of the box's ellipse: within the first all is cell, beyond the second nothing is.
CERTAIN, BEYOND = 0.62, 1.12
# Fields with fewer red cells take the size that those of their format have at the median.
LEAST_RED_CELLS = 5


@dataclass(frozen=True)
class LabelledField:
    """A field at :data:`KEPT_SIZE`.

    Attributes
    ----------
    name : str
    pixels : numpy.ndarray
        uint8 RGB, shape (height, width, 3).
    boxes : numpy.ndarray
        float32, shape (n, 4): left, top, right, bottom.
    kinds : numpy.ndarray
        int, shape (n,): as in :mod:`leukemia.segmentation.boxes`.
    white : numpy.ndarray
        uint8, shape (height, width): 0, or 1 more than the position in ``boxes`` of the white cell here.
    """

    name: str
    pixels: np.ndarray
    boxes: np.ndarray
    kinds: np.ndarray
    white: np.ndarray


def pictures(folder: Path, part: str) -> list[Path]:
    """The fields of a part of a set in the layout of YOLO: ``images/PART/*.jpg``, sorted."""
    return sorted((Path(folder) / "images" / part).glob("*.jpg"))


def elsewhere(folder: Path, part: str) -> list[Path]:
    """The fields of the set's other parts."""
    parts = sorted(one.name for one in (Path(folder) / "images").iterdir() if one.is_dir())
    return [file for other in parts if other != part for file in pictures(folder, other)]


def read(folder: Path, part: str, every: int = 1) -> Iterator[LabelledField]:
    """Read the fields of a part of a set with their boxes (``labels/PART/*.txt``), corrected where known.

    Those that also stand in another part are left out: what is learned from must not be judged by.

    Parameters
    ----------
    folder : Path
    part : str
    every : int, optional
        Take one of so many fields.

    Raises
    ------
    DatasetError
        Where there is none.
    """
    files = pictures(folder, part)[::every]
    if not files:
        raise DatasetError(f"No labelled fields in {folder} ({part}).")
    known = copies(files, elsewhere(folder, part))
    files = [file for file in files if file not in known]
    corrections = Corrections.read()
    labelled = [_read_one(file, folder / "labels" / part / f"{file.stem}.txt", corrections) for file in files]
    usual = {}
    for shape in {pixels.shape for _, pixels, _, _ in labelled}:
        alike = [
            red
            for _, pixels, boxes, kinds in labelled
            if pixels.shape == shape
            for red in _red(pixels, boxes, kinds)
        ]
        usual[shape] = float(np.median(alike))
    for name, pixels, boxes, kinds in labelled:
        red = _red(pixels, boxes, kinds)
        diameter = float(np.median(red)) if len(red) >= LEAST_RED_CELLS else usual[pixels.shape]
        times = RED_CELL / KEPT_SIZE / diameter
        size = round(pixels.shape[1] * times), round(pixels.shape[0] * times)
        small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
        boxes = (boxes * times).astype(np.float32)
        yield LabelledField(name, small, boxes, kinds, estimate_outlines(small, boxes, kinds))


def read_boxes(file: Path, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 4) in pixels (left, top, right, bottom) and kinds (n,) from a label file of YOLO."""
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    table = np.array(rows, np.float64).reshape(-1, 5)
    middle, half = table[:, 1:3] * (width, height), table[:, 3:5] * (width, height) / 2
    return np.concatenate([middle - half, middle + half], axis=1), table[:, 0].astype(int)


def _read_one(
    image: Path, labels: Path, corrections: Corrections
) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    pixels = reader.decode(reader.read(image))
    boxes, kinds = read_boxes(labels, pixels.shape[1], pixels.shape[0])
    return image.stem, pixels, *corrections.apply(image.name, boxes, kinds)


def _red(pixels: np.ndarray, boxes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Diameters of red cells that lie within the field, in pixels."""
    height, width = pixels.shape[:2]
    within = (boxes[:, :2] > 1).all(axis=1) & (boxes[:, 2] < width - 1) & (boxes[:, 3] < height - 1)
    red = boxes[(kinds == RED) & within]
    return np.sqrt((red[:, 2] - red[:, 0]) * (red[:, 3] - red[:, 1]))


def estimate_outlines(pixels: np.ndarray, boxes: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Label the pixels of each white cell within its box; see :attr:`LabelledField.white`."""
    white = np.zeros(pixels.shape[:2], np.uint8)
    steep, green = steepness(pixels), ndimage.gaussian_filter(pixels[..., 1].astype(np.float32), 1)
    height, width = white.shape
    for number in np.flatnonzero(kinds == WHITE):
        apart = ellipse(boxes[number], np.arange(width) + 0.5, np.arange(height) + 0.5, (width, height))
        inside = apart < CERTAIN
        if not inside.any():
            continue
        within = apart < 1
        dark = within & (green < (green[inside].min() + np.median(green[within])) / 2)
        markers = np.where(inside | ndimage.binary_opening(dark, iterations=2), 1, 0)
        markers[apart > BEYOND] = 2
        cell = flooded(steep, markers) == 1
        cell = ndimage.binary_fill_holes(ndimage.binary_opening(cell, iterations=2))
        white[cell] = number + 1
    return white
