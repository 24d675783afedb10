"""How long a training takes on this machine: measured per recipe, and cached in the data folder.

Each epoch of a training measures it anew; before the first one, ``python -m leukemia pace`` does (see
:mod:`leukemia.training.throughput_benchmark`). Light to import: pages ask for the estimate.
"""

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from leukemia.recipes import definitions
from leukemia.recipes.settings import Training
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace

NAME = "pace.json"
# What the file calls the two measures of a Throughput.
LEARNING, LOOKING = "learning", "looking"
# Share of the cells that a split by patient holds out for validation, and for the test.
HELD_OUT = 0.2
# Harmless changes under which a cross-validation predicts, and those that a solved last layer is fitted to.
HARMLESS, SOLVED_WITH = 6, 2
# Seconds that a command takes besides: TensorFlow starts, crops are read, the bundle is written.
OVERHEAD = 30.0


@dataclass(frozen=True)
class Throughput:
    """Seconds per cell in a training step, and in a prediction; None where that was not measured."""

    training: float
    prediction: float | None = None


def measured(data: Path, recipe: str) -> Throughput | None:
    """Return a recipe's throughput on this machine, or None where it was never measured."""
    entry = _read(Workspace(data).cache).get(recipe)
    with contextlib.suppress(TypeError, ValueError, KeyError):
        if entry and float(entry[LEARNING]) > 0:
            return Throughput(entry[LEARNING], entry.get(LOOKING))
    return None


def estimate(
    data: Path,
    recipe: str,
    training: Training,
    *,
    cells: int,
    kind: str,
    folds: int = 5,
    trials: int = 1,
    views: int = 4,
) -> float | None:
    """Return the seconds that a training takes at most, or None where its recipe was never measured.

    Parameters
    ----------
    data : Path
        The data folder.
    recipe : str
        Its name.
    training : Training
        Its settings.
    cells : int
        Labelled cells in the data folder.
    kind : str
        ``"train"``, ``"crossvalidate"`` or ``"sweep"``.
    folds, trials, views : int, optional
        How many there are.
    """
    throughput = measured(data, recipe)
    if throughput is None:
        return None
    # A forward pass takes roughly a third of a step, where it was not measured.
    per_prediction = throughput.prediction or throughput.training / 3
    per_run = training.epochs * training.cells_per_epoch * throughput.training
    if recipe in definitions.RECIPES and definitions.get(recipe).solved:
        # Features of each draw, of the cells as they are and under harmless changes serve all runs.
        pictures = training.epochs + views * (1 + (HARMLESS if kind == "crossvalidate" else SOLVED_WITH))
        return OVERHEAD + pictures * cells * throughput.training
    if kind == "crossvalidate":
        # Each cell is predicted once by the fold that held it out, and by all others for novelty.
        predicted = cells + (folds + 1) * min(cells, training.cells_per_epoch)
        return OVERHEAD + (folds + 1) * per_run + views * per_prediction * predicted
    per_run += training.epochs * HELD_OUT * cells * per_prediction
    runs = trials if kind == "sweep" else 1
    return OVERHEAD + runs * per_run + 2 * HELD_OUT * cells * per_prediction


def record(cache: Path, recipe: str, training: float, prediction: float | None = None) -> None:
    """Write down what was measured, in seconds per cell; a folder that cannot be written is no error.

    Parameters
    ----------
    cache : Path
        Folder of the file.
    recipe : str
        Its name.
    training, prediction : float
        As in :class:`Throughput`; where no prediction was measured, an earlier measure stays.
    """
    with contextlib.suppress(OSError):
        entries = _read(cache)
        earlier = entries.get(recipe) or {}
        entries[recipe] = {LEARNING: training, LOOKING: prediction or earlier.get(LOOKING)}
        write_text(cache / NAME, json.dumps(entries))


def _read(cache: Path) -> dict[str, dict[str, float]]:
    try:
        entries = json.loads((cache / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}
