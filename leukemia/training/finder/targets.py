"""What the network should answer for a patch, and how wrong an answer is."""

import keras
import numpy as np
from keras import ops

from leukemia.networks.cell_finder import CLASSES, SIDES
from leukemia.segmentation.boxes import WHITE
from leukemia.training.finder.patches import LEAST_SEEN, Patch

STRIDE, FINE = 4, 2
UNIT = 16.0  # pixels; distances are logarithms in it
# Spread of a centre as a share of its box's side, and at the least, in places of the map.
SPREAD, LEAST_SPREAD = 0.14, 0.7
# From this height of a centre's hill on, a place learns the box; below it the box is another's or nobody's.
BOXED = 0.25
# What a miss weighs: a white cell is what is looked for; a red cell only tells the scale.
WEIGHTS = (3.0, 1.0, 0.7)
BOX_WEIGHT, WHITE_WEIGHT = 1.0, 2.0


def places(patch: Patch) -> np.ndarray:
    """Hills of the centres (3), log distances to the sides (4), the weight of those, and what counts at all.

    Returns
    -------
    numpy.ndarray
        float32, shape (side / 4, side / 4, 9).
    """
    side = patch.white.shape[0]
    count = side // STRIDE
    at = (np.arange(count) + 0.5) * STRIDE
    hills = np.zeros((count, count, CLASSES), np.float32)
    sides = np.zeros((count, count, SIDES), np.float32)
    best = np.zeros((count, count), np.float32)
    weight = np.zeros((count, count), np.float32)
    counts = np.ones((count, count), np.float32)
    for (left, top, right, bottom), kind in zip(patch.boxes, patch.kinds, strict=True):
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, patch.width), min(bottom, patch.height)
        if x1 <= x0 or y1 <= y0:
            continue
        if (x1 - x0) * (y1 - y0) < LEAST_SEEN * (right - left) * (bottom - top):
            counts[(at[:, None] > y0) & (at[:, None] < y1) & (at > x0) & (at < x1)] = 0
            continue
        # A peak lies on a place of the map.
        across, down = (
            _hill(at, min(int(middle // STRIDE), count - 1), length)
            for middle, length in (((x0 + x1) / 2, x1 - x0), ((y0 + y1) / 2, y1 - y0))
        )
        hill = down[:, None] * across
        np.maximum(hills[..., kind], hill, out=hills[..., kind])
        # Of two that overlap, the nearer; a white cell before others.
        rank = hill + (kind == WHITE)
        rows, columns = np.nonzero((hill > BOXED) & (rank > best))
        x, y = at[columns], at[rows]
        distances = np.array([x - x0, y - y0, x1 - x, y1 - y])
        sides[rows, columns] = np.log(np.maximum(distances, 1) / UNIT).T
        best[rows, columns] = rank[rows, columns]
        weight[rows, columns] = hill[rows, columns] * WEIGHTS[kind]
    return np.concatenate([hills, sides, weight[..., None], counts[..., None]], axis=-1)


def _hill(at: np.ndarray, peak: int, length: float) -> np.ndarray:
    """A bell about a place along one side of the map, as wide as the box asks for."""
    spread = max(SPREAD * length, LEAST_SPREAD * STRIDE)
    return np.exp(-0.5 * ((at - at[peak]) / spread) ** 2)


def white(patch: Patch) -> np.ndarray:
    """Share of each pixel of the finer map that belongs to a white cell: float32, (side / 2, side / 2, 1)."""
    side = patch.white.shape[0] // FINE
    return patch.white.reshape(side, FINE, side, FINE).mean(axis=(1, 3))[..., None].astype(np.float32)


@keras.saving.register_keras_serializable("leukemia")
def places_loss(truth: keras.KerasTensor, answer: keras.KerasTensor) -> keras.KerasTensor:
    """Focal loss of the centres (Zhou et al. 2019), by the number of cells; distances' absolute error."""
    hills, sides = truth[..., :CLASSES], truth[..., CLASSES : CLASSES + SIDES]
    weight, counts = truth[..., -2:-1], truth[..., -1:]
    said = ops.clip(answer[..., :CLASSES], 1e-5, 1 - 1e-5)
    is_peak = ops.cast(hills > 0.999, "float32")
    hit = -ops.log(said) * (1 - said) ** 2 * is_peak
    false = -ops.log(1 - said) * said**2 * (1 - hills) ** 4 * (1 - is_peak)
    centres = ops.sum((hit + false) * counts * ops.convert_to_tensor(WEIGHTS)) / (ops.sum(is_peak) + 1)
    apart = ops.sum(ops.abs(answer[..., CLASSES:] - sides) * weight) / (ops.sum(weight) * SIDES + 1)
    return centres + BOX_WEIGHT * apart


@keras.saving.register_keras_serializable("leukemia")
def white_loss(truth: keras.KerasTensor, answer: keras.KerasTensor) -> keras.KerasTensor:
    """Cross-entropy of the pixels and one minus their Dice coefficient, over all patches together."""
    said = ops.clip(answer, 1e-5, 1 - 1e-5)
    entropy = -ops.mean(truth * ops.log(said) + (1 - truth) * ops.log(1 - said))
    dice = 2 * ops.sum(truth * said) / (ops.sum(truth) + ops.sum(said) + 1)
    return WHITE_WEIGHT * entropy + 0.3 * (1 - dice)
