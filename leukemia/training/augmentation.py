"""A crop turned, mirrored, zoomed, brightened, tinted, saved: what another slide, lens or file would show."""

import numpy as np
from PIL import Image, ImageFilter

from leukemia.imaging.perturbation import save_as_jpeg
from leukemia.recipes.settings import Training


def augment(crop: np.ndarray, size: int, training: Training, rng: np.random.Generator) -> np.ndarray:
    """Turn, mirror, zoom, brighten, tint and compress one crop; native scale but for the zoom.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, square, ``MARGIN`` wider than ``size``.
    size : int
        Side of the result.
    training : Training
        Which of the changes, and how strong.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        uint8, shape (size, size, 3).
    """
    angle = rng.uniform(0, 2 * np.pi) if training.rotation else 0.0
    mirror = -1.0 if training.flips and rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle), np.sin(angle)
    # Pillow maps each pixel of the result back to where it came from; both middles coincide.
    zoom = 1 + rng.uniform(-training.zoom, training.zoom) if training.zoom else 1.0
    a, b, d, e = (term / zoom for term in (cos * mirror, -sin, sin * mirror, cos))
    to, fro = size / 2, crop.shape[0] / 2
    matrix = (a, b, fro - (a + b) * to, d, e, fro - (d + e) * to)
    image = Image.fromarray(crop).transform(
        (size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    if training.blur:
        image = _blur_or_sharpen(image, rng.uniform(-training.blur, training.blur))
    if training.brightness or training.colour or training.gamma:
        overall = rng.uniform(1 - training.brightness, 1 + training.brightness)
        factors = overall * rng.uniform(1 - training.colour, 1 + training.colour, size=3)
        levels = 255 * (np.arange(256) / 255) ** rng.uniform(1 - training.gamma, 1 + training.gamma)
        image = image.point(np.minimum(255, np.outer(factors, levels).round()).ravel().tolist())
    if training.jpeg:
        image = save_as_jpeg(image, int(rng.integers(training.jpeg, 101)), int(rng.integers(3)))
    return np.asarray(image)


def _blur_or_sharpen(image: Image.Image, sigma: float) -> Image.Image:
    """Blur by a Gaussian; for a negative ``sigma``, add what that would take away."""
    if sigma >= 0:
        return image.filter(ImageFilter.GaussianBlur(sigma))
    return image.filter(ImageFilter.UnsharpMask(-sigma, percent=100, threshold=0))
