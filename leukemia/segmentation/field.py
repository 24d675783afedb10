"""A field: a photograph of a smear, or a tile of one, of which parts are read at any scale."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.imaging import memory, reader
from leukemia.imaging.limits import FIELD
from leukemia.imaging.loss import Loss

# Up to this factor a reduced picture is the mean of the pixels under each of its own; above it, interpolated.
REDUCED = 0.7


@dataclass(frozen=True)
class Field:
    """A decoded field.

    Attributes
    ----------
    image : PIL.Image.Image
        RGB, upright.
    pixel_size : float or None
        Micrometres per pixel, where the file records them.
    loss : Loss or None
        How the file was compressed; None where it keeps every pixel.
    note : str
        What was assumed to tell its levels; empty where nothing was.
    """

    image: Image.Image = field(repr=False)
    pixel_size: float | None = None
    loss: Loss | None = None
    note: str = ""

    @classmethod
    def of(cls, pixels: np.ndarray, pixel_size: float | None = None) -> "Field":
        """Make a field of pixels, uint8 RGB, shape (height, width, 3)."""
        return cls(Image.fromarray(pixels), pixel_size)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.image.height

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
        """Read a part of the field at another scale.

        Parameters
        ----------
        box : tuple of float
            Left, top, right and bottom in pixels, within the field.
        size : tuple of int
            Width and height of the result.

        Returns
        -------
        numpy.ndarray
            uint8 RGB, shape (size[1], size[0], 3).
        """
        reduced = size[0] <= REDUCED * (box[2] - box[0])
        by = Image.Resampling.BOX if reduced else Image.Resampling.BICUBIC
        return np.asarray(self.image.resize(size, by, box=box))


def read_field(path: Path) -> Field:
    """Read and decode a field of up to :data:`leukemia.settings.MAX_FIELD_PIXELS` pixels.

    Raises
    ------
    ImageError
        Where it is no picture, damaged, or over a limit.
    """
    return open_field(reader.read(path, FIELD))


def open_field(data: bytes) -> Field:
    """Decode a field; see :func:`read_field`."""
    with memory.room_for(data, FIELD):
        opened = reader.open_image(data, FIELD)
    return Field(opened.image, opened.pixel_size, opened.loss, opened.note)
