"""A recipe judged on every patient: K networks, each blind to a fold of the patient groups.

Nothing is chosen on the fold that is judged: all epochs run, and the calibration and the threshold of
a fold come from the other folds (:mod:`leukemia.evaluation.out_of_fold`). The network that is shipped has
learned from all patients with the same recipe; its figures are those of the folds.

Each fold is kept when it is done (``data/crossvalidation/``), each epoch within it by its checkpoint:
a run that was killed goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles import schema, writer
from leukemia.dataset import splits
from leukemia.evaluation import estimates, metrics, novelty, out_of_fold, subgroups
from leukemia.evaluation.estimate import rounded
from leukemia.imaging.cell import center_crop
from leukemia.jobs import signals
from leukemia.networks import boosted_trees, serving_network
from leukemia.networks import head as heads
from leukemia.networks.optimizer import HEAD
from leukemia.registry import publish
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_writer
from leukemia.tracking.records import RunKind
from leukemia.training import batches, trainer
from leukemia.training import run as training
from leukemia.training.checkpoint import Checkpoint, State
from leukemia.training.job_progress import Telling

ALL_CELLS = -1
PROBE = 16
TEXT = ("image_id", "patient_group", "label", "source")
KNOWN = (*TEXT, "cell_area")
DIGITS = 6
# Figures of a fold's run, and what ranks the cells.
RANKED = {
    "test_auroc": "logit",
    "test_auroc_network": "network_logit",
    "test_auroc_trees": "trees_logit",
}

OnEpoch = Callable[[str, int, dict[str, float]], None]


@dataclass(frozen=True)
class Learned:
    """A fold's network, where its training cells lie, and what it says of the cells held out.

    ``found`` has the columns image_id, patient_group, label, logit, distance, cell_area, source, fold,
    and where there are ``trees`` (whose logit is in ``logit``) network_logit and trees_logit.
    """

    dataset: trainer.Dataset
    history: list[dict[str, float]]
    model: keras.Model
    spread: novelty.Spread
    trees: boosted_trees.Trees | None
    found: pd.DataFrame


def crossvalidate(
    plan: trainer.Plan,
    data: Path,
    output: Path | None,
    *,
    views: int = 1,
    progress: batches.Progress | None = None,
    callbacks: list[keras.callbacks.Callback] | None = None,
    on_epoch: OnEpoch | None = None,
) -> bundles.Bundle:
    """Train a network a fold and one on all, judge them out of fold, write the bundle.

    Parameters
    ----------
    plan : fitting.Plan
        Its ``split`` and ``fold`` are set here.
    data : Path
        A prepared folder.
    output : Path or None
        Where the bundle shall lie. None: in MLflow's registry alone.
    views : int, optional
        How many sides of a cell are averaged; one of :data:`serving_network.VIEWS`.
    progress, callbacks, on_epoch : optional
        To show how far it is; ``on_epoch`` is called with the fold's name, the epoch, its figures.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, fewer patients than folds, a full disk.
    """
    plans = [replace(plan, split="fold", fold=number) for number in (*range(plan.folds), ALL_CELLS)]
    dataset = trainer.load_dataset(data, plans[-1], workers=settings.load().workers, progress=progress)
    parameters = training.describe(plans[-1]) | {"folds": plan.folds, "views": views}
    whole_run = Checkpoint(Workspace(data).checkpoints, parameters, dataset.fingerprint)
    begun = whole_run.read()
    told = Telling(plan.recipe.name, plan.recipe.training.epochs, len(plans))
    run = run_writer.start(
        data,
        f"{plan.recipe.name} ({plan.folds} patient folds)",
        parameters,
        {"data_fingerprint": dataset.fingerprint, "git_revision": training.revision()},
        resume=begun.run_id,
        kind=RunKind.CROSSVALIDATE,
    )
    told.run(run.run_id)
    if whole_run.drop_stale():
        training.warn(training.STALE, told)
    begun.run_id = run.run_id
    whole_run.save(begun)
    how = How(data, views, run.run_id, told, tuple(callbacks or ()), progress, on_epoch)
    try:
        *held_out, whole = (learn_fold(one, how) for one in plans)
        judged = out_of_fold.evaluate_out_of_fold(
            pd.concat([fold.found for fold in held_out]), plan.target_recall
        )
        answering = serving_network.answering(
            whole.model, views, judged.calibration, whole.spread, whole.trees
        )
        trainer.round_weights(answering)
        warning = training.CHANGED if trainer.changed(data, dataset) else ""
        if warning:
            training.warn(warning, told, run)
        record = make_record(plan, whole, judged, views, warning)
        crops = whole.dataset.crops
        probe = np.ascontiguousarray(center_crop(crops[:: max(1, len(crops) // PROBE)], plan.recipe.crop))
        place = publish.place(data, output, plan.recipe.name)
        bundle = writer.write(place, answering, record, judged.predictions, probe)
    except BaseException as error:
        run.broke(error)
        raise
    with signals.undisturbed(last=True):
        bundle = publish.finish_run(data, run, bundle, output)
        whole_run.remove()
        told.end(run.version, str(bundle.folder))
    return bundle


@dataclass(frozen=True)
class How:
    """What all folds of one cross-validation share; see :func:`crossvalidate`.

    ``run_id`` is the MLflow run that the folds' runs are parts of.
    """

    data: Path
    views: int
    run_id: str
    told: Telling
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    progress: batches.Progress | None = None
    on_epoch: OnEpoch | None = None


def learn_fold(plan: trainer.Plan, how: How) -> Learned:
    """Train one fold's network, or take the one that is kept."""
    data = how.data
    dataset = trainer.load_dataset(data, plan, workers=settings.load().workers, progress=how.progress)
    name = "all patients" if plan.fold == ALL_CELLS else f"fold {plan.fold + 1}/{plan.folds}"
    decided_by = training.describe(plan) | {"fold": plan.fold, "folds": plan.folds}
    checkpoint = Checkpoint(Workspace(data).checkpoints, decided_by, dataset.fingerprint)
    kept = Checkpoint(Workspace(data).crossvalidation, decided_by, dataset.fingerprint)
    state = kept.read()
    done = bool(state.best)
    if not done:
        state = checkpoint.read()
    run = run_writer.start(
        data,
        f"{plan.recipe.name}, {name}",
        decided_by,
        {},
        state.run_id,
        kind=RunKind.FOLD,
        parent=how.run_id,
    )
    run.catch_up(state.history)
    how.told.begin(name, state.history)
    try:
        if done:
            model = kept.network(state.best, to_train=False)
            if run.run_id != state.run_id:  # learned for another cross-validation
                state.run_id = run.run_id
                kept.save(state)
        else:
            model, state = _learn(plan, dataset, checkpoint, run, name, how)
            kept.write(state, model, is_best=True)
            checkpoint.remove()
        learned = _look(plan, dataset, model, kept.folder, how)
    except BaseException as error:
        run.broke(error)
        raise
    run.close(_figures(learned[-1]))
    return Learned(dataset, state.history, *learned)


def _learn(
    plan: trainer.Plan,
    dataset: trainer.Dataset,
    checkpoint: Checkpoint,
    run: run_writer.RunWriter,
    name: str,
    how: How,
) -> tuple[keras.Model, State]:
    def after_epoch(index: int, found: dict[str, float]) -> None:
        run.epoch(index, found)
        how.told.epoch(found)
        if how.on_epoch:
            how.on_epoch(name, index, found)

    return trainer.learn(
        plan,
        dataset,
        checkpoint,
        run_id=run.run_id,
        cache=Workspace(how.data).cache,
        callbacks=[*how.callbacks, how.told.steps()],
        on_epoch=after_epoch,
    )


def _figures(found: pd.DataFrame) -> dict[str, float]:
    """What a fold says by itself: how well its logits rank the cells held out."""
    if found["label"].nunique() < 2:
        return {}
    truth = found["label"] == "ALL"
    own = {name: column for name, column in RANKED.items() if column in found}
    return {name: float(roc_auc_score(truth, found[column])) for name, column in own.items()}


def _look(
    plan: trainer.Plan, dataset: trainer.Dataset, model: keras.Model, folder: Path, how: How
) -> tuple[keras.Model, novelty.Spread, boosted_trees.Trees | None, pd.DataFrame]:
    """Learn what the recipe learns last; say what the fold makes of the cells held out.

    Features are computed once and kept beside the network.
    """
    if plan.recipe.refit:
        model = heads.lay(model, plan.recipe.reads)
    network = serving_network.looking(model, how.views)
    read = "-".join(plan.recipe.reads)

    def features(name: str, rows: np.ndarray) -> np.ndarray:
        file = folder / f"{name}-{how.views}{read}.npy"
        if not file.is_file():
            _, seen = trainer.look(network, dataset, rows)
            with whole_file(file) as partial, partial.open("wb") as out:
                np.save(out, seen.astype(np.float32))
        return np.load(file)

    learned = heads.rows(dataset.cells, dataset.rows("training"), plan.seed)
    known = features("features", learned)
    if plan.recipe.refit:
        head = heads.refit(known, dataset.cells.iloc[learned], plan.recipe.refit)
        model.get_layer(HEAD).set_weights(head)
    spread = novelty.fit(known)
    held_out = dataset.rows("test")
    seen = features("held-out", held_out)
    kernel, bias = model.get_layer(HEAD).get_weights()
    found = dataset.cells.iloc[held_out][list(KNOWN)].reset_index(drop=True)
    found = found.assign(
        logit=(seen @ kernel + bias)[:, 0].astype(float).round(DIGITS),
        distance=spread.distance(seen).round(DIGITS),
        fold=plan.fold,
    )
    if not plan.recipe.morphology:
        return model, spread, None, found
    trees, measures = boosted_trees.grow(dataset, plan.recipe.crop, plan.seed, Workspace(how.data).cache)
    own, beside = found["logit"], trees.logit(measures[held_out]).round(DIGITS)
    return model, spread, trees, found.assign(logit=own + beside, network_logit=own, trees_logit=beside)


def make_record(
    plan: trainer.Plan, whole: Learned, judged: out_of_fold.OutOfFold, views: int, warning: str = ""
) -> schema.Training:
    """What the bundle says of the training; estimates come from the folds."""
    predictions, threshold = judged.predictions, judged.threshold
    everyone = splits.describe(whole.dataset.cells, whole.dataset.part)["training"]
    return schema.Training(
        recipe=training.recipe_record(plan.recipe),
        split=schema.Split(
            by="patient",
            seed=plan.seed,
            folds=plan.folds,
            training=everyone,
            validation={"cells": {}, "patient_groups": {}, "groups": ()},
            test=everyone,
        ),
        epochs=schema.Epochs(run=len(whole.history), best=len(whole.history)),
        history=tuple(whole.history),
        views=views,
        threshold=schema.Threshold(
            value=threshold,
            target_recall=plan.target_recall,
            chosen_on="the patients of the other folds",
        ),
        calibration=schema.Calibration(**judged.calibration.record(), log_loss_out_of_fold=judged.losses),
        indeterminate=schema.Band(**judged.band.record(), out_of_fold=judged.abstention),
        novelty=judged.novelty,
        data=training.data_record(whole.dataset, warning),
        estimates=rounded(estimates.of(predictions, threshold)),
        patient_estimates=rounded(estimates.of_patients(predictions, threshold)),
        subgroups=rounded(subgroups.estimate(predictions, threshold)),
        confusion=metrics.confusion(predictions, threshold),
        **({"parts": rounded(judged.parts)} if judged.parts else {}),
    )
