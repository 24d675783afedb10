"""All pixels of a field, kept without loss, so that a cell of it can be cut out later.

The pixels as they were decoded, never the file: that may name a patient. A file is called after its pixels,
and what it holds is checked against its name before anything is cut out of it.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging.cell import identify
from leukemia.segmentation.field import Field, read_field
from leukemia.storage.atomic import whole_file

SUFFIX = ".png"
# The next levels take twice the time for a few per cent less.
PACKING = 1
GONE = "All pixels of this field were not kept, or are gone: a box or an outline cannot be drawn on it."
DAMAGED = "The pixels that were kept of this field are damaged: a box or an outline cannot be drawn on it."


def name(image_id: str) -> str:
    """What the file of a field is called; ``image_id`` is the SHA-256 of its pixels."""
    return f"{image_id}{SUFFIX}"


def save(folder: Path, image: Image.Image, image_id: str) -> Path:
    """Write a field's pixels into a folder, whole or not at all.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    image : PIL.Image.Image
        RGB.
    image_id : str
        SHA-256 of its pixels.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    target = folder / name(image_id)
    if not target.is_file():
        with whole_file(target) as partial:
            image.save(partial, "PNG", compress_level=PACKING)
    return target


def load(file: Path | None, image_id: str) -> Field:
    """Read a field's pixels; they are those that were kept, or it is an error.

    Raises
    ------
    ImageError
        Where they are gone or damaged.
    """
    if file is None or not file.is_file():
        raise ImageError(GONE)
    try:
        field = read_field(file)
    except ImageError as error:
        raise ImageError(DAMAGED) from error
    if identify(np.asarray(field.image)) != image_id:
        raise ImageError(DAMAGED)
    return Field(field.image)
