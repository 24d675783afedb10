"""Drawn fields, and a network that reads them by their colours: the logic of segmentation without weights."""

import io

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage

from leukemia.dataset.synthetic import sample_writer
from leukemia.imaging.cell import BACKGROUND
from leukemia.segmentation.field import Field
from leukemia.segmentation.network import FINE, STRIDE, Maps

GLASS, RED, CYTOPLASM, NUCLEUS = (235, 225, 220), (205, 130, 135), (150, 120, 200), (90, 40, 140)
# Pixels across of a red cell in a drawn field, and what one pixel is then, in micrometres.
ACROSS, PIXEL_SIZE = 72, 0.1
# Levels of a map's pixel.
SURE = 0.9


def draw(width=640, height=480, white=((320, 240, 60),), red=None):
    """A field with discs: white cells as (x, y, radius) with a nucleus, and red cells as (x, y)."""
    pixels = np.full((height, width, 3), GLASS, np.uint8)
    if red is None:
        red = [(x, y) for y in range(50, height - 40, 110) for x in range(50, width - 40, 110)]
    for x, y in red:
        if all(np.hypot(x - a, y - b) > radius + ACROSS for a, b, radius in white):
            _paint(pixels, x, y, ACROSS / 2, RED)
    for x, y, radius in white:
        _paint(pixels, x, y, radius, CYTOPLASM)
        _paint(pixels, x, y, radius * 0.7, NUCLEUS)
    return pixels


def encode_field(**settings):
    """A drawn field as the bytes of a PNG, see :func:`draw`."""
    out = io.BytesIO()
    Image.fromarray(draw(**settings)).save(out, "PNG")
    return out.getvalue()


def draw_smear(seed=0, width=1_800, height=1_350):
    """A field as it looks under a microscope: pale red cells with a lighter middle, and drawn white cells."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), GLASS, np.uint8)
    spots = [(350, 350), (1_000, 330), (1_450, 700), (420, 960), (1_000, 1_000)]
    for x, y in ((x, y) for x in range(70, width, 165) for y in range(70, height, 165)):
        at = x + rng.integers(-12, 13), y + rng.integers(-12, 13)
        if all(np.hypot(at[0] - a, at[1] - b) > 230 for a, b in spots):
            _paint(pixels, *at, 72, RED)
            _paint(pixels, *at, 28, (222, 175, 175))
    pixels = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2))).copy()
    for (x, y), (_, cell) in zip(spots, sample_writer.sample_cells(len(spots), seed), strict=True):
        with Image.open(io.BytesIO(cell)) as image:
            drawn = np.asarray(image.convert("RGB"))
        mask = drawn.max(axis=2) > BACKGROUND
        top, left = y - drawn.shape[0] // 2, x - drawn.shape[1] // 2
        part = pixels[top : top + drawn.shape[0], left : left + drawn.shape[1]]
        part[mask] = drawn[mask]
    return pixels


def field(**settings):
    """A drawn field, see :func:`draw`."""
    return Field.of(draw(**settings))


class ColourNetwork:
    """Answers as the network does, for drawn fields: discs by colour, each by the distance to its edge."""

    def maps(self, pixels):
        values = pixels.astype(int)
        blue = values[..., 2] - values[..., 0] > 15
        red = (values[..., 0] - values[..., 2] > 35) & ~blue
        rows, columns = -(-pixels.shape[0] // STRIDE), -(-pixels.shape[1] // STRIDE)
        centres = np.zeros((rows, columns, 3), np.float32)
        sides = np.ones((rows, columns, 4), np.float32)
        for kind, mask in enumerate((blue, red)):
            # At the field's edge a disc goes on.
            depth = ndimage.distance_transform_edt(np.pad(mask, 40, mode="edge"))[40:-40, 40:-40]
            peaks = (depth == ndimage.maximum_filter(depth, 9)) & (depth > 4)
            spots, count = ndimage.label(ndimage.binary_dilation(peaks, iterations=2))
            numbers = range(1, count + 1)
            middles = ndimage.center_of_mass(spots > 0, spots, numbers)
            for (y, x), radius in zip(middles, ndimage.maximum(depth, spots, numbers), strict=True):
                row, column = int(y // STRIDE), int(x // STRIDE)
                at = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
                centres[row, column, kind] = SURE
                sides[row, column] = [
                    min(at[0], radius + at[0] - x),
                    min(at[1], radius + at[1] - y),
                    min(pixels.shape[1] - at[0], radius - at[0] + x),
                    min(pixels.shape[0] - at[1], radius - at[1] + y),
                ]
        padded = np.pad(blue, ((0, -blue.shape[0] % FINE), (0, -blue.shape[1] % FINE)), mode="edge")
        shape = padded.shape[0] // FINE, FINE, padded.shape[1] // FINE, FINE
        return Maps(centres, sides, padded.reshape(shape).mean(axis=(1, 3)).astype(np.float32))


def _paint(pixels, x, y, radius, colour):
    top, left = max(int(y - radius) - 1, 0), max(int(x - radius) - 1, 0)
    part = pixels[top : int(y + radius) + 2, left : int(x + radius) + 2]
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    part[np.hypot(columns + left + 0.5 - x, rows + top + 0.5 - y) <= radius] = colour
