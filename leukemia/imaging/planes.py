"""What ImageJ and OME-TIFF say of a file whose channels are pages of their own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from leukemia.errors import ImageError

RGB = (0, 1, 2)
NANOMETRES = {"nm": 1.0, "µm": 1e3, "μm": 1e3, "mm": 1e6}
NOT_RGB = "The channels of this file are not red, green and blue. Save the cell as an RGB image."


@dataclass(frozen=True)
class Channels:
    """How a file's pages make one picture.

    Attributes
    ----------
    order : tuple of int
        Which page is red, which green, which blue.
    bits : int or None
        How many bits of a sample are used, where the file says so.
    pixel_size : float or None
        Micrometres per pixel, where the file says so.
    """

    order: tuple[int, ...] = RGB
    bits: int | None = None
    pixel_size: float | None = None


def imagej(fields: Mapping[str, Any], pages: int) -> Channels | None:
    """Read ImageJ's description of a composite; None where the pages are no channels of one picture.

    Raises
    ------
    ImageError
        Where they are shown in other colours than red, green and blue.
    """
    stacked = max(int(fields.get(name, 1)) for name in ("slices", "frames"))
    if int(fields.get("channels", 1)) != pages or stacked > 1:
        return None
    if pages != len(RGB):
        raise ImageError(NOT_RGB)
    tables = fields.get("LUTs")
    if not tables:
        return Channels()
    brightest = [np.asarray(table)[:, -1] > 0 for table in tables[: len(RGB)]]
    return Channels(_order(brightest))


def ome(description: str, pages: int) -> Channels | None:
    """Read OME-XML; None where there is none, or the pages are no channels of one picture.

    Raises
    ------
    ImageError
        Where they are shown in other colours than red, green and blue.
    """
    if "<OME" not in description:
        return None
    try:
        # Expat itself bounds what entities grow to.
        root = ElementTree.fromstring(description.encode())  # noqa: S314
    except ElementTree.ParseError:
        return None
    everything = root.findall("{*}Image/{*}Pixels")
    if len(everything) != 1:
        return None
    pixels = everything[0]
    bits = pixels.get("SignificantBits", "")
    known = Channels(RGB, int(bits) if bits.isdecimal() else None, _pixel_size(pixels))
    if pages == 1:
        return known
    if pixels.get("SizeC") != str(pages) or {pixels.get("SizeZ"), pixels.get("SizeT")} != {"1"}:
        return None
    if pages != len(RGB):
        raise ImageError(NOT_RGB)
    colours = [channel.get("Color") for channel in pixels.findall("{*}Channel")]
    if not all(colours):
        return known
    brightest = [(np.uint32(int(colour) % 2**32) >> np.array([24, 16, 8])) & 255 > 0 for colour in colours]
    return Channels(_order(brightest), known.bits, known.pixel_size)


def _order(brightest: list[np.ndarray]) -> tuple[int, ...]:
    """Which channel is red, green and blue, from the colour of each at its brightest (three booleans)."""
    whose = [int(np.argmax(lit)) if lit.sum() == 1 else -1 for lit in brightest]
    if sorted(whose) != list(RGB):
        raise ImageError(NOT_RGB)
    return tuple(whose.index(colour) for colour in RGB)


def _pixel_size(pixels: ElementTree.Element) -> float | None:
    sizes = []
    for axis in "XY":
        unit = NANOMETRES.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        try:
            sizes.append(float(pixels.get(f"PhysicalSize{axis}", "")) * unit / 1e3)
        except (TypeError, ValueError):
            return None
    return sizes[0] if math.isclose(*sizes, rel_tol=0.01) else None
