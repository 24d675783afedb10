"""A look through every image: near-identical pairs, cells that touch the frame, files that fail.

Two images are near-identical where their perceptual hashes [1]_ agree in almost every bit *and*
their grey pictures correlate: the first is quick, the second keeps out cells of one outline. On
C-NMC this finds one cell cut out or stain-normalised twice, also under two patients' names.

References
----------
.. [1] Zauner C. Implementation and benchmarking of perceptual image hash functions. Thesis, Upper
       Austria University of Applied Sciences, 2010. Here as ImageHash computes it, 16 x 16 bits.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from leukemia.errors import DatasetError, ImageError
from leukemia.imaging.cell import BACKGROUND, Cell, crop_cell, read_cell
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace

VERSION = 1
CROP = 288  # frame pixels about the cell's middle: holds every cell of C-NMC but for its largest
HASH_SIDE = 16
SMALL = 48
# On C-NMC 2019 the distances of unrelated cells begin above 40 of the 256 bits, and all pairs that
# correlate above .985 show one cell.
MOST_BITS = 40
LEAST_LIKENESS = 0.985
# Fewer pixels than this on the frame's edge are specks.
LEAST_EDGE = 10
BLOCK = 2_048

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Look:
    """What one image looks like.

    Attributes
    ----------
    bits : numpy.ndarray
        Perceptual hash, bool, shape (256,).
    small : numpy.ndarray
        Grey picture of the cell, uint8, shape (48, 48).
    edge : int
        Pixels of the cell on the frame's edge.
    """

    bits: np.ndarray
    small: np.ndarray
    edge: int


@dataclass(frozen=True)
class Findings:
    """What a look through a set found; images are named by their path in the data folder.

    Attributes
    ----------
    images : int
        How many were looked at.
    pairs : list of tuple
        Near-identical pairs: path, path, bits that differ (of 256), correlation. Images that agree
        in every pixel are not among them.
    edges : dict of str to int
        Images whose cell touches the frame, to pixels on the edge.
    unreadable : dict of str to str
        Images that cannot be read any more, to the reason.
    """

    images: int
    pairs: list[tuple[str, str, int, float]]
    edges: dict[str, int]
    unreadable: dict[str, str]

    @property
    def ties(self) -> list[tuple[str, str]]:
        """The near-identical pairs alone: path, path."""
        return [(one, other) for one, other, *_ in self.pairs]


def look_through(
    place: Callable[[str], Path],
    cells: pd.DataFrame,
    *,
    workers: int,
    known: Mapping[str, Look] | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Look at every image of a set and compare all with all.

    Parameters
    ----------
    place : callable
        From a path in the manifest to where the image lies now.
    cells : pandas.DataFrame
        Manifest rows: path and image_id.
    workers : int
        Threads that decode.
    known : mapping of str to Look, optional
        Path to the look of images that need not be decoded again.
    progress : callable, optional
        Called with (done, total, what is being done).
    """
    paths, looks, unreadable = [], [], {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            known = known or {}
            found = pool.map(lambda path: known.get(path) or _try(place(path)), cells["path"])
            for done, (path, seen) in enumerate(zip(cells["path"], found, strict=True), 1):
                if isinstance(seen, Look):
                    paths.append(path)
                    looks.append(seen)
                else:
                    unreadable[path] = seen
                if progress:
                    progress(done, len(cells), "Looking at images")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    own = dict(zip(cells["path"], cells["image_id"], strict=True))
    pairs = [
        (paths[a], paths[b], bits, likeness)
        for a, b, bits, likeness in near(looks, progress)
        if own[paths[a]] != own[paths[b]]
    ]
    edges = {path: seen.edge for path, seen in zip(paths, looks, strict=True) if seen.edge >= LEAST_EDGE}
    return Findings(len(cells), pairs, edges, unreadable)


def look(cell: Cell) -> Look:
    """Describe one measured cell."""
    grey = Image.fromarray(crop_cell(cell, CROP)).convert("L")
    pixels = cell.pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    return Look(
        bits=imagehash.phash(grey, HASH_SIDE).hash.ravel(),
        small=np.asarray(grey.resize((SMALL, SMALL), Image.Resampling.BOX)),
        edge=int((border.max(axis=1) > BACKGROUND).sum()),
    )


def near(looks: list[Look], progress: Progress | None = None) -> list[tuple[int, int, int, float]]:
    """Find near-identical pairs among all.

    Returns
    -------
    list of tuple
        Positions of both, bits that differ, correlation; the most alike first. All pairs are
        compared, as products of matrices: some seconds for ten thousand images.
    """
    if not looks:
        return []
    signs = np.stack([seen.bits for seen in looks]).astype(np.float32) * 2 - 1
    small = np.stack([seen.small.ravel() for seen in looks]).astype(np.float32)
    small -= small.mean(axis=1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    out = []
    for start in range(0, len(looks), BLOCK):
        stop = min(start + BLOCK, len(looks))
        # Of signs, the product counts agreeing bits less differing ones.
        differ = (signs.shape[1] - signs[start:stop] @ signs[start:].T) / 2
        a, b = np.nonzero(np.triu(differ <= MOST_BITS, k=1))
        likeness = np.einsum("ij,ij->i", small[start + a], small[start + b])
        for i in np.flatnonzero(likeness >= LEAST_LIKENESS):
            pair = (int(start + a[i]), int(start + b[i]))
            out.append((*pair, round(float(differ[a[i], b[i]])), round(float(likeness[i]), 4)))
        if progress:
            progress(stop, len(looks), "Comparing images")
    return sorted(out, key=lambda pair: (-pair[3], pair[2]))


def key(cells: pd.DataFrame) -> str:
    """Fingerprint of the images alone: findings hold as long as it is the same."""
    lines = sorted(cells["image_id"] + "," + cells["path"])
    return hashlib.sha256("\n".join([str(VERSION), *lines]).encode()).hexdigest()[:16]


def kept(data: Path, cells: pd.DataFrame) -> Findings | None:
    """The findings of an earlier look through these very images, or None."""
    try:
        found = json.loads(_file(data, cells).read_text(encoding="utf-8"))
        return Findings(**found | {"pairs": [tuple(pair) for pair in found["pairs"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def look_and_keep(
    data: Path, cells: pd.DataFrame, *, workers: int, progress: Progress | None = None
) -> Findings:
    """Look through a set unless that was done before; keep what was found in the cache.

    Raises
    ------
    DatasetError
        Where not one image can be read.
    """
    if found := kept(data, cells):
        return found
    found = look_through(Path(data).joinpath, cells, workers=workers, progress=progress)
    if len(found.unreadable) == found.images:
        raise DatasetError(f"Not one of the {found.images:,} images in {data} can be read.")
    keep(data, cells, found)
    return found


def keep(data: Path, cells: pd.DataFrame, found: Findings) -> None:
    """Keep what was found for :func:`kept`."""
    write_text(_file(data, cells), json.dumps(asdict(found)))


def _file(data: Path, cells: pd.DataFrame) -> Path:
    return Workspace(data).cache / f"similar-{key(cells)}.json"


def _try(path: Path) -> Look | str:
    try:
        return look(read_cell(path))
    except ImageError as error:
        return str(error)
