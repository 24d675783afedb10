"""How large a pixel is: what was said, what the file records, and the way to the model's scale.

A cell's size is part of what tells a blast, so a frame is answered at the scale of the cells that the
model learned, or not at all. Those of C-NMC 2019 have one magnification: frames of 450 and 600 pixels
a side. A frame of another size was resized, or came from another camera.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from leukemia.errors import ImageError
from leukemia.settings import MAX_PIXELS, MAX_SIDE

# Height and width of the frames that were cut out at the magnification of C-NMC.
NATIVE_FRAMES = ((450, 450), (600, 600))
# Micrometres per pixel of those frames. The archive does not record it. Estimated from the cells: over
# the labelled ones here, ALL cells have the area of a disc 215 pixels across at the median (healthy
# ones 179), and L1 lymphoblasts are described as 10 to 15 µm across (Cortes, Albitar: Atlas of Cancer,
# in the Merck Manual), which gives 0.047 to 0.070; small lymphocytes of 7 to 10 µm give 0.039 to 0.056.
PIXEL_SIZE = 0.05
# By how much it may be off, as a share of it.
UNCERTAINTY = 0.2
# By what a frame is resampled at most: farther apart, no detail that the model reads is left.
FACTORS = (0.25, 4.0)
# By less than this share it is not worth resampling: far below what the scale itself is known to.
NEGLIGIBLE = 0.005
# Micrometres per pixel that a microscope's camera can have; 72 and 300 dpi of a screen or a printer are
# thousands of times as much.
PLAUSIBLE = (0.02, 1.0)
# How far a file's two resolutions may differ for a pixel to be square.
SQUARE = 0.01
MICROMETRES = {2: 25_400.0, 3: 10_000.0}  # per inch and centimetre, by TIFF's ResolutionUnit
X_RESOLUTION, Y_RESOLUTION, UNIT, DESCRIPTION = 282, 283, 296, 270  # TIFF tags
MICRON = ("micron", "microns", "um", "µm", "μm", "\\u00b5m")  # as ImageJ writes it


class ScaleUnknownError(ImageError):
    """The frame is of another size than the model's, and neither its sender nor its file says the scale."""


@dataclass(frozen=True)
class Scale:
    """The scale of a frame, and who says so.

    Attributes
    ----------
    pixel_size : float or None
        Micrometres per pixel; None for the scale of the frames that the model learned from.
    origin : str
        Who says so, for a reader; empty where it needs no word.
    """

    pixel_size: float | None
    origin: str = ""

    def __str__(self) -> str:
        size = "native" if self.pixel_size is None else f"{self.pixel_size:.3g} µm per pixel"
        return f"{size}, {self.origin}" if self.origin else size


AS_STATED = "as stated"
# Frames that a set or the program itself vouches for.
NATIVE = Scale(None)
STATED_NATIVE = Scale(None, AS_STATED)


def stated(pixel_size: float) -> Scale:
    """Take a scale, in micrometres per pixel, from whoever sends the images."""
    return Scale(pixel_size, AS_STATED)


def of_text(text: str) -> Scale:
    """Read a scale that was typed: micrometres per pixel, or ``native`` for that of C-NMC's frames.

    Raises
    ------
    ValueError
        Where it is neither.
    """
    if text == "native":
        return STATED_NATIVE
    size = float(text)
    if not 0 < size < math.inf:
        raise ValueError(text)
    return stated(size)


def recorded(tags: Mapping[int, Any]) -> float | None:
    """Micrometres per pixel that the tags of a TIFF record, or None.

    A resolution per inch or centimetre counts where a microscope can have it (:data:`PLAUSIBLE`), and so
    does one per micron as ImageJ writes it.
    """
    try:
        across, down = float(tags[X_RESOLUTION]), float(tags[Y_RESOLUTION])
        per_unit = MICROMETRES.get(tags.get(UNIT, 2)) or _imagej_unit(str(tags.get(DESCRIPTION, "")))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    # What is not a number fails every comparison.
    if not (per_unit and across > 0 and abs(across - down) <= SQUARE * across):
        return None
    return plausible(per_unit / across)


def plausible(size: float | None) -> float | None:
    """Micrometres per pixel where a microscope's camera can have them, else None."""
    return size if size is not None and PLAUSIBLE[0] <= size <= PLAUSIBLE[1] else None


def choose(said: Scale | None, in_file: float | None, height: int, width: int) -> Scale:
    """The scale of a frame: as stated, else as the file records it, else by the frame's size.

    Raises
    ------
    ScaleUnknownError
        Where none of them says it.
    """
    if said:
        return said
    if in_file is not None:
        return Scale(in_file, "from the file")
    if (height, width) in NATIVE_FRAMES:
        return NATIVE
    raise ScaleUnknownError(
        f"Scale unknown: the frame is {width} × {height} pixels, not 450 × 450 or 600 × 600. State how many "
        "micrometres one pixel is, or that the frame is native."
    )


def factor(scale: Scale, pixel_size: float) -> float:
    """How many times a frame has to be enlarged to have the model's scale; 1 where it has it.

    Parameters
    ----------
    scale : Scale
    pixel_size : float
        The model's own, micrometres per pixel.

    Raises
    ------
    ImageError
        Where it lies outside :data:`FACTORS`.
    """
    if scale.pixel_size is None:
        return 1.0
    times = scale.pixel_size / pixel_size
    if not FACTORS[0] <= times <= FACTORS[1]:
        low, high = (pixel_size * end for end in FACTORS)
        raise ImageError(
            f"{scale.pixel_size:.3g} µm per pixel is too far from the model's scale: it can use images of "
            f"{low:.3g} to {high:.3g} µm per pixel."
        )
    return 1.0 if math.isclose(times, 1, rel_tol=NEGLIGIBLE) else times


def resample(pixels: np.ndarray, times: float) -> np.ndarray:
    """Enlarge or reduce a frame; bicubic, and antialiased where it is reduced.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB.
    times : float
        New side by old side.

    Raises
    ------
    ImageError
        Where the result would be over the limits of an image.
    """
    height, width = (max(1, round(side * times)) for side in pixels.shape[:2])
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise ImageError(
            "The image is too large to be brought to the model's scale. Cut out the single cell."
        )
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def note(scale: Scale, times: float) -> str:
    """What a reader of the answer must know of its scale; empty where it goes without saying."""
    if not scale.origin:
        return ""
    return f"scale: {scale}" + (f", resampled by {times:.3g}" if times != 1 else "")


def _imagej_unit(description: str) -> float | None:
    fields = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    micron = "ImageJ" in fields and fields.get("unit", "").strip().lower() in MICRON
    return 1.0 if micron else None
