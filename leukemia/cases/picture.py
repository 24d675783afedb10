"""The picture of a cell that a case keeps."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from leukemia.imaging.cell import center_crop


@dataclass(frozen=True)
class Picture:
    """A cell's pixels: ``png`` lossless at the model's scale; see ``input_size``, ``pixel_size`` of Cell."""

    png: bytes
    input_size: int
    pixel_size: float

    @property
    def pixels(self) -> np.ndarray:
        """The pixels: uint8 RGB, shape (side, side, 3)."""
        return np.asarray(Image.open(io.BytesIO(self.png)).convert("RGB"))

    @property
    def crop(self) -> np.ndarray:
        """What the model read: uint8 RGB, shape (input_size, input_size, 3)."""
        return center_crop(self.pixels[None], self.input_size)[0]
