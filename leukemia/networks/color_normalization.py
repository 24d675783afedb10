"""Colour taken out inside the network, of plain Keras operations: loads and exports anywhere."""

import keras
from keras import ops

from leukemia.imaging.cell import BACKGROUND

MID_GREY = 127.5
# Pillow's luma in whole numbers: (19595 R + 38470 G + 7471 B + 0.5 * 65536) / 65536, cut off.
LUMA = (19_595, 38_470, 7_471)


def mean_to_grey(crops: keras.KerasTensor) -> keras.KerasTensor:
    """Move each cell's mean colour to mid-grey, and the background with it.

    Most of a cell's colour is its patient's and its slide's stain. What is left is how each pixel
    differs from the cell's mean, in levels; the black background turns as light or dark as the
    cell was away from it.

    Parameters
    ----------
    crops : keras.KerasTensor
        uint8 RGB, shape (n, height, width, 3).

    Returns
    -------
    keras.KerasTensor
        float32, same shape, levels; beyond 0 to 255 where the cell was dark or bright. Where no
        pixel belongs to a cell, the crop itself.
    """
    levels = ops.cast(crops, "float32")
    # Whole numbers below 2 ** 24: float32 holds them exactly.
    luma = ops.sum(levels * ops.convert_to_tensor(LUMA, "float32"), axis=-1, keepdims=True)
    # The same pixels as measure_cell counts: luma, rounded, above BACKGROUND.
    cell = ops.cast(luma >= (2 * BACKGROUND + 1) * 32_768, "float32")
    pixels = ops.sum(cell, axis=(1, 2), keepdims=True)
    mean = ops.sum(levels * cell, axis=(1, 2), keepdims=True) / ops.maximum(pixels, 1.0)
    shift = (MID_GREY - mean) * ops.minimum(pixels, 1.0)
    return levels + shift
