"""A plan and its data to a trained network with held-out predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from leukemia.evaluation import metrics
from leukemia.jobs import signals
from leukemia.networks import batchnorm_fusion, serving_network
from leukemia.networks import recipe as recipes
from leukemia.storage.workspace import Workspace
from leukemia.training import model_selection, safeguards, solved_head
from leukemia.training.callbacks import BeginEpoch, NoteThroughput, SaveCheckpoint, StopOnRequest, Validate
from leukemia.training.checkpoint import Checkpoint, State
from leukemia.training.epoch import EpochBatches
from leukemia.training.frozen_features import FrozenFeatures
from leukemia.training.plan import Plan
from leukemia.training.safeguards import Safeguards
from leukemia.training.training_data import TrainingData


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network and its predictions for patients that it did not learn from.

    ``model`` is the one that answers: calibrated, and with the distance from the cells that were learned.
    ``validation`` and ``test`` are of :meth:`training_data.TrainingData.predict`.
    """

    model: keras.Model
    safeguards: Safeguards
    threshold: float
    validation: pd.DataFrame
    test: pd.DataFrame
    state: State


def fit(
    plan: Plan,
    data: Path,
    dataset: TrainingData,
    checkpoint: Checkpoint,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    run_id: str = "",
    part: str = "",
) -> TrainedNetwork:
    """Learn; calibrate and choose the threshold on the validation part alone; predict the held-out cells.

    Parameters are those of :func:`learn`.
    """
    model, state = learn(plan, data, dataset, checkpoint, callbacks, run_id=run_id, part=part)
    found = safeguards.fit(model, dataset, plan.seed)
    model = serving_network.inference_model(model, 1, found.calibration, found.spread)
    serving_network.round_weights(model)
    validation = dataset.predict(model, dataset.rows("validation"), "Predicting validation patients")
    threshold = metrics.choose_threshold(validation, plan.target_recall)
    test = dataset.predict(model, dataset.rows("test"), "Predicting held-out patients")
    return TrainedNetwork(model, found, threshold, validation, test, state)


def learn(
    plan: Plan,
    data: Path,
    dataset: TrainingData,
    checkpoint: Checkpoint,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    run_id: str = "",
    part: str = "",
) -> tuple[keras.Model, State]:
    """Train and keep the best epoch; where there is no validation part, the last.

    The best epoch has the lowest validation loss; among losses that are as good as equal,
    the highest validation recall; see :mod:`leukemia.training.model_selection`.

    Parameters
    ----------
    plan : Plan
    data : Path
        The prepared folder, in whose cache converted weights and the measured throughput are written.
    dataset : TrainingData
    checkpoint : Checkpoint
        Where the training resumes, if it was broken off.
    callbacks : sequence of keras.callbacks.Callback, optional
        Called in their order when an epoch was validated and saved; its logs hold all metrics.
    run_id : str, optional
        The MLflow run, kept with the checkpoint.
    part : str, optional
        Which fold or trial it is; callbacks find it in their ``params``.

    Returns
    -------
    keras.Model
        With batch normalisation fused and its weights rounded; see :func:`serving_network.round_weights`.
    State
        What the training went through.
    """
    training = plan.recipe.training
    state = checkpoint.read()
    state.run_id = run_id
    if not model_selection.is_over(state, training):
        after_epoch = [
            Validate(dataset),
            SaveCheckpoint(checkpoint, state, training),
            *callbacks,
            StopOnRequest(),
        ]
        way = _solve if plan.recipe.solved else _descend
        with signals.undisturbed():
            way(plan, data, dataset, checkpoint, state, after_epoch, part)
    model = batchnorm_fusion.fuse(checkpoint.network(state.best, to_train=False))
    serving_network.round_weights(model)
    return model, state


def _descend(
    plan: Plan,
    data: Path,
    dataset: TrainingData,
    checkpoint: Checkpoint,
    state: State,
    after_epoch: Sequence[keras.callbacks.Callback],
    part: str,
) -> None:
    """Learn all weights that are not frozen step by step, from where the checkpoint is."""
    training, cache, first_epoch = plan.recipe.training, Workspace(data).cache, len(state.history)
    model = checkpoint.network(state.last, to_train=True) if state.last else _compiled(plan, cache)
    batches = EpochBatches(
        dataset.crops,
        dataset.cells,
        dataset.rows("training"),
        plan.recipe.crop,
        training,
        plan.seed,
        first_epoch,
    )
    validated = len(dataset.rows("validation"))
    validate, save, *others = after_epoch
    noted = NoteThroughput(cache, plan.recipe.name, training.cells_per_epoch, validated)
    in_order = [BeginEpoch(batches, plan.seed), validate, save, noted, *others]
    # A list of Keras's own, since that takes more ``params`` than ``fit`` gives.
    called = keras.callbacks.CallbackList(
        in_order, add_history=True, model=model, epochs=training.epochs, steps=len(batches), part=part
    )
    model.fit(
        batches,
        initial_epoch=first_epoch,
        epochs=training.epochs,
        callbacks=called,
        shuffle=False,
        verbose=0,
    )


def _solve(
    plan: Plan,
    data: Path,
    dataset: TrainingData,
    checkpoint: Checkpoint,
    state: State,
    after_epoch: Sequence[keras.callbacks.Callback],
    part: str,
) -> None:
    """Solve the last layer alone; what the checkpoint holds of the network is made anew from the data."""
    training = plan.recipe.training
    features = FrozenFeatures(plan.recipe, data, dataset, plan.seed)
    called = keras.callbacks.CallbackList(
        list(after_epoch), model=features.network, epochs=training.epochs, steps=1, part=part
    )
    features.network.stop_training = False
    called.on_train_begin()
    solved_head.learn(features, dataset, training.penalty, range(len(state.history), training.epochs), called)
    called.on_train_end()


def _compiled(plan: Plan, cache: Path) -> keras.Model:
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
