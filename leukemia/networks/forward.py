"""A network's answers for many crops, batch by batch."""

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
    batches = []
    for start in range(0, len(rows), BATCH):
        signals.stop_if_asked()
        if what:
            progress.current().progress(start, len(rows), what)
        batch = np.asarray(crops[rows[start : start + BATCH]])
        if perturbation:
            batch = np.stack([perturb(crop, perturbation) for crop in batch])
        out = model.predict_on_batch(center_crop(batch, model.input_shape[1]))
        batches.append(out if isinstance(out, list) else [out])
    if not batches:
        return [np.empty((0, *output.shape[1:])) for output in model.outputs]
    return [np.concatenate(arrays) for arrays in zip(*batches, strict=True)]
