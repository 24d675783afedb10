"""The engine that finds cells: tiles in, maps out. No TensorFlow; see ``networks/cell_finder``."""

import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import openvino

from leukemia.errors import BundleError
from leukemia.settings import FINDER

ENGINE = "engine.xml"
# The sides of what the network reads are multiples of this, and its maps this much coarser.
MULTIPLE, STRIDE, FINE = 32, 4, 2
# Micrometres per pixel at which it reads a field: a red cell is 18 pixels across.
PIXEL_SIZE = 0.4
# Pixels in which the network tells its distances, as logarithms.
UNIT = 16.0
CLASSES, CHANNELS = 3, 7


@dataclass(frozen=True)
class Maps:
    """What the network says of a tile.

    Attributes
    ----------
    centres : numpy.ndarray
        float32, shape (height / 4, width / 4, 3): probability of the centre of a white cell, a red cell, a
        platelet.
    sides : numpy.ndarray
        float32, shape (height / 4, width / 4, 4): pixels from a place to the left, top, right and bottom of
        its box.
    white : numpy.ndarray
        float32, shape (height / 2, width / 2): probability that a pixel belongs to a white cell.
    """

    centres: np.ndarray
    sides: np.ndarray
    white: np.ndarray


def extended(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture, uint8 RGB, that goes on to the right and below in its mean colour, to this size."""
    whole = np.empty((height, width, 3), np.uint8)
    whole[:] = pixels.mean(axis=(0, 1))
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return whole


class Network:
    """A loaded engine. Safe to share between threads.

    Raises
    ------
    BundleError
        Where it is missing, damaged, or another network's.
    """

    def __init__(self, folder: Path = FINDER) -> None:
        self._lock = threading.Lock()
        try:
            # Full precision: the same cells on every machine.
            self._engine = openvino.Core().compile_model(
                folder / ENGINE, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
            )
        except RuntimeError as error:
            raise BundleError(f"The network that finds cells cannot be loaded from {folder}.") from error
        shapes = [one.get_partial_shape() for one in self._engine.outputs]
        expected = [openvino.PartialShape([-1, -1, -1, last]) for last in (CHANNELS, 1)]
        if len(shapes) != 2 or not all(map(openvino.PartialShape.compatible, shapes, expected)):
            raise BundleError(f"The network in {folder} is not one that finds cells.")

    def maps(self, pixels: np.ndarray) -> Maps:
        """Read a tile.

        Parameters
        ----------
        pixels : numpy.ndarray
            uint8 RGB, shape (height, width, 3), of any size; outside it, it is taken to go on in its mean
            colour.

        Returns
        -------
        Maps
            Of the tile, its sides rounded up to a map's pixel.
        """
        height, width = pixels.shape[:2]
        padded = extended(pixels, *(-(-side // MULTIPLE) * MULTIPLE for side in (height, width)))
        with self._lock:
            places, white = (out[0].copy() for out in self._engine(padded[None]).values())
        places = places[: -(-height // STRIDE), : -(-width // STRIDE)]
        white = white[: -(-height // FINE), : -(-width // FINE), 0]
        return Maps(places[..., :CLASSES], np.exp(places[..., CLASSES:]) * UNIT, white)


@cache
def shipped() -> Network:
    """The network that comes with the program, loaded once."""
    return Network()
