"""A network's answers for many crops, batch by batch."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from leukemia.imaging.cell import center_crop
from leukemia.imaging.perturbation import perturb
from leukemia.jobs import progress, signals

BATCH = 32


def outputs(
    model: keras.Model,
    crops: np.ndarray,
    rows: np.ndarray | None = None,
    perturbation: str = "",
    *,
    what: str = "",
) -> list[np.ndarray]:
    """Run a network on crops.

    A request to end the job is taken between two batches.

    Parameters
    ----------
    model : keras.Model
        From uint8 (n, size, size, 3) to one or more outputs.
    crops : numpy.ndarray
        uint8, shape (m, size or more, size or more, 3): the middle of each is used. May be a memory map.
    rows : numpy.ndarray, optional
        Positions in ``crops``, int, shape (n,); all of them where it is left out.
    perturbation : str, optional
        One of :data:`leukemia.imaging.perturbation.PERTURBATIONS`, done to each crop as wide as it is.
    what : str, optional
        What this is called where the job reports it; without it, nothing is reported.

    Returns
    -------
    list of numpy.ndarray
        One array (n, ...) for each of the network's outputs.
    """
    rows = np.arange(len(crops)) if rows is None else rows
    side = model.input_shape[1]
    return run(model, rows, lambda own: middles(crops, own, side, perturbation), what=what)


def run(
    model: keras.Model, rows: np.ndarray, pictures: Callable[[np.ndarray], np.ndarray], *, what: str = ""
) -> list[np.ndarray]:
    """Run a network on pictures that are made batch by batch, the next ones while it works on these.

    Parameters are those of :func:`outputs`; ``pictures`` makes what the network reads from some of ``rows``.
    """
    chunks = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    if not chunks:
        return [np.empty((0, *output.shape[1:])) for output in model.outputs]
    batches = []
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(pictures, chunks[0])
        for number in range(len(chunks)):
            signals.stop_if_asked()
            if what:
                progress.current().progress(number * BATCH, len(rows), what)
            batch = ahead.result()
            if number + 1 < len(chunks):
                ahead = pool.submit(pictures, chunks[number + 1])
            out = model.predict_on_batch(batch)
            batches.append(out if isinstance(out, list) else [out])
    return [np.concatenate(arrays) for arrays in zip(*batches, strict=True)]


def middles(crops: np.ndarray, rows: np.ndarray, side: int, perturbation: str = "") -> np.ndarray:
    """Return the middles of some crops, uint8 (n, side, side, 3); parameters as of :func:`outputs`."""
    batch = np.asarray(crops[rows])
    if perturbation:
        batch = np.stack([perturb(crop, perturbation) for crop in batch])
    return center_crop(batch, side)
