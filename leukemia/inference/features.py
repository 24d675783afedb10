"""What a network's last layer weighs of each cell of a set, and the cell's measures: read once, and cached.

The map of a set and a cell's neighbours are made of the same features.
"""

import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine
from leukemia.dataset.quality import near_duplicates
from leukemia.errors import BundleError, ImageError
from leukemia.imaging import morphology
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.imaging.morphology import Measures
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

VERSION = 1
BATCH = 32
COLUMNS = ("path", "image_id", "probability", *morphology.NAMES)

Progress = Callable[[int, int, str], None]
Network = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Features:
    """Features of the cells of a set.

    Attributes
    ----------
    cells : pandas.DataFrame
        Columns :data:`COLUMNS`, a row for each image that can be read.
    values : numpy.ndarray
        float32, shape (n, d): the features of each row.
    """

    cells: pd.DataFrame
    values: np.ndarray


def extract(
    bundle: bundles.Bundle,
    data: Path,
    cells: pd.DataFrame,
    *,
    workers: int,
    progress: Progress | None = None,
) -> Features:
    """Read the features of cells.

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

    Raises
    ------
    BundleError
        Where the network has no last layer.
    """
    rows, values, probability, measures = [], [], [], []
    run = network(bundle)
    for done, batch in _batched(_crops(bundle, data, cells, workers)):
        raw, answers = run(np.stack([crop for _, crop, _ in batch]))
        rows += [row for row, _, _ in batch]
        measures += [asdict(one) for _, _, one in batch]
        values.append(features_of(raw, len(batch)))
        probability.append(answers.reshape(len(batch)))
        if progress:
            progress(done, len(cells), "Reading features")
    out = cells.iloc[rows][["path", "image_id"]].reset_index(drop=True)
    out["probability"] = np.concatenate(probability).astype(float).round(6) if rows else []
    out[list(morphology.NAMES)] = pd.DataFrame(measures, columns=list(morphology.NAMES))
    whole = np.concatenate(values).astype(np.float32) if rows else np.zeros((0, 0), np.float32)
    return Features(out, whole)


def cached(bundle: bundles.Bundle, data: Path, cells: pd.DataFrame) -> Features | None:
    """What was read of these very images with this very model, or None."""
    try:
        with np.load(_file(bundle, data, cells), allow_pickle=False) as stored:
            table = pd.DataFrame({name: stored[name] for name in COLUMNS})
            values = stored["values"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    return Features(table, values) if len(table) == len(values) else None


def extract_cached(
    bundle: bundles.Bundle,
    data: Path,
    cells: pd.DataFrame,
    *,
    workers: int,
    progress: Progress | None = None,
) -> Features:
    """Read features, or take them from the cache; see :func:`extract`."""
    found = cached(bundle, data, cells)
    if found is None:
        found = extract(bundle, data, cells, workers=workers, progress=progress)
        with whole_file(_file(bundle, data, cells)) as partial:
            table = {name: found.cells[name].to_numpy() for name in COLUMNS}
            texts = {name: table[name].astype(str) for name in ("path", "image_id")}
            np.savez(partial, values=found.values, **table | texts)
    return found


def exists(bundle: bundles.Bundle, data: Path, cells: pd.DataFrame) -> bool:
    """Whether the features of these images were cached; quick."""
    return _file(bundle, data, cells).is_file()


def _file(bundle: bundles.Bundle, data: Path, cells: pd.DataFrame) -> Path:
    name = f"features-of-{bundle.digest[:16]}-{near_duplicates.key(cells)}-{VERSION}.npz"
    return Workspace(data).cache / name


def network(bundle: bundles.Bundle) -> Network:
    """The engine, cut open before its last layer; raises BundleError where it has none.

    Returns
    -------
    callable
        From uint8 crops (n, size, size, 3) to features, as :func:`features_of` takes them, and
        probabilities (n, 1).
    """
    import openvino

    try:
        model = openvino.Core().read_model(bundle.folder / bundles.ENGINE)
        products = [node for node in model.get_ordered_ops() if node.get_type_name() == "MatMul"]
        # The last layer has one outcome; a distance beside it comes from many.
        layers = [node for node in products if node.get_output_partial_shape(0)[-1] == 1]
        if not layers:
            raise BundleError(f"The network in {bundle.folder} has no last layer to read features from.")
        model.add_outputs(layers[-1].input_value(0))
        compiled = engine.compiled(model)
    except RuntimeError as error:
        raise BundleError(f"The network in {bundle.folder} cannot be loaded.") from error

    engine.prepare_arrays()

    def run(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = compiled(crops)
        return out[len(out) - 1], out[0]

    return run


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


def _crops(
    bundle: bundles.Bundle, data: Path, cells: pd.DataFrame, workers: int
) -> Iterator[tuple[int, tuple[np.ndarray, Measures] | None]]:
    """Row, crop and measures of each image in turn; None for what cannot be read."""

    def crop(path: str) -> tuple[np.ndarray, Measures] | None:
        try:
            cell = read_cell(Path(data) / path)
        except ImageError:
            return None
        out = crop_cell(cell, bundle.input_size)
        return out, morphology.measure(out, cell.area, bundle.pixel_size)

    with ThreadPoolExecutor(workers) as pool:
        paths = cells["path"].tolist()
        # Few at a time: crops of a whole set would not fit the memory.
        for start in range(0, len(paths), 8 * BATCH):
            yield from enumerate(pool.map(crop, paths[start : start + 8 * BATCH]), start)


def _batched(
    crops: Iterator[tuple[int, tuple[np.ndarray, Measures] | None]],
) -> Iterator[tuple[int, list[tuple[int, np.ndarray, Measures]]]]:
    """Images done so far, and the readable ones among the last ones: BATCH of them or the rest."""
    batch = []
    done = 0
    for done, (row, crop) in enumerate(crops, 1):
        if crop is not None:
            batch.append((row, *crop))
        if len(batch) == BATCH:
            yield done, batch
            batch = []
    if batch:
        yield done, batch
