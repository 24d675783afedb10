"""What a morphologist looks at, measured: size, outline, optical density, how it spreads, colour.

Fixed formulas, nothing learned, as a layer of Keras, so that every engine computes the same and
quickly. Nothing here depends on how the cell is mirrored or turned by a quarter. Optical density
follows Beer and Lambert [1]_. The chromatin's texture is left to the network: measured here too, as the
energy of wavelets, it told more of a slide's focus than of the next patient's cells (models/README.md).

References
----------
.. [1] Ruifrok AC, Johnston DA. Quantification of histochemical staining by color deconvolution. Anal
       Quant Cytol Histol 2001;23:291-299.
"""

import keras
import numpy as np
from keras import layers, ops

from leukemia.imaging.cell import BACKGROUND

# Goes up when a measure changes: what was kept of cells is then measured anew.
VERSION = 1
# All constants are half floats, which is what the engine's file keeps of them.
LUMA = (77 / 256, 150 / 256, 29 / 256)
CHANNELS = ("red", "green", "blue")
# Optical densities, and densities in standard deviations from the cell's mean, over which shares are taken.
LEVELS = (0.1875, 0.3125, 0.5, 0.625, 0.8125, 1.0, 1.25, 1.625)
STEPS = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
# Keeps roots and quotients finite where there is nothing: far below what a cell measures.
LEAST = 2.0**-20

OUTLINE = ("area", "rim", "roundness", "length", "breadth", "elongation", "longer", "shorter", "fill")
NAMES = (
    *OUTLINE,
    *(f"{channel}_{what}" for what in ("density", "spread", "skew", "tails") for channel in CHANNELS),
    *(f"{pair}_together" for pair in ("red_green", "green_blue", "red_blue")),
    *(f"share_beyond_{step:+}" for step in STEPS),
    *(f"{channel}_share_over_{level}" for level in LEVELS for channel in CHANNELS),
    *(
        f"{part}_{channel}_{what}"
        for part in ("dense", "light")
        for what in ("density", "spread")
        for channel in CHANNELS
    ),
)


@keras.saving.register_keras_serializable("leukemia")
class Morphology(layers.Layer):
    """Crops, uint8 (n, size, size, 3), to what :data:`NAMES` says: float32 (n, len(NAMES))."""

    def call(self, crops: keras.KerasTensor) -> keras.KerasTensor:
        """Measure each cell."""
        # Planes first: sums over a plane are then sums over neighbours in memory.
        pixels = ops.transpose(ops.cast(crops, "float32"), (0, 3, 1, 2))
        luma = sum(weight * pixels[:, i : i + 1] for i, weight in enumerate(LUMA))
        mask = ops.cast(luma > BACKGROUND, "float32")
        density = -ops.log((pixels + 1) / 256) * mask
        # At half the side: less noise, a quarter of the work. Squares that lie half outside do not count.
        inside = ops.cast(_halved(mask) > 0.99, "float32")
        return ops.concatenate([*_outline(mask), *_densities(_halved(density), inside)], axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        """Shape of what is measured."""
        return shape[0], len(NAMES)


def _sum(planes: keras.KerasTensor) -> keras.KerasTensor:
    """Sum over each plane: (n, c, h, w) to (n, c)."""
    return ops.sum(planes, axis=(2, 3))


def _halved(planes: keras.KerasTensor) -> keras.KerasTensor:
    """Mean over squares of two by two: (n, c, h, w) to (n, c, h / 2, w / 2)."""
    return ops.average_pool(planes, 2, 2, data_format="channels_first")


def _outline(mask: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Size and form of the cell from its mask, (n, 1, h, w) of 0 and 1."""
    size = mask.shape[-1]
    area = ops.maximum(_sum(mask), 1.0)
    rows, columns = ops.sum(mask, axis=3), ops.sum(mask, axis=2)
    steps = _sum(ops.abs(mask[:, :, 1:] - mask[:, :, :-1]))
    steps = ops.maximum(steps + _sum(ops.abs(mask[..., 1:] - mask[..., :-1])), 1.0)
    at = ((np.arange(size, dtype=np.float32) - (size - 1) / 2) / size)[None, None]
    y, x = (ops.sum(one * at, axis=2) / area for one in (rows, columns))
    yy, xx = (ops.sum(one * at * at, axis=2) / area for one in (rows, columns))
    xy = ops.sum(ops.sum(mask * at[..., None, :], axis=3) * at, axis=2) / area - x * y
    yy, xx = yy - y**2, xx - x**2
    # The roots of the eigenvalues of the positions' covariance: half axes, up to a factor.
    half, root = (yy + xx) / 2, ops.sqrt(ops.square((yy - xx) / 2) + ops.square(xy))
    length, breadth = ops.sqrt(half + root + LEAST), ops.sqrt(ops.maximum(half - root, 0.0) + LEAST)
    height, width = (ops.sum(ops.cast(one > 0, "float32"), axis=2) for one in (rows, columns))
    longer, shorter = ops.maximum(height, width), ops.maximum(ops.minimum(height, width), 1.0)
    return [
        area / size**2,
        steps / size,
        area / ops.square(steps),
        length,
        breadth,
        length / breadth,
        longer / size,
        shorter / size,
        area / (longer * shorter + 1.0),
    ]


def _densities(density: keras.KerasTensor, mask: keras.KerasTensor) -> list[keras.KerasTensor]:
    """How dense the cell is by channel, and how the density spreads; (n, 3, h, w) and (n, 1, h, w)."""
    area = ops.maximum(_sum(mask), 1.0)
    middle = _sum(density * mask) / area
    centred = (density - middle[..., None, None]) * mask
    spread = ops.sqrt(_sum(ops.square(centred)) / area + LEAST)
    z = centred / spread[..., None, None]
    zz = ops.square(z)
    out = [middle, spread, _sum(zz * z) / area, _sum(ops.square(zz)) / area]
    red, green, blue = (z[:, i : i + 1] for i in range(3))
    out += [_sum(one * other) / area for one, other in ((red, green), (green, blue), (red, blue))]
    total = (red + green + blue) / 3
    out += [_sum(mask * _beyond(total, step, 5.0)) / area for step in STEPS]
    out += [_sum(mask * _beyond(density, level, 10.0)) / area for level in LEVELS]
    dense = mask * _beyond(total, 0.0, 5.0)
    for part in (dense, mask - dense):
        own = ops.maximum(_sum(part), 1.0)
        mean = _sum(density * part) / own
        out += [mean, ops.sqrt(_sum(ops.square(density - mean[..., None, None]) * part) / own + LEAST)]
    return out


def _beyond(values: keras.KerasTensor, level: float, slope: float) -> keras.KerasTensor:
    """0 below a level, 1 above, rising between: a share of them does not jump with the last pixel."""
    return ops.clip((values - level) * slope + 0.5, 0.0, 1.0)
