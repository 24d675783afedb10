"""What a bundle says of the training that it comes from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from leukemia.bundles import breakdown, figures, schema
from leukemia.dataset import review_labels, splits
from leukemia.evaluation import metrics
from leukemia.evaluation.breakdown import sources, subgroups
from leukemia.evaluation.estimate import rounded
from leukemia.evaluation.out_of_fold import OutOfFold
from leukemia.imaging import stain
from leukemia.networks.recipe import Recipe
from leukemia.operating_point import OperatingPoint
from leukemia.training import safeguards
from leukemia.training.plan import Plan
from leukemia.training.sampling import draw_reference
from leukemia.training.trainer import TrainedNetwork
from leukemia.training.training_data import LEFT_OUT, TrainingData

# So many draws, patients taking turns, say which colours the training cells have, to so many digits.
STAIN_DRAWS, STAIN_DIGITS = 1_000, 6
CHANGED = (
    "The set was changed while this training was running. The model was trained and tested on the earlier "
    "set."
)


def of_training(
    plan: Plan, dataset: TrainingData, trained: TrainedNetwork, *, changed: bool
) -> schema.Training:
    """Make the record of one training; its estimates come from the test part alone.

    ``changed`` is whether the set was changed meanwhile.
    """
    by_patient = plan.split == "patient"
    found, band = trained.safeguards, safeguards.band(trained.validation)
    point = OperatingPoint.of(trained.threshold, (band.low, band.high) if band else None)
    thresholds = metrics.thresholds(trained.validation, plan.target_recall)
    return schema.Training(
        recipe=_recipe(plan.recipe),
        split=schema.Split(
            by=plan.split,
            seed=plan.seed,
            warning="" if by_patient else splits.LEAKY,
            **splits.describe(dataset.cells, dataset.part),
        ),
        epochs=schema.Epochs(run=len(trained.state.history), best=trained.state.best_epoch + 1),
        history=_history(trained.state.history),
        threshold=schema.Threshold(
            value=trained.threshold,
            target_recall=plan.target_recall,
            chosen_on="validation patients" if by_patient else "validation images (leaky split)",
            worst_source=min(thresholds, key=thresholds.__getitem__),
        ),
        calibration=schema.Calibration(**found.calibration.record(), log_loss_out_of_fold=found.losses),
        **({"indeterminate": band} if band else {}),
        novelty=safeguards.novelty_check(trained.validation, trained.test),
        **stain_of(dataset, dataset.rows("training"), plan.seed),
        data=_data(dataset, changed=changed),
        **figures.of(trained.test, point),
    )


def of_crossvalidation(
    plan: Plan,
    dataset: TrainingData,
    history: Sequence[dict[str, float]],
    evaluated: OutOfFold,
    views: int,
    *,
    leave: str,
    changed: bool,
) -> schema.Training:
    """Make the record of a cross-validation; its estimates come from the folds.

    ``dataset`` and ``history`` are those of the network that learned from all patients.
    """
    predictions, threshold = evaluated.predictions, evaluated.threshold
    point = OperatingPoint.of(threshold, (evaluated.band.low, evaluated.band.high))
    everyone = splits.describe(dataset.cells, dataset.part)["training"]
    return schema.Training(
        recipe=_recipe(plan.recipe),
        split=schema.Split(
            by="patient",
            seed=plan.seed,
            folds=plan.folds,
            left_out="source" if leave == "source" else "patients",
            training=everyone,
            validation={"cells": {}, "patient_groups": {}, "groups": ()},
            test=everyone,
        ),
        epochs=schema.Epochs(run=len(history), best=len(history)),
        history=_history(history),
        views=views,
        threshold=schema.Threshold(
            value=threshold,
            target_recall=plan.target_recall,
            chosen_on=f"the patients of the other {'sources' if leave == 'source' else 'folds'}",
            worst_source=evaluated.worst_source,
        ),
        calibration=schema.Calibration(
            **evaluated.calibration.record(), log_loss_out_of_fold=evaluated.losses
        ),
        indeterminate=schema.Band(
            **evaluated.band.record(), out_of_fold=evaluated.abstention, promises=evaluated.promises
        ),
        novelty=evaluated.novelty,
        **stain_of(dataset, dataset.rows("training"), plan.seed),
        data=_data(dataset, changed=changed),
        subgroups=rounded(subgroups.estimate(predictions, threshold)),
        **figures.of(predictions, point),
        **breakdown.unseen_sources(sources.evaluate_unseen(predictions, point)),
        stress={name: breakdown.Stress(**vars(one)) for name, one in evaluated.stress.items()},
    )


def stain_of(dataset: TrainingData, rows: np.ndarray, seed: int) -> dict[str, schema.TrainingStain]:
    """The colours of training cells, patients taking turns, as a field of the record; empty for none.

    Parameters
    ----------
    dataset : TrainingData
    rows : numpy.ndarray
        Positions of the cells that the network learns from.
    seed : int
        Of the draw.
    """
    found = stain.measure(
        dataset.crops[row] for row in draw_reference(dataset.cells, rows, seed, STAIN_DRAWS)
    )
    if found is None:
        return {}
    middle, spread = ([round(value, STAIN_DIGITS) for value in one] for one in (found.middle, found.spread))
    return {"stain": schema.TrainingStain(middle=middle, spread=spread, cells=found.cells)}


def _history(epochs: Sequence[Mapping[str, float]]) -> tuple[dict[str, float | None], ...]:
    """The epochs' metrics; None for what was not defined."""
    return tuple(
        {name: value if math.isfinite(value) else None for name, value in epoch.items()} for epoch in epochs
    )


def _data(dataset: TrainingData, *, changed: bool) -> schema.Data:
    used = dataset.cells[dataset.part != LEFT_OUT]
    reviewed = used[used["source"] == review_labels.SOURCE]
    return schema.Data(
        fingerprint=dataset.fingerprint,
        synthetic=bool((used["source"] == "synthetic").all()),
        cells=len(used),
        patient_groups=int(used["patient_group"].nunique()),
        corrected=int((used["label"] != used["original_label"]).sum()),
        doubted=len(dataset.cells) - len(used),
        reviewed=len(reviewed),
        reviewed_cases=int(reviewed["patient"].nunique()),
        warning=CHANGED if changed else "",
    )


def _recipe(recipe: Recipe) -> schema.Recipe:
    return schema.Recipe(
        name=recipe.name,
        summary=recipe.summary,
        training=asdict(recipe.training),
    )
