"""Plain pictures of cells, and files of them."""

import io

import numpy as np
from PIL import Image


def ellipse(frame=450, area=30_000, at=None, colour=(150, 90, 170)):
    """A plain coloured disc on black: the least that counts as a cell."""
    y, x = np.mgrid[:frame, :frame]
    cy, cx = at or (frame // 2, frame // 2)
    disc = (y - cy) ** 2 + (x - cx) ** 2 <= area / np.pi
    return (disc[..., None] * np.array(colour)).astype(np.uint8)


def encoded(pixels, kind="BMP", **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()
