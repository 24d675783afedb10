"""Bytes to one cell: the only way in for pixels.

Training, batch scoring and an upload in the browser all come through :func:`decode` and
:func:`crop`, so that what the network saw in training is what it sees in a clinic.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from leukemia.errors import ImageError
from leukemia.settings import MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE

FORMATS = ("BMP", "PNG", "JPEG", "TIFF", "WEBP")
SUFFIXES = (".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")

# A pixel belongs to the cell where its luma is above this (0 to 255). The archive's background is
# exactly 0; JPEG copies of it ripple by a few levels.
BACKGROUND = 16
# A cut-out cell has a dark frame. In C-NMC at least 99 % of the border pixels are black unless
# the cell touches the frame.
DARK_BORDER = 0.6
# Frame pixels of one cell at C-NMC's magnification: seen there 4,000 to 80,000.
CELL_AREA = (1_500, 130_000)
# Frame pixels from which a second part, apart from the first, is a cell of its own: the largest seen
# in C-NMC measures 2,100. Looked at in every fourth row and column.
SECOND_CELL = 4_000
STRIDE = 4
# Mean spread between a cell pixel's channels (levels) under which a picture has no stain.
COLOUR = 6.0


@dataclass(frozen=True)
class Cell:
    """One decoded image and what was measured on it.

    Attributes
    ----------
    pixels : numpy.ndarray
        The whole frame, uint8 RGB, shape (height, width, 3).
    image_id : str
        SHA-256 of the pixels and their shape, 64 hex digits: the same for the same picture in
        whatever lossless format it came.
    area : int
        Pixels that belong to the cell (not the black background).
    middle : tuple of int
        Row and column of the cell's middle: the medians of its pixels' positions, which stray
        specks hardly move. The frame's middle where nothing stands out from black.
    """

    pixels: np.ndarray
    image_id: str
    area: int
    middle: tuple[int, int]

    @property
    def height(self) -> int:
        """Frame height in pixels."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Frame width in pixels."""
        return self.pixels.shape[1]


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
    """Decode one picture to RGB pixels, with every limit checked before decoding.

    Parameters
    ----------
    data : bytes
        A BMP, PNG, JPEG, TIFF or WebP file with a single picture.

    Returns
    -------
    numpy.ndarray
        uint8, shape (height, width, 3), RGB. Transparent pixels stand on black, as the cut-out
        cells of C-NMC do.

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
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_wide()) from error
    except UnidentifiedImageError as error:
        raise ImageError("Not a picture that can be read (BMP, PNG, JPEG, TIFF or WebP).") from error
    except MemoryError as error:
        raise ImageError("The picture is too large for this machine's memory.") from error
    # Decoders raise many kinds of error on damaged bytes (SyntaxError, struct.error, ...).
    except Exception as error:
        raise ImageError("The picture is damaged or cut off: export or copy it again.") from error


def measure(pixels: np.ndarray) -> Cell:
    """Measure a decoded frame: identity, cell area and middle.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB.
    """
    pixels = np.ascontiguousarray(pixels)
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}:".encode())
    digest.update(pixels.data)
    mask = _foreground(pixels)
    middle = _median(mask.sum(axis=1)), _median(mask.sum(axis=0))
    return Cell(pixels, digest.hexdigest(), int(np.count_nonzero(mask)), middle)


def check(cell: Cell) -> None:
    """Refuse what is not one cut-out cell on a dark background.

    Raises
    ------
    ImageError
        For a blank frame, a photograph or smear, a speck, several cells, a picture without colour.
    """
    pixels = cell.pixels
    sample = pixels[::8, ::8].reshape(-1, 3)
    if cell.area == 0 or np.ptp(sample) < BACKGROUND:
        raise ImageError("The picture is blank: no cell is visible.")
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if (border.max(axis=1) <= BACKGROUND).mean() < DARK_BORDER:
        raise ImageError(
            "Not a single cut-out cell: the background is not black. Smears and photographs must be "
            "cut into single cells first."
        )
    smallest, largest = CELL_AREA
    if cell.area < smallest:
        raise ImageError("No cell large enough to read is visible on the black background.")
    if cell.area > largest:
        raise ImageError("Larger than any single cell at this magnification: cut out one cell.")
    if _second_part(pixels) >= SECOND_CELL:
        raise ImageError("More than one cell is in the picture: cut out one cell.")
    if _colour(sample) < COLOUR:
        raise ImageError("The picture has no colour: a stained cell is needed.")


def _second_part(pixels: np.ndarray) -> int:
    """Frame pixels of the second largest part that lies apart from the others; 0 where there is one."""
    from scipy import ndimage

    parts, count = ndimage.label(_foreground(np.ascontiguousarray(pixels[::STRIDE, ::STRIDE])))
    if count < 2:
        return 0
    return int(np.sort(np.bincount(parts.ravel())[1:])[-2]) * STRIDE**2


def crop(cell: Cell, size: int) -> np.ndarray:
    """Cut a square about the cell's middle at native scale; pad with black outside the frame.

    Frames are never rescaled: 450- and 600-pixel frames of C-NMC have one magnification, and a
    cell's size is part of what tells a blast.

    Parameters
    ----------
    cell : Cell
        A measured frame.
    size : int
        Side of the square in frame pixels.

    Returns
    -------
    numpy.ndarray
        uint8, shape (size, size, 3), RGB.
    """
    y, x = cell.middle[0] - size // 2, cell.middle[1] - size // 2
    out = np.zeros((size, size, 3), np.uint8)
    y0, y1 = max(y, 0), min(y + size, cell.height)
    x0, x1 = max(x, 0), min(x + size, cell.width)
    out[y0 - y : y1 - y, x0 - x : x1 - x] = cell.pixels[y0:y1, x0:x1]
    return out


def open_cell(data: bytes) -> Cell:
    """Decode, measure and check one upload; see :func:`decode` and :func:`check` for errors."""
    cell = measure(decode(data))
    check(cell)
    return cell


def _too_large() -> str:
    return f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB."


def _too_wide() -> str:
    return f"The picture is too large: at most {MAX_SIDE:,} pixels a side are read."


def _check_header(image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(_too_wide())
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageError(f"The file holds {frames} pictures: save each cell as a file of its own.")


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith(("I", "F")):
        raise ImageError("16- and 32-bit grey pictures are not stained cells: save as 8-bit colour.")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        black = Image.new("RGBA", rgba.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, rgba)
    return np.asarray(image.convert("RGB"))


def _foreground(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L")) > BACKGROUND


def _median(counts: np.ndarray) -> int:
    total = counts.sum()
    if not total:
        return len(counts) // 2
    return int(np.searchsorted(np.cumsum(counts), total / 2))


def _colour(sample: np.ndarray) -> float:
    stained = sample[sample.max(axis=1) > BACKGROUND].astype(np.int16)
    return float(np.ptp(stained, axis=1).mean()) if len(stained) else 0.0
