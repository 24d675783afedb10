"""A recipe tested on every patient: K networks, each blind to a fold of the patient groups or to a source.

Nothing is chosen on the fold that is tested: all epochs run, and the calibration and the threshold of
a fold come from the other folds (:mod:`leukemia.evaluation.out_of_fold`). The network that is shipped has
learned from all patients with the same recipe; its metrics are those of the folds.

Each fold is kept when it is done (``data/crossvalidation/``), each epoch within it by its checkpoint:
a run that was killed resumes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from leukemia.bundles import bundle as bundles
from leukemia.bundles import writer
from leukemia.classes import is_all
from leukemia.evaluation import novelty, out_of_fold
from leukemia.evaluation.breakdown import stress, subgroups
from leukemia.imaging.cell import center_crop
from leukemia.imaging.perturbation import PERTURBATIONS
from leukemia.networks import serving_network
from leukemia.networks.forward import outputs
from leukemia.networks.optimizer import HEAD
from leukemia.registry import publish
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_writer
from leukemia.tracking.records import RunKind
from leukemia.training import bundle_record, fold_plans, on_ray, trainer, training_data
from leukemia.training.callbacks import RecordEpochs, ReportToJob
from leukemia.training.checkpoint import Checkpoint, State
from leukemia.training.frozen_features import FrozenFeatures
from leukemia.training.on_ray import Spread
from leukemia.training.plan import Plan, provenance
from leukemia.training.run import PROBE, STALE, finish, labelled_cells
from leukemia.training.sampling import draw_reference
from leukemia.training.training_data import Progress, TrainingData

ALL_CELLS, ALL_PATIENTS = -1, "all patients"
PATIENTS, SOURCE, BOTH = "patients", "source", "both"
COLUMNS = ["image_id", "patient_group", "label", "source", "cell_area"]
# What is called so on disk, as the job calls it.
DOES = {"features": "Reading training cells", "held-out": "Predicting held-out cells"}
DIGITS = 6


@dataclass(frozen=True)
class CrossValidation:
    """What all folds of one cross-validation share; see :func:`crossvalidate`.

    ``run_id`` is the MLflow run that the folds' runs are parts of.
    """

    data: Path
    views: int
    run_id: str
    job: ReportToJob
    callbacks: tuple[keras.callbacks.Callback, ...] = ()
    progress: Progress | None = None


@dataclass(frozen=True)
class FoldResult:
    """A fold's network, where its training cells lie, and its predictions for the cells held out.

    ``predictions`` has the columns image_id, patient_group, label, logit, distance, cell_area, source, fold.
    """

    dataset: TrainingData
    history: list[dict[str, float]]
    model: keras.Model
    spread: novelty.Spread
    predictions: pd.DataFrame


def crossvalidate(
    plan: Plan,
    data: Path,
    output: Path | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    leave: str = PATIENTS,
    views: int = 1,
    progress: Progress | None = None,
    spread: Spread | None = None,
) -> bundles.Bundle:
    """Train a network a fold and one on all, evaluate them out of fold, write the bundle.

    Parameters
    ----------
    plan : Plan
        What it holds out is set here.
    data : Path
        A prepared folder.
    output : Path or None
        Where the bundle shall lie. None: in MLflow's registry alone.
    callbacks : sequence of keras.callbacks.Callback, optional
        What else happens while a fold learns; ``params["part"]`` is the fold's name.
    leave : str, optional
        What each fold holds out: :data:`PATIENTS`, or a :data:`SOURCE` with all its patients. With
        :data:`BOTH`, patients decide calibration, threshold and band, and beside them stands how networks
        without a source fare on it.
    views : int, optional
        How many sides of a cell are averaged; one of :data:`serving_network.VIEWS`.
    progress : callable, optional
        Called while cells are cropped; see :func:`training_data.load_crops`.
    spread : Spread, optional
        Where on Ray the folds are learned; ``callbacks`` are not called there. None: here, one by one.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, fewer patients than folds, a full disk.
    """
    on_all = replace(plan, split="fold", fold=ALL_CELLS)
    dataset = training_data.load(data, on_all, progress)
    by_source = fold_plans.by_source(plan, dataset) if leave != PATIENTS else {}
    plans = by_source if leave == SOURCE else fold_plans.by_patient(plan)
    plan = replace(plan, folds=len(plans))
    beyond = fold_plans.beyond_hard_sources(plan, by_source)
    parameters = on_all.parameters() | {"leave": leave, "folds": plan.folds, "views": views}
    whole_run = Checkpoint(Workspace(data).checkpoints, parameters, dataset.fingerprint)
    begun = whole_run.read()
    parts = len(plans | by_source | beyond) + 1
    job = ReportToJob(plan.recipe.name, plan.recipe.training.epochs, parts)
    run = run_writer.start(
        data,
        f"{plan.recipe.name} ({plan.folds} {'sources left out' if leave == SOURCE else 'patient folds'})",
        parameters,
        provenance(dataset.fingerprint),
        resume=begun.run_id,
        kind=RunKind.CROSSVALIDATE,
    )
    job.record_run(run.run_id, STALE if whole_run.drop_stale() else "")
    begun.run_id = run.run_id
    whole_run.save(begun)
    shared = CrossValidation(data, views, run.run_id, job, tuple(callbacks), progress)
    with run:
        if spread:
            every = {**plans, **beyond, ALL_PATIENTS: on_all, **(by_source if leave == BOTH else {})}
            on_ray.learn_folds(every, shared, spread)
        predictions = _held_out(plans, shared)
        for name, one in beyond.items():
            logits = train_fold(name, one, shared).predictions.drop_duplicates("image_id")
            logits = logits.set_index("image_id")["logit"]
            predictions[subgroups.WITHOUT_HARD] = predictions["image_id"].map(logits)
        whole = train_fold(ALL_PATIENTS, on_all, shared)
        job.step("Calibrating on the held-out patients")
        evaluated = out_of_fold.evaluate_out_of_fold(predictions, plan.target_recall)
        if leave == BOTH:
            without_source = _held_out(by_source, shared)
            evaluated = out_of_fold.beside_unseen_sources(evaluated, without_source, plan.target_recall)
        network = serving_network.inference_model(whole.model, views, evaluated.calibration, whole.spread)
        serving_network.round_weights(network)
        job.step("Computing the results with their intervals")
        if changed := training_data.changed(data, dataset):
            job.warn(bundle_record.CHANGED)
            run.warn(bundle_record.CHANGED)
        record = bundle_record.of_crossvalidation(
            plan, whole.dataset, whole.history, evaluated, views, leave=leave, changed=changed
        )
        crops = whole.dataset.crops
        probe = center_crop(crops[:: max(1, len(crops) // PROBE)], plan.recipe.crop)
        place = publish.place(data, output, plan.recipe.name)
        bundle = writer.write(
            place,
            network,
            record,
            evaluated.predictions,
            np.ascontiguousarray(probe),
            labelled_cells(plan, whole.dataset),
        )
    return finish(data, output, run, bundle, whole_run, job)


def _held_out(plans: Mapping[str, Plan], shared: CrossValidation) -> pd.DataFrame:
    """Predictions of all cells that are held out, fold by fold."""
    return pd.concat([train_fold(name, plan, shared).predictions for name, plan in plans.items()])


def train_fold(name: str, plan: Plan, shared: CrossValidation) -> FoldResult:
    """Train one fold's network, or take the one that was trained before; predict the cells held out."""
    data = shared.data
    dataset = training_data.load(data, plan, shared.progress)
    # The network that learns from all is the same whatever the others leave out.
    folds = {"fold": plan.fold} | ({"folds": plan.folds} if plan.fold != ALL_CELLS else {})
    decided_by = plan.parameters() | folds
    checkpoint = Checkpoint(Workspace(data).checkpoints, decided_by, dataset.fingerprint)
    finished = Checkpoint(Workspace(data).crossvalidation, decided_by, dataset.fingerprint)
    state = finished.read()
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
        parent=shared.run_id,
    )
    run.catch_up(state.history)
    shared.job.begin_part(name, state.history)
    with run:
        if done:
            model = _trained_before(finished, state, run.run_id)
        else:
            callbacks = (RecordEpochs(run), shared.job, *shared.callbacks)
            model, state = trainer.learn(
                plan, data, dataset, checkpoint, callbacks, run_id=run.run_id, part=name
            )
            finished.write(state, model, is_best=True)
            checkpoint.remove()
        result = _predict_held_out(plan, dataset, model, state.history, finished.folder, shared)
    run.close(_auroc(result.predictions))
    return result


def _trained_before(finished: Checkpoint, state: State, run_id: str) -> keras.Model:
    if run_id != state.run_id:  # learned for another cross-validation
        state.run_id = run_id
        finished.save(state)
    return finished.network(state.best, to_train=False)


def _predict_held_out(
    plan: Plan,
    dataset: TrainingData,
    model: keras.Model,
    history: list[dict[str, float]],
    folder: Path,
    shared: CrossValidation,
) -> FoldResult:
    """Fit the spread of the training cells and predict the cells held out; features are kept on disk."""
    frozen = FrozenFeatures(plan.recipe, shared.data, dataset, plan.seed) if plan.recipe.solved else None
    network = None if frozen else serving_network.feature_model(model, shared.views)

    def extract_features(name: str, rows: np.ndarray, perturbation: str = "") -> np.ndarray:
        if frozen:
            return frozen.plain(shared.views, perturbation)[rows]
        file = folder / f"{name}-{shared.views}{perturbation}.npy"
        if not file.is_file():
            what = f"{DOES[name]} ({perturbation})" if perturbation else DOES[name]
            _, features = outputs(network, dataset.crops, rows, perturbation, what=what)
            with whole_file(file) as partial, partial.open("wb") as out:
                np.save(out, features.astype(np.float32))
        return np.load(file)

    rows = draw_reference(dataset.cells, dataset.rows("training"), plan.seed)
    # A cell saved as JPEG is no novel one; cheap to learn where features serve all folds.
    changes = ("", *PERTURBATIONS) if frozen else ("",)
    spread = novelty.fit(np.concatenate([extract_features("features", rows, name) for name in changes]))
    test = dataset.rows("test")
    kernel, bias = model.get_layer(HEAD).get_weights()

    def to_logit(features: np.ndarray) -> np.ndarray:
        return (features @ kernel + bias)[:, 0].astype(float).round(DIGITS)

    features = extract_features("held-out", test)
    predictions = dataset.cells.iloc[test][COLUMNS].reset_index(drop=True)
    predictions = predictions.assign(
        logit=to_logit(features), distance=spread.distance(features).round(DIGITS), fold=plan.fold
    )
    for name in PERTURBATIONS if plan.fold != ALL_CELLS else ():
        predictions[stress.LOGIT + name] = to_logit(extract_features("held-out", test, name))
    return FoldResult(dataset, history, model, spread, predictions)


def _auroc(predictions: pd.DataFrame) -> dict[str, float]:
    """How well a fold by itself ranks the cells held out; empty where they are of one class."""
    if predictions["label"].nunique() < 2:
        return {}
    return {"test_auroc": float(roc_auc_score(is_all(predictions["label"]), predictions["logit"]))}
