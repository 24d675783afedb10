"""What a file's compression took away: how coarse a JPEG is, and whether a WebP is exact.

A JPEG does not record the quality that it was saved with. It is told from the quantisation tables [1]_ as
the setting from 1 to 100 whose tables, scaled as the Independent JPEG Group's library scales them [2]_,
come nearest.

References
----------
.. [1] ITU-T T.81 (1992), Annex K, tables K.1 and K.2.
.. [2] libjpeg 6b, jcparam.c: jpeg_quality_scaling and jpeg_add_quant_table.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

# Below this quality the answers on cells that were saved so are not to be relied on.
LOW_QUALITY = 75
LOW = "low quality: the answer may be off"

# Rows of eight, from the lowest frequency on.
_LUMINANCE = """
16 11 10 16  24  40  51  61   12 12 14 19  26  58  60  55   14 13 16 24  40  57  69  56
14 17 22 29  51  87  80  62   18 22 37 56  68 109 103  77   24 35 55 64  81 104 113  92
49 64 78 87 103 121 120 101   72 92 95 98 112 100 103  99
"""
_CHROMINANCE = """
17 18 24 47 99 99 99 99   18 21 26 66 99 99 99 99   24 26 56 99 99 99 99 99   47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99
"""
_TABLES = [np.array(table.split(), int) for table in (_LUMINANCE, _CHROMINANCE)]
_QUALITIES = np.arange(1, 101)
# With which each ``Loss.kind`` begins, and nothing else that is noted of a picture.
_BEGINNINGS = ("JPEG", "WebP", "lossy")
# Sampling of luma and of the first chroma channel, across and down, to what it is called.
_SUBSAMPLING = {(1, 1, 1, 1): "4:4:4", (2, 1, 1, 1): "4:2:2", (2, 2, 1, 1): "4:2:0"}


@dataclass(frozen=True)
class Loss:
    """How a lossy file was compressed.

    Attributes
    ----------
    kind : str
        For a reader: ``JPEG``, ``lossy WebP``, ``JPEG-compressed TIFF``.
    quality : int or None
        1 to 100, of a JPEG.
    subsampling : str
        Of a JPEG's colour: ``4:4:4``, ``4:2:2``, ``4:2:0``, or empty where it is another or has no colour.
    """

    kind: str
    quality: int | None = None
    subsampling: str = ""

    def __str__(self) -> str:
        quality = "" if self.quality is None else f"quality {self.quality}"
        return ", ".join(part for part in (self.kind, quality, self.subsampling) if part)

    @property
    def is_low(self) -> bool:
        """Whether the quality is known to be below :data:`LOW_QUALITY`."""
        return self.quality is not None and self.quality < LOW_QUALITY

    @property
    def note(self) -> str:
        """What a reader of the answer must know of it."""
        return f"{self}; {LOW}" if self.is_low else str(self)


def is_noted(note: str) -> bool:
    """Whether a note of a cell, whose parts are joined by semicolons, holds that of a :class:`Loss`."""
    return any(part.startswith(_BEGINNINGS) for part in note.split("; "))


def of_file(image: Image.Image, data: bytes) -> Loss | None:
    """How lossy an opened image file is; None for one that keeps every pixel.

    Parameters
    ----------
    image : PIL.Image.Image
        As it was opened, before its pixels are changed.
    data : bytes
        The file.
    """
    if isinstance(image, JpegImageFile):
        return Loss("JPEG", _quality(image.quantization), _subsampling(image.layer))
    if image.format == "WEBP" and is_lossy_webp(data):
        return Loss("lossy WebP")
    if image.format == "TIFF" and image.info.get("compression") in ("jpeg", "tiff_jpeg"):
        return Loss("JPEG-compressed TIFF")
    return None


def _quality(tables: dict[int, list[int]]) -> int:
    """The quality of the coarser table: luma's is the first, chroma's the second."""
    pairs = zip(sorted(tables.items()), _TABLES, strict=False)
    return min(_nearest(np.array(own), standard) for (_, own), standard in pairs)


def _nearest(own: np.ndarray, standard: np.ndarray) -> int:
    percent = np.where(_QUALITIES < 50, 5_000 // _QUALITIES, 200 - 2 * _QUALITIES)
    scaled = np.clip((standard * percent[:, None] + 50) // 100, 1, 255)
    apart = np.abs(scaled - own).sum(axis=1)
    # Of equals the highest: from a certain quality on all steps are 1.
    return int(_QUALITIES[np.flatnonzero(apart == apart.min())[-1]])


def _subsampling(layers: list[tuple[int, int, int, int]]) -> str:
    if len(layers) < 3:
        return ""
    return _SUBSAMPLING.get((*layers[0][1:3], *layers[1][1:3]), "")


def is_lossy_webp(data: bytes) -> bool:
    """Whether the picture lies in a VP8 chunk (lossy), not in a VP8L chunk; the file is one that opened."""
    place = 12
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8 "
        place += 8 + size + size % 2
    return False
