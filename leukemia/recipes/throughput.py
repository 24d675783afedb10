"""How long a training takes on this machine: measured, by recipe, and kept in the data folder.

Each epoch of a training measures it anew; before the first one, ``python -m leukemia pace`` does (see
:mod:`leukemia.training.throughput_benchmark`). Light to import: pages ask for the estimate.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from leukemia.recipes.definitions import Training
from leukemia.storage.atomic import write_text
from leukemia.storage.workspace import Workspace

NAME = "pace.json"
# Share of the cells that a split by patient holds out for validation, and for the test.
HELD_OUT = 0.2
# Seconds that a command takes besides: TensorFlow starts, crops are read, the bundle is written.
BESIDES = 30.0


@dataclass(frozen=True)
class Pace:
    """Seconds a cell, when it is learned from and when it is only looked at; None where not measured."""

    learning: float
    looking: float | None = None


def of(data: Path, recipe: str) -> Pace | None:
    """The pace of a recipe on this machine, or None where it was never measured."""
    found = _read(Workspace(data).cache).get(recipe)
    with contextlib.suppress(TypeError, ValueError):
        if found and float(found["learning"]) > 0:
            return Pace(**found)
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
    """Seconds that a training will take at most, or None where its recipe's pace was never measured.

    Parameters
    ----------
    data : Path
        The data folder.
    recipe : str
    training : Training
        Its settings.
    cells : int
        Labelled cells in the data folder.
    kind : str
        ``"train"``, ``"crossvalidate"`` or ``"sweep"``.
    folds, trials, views : int, optional
        How many there are.
    """
    pace = of(data, recipe)
    if pace is None:
        return None
    # A forward pass takes a third of a step, roughly, where it was not measured.
    looking = pace.looking or pace.learning / 3
    learned = training.epochs * training.cells_per_epoch * pace.learning
    if kind == "crossvalidate":
        # Each cell is looked at once by the fold that held it out, and by all others to tell novelty.
        looked = views * looking * (cells + (folds + 1) * min(cells, training.cells_per_epoch))
        return BESIDES + (folds + 1) * learned + looked
    one = learned + training.epochs * HELD_OUT * cells * looking
    return BESIDES + (trials if kind == "sweep" else 1) * one + 2 * HELD_OUT * cells * looking


def note(cache: Path, recipe: str, learning: float, looking: float | None = None) -> None:
    """Keep a pace that was measured; where that cannot be written, nothing is lost."""
    with contextlib.suppress(OSError):
        kept = _read(cache)
        earlier = kept.get(recipe) or {}
        kept[recipe] = asdict(Pace(learning, looking or earlier.get("looking")))
        write_text(cache / NAME, json.dumps(kept))


def _read(cache: Path) -> dict[str, dict[str, float]]:
    try:
        found = json.loads((cache / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
