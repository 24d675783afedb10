"""Bytes to pixels: the only way in for a picture, whoever asks.

Training, batch scoring and an upload in the browser all come through :func:`open_picture`, so that what
the network saw in training is what it sees in a clinic.
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from leukemia.errors import ImageError
from leukemia.imaging import depth, dicom, loss, scale, tiff
from leukemia.imaging.limits import CELL, FIELD, Limits
from leukemia.imaging.loss import Loss
from leukemia.storage import files

# What is wrong with a file is said once, by the error.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Pillow refuses twice as much unread; what is allowed is checked below.
Image.MAX_IMAGE_PIXELS = FIELD.pixels

FORMATS = ("BMP", "PNG", "JPEG", "TIFF", "WEBP")
SUFFIXES = (
    *(".bmp", ".dib", ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp"),
    *dicom.SUFFIXES,
)
MP_HEADER, MP_ENTRIES, MOST_FRAMES = b"MPF\0", 0xB002, 8  # of a JPEG with several pictures (CIPA DC-007)
PNG, PNG_DEPTH = b"\x89PNG\r\n\x1a\n", 24  # how it begins, and where the bits of a sample stand


@dataclass(frozen=True)
class Opened:
    """One decoded picture, not yet an array, and what its file says of it.

    Attributes
    ----------
    image : PIL.Image.Image
        RGB, upright. Transparent pixels stand on black, as the cut-out cells of C-NMC do.
    loss : Loss or None
        How the file was compressed; None where it keeps every pixel.
    pixel_size : float or None
        Micrometres per pixel, where the file records them.
    note : str
        What was assumed to tell its levels; empty where nothing was.
    """

    image: Image.Image
    loss: Loss | None = None
    pixel_size: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """One decoded picture and what its file says of it; see :class:`Opened`.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB.
    loss, pixel_size, note
        As in :class:`Opened`.
    """

    pixels: np.ndarray
    loss: Loss | None = None
    pixel_size: float | None = None
    note: str = ""


def read(path: Path, limits: Limits = CELL) -> bytes:
    """Read an image file, refusing one over the size limit before it is in memory.

    Raises
    ------
    ImageError
        Where the file is missing, empty, not readable or larger than ``limits.file_bytes``.
    """
    try:
        if path.stat().st_size > limits.file_bytes:
            raise ImageError(limits.too_many_bytes)
        data = files.read(path, limits.file_bytes)
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from error
    if len(data) > limits.file_bytes:
        raise ImageError(limits.too_many_bytes)
    return data


def decode(data: bytes) -> np.ndarray:
    """Decode one picture to its RGB pixels alone; see :func:`open_picture`."""
    return open_picture(data).pixels


def open_picture(data: bytes) -> Picture:
    """Decode one picture to an array; see :func:`open_image` for the errors.

    Parameters
    ----------
    data : bytes
        A BMP, PNG, JPEG, TIFF, WebP or DICOM file with a single picture.

    Returns
    -------
    Picture
    """
    opened = open_image(data)
    return Picture(np.asarray(opened.image), opened.loss, opened.pixel_size, opened.note)


def open_image(data: bytes, limits: Limits = CELL) -> Opened:
    """Decode one picture, with every limit checked before decoding.

    Parameters
    ----------
    data : bytes
        A BMP, PNG, JPEG, TIFF, WebP or DICOM file with a single picture.
    limits : Limits, optional
        Those of a cell's image, or :data:`leukemia.imaging.limits.FIELD`.

    Returns
    -------
    Opened

    Raises
    ------
    ImageError
        Where the bytes are no such picture, are damaged, or are over a limit.
    """
    if not data:
        raise ImageError("The file is empty.")
    if len(data) > limits.file_bytes:
        raise ImageError(limits.too_many_bytes)
    try:
        return _open(data, limits)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(limits.too_many_pixels) from error
    except UnidentifiedImageError as error:
        raise ImageError("Not a readable image (BMP, PNG, JPEG, TIFF, WebP or DICOM).") from error
    except MemoryError as error:
        raise ImageError("The image is too large for this machine's memory.") from error
    # Decoders raise many kinds of error on damaged bytes (SyntaxError, struct.error, ...).
    except Exception as error:
        raise ImageError("The image is damaged or incomplete. Export or copy it again.") from error


def _open(data: bytes, limits: Limits) -> Opened:
    page, told = 0, None
    if dicom.is_dicom(data):
        decoded = dicom.read(data, limits)
        return Opened(Image.fromarray(decoded.pixels), decoded.loss, decoded.pixel_size, decoded.note)
    if tiff.is_tiff(data):
        found = tiff.read(data, limits)
        if isinstance(found, tiff.Deep):
            return Opened(_upright_rgb(found.image), found.loss, found.pixel_size, found.note)
        page, told = found.page, found.pixel_size
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if image.format == "TIFF":
            image.seek(page)
        _check_header(image, data, limits)
        if data.startswith(PNG) and data[PNG_DEPTH] > 8 and image.mode in ("RGB", "RGBA"):
            return _deep_png(data, image)
        pixel_size = told or (scale.recorded(image.tag_v2) if image.format == "TIFF" else None)
        lost = loss.of_file(image, data)
        image.load()
        return Opened(_upright_rgb(_without_empty_alpha(image)), lost, pixel_size)


def _check_header(image: Image.Image, data: bytes, limits: Limits) -> None:
    limits.check(*image.size)
    if image.format == "TIFF":
        return  # its pages were looked at before
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and not (image.format == "MPO" and _only_previews(image, data)):
        raise ImageError(f"The file contains {frames} images. Save each cell as a separate file.")


def _only_previews(image: Image.Image, data: bytes) -> bool:
    """Whether a phone's or camera's file holds its picture and, beside it, smaller copies or maps of it."""
    entries = image.mpinfo[MP_ENTRIES][1:]
    start = data.index(MP_HEADER) + len(MP_HEADER)
    return len(entries) < MOST_FRAMES and not any(
        entry["Attribute"]["MPType"].startswith("Multi-Frame")
        or _is_as_large(image, data[start + entry["DataOffset"] :])
        for entry in entries
    )


def _is_as_large(image: Image.Image, data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as other:
            return other.width >= image.width or other.height >= image.height
    except Exception:  # messengers cut a preview off and leave it listed
        return False


def _deep_png(data: bytes, image: Image.Image) -> Opened:
    """A PNG of 16 bits; Pillow would cut samples of 12 bits down to black."""
    from imagecodecs import png_decode

    image.load()  # finds what is damaged
    told = image.info
    image.close()  # its pixels would take room beside the deep ones
    levels, note = depth.to_eight_bits(png_decode(data), None)
    deep = Image.fromarray(levels)
    deep.info = told
    return Opened(_upright_rgb(deep), None, None, note)


def _without_empty_alpha(image: Image.Image) -> Image.Image:
    """A BMP as other programs show it: they write its fourth byte as 0 where nothing is transparent."""
    if image.format == "BMP" and image.mode == "RGBA" and image.getextrema()[3] == (0, 0):
        return image.convert("RGB")
    return image


def _upright_rgb(image: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        raise ImageError("16- and 32-bit greyscale images cannot be read. Save the cell as 8-bit colour.")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, rgba)
    return image if image.mode == "RGB" else image.convert("RGB")
