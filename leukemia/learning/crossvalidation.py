"""A recipe judged on every patient: K networks, each blind to a fold of the patient groups.

Nothing is chosen on the fold that is judged: all epochs run, and the calibration and the threshold of
a fold come from the other folds (:mod:`leukemia.learning.judging`). The network that is shipped has
learned from all patients with the same recipe; its figures are those of the folds.

Each fold is kept when it is done (``data/crossvalidation/``), each epoch within it by its checkpoint:
a run that was killed goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from leukemia import bundle as bundles
from leukemia import settings
from leukemia.data import splits
from leukemia.files import whole_file
from leukemia.learning import (
    batches,
    fitting,
    heads,
    judging,
    metrics,
    novelty,
    packing,
    runs,
    serving,
    subgroups,
    training,
)
from leukemia.learning.checkpoints import Checkpoint
from leukemia.learning.rates import HEAD

ALL_CELLS = -1
PROBE = 16
TEXT = ("image_id", "patient_group", "label", "source")
KNOWN = (*TEXT, "cell_area")
DIGITS = 6

OnEpoch = Callable[[str, int, dict[str, float]], None]


@dataclass(frozen=True)
class Learned:
    """A fold's network, where its training cells lie, and what it says of the cells held out.

    ``found`` has the columns image_id, patient_group, label, logit, distance, cell_area, source, fold.
    """

    dataset: fitting.Dataset
    model: keras.Model
    history: list[dict[str, float]]
    spread: novelty.Spread
    found: pd.DataFrame


def crossvalidate(
    plan: fitting.Plan,
    data: Path,
    output: Path,
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
    output : Path
        Where the bundle shall lie.
    views : int, optional
        How many sides of a cell are averaged; one of :data:`serving.VIEWS`.
    progress, callbacks, on_epoch : optional
        To show how far it is; ``on_epoch`` is called with the fold's name, the epoch, its figures.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, fewer patients than folds, a full disk.
    """
    *held_out, whole = (
        learn_fold(
            replace(plan, split="fold", fold=number),
            data,
            views=views,
            progress=progress,
            callbacks=callbacks,
            on_epoch=on_epoch,
        )
        for number in (*range(plan.folds), ALL_CELLS)
    )
    judged = judging.judge(pd.concat([fold.found for fold in held_out]), plan.target_recall)
    answering = serving.answering(whole.model, views, judged.calibration, whole.spread)
    fitting.round_weights(answering)
    crops = whole.dataset.crops
    probe = np.ascontiguousarray(batches.centre(crops[:: max(1, len(crops) // PROBE)], plan.recipe.crop))
    record = make_record(plan, whole, judged, views)
    bundle = packing.pack(output, answering, record, judged.predictions, probe)
    run = runs.start(
        data,
        f"{plan.recipe.name} ({plan.folds} patient folds)",
        training.describe(plan) | {"folds": plan.folds, "views": views},
        {"data_fingerprint": whole.dataset.fingerprint, "git_revision": training.revision()},
    )
    run.finish(bundle.figures, bundle.folder)
    return bundle


def learn_fold(
    plan: fitting.Plan,
    data: Path,
    *,
    views: int = 1,
    progress: batches.Progress | None = None,
    callbacks: list[keras.callbacks.Callback] | None = None,
    on_epoch: OnEpoch | None = None,
) -> Learned:
    """Train one fold's network, or take the one that is kept; see :func:`crossvalidate`."""
    dataset = fitting.load_dataset(data, plan, workers=settings.load().workers, progress=progress)
    name = "all patients" if plan.fold == ALL_CELLS else f"fold {plan.fold + 1}/{plan.folds}"
    decided_by = training.describe(plan) | {
        "fold": plan.fold,
        "folds": plan.folds,
        "data": dataset.fingerprint,
    }
    checkpoint = Checkpoint(data / "checkpoints", decided_by)
    kept = Checkpoint(data / "crossvalidation", decided_by)
    state = kept.read()
    if state.best:
        model = kept.network(state.best, to_train=False)
    else:
        model, state = fitting.learn(
            plan,
            dataset,
            checkpoint,
            cache=data / "cache",
            callbacks=callbacks,
            on_epoch=lambda index, found: on_epoch(name, index, found) if on_epoch else None,
        )
        kept.write(state, model, is_best=True)
        checkpoint.remove()
    model, spread, found = _look(plan, dataset, model, kept.folder, views)
    return Learned(dataset, model, state.history, spread, found)


def _look(
    plan: fitting.Plan, dataset: fitting.Dataset, model: keras.Model, folder: Path, views: int
) -> tuple[keras.Model, novelty.Spread, pd.DataFrame]:
    """Learn the last layer anew where the recipe says so; say what the network makes of the cells held out.

    Features are computed once and kept beside the network.
    """
    if plan.recipe.refit:
        model = heads.lay(model, plan.recipe.reads)
    network = serving.looking(model, views)
    read = "-".join(plan.recipe.reads)

    def features(name: str, rows: np.ndarray) -> np.ndarray:
        file = folder / f"{name}-{views}{read}.npy"
        if not file.is_file():
            _, seen = fitting.look(network, dataset, rows)
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
    return model, spread, found


def make_record(plan: fitting.Plan, whole: Learned, judged: judging.Judged, views: int) -> dict[str, Any]:
    """Make the content of ``bundle.json``; figures come from the folds."""
    found, threshold = judged.predictions, judged.threshold
    everyone = splits.describe(whole.dataset.cells, whole.dataset.part)["training"]
    nobody = {"cells": {}, "patient_groups": {}, "groups": []}
    return {
        "recipe": training.recipe_record(plan.recipe),
        "split": {
            "by": "patient",
            "seed": plan.seed,
            "folds": plan.folds,
            "training": everyone,
            "validation": nobody,
            "test": everyone,
        },
        "epochs": {"run": len(whole.history), "best": len(whole.history)},
        "history": whole.history,
        "views": views,
        "threshold": {
            "value": threshold,
            "target_recall": plan.target_recall,
            "chosen_on": "the patients of the other folds",
        },
        "calibration": judged.calibration.record() | {"log_loss_out_of_fold": judged.losses},
        "indeterminate": judged.band.record() | {"out_of_fold": judged.silence},
        "novelty": judged.novelty,
        "data": training.data_record(whole.dataset),
        "figures": metrics.as_record(metrics.figures(found, threshold)),
        "patient_figures": metrics.as_record(metrics.patient_figures(found, threshold)),
        "subgroups": metrics.as_record(subgroups.figures(found, threshold)),
        "confusion": metrics.confusion(found, threshold),
    }
