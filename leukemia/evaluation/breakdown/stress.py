"""How much harmless changes of the pictures cost: the ranking under each, and what they do to the answers.

A recipe is chosen by its worst value over these changes, on sources that it did not learn from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.evaluation.breakdown import sources, subgroups
from leukemia.evaluation.estimate import Estimate, rounded
from leukemia.evaluation.formatting import interval
from leukemia.operating_point import OperatingPoint

# Columns of held-out predictions of changed pictures begin with these, followed by the change's name.
LOGIT, PROBABILITY, CALLED = "logit: ", "probability: ", "called: "
UNCHANGED = "as they are"
DIGITS = 4
HEADER = (
    "pictures",
    "AUROC, cells weighted equally (95%)",
    "AUROC, fold_2 and preliminary (95%)",
    "AUROC, worst source, patients weighted equally (95%)",
    "mean change of probability",
    "ALL-like to Normal-like outright, of ALL cells",
)
TITLE = "Harmless changes of the pictures"
ABOUT = (
    "Held-out cells saved as JPEG (4:2:0), blurred or resampled. An answer should not depend on what a "
    "camera or a file format does."
)


@dataclass(frozen=True)
class Stress:
    """What a change of the pictures does.

    Attributes
    ----------
    estimates : dict of str to Estimate
        ``auroc``: of all cells; ``auroc_hard_sources``: see :mod:`leukemia.evaluation.breakdown.subgroups`;
        ``auroc_worst_source``: of the source in which it is lowest, each patient weighing the same.
    worst_source : str
    change : float
        Mean absolute change of a cell's probability, each cell weighing the same, 0 to 1.
    lost : int
        ALL cells that are called ALL-like as they are and Normal-like outright when changed.
    found : int
        ALL cells that are called ALL-like as they are.
    """

    estimates: dict[str, Estimate]
    worst_source: str
    change: float
    lost: int
    found: int


def changes(predictions: pd.DataFrame) -> list[str]:
    """Names of the changes that the predictions were also made under."""
    return [name.removeprefix(LOGIT) for name in predictions if name.startswith(LOGIT)]


def evaluate(predictions: pd.DataFrame, names: Iterable[str]) -> dict[str, Stress]:
    """Evaluate each change, and first the pictures :data:`UNCHANGED`.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, called, source; and for each change
        ``probability: NAME`` and ``called: NAME``.
    names : iterable of str
    """
    out = {UNCHANGED: _evaluate(predictions, predictions["probability"], predictions["called"])}
    for name in names:
        out[name] = _evaluate(predictions, predictions[PROBABILITY + name], predictions[CALLED + name])
    return out


def _evaluate(predictions: pd.DataFrame, probability: pd.Series, called: pd.Series) -> Stress:
    changed = predictions.assign(probability=probability)
    estimates = {"auroc": subgroups.auroc(changed)}
    hard = changed[changed["source"].isin(subgroups.HARD_SOURCES)]
    if hard["label"].nunique() == 2:
        estimates["auroc_hard_sources"] = subgroups.auroc(hard)
    cells = sources.evaluate(changed.drop(columns="called"), OperatingPoint.of(0.5))
    worst = sources.worst(cells, "auroc") if cells else None
    if worst:
        estimates["auroc_worst_source"] = cells.sources[worst].estimates["auroc"]
    found = is_all(predictions["label"]) & (predictions["called"] == ALL).to_numpy()
    return Stress(
        estimates=rounded(estimates),
        worst_source=worst or "",
        change=round(float(np.abs(probability - predictions["probability"]).mean()), DIGITS),
        lost=int((found & (called == NORMAL).to_numpy()).sum()),
        found=int(found.sum()),
    )


def table(stresses: Mapping[str, Stress]) -> list[tuple[str, ...]]:
    """Rows below :data:`HEADER`, a change a row, for a reader."""
    return [_row(name, one) for name, one in stresses.items()]


def _row(name: str, one: Stress) -> tuple[str, ...]:
    known = {key: interval(estimate) for key, estimate in one.estimates.items()}
    worst = known.get("auroc_worst_source")
    return (
        name,
        known["auroc"],
        known.get("auroc_hard_sources", "–"),
        f"{worst} {one.worst_source}" if worst else "–",
        f"{one.change:.3f}",
        f"{one.lost:,} of {one.found:,}",
    )
