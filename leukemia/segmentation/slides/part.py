"""A part of a slide that is read as a field is, at any scale, and never whole."""

import math
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from leukemia.imaging.loss import Loss
from leukemia.imaging.slide import Box, Slide
from leukemia.segmentation.field import Field


@dataclass(frozen=True)
class SlidePart:
    """A part of a slide: what finds, outlines and cuts out the cells of a field takes this in its place.

    Attributes
    ----------
    slide : Slide
    left, top, width, height : int
        Of the part, in pixels of the slide at its finest.
    damaged : set of tuple
        Boxes of damaged tiles that were met, in pixels of the slide.
    """

    slide: Slide = field(repr=False)
    left: int
    top: int
    width: int
    height: int
    damaged: set[Box] = field(default_factory=set)
    note: str = ""

    @classmethod
    def whole(cls, slide: Slide) -> "SlidePart":
        """All of a slide."""
        return cls(slide, 0, 0, slide.width, slide.height)

    @property
    def pixel_size(self) -> float | None:
        """Micrometres per pixel, where the slide records them."""
        return self.slide.pixel_size

    @property
    def loss(self) -> Loss | None:
        """How the slide was compressed."""
        return self.slide.loss

    def part(self, box: tuple[float, float, float, float], size: tuple[int, int]) -> np.ndarray:
        """Read a part of it at another scale; see :meth:`leukemia.segmentation.field.Field.part`.

        It is read from the coarsest level that shows enough. Where a tile of that one is damaged, a finer one
        is read; what is damaged at the finest, too, is shown as glass, and is noted in :attr:`damaged`.
        """
        reduced = min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
        for number in range(self.slide.level_for(reduced), -1, -1):
            level = self.slide.levels[number]
            left, right = ((self.left + side) / level.across for side in (box[0], box[2]))
            top, bottom = ((self.top + side) / level.down for side in (box[1], box[3]))
            x, y = (max(math.floor(side), 0) for side in (left, top))
            right, bottom = min(right, level.width), min(bottom, level.height)
            # At least a pixel, also at the end of a level that was rounded down.
            x, y = min(x, level.width - 1), min(y, level.height - 1)
            whole = x, y, max(math.ceil(right), x + 1), max(math.ceil(bottom), y + 1)
            pixels, damaged = self.slide.read(number, whole)
            if not damaged:
                break
        else:
            self.damaged.update(damaged)
        inner = max(left - x, 0), max(top - y, 0), right - x, bottom - y
        if inner[2] <= inner[0] or inner[3] <= inner[1]:
            inner = 0, 0, pixels.shape[1], pixels.shape[0]
        return Field(Image.fromarray(pixels)).part(inner, size)
