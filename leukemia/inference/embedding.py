"""Cells placed by what the model sees in them: its penultimate features, brought to two dimensions.

The features are what the network's last layer weighs, read from the engine that answers in the
clinic. Two pictures of them are made: the plane of the largest spread (PCA), whose axes are straight
and whose distances can be read, and UMAP [1]_, which keeps neighbours together and whose distances
between groups mean little.

References
----------
.. [1] McInnes L, Healy J, Melville J. UMAP: uniform manifold approximation and projection for
       dimension reduction. arXiv:1802.03426, 2018.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.bundles import bundle as bundles
from leukemia.dataset.quality import near_duplicates
from leukemia.errors import BundleError, DatasetError, ImageError
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

VERSION = 1
BATCH = 32
DIMENSIONS = 50  # of the features' spread that UMAP reads
NEIGHBOURS = 15
COLUMNS = ("path", "image_id", "probability", "umap_x", "umap_y", "pca_x", "pca_y")

Progress = Callable[[int, int, str], None]


def place(
    bundle: bundles.Bundle,
    data: Path,
    cells: pd.DataFrame,
    *,
    workers: int,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Place cells by a model's features.

    Parameters
    ----------
    bundle : Bundle
        The model.
    data : Path
        The prepared folder.
    cells : pandas.DataFrame
        Manifest rows: path and image_id.
    workers : int
        Threads that decode.
    progress : callable, optional
        Called with (done, total, what is being done).

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`, a row for each image that can be read; coordinates have no unit.

    Raises
    ------
    BundleError
        Where the network has no last layer.
    DatasetError
        Where fewer than three images can be read.
    """
    crops = _crops(data, cells, bundle.input_size, workers)
    rows, features, probability = [], [], []
    network = _features_and_answer(bundle)
    for done, batch in _batched(crops):
        raw, answers = network(np.stack([crop for _, crop in batch]))
        rows += [row for row, _ in batch]
        features.append(features_of(raw, len(batch)))
        probability.append(answers.reshape(len(batch)))
        if progress:
            progress(done, len(cells), "Reading features")
    if len(rows) < 3:
        raise DatasetError(f"Only {len(rows)} images in {data} can be read: too few for a map.")
    if progress:
        progress(0, 0, "Computing the map")
    flat, near = layouts(np.concatenate(features))
    out = cells.iloc[rows][["path", "image_id"]].reset_index(drop=True)
    out["probability"] = np.concatenate(probability).astype(float).round(6)
    out[["umap_x", "umap_y"]], out[["pca_x", "pca_y"]] = near, flat
    return out[list(COLUMNS)]


def layouts(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring features to two dimensions, by PCA and by UMAP; the same features land the same.

    Parameters
    ----------
    features : numpy.ndarray
        float, shape (n, d), n at least 3.

    Returns
    -------
    tuple of numpy.ndarray
        float, shape (n, 2) each. Of very few cells, UMAP's place is PCA's.
    """
    from sklearn.decomposition import PCA

    features = features.astype(np.float64)
    wide = PCA(min(DIMENSIONS, *features.shape), random_state=0).fit_transform(features)
    flat = np.zeros((len(features), 2))
    flat[:, : min(2, wide.shape[1])] = wide[:, :2]
    if len(features) <= 2 * NEIGHBOURS:
        return flat, flat
    import umap

    near = umap.UMAP(n_neighbors=NEIGHBOURS, random_state=0, n_jobs=1).fit_transform(wide)
    return flat, near.astype(float)


def features_of(raw: np.ndarray, cells: int) -> np.ndarray:
    """One row a cell: the mean over the sides from which a network may see each.

    Parameters
    ----------
    raw : numpy.ndarray
        float, shape (sides * cells, d), side by side as
        :class:`leukemia.networks.serving_network.Sides` has them.
    cells : int
        How many there are.

    Returns
    -------
    numpy.ndarray
        float, shape (cells, d).
    """
    return raw.reshape(-1, cells, raw.shape[-1]).mean(axis=0)


def cached(bundle: bundles.Bundle, data: Path, cells: pd.DataFrame) -> pd.DataFrame | None:
    """Where this very model places these very images, if that was computed; columns :data:`COLUMNS`."""
    try:
        places = pd.read_parquet(_file(bundle, data, cells))
    except (OSError, ValueError):
        return None
    return places if tuple(places.columns) == COLUMNS else None


def place_cached(
    bundle: bundles.Bundle,
    data: Path,
    cells: pd.DataFrame,
    *,
    workers: int,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Place cells, or take their places from the cache; see :func:`place`."""
    places = cached(bundle, data, cells)
    if places is None:
        places = place(bundle, data, cells, workers=workers, progress=progress)
        with whole_file(_file(bundle, data, cells)) as partial:
            places.to_parquet(partial, index=False)
    return places


def _file(bundle: bundles.Bundle, data: Path, cells: pd.DataFrame) -> Path:
    return Workspace(data).cache / f"map-{VERSION}-{bundle.digest[:16]}-{near_duplicates.key(cells)}.parquet"


def _features_and_answer(bundle: bundles.Bundle) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The engine, cut open before its last layer: crops to features and probabilities."""
    import openvino

    core = openvino.Core()
    try:
        model = core.read_model(bundle.folder / bundles.ENGINE)
        products = [node for node in model.get_ordered_ops() if node.get_type_name() == "MatMul"]
        # The last layer has one outcome; a distance beside it comes from many.
        layers = [node for node in products if node.get_output_partial_shape(0)[-1] == 1]
        if not layers:
            raise BundleError(f"The network in {bundle.folder} has no last layer to read features from.")
        model.add_outputs(layers[-1].input_value(0))
        network = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        raise BundleError(f"The network in {bundle.folder} cannot be loaded.") from error

    def run(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = network(crops)
        return out[len(out) - 1], out[0]

    return run


def _crops(
    data: Path, cells: pd.DataFrame, size: int, workers: int
) -> Iterator[tuple[int, np.ndarray | None]]:
    """Row and crop of each image in turn; None for what cannot be read."""

    def crop(path: str) -> np.ndarray | None:
        try:
            return crop_cell(read_cell(Path(data) / path), size)
        except ImageError:
            return None

    with ThreadPoolExecutor(workers) as pool:
        paths = cells["path"].tolist()
        # Few at a time: crops of a whole set would not fit the memory.
        for start in range(0, len(paths), 8 * BATCH):
            yield from enumerate(pool.map(crop, paths[start : start + 8 * BATCH]), start)


def _batched(
    crops: Iterator[tuple[int, np.ndarray | None]],
) -> Iterator[tuple[int, list[tuple[int, np.ndarray]]]]:
    """Images done so far, and the readable ones among the last ones: BATCH of them or the rest."""
    batch = []
    done = 0
    for done, (row, crop) in enumerate(crops, 1):
        if crop is not None:
            batch.append((row, crop))
        if len(batch) == BATCH:
            yield done, batch
            batch = []
    if batch:
        yield done, batch
