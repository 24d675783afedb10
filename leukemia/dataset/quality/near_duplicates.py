"""A scan of every image: near-identical pairs, cells that touch the frame, files that fail.

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
from dataclasses import asdict, dataclass
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from leukemia.errors import DatasetError, ImageError
from leukemia.imaging.cell import BACKGROUND, Cell, crop_cell, read_cell
from leukemia.jobs import threads
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
class ImageHash:
    """What near-identical images have in common.

    Attributes
    ----------
    bits : numpy.ndarray
        Perceptual hash, bool, shape (256,).
    grey : numpy.ndarray
        Small grey picture of the cell, uint8, shape (48, 48).
    edge : int
        Pixels of the cell on the frame's edge.
    """

    bits: np.ndarray
    grey: np.ndarray
    edge: int


@dataclass(frozen=True)
class Scan:
    """The result of a scan; images are named by their path in the data folder.

    Attributes
    ----------
    images : int
        How many were scanned.
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
    def path_pairs(self) -> list[tuple[str, str]]:
        """The near-identical pairs alone: path, path."""
        return [(one, other) for one, other, *_ in self.pairs]


def scan(
    locate: Callable[[str], Path],
    cells: pd.DataFrame,
    *,
    workers: int,
    known: Mapping[str, ImageHash] | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Hash every image of a set and compare all with all.

    Parameters
    ----------
    locate : callable
        From a path in the manifest to where the image lies now.
    cells : pandas.DataFrame
        Manifest rows: path and image_id.
    workers : int
        Threads that decode.
    known : mapping of str to ImageHash, optional
        Path to the hash of images that need not be decoded again.
    progress : callable, optional
        Called with (done, total, what is being done).
    """
    hashes: dict[str, ImageHash] = {}
    unreadable: dict[str, str] = {}
    with threads.pool(workers) as pool:
        known = known or {}
        results = pool.map(lambda path: known.get(path) or _try(locate(path)), cells["path"])
        for done, (path, result) in enumerate(zip(cells["path"], results, strict=True), 1):
            if isinstance(result, ImageHash):
                hashes[path] = result
            else:
                unreadable[path] = result
            if progress:
                progress(done, len(cells), "Reading images")
    paths = list(hashes)
    image_id = dict(zip(cells["path"], cells["image_id"], strict=True))
    pairs = [
        (paths[a], paths[b], bits, likeness)
        for a, b, bits, likeness in near_pairs(list(hashes.values()), progress)
        if image_id[paths[a]] != image_id[paths[b]]
    ]
    edges = {path: own.edge for path, own in hashes.items() if own.edge >= LEAST_EDGE}
    return Scan(len(cells), pairs, edges, unreadable)


def hash_cell(cell: Cell) -> ImageHash:
    """Hash one measured cell."""
    picture = Image.fromarray(crop_cell(cell, CROP)).convert("L")
    pixels = cell.pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    return ImageHash(
        bits=imagehash.phash(picture, HASH_SIDE).hash.ravel(),
        grey=np.asarray(picture.resize((SMALL, SMALL), Image.Resampling.BOX)),
        edge=int((border.max(axis=1) > BACKGROUND).sum()),
    )


def near_pairs(
    hashes: list[ImageHash], progress: Progress | None = None
) -> list[tuple[int, int, int, float]]:
    """Find near-identical pairs among all.

    Returns
    -------
    list of tuple
        Positions of both, bits that differ, correlation; the most alike first. All pairs are
        compared, as products of matrices: some seconds for ten thousand images.
    """
    if not hashes:
        return []
    signs = np.stack([one.bits for one in hashes]).astype(np.float32) * 2 - 1
    grey = np.stack([one.grey.ravel() for one in hashes]).astype(np.float32)
    grey -= grey.mean(axis=1, keepdims=True)
    grey /= np.maximum(np.linalg.norm(grey, axis=1, keepdims=True), 1e-6)
    out = []
    for start in range(0, len(hashes), BLOCK):
        stop = min(start + BLOCK, len(hashes))
        # Of signs, the product counts agreeing bits less differing ones.
        differ = (signs.shape[1] - signs[start:stop] @ signs[start:].T) / 2
        a, b = np.nonzero(np.triu(differ <= MOST_BITS, k=1))
        likeness = np.einsum("ij,ij->i", grey[start + a], grey[start + b])
        for i in np.flatnonzero(likeness >= LEAST_LIKENESS):
            pair = (int(start + a[i]), int(start + b[i]))
            out.append((*pair, round(float(differ[a[i], b[i]])), round(float(likeness[i]), 4)))
        if progress:
            progress(stop, len(hashes), "Comparing images")
    return sorted(out, key=lambda pair: (-pair[3], pair[2]))


def key(cells: pd.DataFrame) -> str:
    """Fingerprint of the images alone: a scan holds as long as it is the same."""
    lines = sorted(cells["image_id"] + "," + cells["path"])
    return hashlib.sha256("\n".join([str(VERSION), *lines]).encode()).hexdigest()[:16]


def cached(data: Path, cells: pd.DataFrame) -> Scan | None:
    """An earlier scan of these very images, or None."""
    try:
        record = json.loads(_file(data, cells).read_text(encoding="utf-8"))
        return Scan(**record | {"pairs": [tuple(pair) for pair in record["pairs"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def cached_or_scan(
    data: Path, cells: pd.DataFrame, *, workers: int, progress: Progress | None = None
) -> Scan:
    """Scan a set unless that was done before; cache the result.

    Raises
    ------
    DatasetError
        Where not one image can be read.
    """
    if earlier := cached(data, cells):
        return earlier
    result = scan(Path(data).joinpath, cells, workers=workers, progress=progress)
    if len(result.unreadable) == result.images:
        raise DatasetError(f"None of the {result.images:,} images in {data} can be read.")
    write_cache(data, cells, result)
    return result


def write_cache(data: Path, cells: pd.DataFrame, result: Scan) -> None:
    """Store a scan for :func:`cached`."""
    write_text(_file(data, cells), json.dumps(asdict(result)))


def _file(data: Path, cells: pd.DataFrame) -> Path:
    return Workspace(data).cache / f"similar-{key(cells)}.json"


def _try(path: Path) -> ImageHash | str:
    try:
        return hash_cell(read_cell(path))
    except ImageError as error:
        return str(error)
