"""One training from prepared folder to bundle: what ``python -m leukemia train`` does."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from leukemia.bundles import bundle as bundles
from leukemia.bundles import writer
from leukemia.bundles.quantization import LabelledCells
from leukemia.classes import is_all
from leukemia.imaging.cell import center_crop
from leukemia.jobs import signals
from leukemia.registry import publish
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_writer
from leukemia.training import bundle_record, trainer, training_data
from leukemia.training.bundle_record import CHANGED
from leukemia.training.callbacks import RecordEpochs, ReportToJob
from leukemia.training.checkpoint import Checkpoint
from leukemia.training.plan import Plan, provenance
from leukemia.training.sampling import draw_reference
from leukemia.training.training_data import Progress

PROBE = 16
# So many draws, patients taking turns, say which range an activation has.
CALIBRATION_DRAWS = 300
STALE = "The set was changed after this training was interrupted. It starts again from the first epoch."


def train(
    plan: Plan,
    data: Path,
    output: Path | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    progress: Progress | None = None,
    tags: Mapping[str, str] | None = None,
    part: str = "",
    job: ReportToJob | None = None,
) -> bundles.Bundle:
    """Split, train, evaluate on held-out patients, write the bundle, record the run.

    A training that was broken off resumes from its last finished epoch when it is called again
    with the same plan and data.

    Parameters
    ----------
    plan : Plan
    data : Path
        A prepared folder.
    output : Path or None
        Where the bundle shall lie; replaced if there is one. None: in MLflow's registry alone.
    callbacks : sequence of keras.callbacks.Callback, optional
        What else happens while it learns; see :func:`trainer.learn`.
    progress : callable, optional
        Called while cells are cropped; see :func:`training_data.load_crops`.
    tags : dict of str to str, optional
        What else the record of the run shall bear, such as :data:`leukemia.tracking.records.BEST_OF`.
    part : str, optional
        What the callbacks call this training, where it is one of several.
    job : ReportToJob, optional
        What reports to the job, where the caller has more to report than this training.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, too few patients, a full disk.
    """
    dataset = training_data.load(data, plan, progress)
    checkpoint = Checkpoint(Workspace(data).checkpoints, plan.parameters(), dataset.fingerprint)
    begun = checkpoint.read()
    job = job or ReportToJob(plan.recipe.name, plan.recipe.training.epochs)
    run = run_writer.start(
        data,
        f"{plan.recipe.name} ({plan.split} split)",
        plan.parameters(),
        provenance(dataset.fingerprint) | dict(tags or {}),
        resume=begun.run_id,
    )
    run.catch_up(begun.history)
    job.record_run(run.run_id, STALE if checkpoint.drop_stale() else "")
    job.begin_part("", begun.history)
    with run:
        own = (RecordEpochs(run), job)
        trained = trainer.fit(
            plan, data, dataset, checkpoint, (*own, *callbacks), run_id=run.run_id, part=part
        )
        job.step("Computing the results with their intervals")
        if changed := training_data.changed(data, dataset):
            job.warn(CHANGED)
            run.warn(CHANGED)
        record = bundle_record.of_training(plan, dataset, trained, changed=changed)
        probe = center_crop(dataset.crops[dataset.rows("test")[:PROBE]], plan.recipe.crop)
        place = publish.place(data, output, plan.recipe.name)
        bundle = writer.write(
            place,
            trained.model,
            record,
            trained.test,
            np.ascontiguousarray(probe),
            labelled_cells(plan, dataset),
        )
    return finish(data, output, run, bundle, checkpoint, job)


def labelled_cells(plan: Plan, dataset: training_data.TrainingData) -> LabelledCells | None:
    """What an engine in int8 is made and judged with; None where the recipe does not ask for one."""
    if not plan.recipe.int8:
        return None
    rows = np.flatnonzero(dataset.part != training_data.LEFT_OUT)
    return LabelledCells(
        dataset.crops,
        rows,
        is_all(dataset.cells["label"].iloc[rows]),
        draw_reference(dataset.cells, dataset.rows("training"), plan.seed, CALIBRATION_DRAWS),
    )


def finish(
    data: Path,
    output: Path | None,
    run: run_writer.RunWriter,
    bundle: bundles.Bundle,
    checkpoint: Checkpoint,
    job: ReportToJob,
) -> bundles.Bundle:
    """Publish a written bundle and end all that was begun for it; a request to end comes too late now."""
    with signals.undisturbed(last=True):
        job.step("Registering the model version")
        bundle = publish.finish_run(data, run, bundle, output)
        checkpoint.remove()
        job.end(run.version, str(bundle.folder))
    return bundle
