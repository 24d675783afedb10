"""Drawn slides: small pyramids of tiles, as scanners write them."""

import numpy as np
import tifffile

from tests.support.fields import PIXEL_SIZE, draw


def write(
    path,
    pixels,
    *,
    levels=3,
    pixel_size=PIXEL_SIZE,
    compression="deflate",
    tile=256,
    label=None,
):
    """A tiled TIFF with its levels; ``label`` is a picture of the glass's label, as a series of its own."""
    options = {"photometric": "rgb", "compression": compression}
    if tile:
        options["tile"] = (tile, tile)
    with tifffile.TiffWriter(path) as out:
        for level in range(levels):
            if pixel_size:
                per_cm = 1e4 / pixel_size / 2**level
                options |= {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
            small = pixels[:: 2**level, :: 2**level]
            pages = {"subifds": levels - 1} if level == 0 else {"subfiletype": 1}
            out.write(small, **options, **pages)
        if label is not None:
            out.write(label, photometric="rgb", metadata=None)
    return path


def spoil(path, x, y, *, level=0, how=lambda data: bytes(len(data))):
    """Damage the tile of a slide that holds a pixel of a level."""
    with tifffile.TiffFile(path) as file:
        page = file.series[0].levels[level].pages[0]
        index = (y // page.tilelength) * -(-page.imagewidth // page.tilewidth) + x // page.tilewidth
        start, count = page.dataoffsets[index], page.databytecounts[index]
    data = bytearray(path.read_bytes())
    data[start : start + count] = how(bytes(data[start : start + count]))
    path.write_bytes(data)


def smear(width=2_560, height=2_048, cells=(), **settings):
    """A drawn smear with white cells at these places; each with a radius of 60 where it says no other."""
    return draw(width=width, height=height, white=[(*cell, 60)[:3] for cell in cells], **settings)


def glass(pixels, left=0, top=0, right=None, bottom=None):
    """The same with clean glass in a part of it."""
    out = np.array(pixels)
    out[top:bottom, left:right] = (235, 225, 220)
    return out
