"""Deep pixels to eight bits: 10, 12, 14 and 16 bits, and fractions of one.

A camera's 10 or 12 bits often come in a file of 16, and few files say so. Read as 16 bits they would be
black. So the depth is the one that the file records, else the least that holds the brightest sample: a cell
on black reaches beyond a quarter of the scale. Whoever reads the answer is told.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from leukemia.errors import ImageError

DEPTHS = (8, 10, 12, 14, 16)


class Levels:
    """Levels from 0 to 255 of samples that are put in part by part, by any thread.

    So a picture of 16 bits need never be in memory whole. A sample that is brighter than the depth so far
    allows moves those before it on: two shifts are as good as one.

    Parameters
    ----------
    shape : tuple of int
    dtype : data type
        Of the samples.
    recorded : int, optional
        Bits of a sample, where the file says how many of them are used.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8, 0 where nothing was put yet.

    Raises
    ------
    ImageError
        Where the samples are no unsigned integers.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike, recorded: int | None = None) -> None:
        self._dtype = np.dtype(dtype)
        if self._dtype.kind != "u":
            raise ImageError("The samples of this image have a sign. Save the cell as 8-bit colour.")
        self.pixels = np.zeros(shape, np.uint8)
        self._recorded = recorded if recorded in DEPTHS and self._dtype != np.uint8 else None
        self._bits = self._recorded or DEPTHS[0]
        self._lock = threading.Lock()

    def put(self, place: Any, samples: np.ndarray) -> None:
        """Put samples in a place, an index of the pixels; raises ImageError where they have over 16 bits."""
        brightest = int(samples.max(initial=0))
        if brightest >= 1 << DEPTHS[-1]:
            raise ImageError("The image has more than 16 bits per channel. Save the cell as 8-bit colour.")
        with self._lock:
            bits = next(bits for bits in DEPTHS if bits >= self._bits and brightest < 1 << bits)
            if bits > self._bits:
                self.pixels >>= bits - self._bits
                self._bits = bits
            np.right_shift(samples, bits - 8, out=self.pixels[place], casting="unsafe")

    @property
    def note(self) -> str:
        """What a reader must know of the levels; empty where nothing was assumed."""
        known = self._dtype == np.uint8 or self._bits in (self._recorded, DEPTHS[-1])
        return "" if known else f"taken as {self._bits}-bit samples, by the brightest one"


def to_eight_bits(samples: np.ndarray, recorded: int | None = None) -> tuple[np.ndarray, str]:
    """Bring samples of any depth to levels from 0 to 255.

    Parameters
    ----------
    samples : numpy.ndarray
        Unsigned integers of 8, 16 or 32 bits, or floats from 0 to 1 or from 0 to 255; of any shape.
    recorded : int, optional
        Bits of a sample, where the file says how many of them are used.

    Returns
    -------
    tuple of numpy.ndarray and str
        uint8, the same shape; and what a reader must know of it, empty where nothing was assumed.

    Raises
    ------
    ImageError
        Where the samples are signed, are no numbers, or are over the depths that are read.
    """
    if samples.dtype == np.uint8:
        return samples, ""
    if samples.dtype.kind == "f":
        return _from_fractions(samples)
    levels = Levels(samples.shape, samples.dtype, recorded)
    levels.put(..., samples)
    return levels.pixels, levels.note


def _from_fractions(samples: np.ndarray) -> tuple[np.ndarray, str]:
    low, high = (float(end) for end in (samples.min(initial=0), samples.max(initial=0)))
    # What is not a number fails every comparison.
    if not (low >= 0 and high <= 255):
        raise ImageError(
            "The image has floating-point samples that are neither 0 to 1 nor 0 to 255. Save the cell as "
            "8-bit colour."
        )
    top = 1 if high <= 1 else 255
    wide = samples.astype(np.float64 if samples.itemsize > 4 else np.float32)
    wide *= 255 / top
    return np.round(wide, out=wide).astype(np.uint8), f"floating-point samples, taken as 0 to {top}"
