"""TIFF files that are more than one picture of 8-bit samples: planes, deep samples, thumbnails.

Pillow reads the plain ones. It takes apart neither planes of 16 bits nor channels that are pages, and knows
neither floats nor JPEG 2000 and WebP inside; those are read with tifffile. How many pages there are is
counted only as far as matters: a file of 20 MB can have hundreds of thousands.
"""

import io
import logging
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import depth, loss, planes, scale
from leukemia.imaging.limits import CELL, Limits
from leukemia.imaging.loss import Loss
from leukemia.imaging.planes import Channels
from leukemia.settings import MAX_SIDE

if TYPE_CHECKING:
    import mmap

    from tifffile import TiffFile, TiffPage

# What is wrong with a file is said once, by the error.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

MOST_PAGES = 8
# Strips and tiles of a picture: a strip for each row of each plane is the most that anybody writes.
MOST_PARTS = 4 * MAX_SIDE
READ_AHEAD = 16 * 1024**2  # bytes of strips or tiles that are taken from the file at a time
ORDERS = {b"II": "<", b"MM": ">"}
# Version to the place of the first directory, and the formats of an offset, of a count of entries, and the
# bytes of an entry: TIFF 6.0, and BigTIFF.
VERSIONS = {42: (4, "I", "H", 12), 43: (8, "Q", "Q", 20)}
GREY, COLOUR, SEPARATE = 1, 2, 2  # PhotometricInterpretation, PlanarConfiguration
# None, CCITT, LZW, JPEG, Deflate, PackBits: with 8 bits, Pillow decodes these.
PLAIN = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946)
JPEG, WEBP, JPEG_2000 = (6, 7), (50001, 34927), (33003, 33004, 33005, 34712)
MAX_SAMPLE, ORIENTATION = 281, 274
CLEAR = (1, 2)  # ExtraSamples that are opacity
SAVE_AS = "Save the cell as an 8-bit RGB TIFF or PNG."


@dataclass(frozen=True)
class Deep:
    """A decoded TIFF that Pillow does not read.

    Attributes
    ----------
    image : PIL.Image.Image
        RGB or RGBA, with its orientation not yet applied.
    note : str
        What was assumed of its samples; empty where nothing was.
    loss : Loss or None
    pixel_size : float or None
        Micrometres per pixel, where the file records them.
    """

    image: Image.Image
    note: str
    loss: Loss | None
    pixel_size: float | None


@dataclass(frozen=True)
class Plain:
    """A TIFF that Pillow reads.

    Attributes
    ----------
    page : int
        Which of its pages is the picture.
    pixel_size : float or None
        Micrometres per pixel by OME-XML, which Pillow does not read.
    """

    page: int
    pixel_size: float | None


def is_tiff(data: "bytes | mmap.mmap") -> bool:
    """Whether a file begins as TIFF or BigTIFF does."""
    order = ORDERS.get(data[:2])
    return order is not None and len(data) > 8 and struct.unpack_from(f"{order}H", data, 2)[0] in VERSIONS


def read(data: bytes, limits: Limits = CELL) -> Deep | Plain:
    """Decode a TIFF, or say which of its pages is the picture where Pillow reads it, and at which scale.

    Raises
    ------
    ImageError
        Where it holds several pictures, is of a kind that is not read, is over a limit or cut off.
    """
    if len(list(islice(page_places(data), MOST_PAGES + 1))) > MOST_PAGES:
        raise ImageError(_several(f"more than {MOST_PAGES}"))
    from tifffile import TiffFile

    with TiffFile(io.BytesIO(data)) as file:
        pages = list(file.pages)
        # Thumbnails and masks are flagged as such.
        pictures = [page for page in pages if not (page.is_reduced or page.is_mask)] or pages[:1]
        channels = _channels(file, pictures)
        if max(len(page.dataoffsets) for page in pictures) > MOST_PARTS:
            raise ImageError(f"This TIFF is cut into too many parts. {SAVE_AS}")
        if len(pictures) == 1 and _is_plain(pictures[0]):
            return Plain(pages.index(pictures[0]), scale.plausible(channels.pixel_size))
        for page in pictures:
            _check(page, len(data), limits)
        levels, note = _levels(pictures, channels)
        image = Image.fromarray(levels, "RGBA" if levels.shape[-1] > len(planes.RGB) else "RGB")
        tags = {tag.code: tag.value for tag in pictures[0].tags}
        image.getexif()[ORIENTATION] = int(tags.get(ORIENTATION, 1))
        size = scale.plausible(channels.pixel_size) or scale.recorded(_numbers(tags))
        return Deep(image, note, _loss(pictures[0], data), size)


def pixels(data: bytes) -> int:
    """How many pixels the largest page of a TIFF has, as far as :func:`read` would look."""
    from tifffile import TiffFile

    if len(list(islice(page_places(data), MOST_PAGES + 1))) > MOST_PAGES:
        return 0
    with TiffFile(io.BytesIO(data)) as file:
        return max(page.imagewidth * page.imagelength for page in file.pages)


def page_places(data: "bytes | mmap.mmap") -> Iterator[int]:
    """Places of the page directories, one after another; a chain may be endless."""
    order = ORDERS[data[:2]]
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    first, offset, count, entry = VERSIONS[version]
    (place,) = struct.unpack_from(order + offset, data, first)
    while place:
        yield place
        try:
            (entries,) = struct.unpack_from(order + count, data, place)
            end = place + struct.calcsize(order + count) + entries * entry
            (place,) = struct.unpack_from(order + offset, data, end)
        except (struct.error, OverflowError):
            return


def _channels(file: "TiffFile", pictures: Sequence["TiffPage"]) -> Channels:
    """How the pictures make one; raises where they do not."""
    many = len(pictures)
    described = planes.ome(pictures[0].description, many)
    if described is None and many > 1 and file.is_imagej:
        described = planes.imagej(file.imagej_metadata or {}, many)
    if described is None and many > 1:
        raise ImageError(_several(f"{many}"))
    return described or Channels()


def _several(count: str) -> str:
    return f"The file contains {count} images. Save each cell as a separate file."


def _is_plain(page: "TiffPage") -> bool:
    bits = page.bitspersample
    return (
        all(one <= 8 for one in (bits if isinstance(bits, tuple) else (bits,)))
        and page.compression in PLAIN
        and page.planarconfig != SEPARATE
    )


def _check(page: "TiffPage", size: int, limits: Limits) -> None:
    """Refuse what is over a limit before it is decoded, and what is cut off: tifffile fills it with 0."""
    height, width = max(page.imagelength, page.tilelength), max(page.imagewidth, page.tilewidth)
    limits.check(width, height)
    if page.imagedepth > 1:
        raise ImageError(limits.too_many_pixels)
    if page.dtype is None or page.samplesperpixel > 8:
        raise ImageError(f"This kind of TIFF is not read. {SAVE_AS}")
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    whole = all(length > 0 and start + length <= size for start, length in parts)
    stored = sum(page.databytecounts)
    if not (page.size and whole and (page.compression != 1 or stored >= page.nbytes)):
        raise ImageError("The image is damaged or incomplete. Export or copy it again.")


def _levels(pictures: Sequence["TiffPage"], channels: Channels) -> tuple[np.ndarray, str]:
    """Levels of 8 bits (height, width, 3, or 4 with opacity), and what was assumed of the samples."""
    first = pictures[0]
    _check_kind(pictures)
    alpha = first.samplesperpixel > 3 and bool(first.extrasamples) and first.extrasamples[0] in CLEAR
    shape = first.imagelength, first.imagewidth, 4 if alpha else 3
    order = channels.order if len(pictures) > 1 else (0,)
    if first.dtype.kind == "f":
        samples = np.zeros(shape, first.dtype)
        for channel, number in enumerate(order):
            _gather(pictures[number], samples.__setitem__, shape[-1], channel)
        return depth.to_eight_bits(samples)
    levels = depth.Levels(shape, first.dtype, channels.bits or _recorded_bits(first))
    for channel, number in enumerate(order):
        _gather(pictures[number], levels.put, shape[-1], channel)
    return levels.pixels, levels.note


def _check_kind(pictures: Sequence["TiffPage"]) -> None:
    first = pictures[0]
    if len(pictures) > 1:
        alike = {(page.shape, page.dtype, page.photometric) for page in pictures}
        if len(alike) > 1 or first.samplesperpixel > 1 or first.photometric != GREY:
            raise ImageError(_several(f"{len(pictures)}"))
        return
    if first.samplesperpixel == 1:
        raise ImageError("16- and 32-bit greyscale images cannot be read. Save the cell as 8-bit colour.")
    if first.photometric != COLOUR or first.samplesperpixel < 3:
        raise ImageError(f"This kind of TIFF ({first.photometric.name}) is not read. {SAVE_AS}")


def _gather(page: "TiffPage", put: Callable[[Any, np.ndarray], None], channels: int, first: int = 0) -> None:
    """Decode a page strip by strip or tile by tile, and put each in its place (rows, columns, channels).

    Whole, samples of 16 bits would take twice the memory of what is kept of them.
    """

    def place(decoded: tuple[np.ndarray | None, tuple[int, ...], tuple[int, ...]]) -> None:
        samples, (plane, _, top, left, _), (_, rows, columns, count) = decoded
        if samples is None:
            return
        at = first + plane
        kept = max(channels - at, 0)
        # What does not fill its place is damaged: that raises.
        put(
            np.s_[top : top + rows, left : left + columns, at : at + min(count, kept)],
            samples[0, : page.imagelength - top, : page.imagewidth - left, :kept],
        )

    if page.is_contiguous or page.jpegheader is not None:  # nothing to decode, or one stream of all
        for plane, samples in enumerate(page.asarray(squeeze=False)):
            place((samples, (plane, 0, 0, 0, 0), samples.shape))
        return
    page.init_decode()
    for _ in page.segments(func=place, sort=True, buffersize=READ_AHEAD, _fullsize=False):
        pass


def _recorded_bits(page: "TiffPage") -> int | None:
    """Bits of a sample by MaxSampleValue, where it is not what it would be without being said."""
    tag = page.tags.get(MAX_SAMPLE)
    largest = max(np.atleast_1d(tag.value)) if tag else 0
    bits = int(largest).bit_length()
    return bits if 8 <= bits < page.dtype.itemsize * 8 and largest == (1 << bits) - 1 else None


def _numbers(tags: dict[int, object]) -> dict[int, object]:
    """Tags with their fractions as numbers; those over 0 are left out."""
    pairs = {code: value for code, value in tags.items() if isinstance(value, tuple) and len(value) == 2}
    return tags | {
        code: float(Fraction(*value)) if all(isinstance(one, int) for one in value) and value[1] else None
        for code, value in pairs.items()
    }


def _loss(page: "TiffPage", data: bytes) -> Loss | None:
    if page.compression in JPEG:
        return Loss("JPEG-compressed TIFF")
    if page.compression in JPEG_2000:
        return Loss("JPEG 2000-compressed TIFF")
    if page.compression in WEBP:
        start, length = page.dataoffsets[0], page.databytecounts[0]
        return Loss("lossy WebP in TIFF") if loss.is_lossy_webp(data[start : start + length]) else None
    return None
