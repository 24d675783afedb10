"""Harmless changes of a picture: what another camera, program or file format does to the same cell.

An answer that they move rests on something other than the cell.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

# Pillow's number for the subsampling of colour that cameras and programs use unless told otherwise.
USUAL_SUBSAMPLING = 2  # 4:2:0


def save_as_jpeg(image: Image.Image, quality: int, subsampling: int = USUAL_SUBSAMPLING) -> Image.Image:
    """Save a picture as JPEG and read it again.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.
    quality : int
        1 to 100, as libjpeg counts it.
    subsampling : int, optional
        Of colour: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0.
    """
    saved = io.BytesIO()
    image.save(saved, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(saved)


def _blur(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(1))


def _resample(image: Image.Image) -> Image.Image:
    smaller = tuple(round(0.9 * side) for side in image.size)
    return image.resize(smaller, Image.Resampling.BICUBIC).resize(image.size, Image.Resampling.BICUBIC)


# What a model is tested with, beside the pictures as they are.
PERTURBATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 95": lambda image: save_as_jpeg(image, 95),
    "JPEG, quality 90": lambda image: save_as_jpeg(image, 90),
    "JPEG, quality 85": lambda image: save_as_jpeg(image, 85),
    "JPEG, quality 75": lambda image: save_as_jpeg(image, 75),
    "blurred by 1 pixel": _blur,
    "resampled by 0.9 and back": _resample,
}


def perturb(pixels: np.ndarray, name: str) -> np.ndarray:
    """Change a picture as one of :data:`PERTURBATIONS` says; uint8 RGB, shape (height, width, 3), both."""
    return np.asarray(PERTURBATIONS[name](Image.fromarray(pixels)))
