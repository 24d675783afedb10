"""Bytes to pixels: the only way in for a picture, whoever asks.

Training, batch scoring and an upload in the browser all come through :func:`open_picture`, so that what
the network saw in training is what it sees in a clinic.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from leukemia.errors import ImageError
from leukemia.imaging import loss, scale
from leukemia.imaging.loss import Loss
from leukemia.settings import MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE

FORMATS = ("BMP", "PNG", "JPEG", "TIFF", "WEBP")
SUFFIXES = (".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class Picture:
    """One decoded picture and what its file says of it.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB. Transparent pixels stand on black, as the cut-out
        cells of C-NMC do.
    loss : Loss or None
        How the file was compressed; None where it keeps every pixel.
    pixel_size : float or None
        Micrometres per pixel, where the file records them.
    """

    pixels: np.ndarray
    loss: Loss | None = None
    pixel_size: float | None = None


def read(path: Path) -> bytes:
    """Read an image file, refusing one over the size limit before it is in memory.

    Raises
    ------
    ImageError
        Where the file is missing, empty, not readable or larger than ``MAX_FILE_BYTES``.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ImageError(_too_large())
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from error


def decode(data: bytes) -> np.ndarray:
    """Decode one picture to its RGB pixels alone; see :func:`open_picture`."""
    return open_picture(data).pixels


def open_picture(data: bytes) -> Picture:
    """Decode one picture, with every limit checked before decoding.

    Parameters
    ----------
    data : bytes
        A BMP, PNG, JPEG, TIFF or WebP file with a single picture.

    Returns
    -------
    Picture

    Raises
    ------
    ImageError
        Where the bytes are no such picture, are damaged, or are over a limit.
    """
    if not data:
        raise ImageError("The file is empty.")
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(_too_large())
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_header(image)
            lost, pixel_size = loss.of_file(image, data), scale.recorded(image)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return Picture(_to_rgb(image), lost, pixel_size)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_wide()) from error
    except UnidentifiedImageError as error:
        raise ImageError("Not a readable image (BMP, PNG, JPEG, TIFF or WebP).") from error
    except MemoryError as error:
        raise ImageError("The image is too large for this machine's memory.") from error
    # Decoders raise many kinds of error on damaged bytes (SyntaxError, struct.error, ...).
    except Exception as error:
        raise ImageError("The image is damaged or incomplete. Export or copy it again.") from error


def _too_large() -> str:
    return f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB."


def _too_wide() -> str:
    return f"The image is too large: the limit is {MAX_SIDE:,} pixels per side."


def _check_header(image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(_too_wide())
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageError(f"The file contains {frames} images. Save each cell as a separate file.")


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith(("I", "F")):
        raise ImageError("16- and 32-bit greyscale images cannot be read. Save the cell as 8-bit colour.")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, rgba)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
