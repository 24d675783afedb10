"""Fields that stand in two parts of a set: what is judged must not have been learned."""

from collections.abc import Iterable
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from leukemia.imaging import reader

SIDE = 16
# Of SIDE x SIDE bits, by how many two pictures of one field differ at most.
ALIKE = 70
# What is hashed is reduced to this side first, so that turning it costs little.
REDUCED = 128
TURNS = tuple(Image.Transpose)


def copies(files: Iterable[Path], of: Iterable[Path]) -> set[Path]:
    """Which files show what one of others shows, resized, mirrored or turned, by a perceptual hash [1]_.

    Parameters
    ----------
    files, of : iterable of Path
        Pictures.

    References
    ----------
    .. [1] Zauner C. Implementation and Benchmarking of Perceptual Image Hash Functions. 2010.
    """
    known = [_hash(_open(file)) for file in of]
    if not known:
        return set()
    others, alike = np.array(known), set()
    for file in files:
        picture = _open(file)
        turned = [picture, *(picture.transpose(turn) for turn in TURNS)]
        if min((others != _hash(one)).sum(axis=1).min() for one in turned) < ALIKE:
            alike.add(file)
    return alike


def _open(file: Path) -> Image.Image:
    picture = Image.fromarray(reader.decode(reader.read(file)))
    return picture.convert("L").resize((REDUCED, REDUCED), Image.Resampling.LANCZOS)


def _hash(picture: Image.Image) -> np.ndarray:
    return imagehash.phash(picture, SIDE).hash.ravel()
