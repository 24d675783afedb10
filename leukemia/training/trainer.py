"""A recipe and a split to a trained network with held-out predictions."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from leukemia.dataset import label_log, manifest, splits, training_set
from leukemia.errors import LeukemiaError
from leukemia.evaluation import metrics
from leukemia.evaluation.calibration import Calibration
from leukemia.imaging.cell import center_crop
from leukemia.jobs import signals
from leukemia.networks import batchnorm_fusion, boosted_trees, serving_network
from leukemia.networks import head as heads
from leukemia.networks import recipe as recipes
from leukemia.networks.optimizer import HEAD
from leukemia.networks.recipe import Recipe
from leukemia.recipes import throughput
from leukemia.training import batches, job_progress, model_selection, stop_callback
from leukemia.training.checkpoint import Checkpoint, State

PREDICT_BATCH = 32
# In place of a part of the split: cells whose label a reviewer doubts.
LEFT_OUT = "doubted"


@dataclass(frozen=True)
class Plan:
    """All that decides a training's result.

    Attributes
    ----------
    recipe : Recipe
    split : str
        One of :data:`splits.SPLITS`; or ``"fold"``: there is no validation part, and all epochs run.
    seed : int
    target_recall : float
        For the threshold.
    fold : int
        Of the split by folds: the one that is held out; -1 to learn from all.
    folds : int
        How many there are.
    """

    recipe: Recipe
    split: str = "patient"
    seed: int = 0
    target_recall: float = 0.95
    fold: int = -1
    folds: int = 5


@dataclass(frozen=True)
class Dataset:
    """Labelled cells with their part of the split and their crops, row by row."""

    cells: pd.DataFrame
    part: pd.Series
    crops: np.ndarray
    fingerprint: str

    def rows(self, part: str) -> np.ndarray:
        """Positions of the rows in a part, int, shape (n,)."""
        return np.flatnonzero(self.part.to_numpy() == part)


@dataclass(frozen=True)
class Fitted:
    """A trained network and what it says of patients that it did not learn from.

    ``validation`` and ``test`` have the columns image_id, patient_group, label, probability.
    """

    model: keras.Model
    threshold: float
    validation: pd.DataFrame
    test: pd.DataFrame
    state: State


def load_dataset(
    data: Path, plan: Plan, *, workers: int, progress: batches.Progress | None = None
) -> Dataset:
    """Read the labelled cells of a prepared folder, split them, crop them.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, lacks a class, or has fewer patients than the split needs.
    """
    cells = manifest.read(data)
    cells = cells[cells["label"] != ""].sort_values(["image_id", "path"]).reset_index(drop=True)
    # Dealt by the labels that the set came with: a correction moves no patient to another side.
    if plan.split == "fold":
        part = splits.hold_out(splits.folds(cells, plan.folds, plan.seed), plan.fold)
    else:
        part = splits.SPLITS[plan.split](cells, plan.seed)
    cells = label_log.apply(data, cells)
    if cells["doubted"].any():
        logging.warning("%d cells whose label is doubted are left out.", cells["doubted"].sum())
        part = part.mask(cells["doubted"], LEFT_OUT)
    size = plan.recipe.crop + batches.MARGIN
    crops = batches.load_crops(data, cells, size, workers=workers, progress=progress)
    # Doubted cells keep their rows, in no part, so that the kept crops serve on.
    return Dataset(cells, part, crops, manifest.fingerprint(cells[part != LEFT_OUT]))


def changed(data: Path, dataset: Dataset) -> bool:
    """Whether the labelled cells of the folder are others than those that were read from it."""
    try:
        return training_set.fingerprint(data) != dataset.fingerprint
    except (LeukemiaError, OSError):
        return True


def fit(plan: Plan, dataset: Dataset, checkpoint: Checkpoint, **options: Any) -> Fitted:
    """Learn, choose the threshold on the validation part alone, predict the held-out cells.

    Parameters and options are those of :func:`learn`.
    """
    model, state = learn(plan, dataset, checkpoint, **options)
    if plan.recipe.refit:
        model = heads.lay(model, plan.recipe.reads)
        rows = heads.rows(dataset.cells, dataset.rows("training"), plan.seed)
        _, features = look(serving_network.looking(model, views=1), dataset, rows)
        head = heads.refit(features, dataset.cells.iloc[rows], plan.recipe.refit)
        model.get_layer(HEAD).set_weights(head)
        round_weights(model)
    if plan.recipe.morphology:
        trees, _ = boosted_trees.grow(dataset, plan.recipe.crop, plan.seed, options.get("cache"))
        model = serving_network.answering(model, 1, Calibration(), trees=trees)
    validation = predict(model, dataset, dataset.rows("validation"))
    threshold = metrics.choose_threshold(validation, plan.target_recall)
    test = predict(model, dataset, dataset.rows("test"))
    return Fitted(model, threshold, validation, test, state)


def learn(
    plan: Plan,
    dataset: Dataset,
    checkpoint: Checkpoint,
    *,
    run_id: str = "",
    cache: Path | None = None,
    callbacks: list[keras.callbacks.Callback] | None = None,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
) -> tuple[keras.Model, State]:
    """Train and keep the best epoch; where nothing is there to validate on, the last.

    The best epoch has the lowest validation loss; among losses that are as good as equal,
    the highest validation recall; see :mod:`leukemia.training.model_selection`.

    Parameters
    ----------
    plan : Plan
    dataset : Dataset
    checkpoint : Checkpoint
        Where the training goes on, if it was broken off.
    run_id : str, optional
        The MLflow run, kept with the checkpoint.
    cache : Path, optional
        Folder for converted weights that a recipe starts from.
    callbacks : list, optional
        Keras callbacks for progress within an epoch.
    on_epoch : callable, optional
        Called after each finished epoch with its index and figures.

    Returns
    -------
    keras.Model
        With its weights rounded; see :func:`round_weights`.
    State
        What the training went through.
    """
    training = plan.recipe.training
    state = checkpoint.read()
    state.run_id = run_id
    model = checkpoint.network(state.last, to_train=True) if state.last else _compiled(plan, cache)
    while not model_selection.is_over(state, training):
        found = _one_epoch(plan, dataset, model, len(state.history), callbacks, cache)
        state.history.append(found)
        is_best = model_selection.is_better(state.history, state.best_epoch)
        if is_best:
            state.best_epoch = len(state.history) - 1
        with signals.undisturbed():
            checkpoint.write(state, model, is_best=is_best)
            if on_epoch:
                on_epoch(len(state.history) - 1, found)
    model = batchnorm_fusion.fold(checkpoint.network(state.best, to_train=False))
    round_weights(model)
    return model, state


def round_weights(model: keras.Model) -> None:
    """Round weights to half floats, in place, before anything is measured on the network.

    The engine's file keeps half floats; rounded first, both hold the same numbers and agree.
    """
    for variable in model.weights:
        full = variable.numpy()
        if not np.issubdtype(full.dtype, np.floating):
            continue
        # Beyond a half float's range a number is left as it is.
        fits = np.abs(full) < np.finfo(np.float16).max
        variable.assign(np.where(fits, np.where(fits, full, 0).astype(np.float16), full))


def predict(model: keras.Model, dataset: Dataset, rows: np.ndarray) -> pd.DataFrame:
    """Probabilities of ALL for rows of a data set.

    Returns
    -------
    pandas.DataFrame
        Columns image_id, patient_group, label, probability (rounded to 6 digits); a row a cell.
    """
    (probability,) = look(model, dataset, rows)
    out = dataset.cells.iloc[rows][["image_id", "patient_group", "label"]].reset_index(drop=True)
    return out.assign(probability=probability[:, 0].astype(float).round(6))


def look(model: keras.Model, dataset: Dataset, rows: np.ndarray) -> list[np.ndarray]:
    """All that a network says of rows of a data set: an array (n, ...) for each of its outcomes."""
    size = model.input_shape[1]
    found = []
    for start in range(0, len(rows), PREDICT_BATCH):
        crops = center_crop(np.asarray(dataset.crops[rows[start : start + PREDICT_BATCH]]), size)
        out = model.predict_on_batch(crops)
        found.append(out if isinstance(out, list) else [out])
    if not found:
        return [np.empty((0, *outcome.shape[1:])) for outcome in model.outputs]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _compiled(plan: Plan, cache: Path | None) -> keras.Model:
    keras.utils.set_random_seed(plan.seed)
    model = plan.recipe.start(cache)
    model.compile(
        recipes.optimizer(plan.recipe.training),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=plan.recipe.training.smoothing),
        metrics=[
            keras.metrics.Recall(name="recall"),
            keras.metrics.TrueNegatives(name="true_negatives"),
            keras.metrics.FalsePositives(name="false_positives"),
        ],
    )
    return model


def _one_epoch(
    plan: Plan,
    dataset: Dataset,
    model: keras.Model,
    epoch: int,
    callbacks: list[keras.callbacks.Callback] | None,
    cache: Path | None,
) -> dict[str, float]:
    training = plan.recipe.training
    _seed_dropout(model, plan.seed, epoch)
    drawn = batches.Epoch(
        dataset.crops, dataset.cells, dataset.rows("training"), plan.recipe.crop, training, plan.seed, epoch
    )
    began = time.monotonic()
    # A request to end is heeded between two batches: within one, it would break into TensorFlow.
    with signals.undisturbed():
        told = [*(callbacks or ()), stop_callback.StopAtBatchEnd()]
        log = model.fit(drawn, verbose=0, callbacks=told, shuffle=False).history
    learned = time.monotonic()
    found = job_progress.with_specificity({name: float(values[-1]) for name, values in log.items()})
    rows = dataset.rows("validation")
    if len(rows):
        found |= model_selection.validate(predict(model, dataset, rows))
    if cache:
        looked = (time.monotonic() - learned) / len(rows) if len(rows) else None
        throughput.record(cache, plan.recipe.name, (learned - began) / training.cells_per_epoch, looked)
    return found


def _seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    # Keras does not save the state of its random layers; set anew each epoch, a resumed training
    # drops the units that an unbroken one drops.
    states = [variable for variable in model.variables if variable.name == "seed_generator_state"]
    for number, state in enumerate(states):
        state.assign([seed + 1_000 * epoch, number])
