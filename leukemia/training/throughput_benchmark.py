"""Measure how long a recipe takes on this machine; see :mod:`leukemia.recipes.throughput`."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL
from leukemia.networks import forward
from leukemia.networks import recipe as recipes
from leukemia.recipes import throughput
from leukemia.storage.workspace import Workspace
from leukemia.training.epoch import EpochBatches
from leukemia.training.training_data import MARGIN

# Batches that are measured, after the first ones, which trace and allocate.
BATCHES, FIRST = 6, 2


def measure(data: Path, recipe: str) -> throughput.Throughput:
    """Measure a recipe's throughput on random noise, and record it; takes some seconds.

    Raises
    ------
    RecipeError
        Where there is no such recipe.
    """
    made = recipes.get(recipe)
    size = made.crop + MARGIN
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (forward.BATCH, size, size, 3), dtype=np.uint8)
    rows = np.arange(len(crops))
    labels = [ALL, NORMAL] * (len(crops) // 2)
    cells = pd.DataFrame({"label": labels, "patient_group": rows.astype(str)})
    model = made.build()
    model.compile(recipes.optimizer(made.training), loss="binary_crossentropy")
    batch = made.training.batch

    def train(count: int) -> float:
        training = made.with_training(cells_per_epoch=count * batch).training
        batches = EpochBatches(crops, cells, rows, made.crop, training, 0, 0)
        began = time.monotonic()
        model.fit(batches, verbose=0)
        return (time.monotonic() - began) / (count * batch)

    def predict() -> float:
        began = time.monotonic()
        forward.outputs(model, crops)
        return (time.monotonic() - began) / len(crops)

    train(FIRST)
    predict()
    result = throughput.Throughput(train(BATCHES), predict())
    throughput.record(Workspace(data).cache, recipe, result.training, result.prediction)
    return result
