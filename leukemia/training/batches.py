"""Manifest rows to balanced, augmented batches.

Every random choice comes from (seed, epoch, place in the epoch), so that a resumed training draws
what the unbroken one would have drawn.
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from PIL import Image, ImageFilter

from leukemia.errors import DatasetError, ImageError
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.networks.recipe import Training
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

# Crops are kept this much wider than the network's input, so that a turned crop has its corners:
# the largest cells of C-NMC measure about 320 pixels.
MARGIN = 64
# How often an epoch may draw one cell.
MOST_DRAWS = 2

Progress = Callable[[int, int, str], None]


def load_crops(
    data: Path, cells: pd.DataFrame, size: int, *, workers: int, progress: Progress | None = None
) -> np.ndarray:
    """Crop every cell once and keep the crops on disk, so that epochs and runs share them.

    Parameters
    ----------
    data : Path
        The prepared data folder; crops go to ``cache/`` in it.
    cells : pandas.DataFrame
        Manifest rows; columns image_id and path.
    size : int
        Side of the square in frame pixels.
    workers : int
        Threads that decode.
    progress : callable, optional
        Called with (done, total, "Cropping cells").

    Returns
    -------
    numpy.ndarray
        Read-only memory map, uint8 RGB, shape (len(cells), size, size, 3), in the rows' order.

    Raises
    ------
    DatasetError
        Where a prepared image is missing, damaged or not the one that the manifest names.
    """
    key = hashlib.sha256("".join(cells["image_id"]).encode()).hexdigest()[:16]
    target = Workspace(data).cache / f"crops-{size}-{key}.npy"
    if not target.is_file():
        shape = (len(cells), size, size, 3)
        with whole_file(target) as partial, ThreadPoolExecutor(workers) as pool:
            array = open_memmap(partial, "w+", np.uint8, shape)

            def fill(position: int) -> None:
                array[position] = _crop(data, cells.iloc[position], size)

            for done, _ in enumerate(pool.map(fill, range(len(cells))), 1):
                if progress:
                    progress(done, len(cells), "Cropping cells")
            array.flush()
    return np.load(target, mmap_mode="r")


def draw_epoch(
    cells: pd.DataFrame, count: int, rng: np.random.Generator, all_share: float = 0.5
) -> np.ndarray:
    """Draw an epoch: of each class its share, each patient group of a class equally often.

    More cells of one patient teach less than cells of another, so groups take turns, each going
    through its own cells in random order. A cell is drawn :data:`MOST_DRAWS` times at most, or a
    patient with one cell would teach that cell by heart; only where the groups that are left have no
    other do all begin anew.

    Parameters
    ----------
    cells : pandas.DataFrame
        Training rows; columns label and patient_group.
    count : int
        Cells to draw.
    rng : numpy.random.Generator
    all_share : float, optional
        Share of class ALL; each class gives one cell at least.

    Returns
    -------
    numpy.ndarray
        Positions in ``cells``, int, shape (count,), shuffled.
    """
    labels, groups = cells["label"].to_numpy(), cells["patient_group"].to_numpy()
    positive = min(max(round(count * all_share), 1), count - 1)
    drawn = []
    for label, share in (("Normal", count - positive), ("ALL", positive)):
        members = [
            np.flatnonzero((labels == label) & (groups == group))
            for group in rng.permutation(np.unique(groups[labels == label]))
        ]
        drawn += islice(_in_turns(members, rng), share)
    return rng.permutation(np.array(drawn))


def augment(crop: np.ndarray, size: int, training: Training, rng: np.random.Generator) -> np.ndarray:
    """Turn, mirror, zoom, brighten and tint one crop; native scale but for the zoom.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, square, ``MARGIN`` wider than ``size``.
    size : int
        Side of the result.
    training : Training
        Which of the changes, and how strong.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        uint8, shape (size, size, 3).
    """
    angle = rng.uniform(0, 2 * np.pi) if training.rotation else 0.0
    mirror = -1.0 if training.flips and rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    # Pillow maps each pixel of the result back to where it came from; both middles coincide.
    zoom = 1 + rng.uniform(-training.zoom, training.zoom) if training.zoom else 1.0
    a, b, d, e = (term / zoom for term in (cos * mirror, -sin, sin * mirror, cos))
    to, fro = size / 2, crop.shape[0] / 2
    matrix = (a, b, fro - (a + b) * to, d, e, fro - (d + e) * to)
    image = Image.fromarray(crop).transform(
        (size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    if training.blur:
        image = _blur_or_sharpen(image, rng.uniform(-training.blur, training.blur))
    if training.brightness or training.colour or training.gamma:
        overall = rng.uniform(1 - training.brightness, 1 + training.brightness)
        factors = overall * rng.uniform(1 - training.colour, 1 + training.colour, size=3)
        levels = 255 * (np.arange(256) / 255) ** rng.uniform(1 - training.gamma, 1 + training.gamma)
        image = image.point(np.minimum(255, np.outer(factors, levels).round()).ravel().tolist())
    return np.asarray(image)


def _blur_or_sharpen(image: Image.Image, sigma: float) -> Image.Image:
    """Blur by a Gaussian; for a negative ``sigma``, add what that would take away."""
    if sigma >= 0:
        return image.filter(ImageFilter.GaussianBlur(sigma))
    return image.filter(ImageFilter.UnsharpMask(-sigma, percent=100, threshold=0))


class Epoch(keras.utils.PyDataset):
    """One epoch of augmented batches, made ahead of the network by threads of Keras's.

    Parameters
    ----------
    crops : numpy.ndarray
        uint8 RGB, shape (n, size + MARGIN, size + MARGIN, 3).
    cells : pandas.DataFrame
        Their rows; columns label and patient_group.
    rows : numpy.ndarray
        Positions of the cells to learn from.
    size : int
        Side of the network's input.
    training : Training
    seed, epoch : int
        Decide every draw.
    """

    def __init__(
        self,
        crops: np.ndarray,
        cells: pd.DataFrame,
        rows: np.ndarray,
        size: int,
        training: Training,
        seed: int,
        epoch: int,
    ) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._crops, self._size, self._training, self._seed = crops, size, training, (seed, epoch)
        rng = np.random.default_rng(self._seed)
        drawn = draw_epoch(cells.iloc[rows], training.cells_per_epoch, rng, training.all_share)
        self._order = rows[drawn]
        self._targets = (cells["label"] == "ALL").to_numpy(np.float32)

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._order) // self._training.batch)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return batch ``index``: crops uint8 (n, size, size, 3) and targets float32 (n, 1)."""
        start = index * self._training.batch
        order = self._order[start : start + self._training.batch]
        pictures = [
            augment(self._crops[row], self._size, self._training, np.random.default_rng((*self._seed, place)))
            for place, row in enumerate(order, start + 1)
        ]
        return np.stack(pictures), self._targets[order, None]


def _crop(data: Path, row: pd.Series, size: int) -> np.ndarray:
    try:
        cell = read_cell(data / row["path"])
    except ImageError as error:
        raise DatasetError(f"{row['path']}: {error} Run prepare again.") from error
    if cell.image_id != row["image_id"]:
        raise DatasetError(f"{row['path']} is not the image that was prepared. Run prepare again.")
    return crop_cell(cell, size)


def _in_turns(members: list[np.ndarray], rng: np.random.Generator) -> Iterator[int]:
    """One member of each group after another, endlessly."""
    while True:
        decks = [np.concatenate([rng.permutation(own) for _ in range(MOST_DRAWS)]) for own in members]
        for turn in range(max(map(len, decks))):
            yield from (deck[turn] for deck in decks if turn < len(deck))
