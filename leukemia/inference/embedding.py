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

from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.bundles import bundle as bundles
from leukemia.dataset.quality import near_duplicates
from leukemia.errors import DatasetError
from leukemia.inference import features
from leukemia.inference.features import Progress
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

VERSION = 1
DIMENSIONS = 50  # of the features' spread that UMAP reads
NEIGHBOURS = 15
COLUMNS = ("path", "image_id", "probability", "umap_x", "umap_y", "pca_x", "pca_y")


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
    return _placed(features.extract(bundle, data, cells, workers=workers, progress=progress), data, progress)


def _placed(found: features.Features, data: Path, progress: Progress | None) -> pd.DataFrame:
    if len(found.cells) < 3:
        raise DatasetError(f"Only {len(found.cells)} images in {data} can be read: too few for a map.")
    if progress:
        progress(0, 0, "Computing the map")
    flat, near = layouts(found.values)
    out = found.cells[["path", "image_id", "probability"]].copy()
    out[["umap_x", "umap_y"]], out[["pca_x", "pca_y"]] = near, flat
    return out[list(COLUMNS)]


def layouts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring features to two dimensions, by PCA and by UMAP; the same features land the same.

    Parameters
    ----------
    values : numpy.ndarray
        float, shape (n, d), n at least 3.

    Returns
    -------
    tuple of numpy.ndarray
        float, shape (n, 2) each. Of very few cells, UMAP's place is PCA's.
    """
    from sklearn.decomposition import PCA

    values = values.astype(np.float64)
    wide = PCA(min(DIMENSIONS, *values.shape), random_state=0).fit_transform(values)
    flat = np.zeros((len(values), 2))
    flat[:, : min(2, wide.shape[1])] = wide[:, :2]
    if len(values) <= 2 * NEIGHBOURS:
        return flat, flat
    import umap

    near = umap.UMAP(n_neighbors=NEIGHBOURS, random_state=0, n_jobs=1).fit_transform(wide)
    return flat, near.astype(float)


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
        found = features.extract_cached(bundle, data, cells, workers=workers, progress=progress)
        places = _placed(found, data, progress)
        with whole_file(_file(bundle, data, cells)) as partial:
            places.to_parquet(partial, index=False)
    return places


def _file(bundle: bundles.Bundle, data: Path, cells: pd.DataFrame) -> Path:
    return Workspace(data).cache / f"map-{VERSION}-{bundle.digest[:16]}-{near_duplicates.key(cells)}.parquet"
