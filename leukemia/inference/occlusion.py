"""Where in a cell a change moves a model's answer: a map by occlusion [1]_, for any network.

Regions of the cell are covered one after another, and the change of the logit is written where the cover lay.
The covers have soft edges and lie on two grids, each of which covers every pixel once in sum: that leaves no
seams, and the map hardly depends on where the grids begin. A region is covered with the cell's own mean
colour: the model's own measure of novelty hardly finds that strange, as it does black, a hole that no cell
has, or the colour of the cytoplasm (``python -m benchmarks.why``). The region's own picture, blurred, is as
harmless, but covers so little that maps of shifted grids agree less. The background is never touched.

References
----------
.. [1] Zeiler MD, Fergus R. Visualizing and understanding convolutional networks. ECCV 2014.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from leukemia.imaging.cell import foreground
from leukemia.inference.classifier import DIGITS, Predict

# A grid has about so many covers on a cell, whatever its size: more are finer, and take longer.
COVERS = 28
LEAST_STEP = 4
# A cover is left out that has less than this share of itself on the cell.
LEAST_ON_CELL = 0.15
# Of a cover's middle, all is replaced; it fades towards the edge.
FIRMNESS = 2.0

Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Heatmap:
    """A map of one cell.

    Attributes
    ----------
    values : numpy.ndarray
        float32, shape (size, size): by how much the logit of ALL falls where this place is covered. Above
        0 the place speaks for ALL, below it against; exactly 0 off the cell.
    probability : float
        Of ALL, of the cell as it is.
    lowest, highest : float
        The same with the one region covered that lowers, or raises, it most.
    covers : int
        How many regions were covered.
    distances : tuple of float
        How far the cell is from those learned, as it is and, at the median, covered; 0 where the model
        measures none.
    """

    values: np.ndarray
    probability: float
    lowest: float
    highest: float
    covers: int
    distances: tuple[float, float]


def mean_colour(crop: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The cell's own mean colour: uint8 crop (size, size, 3) and mask (size, size) to a colour (3,)."""
    return crop[cell].mean(axis=0)


def explain(predict: Predict, crop: np.ndarray, fill: Fill = mean_colour) -> Heatmap:
    """Map where covering a cell moves its answer.

    Parameters
    ----------
    predict : callable
        Crops to probabilities and distances, as :meth:`Classifier.predict_each`.
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3), a cell on black.
    fill : callable, optional
        From crop and cell mask to the colour that covers: shape (3,) or (size, size, 3).

    Returns
    -------
    Heatmap
        Of a picture that has nothing on black, all 0.
    """
    cell = foreground(crop)
    if not cell.any():
        (probability,), (distance,) = predict(crop[None])
        return Heatmap(
            np.zeros(cell.shape, np.float32),
            float(probability),
            float(probability),
            float(probability),
            0,
            (float(distance), float(distance)),
        )
    windows = list(_windows(cell))
    colour = fill(crop, cell)
    probability, distance = predict(np.stack([crop, *(_covered(crop, cell, one, colour) for one in windows)]))
    # Probabilities are rounded: beyond their last digit there is no telling.
    end = 10.0**-DIGITS
    logits = logit(np.clip(probability, end, 1 - end))
    fall = logits[0] - logits[1:]
    weight = np.sum(windows, axis=0)
    spread = np.tensordot(fall, np.stack(windows), axes=1)
    values = np.where(cell & (weight > 0), spread / np.maximum(weight, 1e-9), 0.0)
    return Heatmap(
        values.astype(np.float32),
        float(probability[0]),
        float(expit(logits[1:].min())),
        float(expit(logits[1:].max())),
        len(windows),
        (float(distance[0]), float(np.median(distance[1:]))),
    )


def share_within(values: np.ndarray, part: np.ndarray) -> dict[str, float]:
    """Share of a map's weight within a part of the cell.

    Parameters
    ----------
    values : numpy.ndarray
        Of a :class:`Heatmap`.
    part : numpy.ndarray
        bool, of the same shape.

    Returns
    -------
    dict of str to float
        ``absolute`` of all weight, and ``positive`` of what speaks for ALL: 0 to 1, NaN where there is none.
    """
    kinds = {"absolute": np.abs(values), "positive": np.maximum(values, 0)}
    totals = {name: float(kind.sum()) for name, kind in kinds.items()}
    return {
        name: float(kind[part].sum()) / totals[name] if totals[name] else float("nan")
        for name, kind in kinds.items()
    }


def _covered(crop: np.ndarray, cell: np.ndarray, window: np.ndarray, colour: np.ndarray) -> np.ndarray:
    share = (np.minimum(FIRMNESS * window, 1) * cell)[..., None]
    return np.rint(crop * (1 - share) + colour * share).astype(np.uint8)


def _windows(cell: np.ndarray) -> Iterator[np.ndarray]:
    """Covers, each float32 of the cell's shape from 0 to 1; those of a grid sum to 1 on the cell."""
    step = max(LEAST_STEP, float(np.sqrt(cell.sum() / COVERS)))
    rows, columns = (np.flatnonzero(cell.any(axis=axis)) for axis in (1, 0))
    for offset in (0.0, step / 2):
        down = _bumps(rows[0], rows[-1], step, offset, cell.shape[0])
        across = _bumps(columns[0], columns[-1], step, offset, cell.shape[1])
        for vertical in down:
            for horizontal in across:
                window = vertical[:, None] * horizontal
                if (window * cell).sum() >= LEAST_ON_CELL * step**2:
                    yield window


def _bumps(first: int, last: int, step: float, offset: float, length: int) -> list[np.ndarray]:
    """Raised cosines that are ``step`` apart and sum to 1 from ``first`` to ``last``."""
    count = int(np.ceil((last - first) / step)) + 1
    start = (first + last - (count - 1) * step) / 2 + offset
    away = (np.arange(length) - (start + np.arange(-1, count + 1) * step)[:, None]) / step
    return list(np.where(np.abs(away) < 1, 0.5 + 0.5 * np.cos(np.pi * away), 0.0).astype(np.float32))
