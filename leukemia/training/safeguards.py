"""What a single training finds by its validation patients: a calibration, a check for novel images, a band.

A cross-validation finds the same out of fold; see :mod:`leukemia.evaluation.out_of_fold`. A band needs
more patients than most validation parts have: without it the network calls every cell.
"""

from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd

from leukemia.bundles import schema
from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.evaluation import calibration, conformal, novelty
from leukemia.evaluation.calibration import Calibration
from leukemia.networks import serving_network
from leukemia.networks.forward import outputs
from leukemia.training.sampling import draw_reference
from leukemia.training.training_data import TrainingData

# Parts of the validation patients by which a method of calibration is chosen.
PARTS = 5
WHAT = "Calibrating"


@dataclass(frozen=True)
class Safeguards:
    """What goes into the network and its record.

    Attributes
    ----------
    calibration : Calibration
    losses : dict of str to float
        Log loss of each method on validation patients that it was not fitted on.
    spread : novelty.Spread
        Where the features of the training cells lie.
    """

    calibration: Calibration
    losses: dict[str, float]
    spread: novelty.Spread


def fit(model: keras.Model, dataset: TrainingData, seed: int) -> Safeguards:
    """Calibrate on the validation part, and measure where the training cells' features lie.

    Parameters
    ----------
    model : keras.Model
        As it was trained: see :meth:`leukemia.networks.recipe.Recipe.build`.
    dataset : TrainingData
    seed : int
        Of the draw of training cells.
    """
    network = serving_network.feature_model(model, 1)
    rows = draw_reference(dataset.cells, dataset.rows("training"), seed)
    _, features = outputs(network, dataset.crops, rows, what=WHAT)
    validation = dataset.rows("validation")
    logit, _ = outputs(network, dataset.crops, validation, what=WHAT)
    cells = dataset.cells.iloc[validation].reset_index(drop=True)
    fitted, losses = _calibrate(cells.assign(logit=logit[:, 0].astype(float)))
    return Safeguards(fitted, losses, novelty.fit(features))


def band(validation: pd.DataFrame) -> schema.Band | None:
    """The indeterminate band of validation predictions; None where patients are too few for its promise."""
    found = conformal.band(validation)
    needed = {ALL: found.missed, NORMAL: found.alarmed}
    groups = validation.groupby("label")["patient_group"].nunique()
    if any(groups.get(label, 0) < conformal.patients_needed(share) for label, share in needed.items()):
        return None
    return schema.Band(**found.record(), promises=conformal.promises(validation, found))


def novelty_check(validation: pd.DataFrame, test: pd.DataFrame) -> schema.Novelty:
    """The limit that validation cells set, and the share of test cells that pass it; column distance."""
    limit = novelty.limit(validation["distance"].to_numpy(float))
    passed = float((test["distance"] <= limit).mean())
    return schema.Novelty(limit=limit, share=novelty.PASS, passed_out_of_fold=round(passed, 4))


def _calibrate(cells: pd.DataFrame) -> tuple[Calibration, dict[str, float]]:
    """Choose and fit a calibration; none where a class has no two patients to choose by."""
    order = {label: sorted(cells.loc[cells["label"] == label, "patient_group"].unique()) for label in LABELS}
    parts = min(PARTS, *map(len, order.values()))
    if parts < 2:
        return Calibration(), {}
    part = {(label, name): number % parts for label in LABELS for number, name in enumerate(order[label])}
    fold = np.array([part[key] for key in zip(cells["label"], cells["patient_group"], strict=True)])
    return calibration.choose(cells.assign(fold=fold))
