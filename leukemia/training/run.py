"""One training from prepared folder to bundle: what ``python -m leukemia train`` does."""

import logging
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles import schema, writer
from leukemia.dataset import splits
from leukemia.evaluation import estimates, metrics
from leukemia.evaluation.estimate import rounded
from leukemia.imaging.cell import center_crop
from leukemia.jobs import signals
from leukemia.networks.recipe import Recipe
from leukemia.registry import publish
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_writer
from leukemia.training import batches, trainer
from leukemia.training.checkpoint import Checkpoint
from leukemia.training.job_progress import Telling

PROBE = 16
STALE = "The set was changed since this training was broken off: it begins anew."
CHANGED = (
    "The set was changed while this training was at work: it learned from, and was judged on, the set as it "
    "was before."
)


def train(
    plan: trainer.Plan,
    data: Path,
    output: Path | None,
    *,
    progress: batches.Progress | None = None,
    callbacks: list[keras.callbacks.Callback] | None = None,
    on_epoch: Callable[[int, dict[str, float]], None] | None = None,
    tags: Mapping[str, str] | None = None,
) -> bundles.Bundle:
    """Split, train, evaluate on held-out patients, write the bundle, record the run.

    A training that was broken off goes on from its last finished epoch when it is called again
    with the same plan and data.

    Parameters
    ----------
    plan : fitting.Plan
    data : Path
        A prepared folder.
    output : Path or None
        Where the bundle shall lie; replaced if there is one. None: in MLflow's registry alone.
    progress, callbacks, on_epoch : optional
        To show how far it is; see :func:`batches.load_crops` and :func:`trainer.fit`.
    tags : dict of str to str, optional
        What else the record of the run shall bear, such as :data:`leukemia.tracking.records.BEST_OF`.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, too few patients, a full disk.
    """
    dataset = trainer.load_dataset(data, plan, workers=settings.load().workers, progress=progress)
    parameters = describe(plan)
    checkpoint = Checkpoint(Workspace(data).checkpoints, parameters, dataset.fingerprint)
    begun = checkpoint.read()
    told = Telling(plan.recipe.name, plan.recipe.training.epochs)
    run = run_writer.start(
        data,
        f"{plan.recipe.name} ({plan.split} split)",
        parameters,
        {"data_fingerprint": dataset.fingerprint, "git_revision": revision(), **(tags or {})},
        resume=begun.run_id,
    )
    run.catch_up(begun.history)
    told.run(run.run_id)
    told.begin("", begun.history)
    if checkpoint.drop_stale():
        warn(STALE, told)

    def after_epoch(index: int, found: dict[str, float]) -> None:
        run.epoch(index, found)
        told.epoch(found)
        if on_epoch:
            on_epoch(index, found)

    try:
        fitted = trainer.fit(
            plan,
            dataset,
            checkpoint,
            run_id=run.run_id,
            cache=Workspace(data).cache,
            callbacks=[*(callbacks or ()), told.steps()],
            on_epoch=after_epoch,
        )
        warning = CHANGED if trainer.changed(data, dataset) else ""
        if warning:
            warn(warning, told, run)
        record = make_record(plan, dataset, fitted, warning)
        probe = np.ascontiguousarray(
            center_crop(dataset.crops[dataset.rows("test")[:PROBE]], plan.recipe.crop)
        )
        place = publish.place(data, output, plan.recipe.name)
        bundle = writer.write(place, fitted.model, record, fitted.test, probe)
    except BaseException as error:
        run.broke(error)
        raise
    with signals.undisturbed(last=True):
        bundle = publish.finish_run(data, run, bundle, output)
        checkpoint.remove()
        told.end(run.version, str(bundle.folder))
    return bundle


def warn(sentence: str, told: Telling, run: run_writer.RunWriter | None = None) -> None:
    """Say what a reader must know in the log, to the job and, where given, in the record of the run."""
    logging.warning(sentence)
    told.warn(sentence)
    if run:
        run.warn(sentence)


def describe(plan: trainer.Plan) -> dict[str, Any]:
    """All that decides a training, as flat parameters."""
    return {
        "recipe": plan.recipe.name,
        "crop": plan.recipe.crop,
        "split": plan.split,
        "seed": plan.seed,
        "target_recall": plan.target_recall,
        **asdict(plan.recipe.training),
    }


def make_record(
    plan: trainer.Plan, dataset: trainer.Dataset, fitted: trainer.Fitted, warning: str = ""
) -> schema.Training:
    """What the bundle says of the training; estimates come from the test part alone."""
    by_patient = plan.split == "patient"
    return schema.Training(
        recipe=recipe_record(plan.recipe),
        split=schema.Split(
            by=plan.split,
            seed=plan.seed,
            warning="" if by_patient else splits.LEAKY,
            **splits.describe(dataset.cells, dataset.part),
        ),
        epochs=schema.Epochs(run=len(fitted.state.history), best=fitted.state.best_epoch + 1),
        history=tuple(fitted.state.history),
        threshold=schema.Threshold(
            value=fitted.threshold,
            target_recall=plan.target_recall,
            chosen_on="validation patients" if by_patient else "validation images (leaky split)",
        ),
        data=data_record(dataset, warning),
        estimates=rounded(estimates.of(fitted.test, fitted.threshold)),
        patient_estimates=rounded(estimates.of_patients(fitted.test, fitted.threshold)),
        confusion=metrics.confusion(fitted.test, fitted.threshold),
    )


def data_record(dataset: trainer.Dataset, warning: str = "") -> schema.Data:
    """What was learned from and evaluated on."""
    used = dataset.cells[dataset.part != trainer.LEFT_OUT]
    return schema.Data(
        fingerprint=dataset.fingerprint,
        synthetic=bool((used["source"] == "synthetic").all()),
        cells=len(used),
        patient_groups=int(used["patient_group"].nunique()),
        corrected=int((used["label"] != used["original_label"]).sum()),
        doubted=len(dataset.cells) - len(used),
        warning=warning,
    )


def recipe_record(recipe: Recipe) -> schema.Recipe:
    """The recipe by which a model was made."""
    return schema.Recipe(
        name=recipe.name,
        summary=recipe.summary,
        training=asdict(recipe.training),
        refit=recipe.refit,
        reads=tuple(recipe.reads),
        morphology=recipe.morphology,
    )


def revision() -> str:
    """Ask git for the program's revision, short; ``"unknown"`` outside of a repository."""
    git = shutil.which("git")
    if not git:
        return "unknown"
    out = subprocess.run(
        [git, "rev-parse", "--short", "HEAD"],
        cwd=settings.PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return out.stdout.strip() or "unknown"
