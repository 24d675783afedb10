"""What a training learns from and is tested on: labelled cells, their part of the split, their crops."""

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from numpy.lib.format import write_array_header_1_0

from leukemia import settings
from leukemia.cases import labels
from leukemia.dataset import label_log, manifest, review_labels, splits, training_set
from leukemia.errors import DatasetError, ImageError, LeukemiaError
from leukemia.imaging.cell import Cell, crop_cell, read_cell
from leukemia.jobs import progress as jobs
from leukemia.jobs import threads
from leukemia.networks.forward import outputs
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace
from leukemia.training.plan import Plan

# Crops are kept this much wider than the network's input, so that a turned crop has its corners:
# the largest cells of C-NMC measure about 320 pixels.
MARGIN = 64
# In place of a part of the split: cells whose label a reviewer doubts.
LEFT_OUT = "doubted"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class TrainingData:
    """Labelled cells with their part of the split and their crops, row by row.

    Attributes
    ----------
    cells : pandas.DataFrame
        Manifest rows, with the labels that count now.
    part : pandas.Series
        ``"training"``, ``"validation"``, ``"test"``, :data:`splits.TIED` or :data:`LEFT_OUT`.
    crops : numpy.ndarray
        uint8 RGB, shape (n, size, size, 3).
    fingerprint : str
        Of the cells that are in a part.
    """

    cells: pd.DataFrame
    part: pd.Series
    crops: np.ndarray
    fingerprint: str

    def rows(self, part: str) -> np.ndarray:
        """Positions of the rows in a part, int, shape (n,)."""
        return np.flatnonzero(self.part.to_numpy() == part)

    def predict(self, model: keras.Model, rows: np.ndarray, what: str) -> pd.DataFrame:
        """Predict the probability of ALL for some rows; ``what`` is how the job calls that.

        Returns
        -------
        pandas.DataFrame
            Columns image_id, patient_group, label, source, cell_area, probability, and distance where the
            network measures one (rounded to 6 digits); a row a cell.
        """
        probability, *distance = outputs(model, self.crops, rows, what=what)
        columns = ["image_id", "patient_group", "label", "source", "cell_area"]
        out = self.cells.iloc[rows][columns].reset_index(drop=True)
        measured = {"distance": distance[0][:, 0].astype(float).round(6)} if distance else {}
        return out.assign(probability=probability[:, 0].astype(float).round(6), **measured)


def load(data: Path, plan: Plan, progress: Progress | None = None) -> TrainingData:
    """Read the labelled cells of a prepared folder, split them, crop them.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, lacks a class, or has fewer patients than the split needs.
    """
    jobs.current().step("Reading the set")
    labels.publish(data)
    cells = review_labels.labelled(data).sort_values(["image_id", "path"]).reset_index(drop=True)
    # Split by the labels that the set came with: a correction moves no patient to another side.
    if plan.split == "fold":
        part = splits.hold_out(splits.folds(cells, plan.folds, plan.seed), plan.fold)
    elif plan.split == "source":
        part = splits.hold_out_sources(cells, plan.sources)
    else:
        part = splits.SPLITS[plan.split](cells, plan.seed)
    cells = label_log.apply(data, cells)
    if cells["doubted"].any():
        logging.warning("%d cells with a doubted label are left out.", cells["doubted"].sum())
        part = part.mask(cells["doubted"], LEFT_OUT)
    size = plan.recipe.crop + MARGIN
    crops = load_crops(data, cells, size, workers=settings.load().workers, progress=progress)
    # Doubted cells keep their rows, in no part, so that the crops on disk serve on.
    return TrainingData(cells, part, crops, manifest.fingerprint(cells[part != LEFT_OUT]))


def changed(data: Path, dataset: TrainingData) -> bool:
    """Whether the labelled cells of the folder are others than those that were read from it."""
    try:
        return training_set.fingerprint(data) != dataset.fingerprint
    except (LeukemiaError, OSError):
        return True


def load_crops(
    data: Path, cells: pd.DataFrame, size: int, *, workers: int, progress: Progress | None = None
) -> np.ndarray:
    """Crop every cell once and keep the crops on disk, so that epochs and runs share them.

    Parameters
    ----------
    data : Path
        The prepared data folder; crops go to ``cache/`` in it.
    cells : pandas.DataFrame
        Manifest rows; columns image_id and path.
    size : int
        Side of the square in frame pixels.
    workers : int
        Threads that decode.
    progress : callable, optional
        Called with (done, total, "Cropping cells").

    Returns
    -------
    numpy.ndarray
        Read-only memory map, uint8 RGB, shape (len(cells), size, size, 3), in the rows' order.

    Raises
    ------
    DatasetError
        Where a prepared image is missing, damaged or not the one that the manifest names.
    """
    key = hashlib.sha256("".join(cells["image_id"]).encode()).hexdigest()[:16]
    target = Workspace(data).cache / f"crops-{size}-{key}.npy"
    if not target.is_file():
        with whole_file(target) as partial:
            _write_crops(partial, data, cells, size, workers, progress)
    return np.load(target, mmap_mode="r")


def _write_crops(
    file: Path, data: Path, cells: pd.DataFrame, size: int, workers: int, progress: Progress | None
) -> None:
    """Write crops as an array of NumPy. Not through a memory map: on a full disk that ends the process."""
    lock = threading.Lock()
    with file.open("wb") as out, threads.pool(workers) as pool:
        shape = (len(cells), size, size, 3)
        write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
        start = out.tell()

        def write(position: int) -> None:
            crop = _crop(data, cells.iloc[position], size)
            with lock:
                out.seek(start + position * crop.nbytes)
                out.write(crop.data)

        for done, _ in enumerate(pool.map(write, range(len(cells))), 1):
            if progress:
                progress(done, len(cells), "Cropping cells")


def _crop(data: Path, row: pd.Series, size: int) -> np.ndarray:
    try:
        cell = read_cell(data / row["path"])
    except ImageError as error:
        raise DatasetError(f"{row['path']}: {error} Run prepare again.") from error
    if not _is_the_same(data / row["path"], row, cell):
        raise DatasetError(f"{row['path']} is not the image that was prepared. Run prepare again.")
    return crop_cell(cell, size)


def _is_the_same(path: Path, row: pd.Series, cell: Cell) -> bool:
    """Whether a picture is that of its row: a reviewed cell's is not the whole frame, but its middle."""
    if row["source"] == review_labels.SOURCE:
        return hashlib.sha256(path.read_bytes()).hexdigest() == row["file_sha256"]
    return cell.image_id == row["image_id"]
