"""Measure how long a recipe takes on this machine; see :mod:`leukemia.recipes.throughput`."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.imaging.cell import center_crop
from leukemia.networks import recipe as recipes
from leukemia.recipes import throughput
from leukemia.storage.workspace import Workspace
from leukemia.training import batches, trainer

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
    size = made.crop + batches.MARGIN
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (32, size, size, 3), dtype=np.uint8)
    cells = pd.DataFrame({"label": ["ALL", "Normal"] * 16, "patient_group": [str(n) for n in range(32)]})
    model = made.build()
    model.compile(recipes.optimizer(made.training), loss="binary_crossentropy")
    batch = made.training.batch

    def train(count: int) -> float:
        training = made.with_training(cells_per_epoch=count * batch).training
        began = time.monotonic()
        model.fit(batches.Epoch(crops, cells, np.arange(32), made.crop, training, 0, 0), verbose=0)
        return (time.monotonic() - began) / (count * batch)

    def predict() -> float:
        began = time.monotonic()
        model.predict_on_batch(center_crop(crops, made.crop)[: trainer.PREDICT_BATCH])
        return (time.monotonic() - began) / min(len(crops), trainer.PREDICT_BATCH)

    train(FIRST)
    predict()
    result = throughput.Throughput(train(BATCHES), predict())
    throughput.record(Workspace(data).cache, recipe, result.training, result.prediction)
    return result
