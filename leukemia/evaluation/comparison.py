"""Versions side by side on the same cells: paired differences, and the cells on which they disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.errors import DatasetError
from leukemia.evaluation import three_way
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.breakdown import sources
from leukemia.evaluation.breakdown.sources import CellsBySource
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.estimates import all_columns, estimate
from leukemia.evaluation.metrics import ERRORS
from leukemia.operating_point import OperatingPoint

# Not given in points (hundredths), since they are no shares.
NOT_SHARES = ("auroc", "average_precision", "brier", "ece")
WORDS = {
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1 for ALL",
    "weighted_f1": "weighted F1",
    "auroc": "AUROC",
    "average_precision": "average precision",
    "brier": "Brier score",
    "ece": "calibration error",
    "indeterminate": "indeterminate",
    "all_like": "ALL cells called ALL-like outright",
    "all_indeterminate": "ALL cells called Indeterminate",
    "missed": "ALL cells called Normal-like outright",
    "normal_like": "normal cells called Normal-like outright",
    "normal_indeterminate": "normal cells called Indeterminate",
    "alarmed": "normal cells called ALL-like outright",
}
BETTER, WORSE, SAME = "better", "worse", "the same"
UNSURE = "too few patients to be sure"
KEPT = ("image_id", "patient_group", "label")
# What is compared by source, and what rows beside the sources are called.
BY_SOURCE = (
    "auroc",
    "sensitivity",
    "specificity",
    "weighted_f1",
    "ece",
    "missed",
    "alarmed",
    "indeterminate",
)
WORST, EACH_PATIENT = "worst source", "all, patients weighted equally"


@dataclass(frozen=True)
class Difference:
    """One metric of two versions on the same patients: first and second, and second less first."""

    name: str
    first: Estimate
    second: Estimate
    change: Estimate

    @property
    def verdict(self) -> str:
        """What the interval of the difference says of the second version."""
        sign = -1 if self.name in ERRORS else 1
        ends = sorted((sign * self.change.low, sign * self.change.high))
        if np.isnan(ends).any():
            return "not known"
        if ends[0] > 0:
            return BETTER
        if ends[1] < 0:
            return WORSE
        return SAME if ends == [0, 0] else UNSURE

    @property
    def is_worse(self) -> bool:
        """Whether the second version's value is worse, be it by more than chance or not."""
        change = -self.change.value if self.name in ERRORS else self.change.value
        return change < 0 and signed(change, self.name not in NOT_SHARES) != "0"

    def sentence(self) -> str:
        """The difference in words: ``PPV +1.8 points, 95% −0.4 to +4.1: better``."""
        shares = self.name not in NOT_SHARES
        change, low, high = (
            signed(value, shares) for value in (self.change.value, self.change.low, self.change.high)
        )
        unit = " points" if shares else ""
        return f"{WORDS[self.name]} {change}{unit}, 95% {low} to {high}: {self.verdict}"


def signed(value: float, shares: bool = True) -> str:
    """A difference with its sign: in points with one digit, or as it is with three."""
    if np.isnan(value):
        return "not defined"
    text = f"{100 * value:+.1f}" if shares else f"{value:+.3f}"
    return "0" + text[2:] if float(text) == 0 else text.replace("-", "−")


def shared(versions: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Cells that all versions held out, with the same label.

    Parameters
    ----------
    versions : sequence of pandas.DataFrame
        Held-out predictions: columns image_id, patient_group, label, probability; the first with source,
        where it is known.

    Returns
    -------
    pandas.DataFrame
        Columns image_id, patient_group and source (as the first version tells them), label, and the
        versions' probabilities as columns 0, 1, ...

    Raises
    ------
    DatasetError
        Where there is no such cell.
    """
    first, *rest = (frame.drop_duplicates("image_id") for frame in versions)
    kept = [*KEPT, *({"source"} & set(first.columns))]
    out = first[[*kept, "probability"]].rename(columns={"probability": 0})
    for number, frame in enumerate(rest, 1):
        own = frame[["image_id", "label", "probability"]].rename(columns={"probability": number})
        out = out.merge(own, on=["image_id", "label"])
    if out.empty:
        raise DatasetError(
            "These versions were evaluated on different cells: no cell was held out by all of them."
        )
    return out


def on_shared(frame: pd.DataFrame, versions: Sequence[pd.DataFrame], names: Sequence[str]) -> str:
    """Say on which cells versions are compared, and where their own figures are of other patients.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of :func:`shared`.
    versions : sequence of pandas.DataFrame
        Held-out predictions of each.
    names : sequence of str
        What each is called.
    """
    counts = [one["image_id"].nunique() for one in versions]
    said = (
        f"On the {len(frame):,} cells of {frame['patient_group'].nunique()} patient groups that "
        f"{'both' if len(names) == 2 else 'all'} held out with the same label."
    )
    if sum(map(len, versions)) > sum(counts):
        rows = f"{max(map(len, versions)):,}"
        said += f" Identical images count once, so that this is fewer than the {rows} listed elsewhere."
    if set(counts) == {len(frame)}:
        return said
    each = ", ".join(f"{name} {count:,}" for name, count in zip(names, counts, strict=True))
    return (
        f"{said} Each version held out cells of its own ({each}): figures elsewhere are of different "
        "patients and cannot be compared."
    )


def cells(frame: pd.DataFrame, count: int) -> list[PatientBootstrap]:
    """The versions' cells of :func:`shared`, resampled alike; raises DatasetError without both classes."""
    return [PatientBootstrap(frame[list(KEPT)].assign(probability=frame[number])) for number in range(count)]


def columns(
    cells: PatientBootstrap, point: OperatingPoint, ranking: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Everything of a version that is compared; float, shape (1 + resamples,) each.

    ``ranking`` is :func:`leukemia.evaluation.estimates.ranking` of the same cells, where it is at hand.
    """
    shares = three_way.columns(cells, point.call(cells.probability))
    return all_columns(cells, point.threshold, ranking) | shares


def differences(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> list[Difference]:
    """Paired differences of all columns of :func:`columns`, with intervals over patients."""
    return [
        Difference(name, estimate(first[name]), estimate(second[name]), estimate(second[name] - first[name]))
        for name in first
    ]


def cells_by_source(frame: pd.DataFrame, count: int) -> list[CellsBySource]:
    """The versions' cells of :func:`shared` by source, resampled alike; empty where no source is known."""
    versions = [sources.by_source(frame.assign(probability=frame[number])) for number in range(count)]
    return [one for one in versions if one]


def by_source(
    versions: Sequence[CellsBySource], points: Sequence[OperatingPoint]
) -> list[dict[str, list[Difference]]]:
    """Paired differences of each version from the first, by source, for the worst source and for all cells.

    Parameters
    ----------
    versions : sequence of CellsBySource
        Of :func:`cells_by_source`.
    points : sequence of OperatingPoint
        Of each version.

    Returns
    -------
    list of dict of str to list of Difference
        For each version but the first, by source, :data:`WORST` and :data:`EACH_PATIENT`: the differences
        in the figures of :data:`BY_SOURCE`, each patient weighing the same. The worst source is the worst
        of each version in each resample: not the same source for both.
    """
    tables = []
    for cells, at in zip(versions, points, strict=True):
        columns = cells.columns(at)
        further = {WORST: sources.worst_columns(columns), EACH_PATIENT: cells.columns_of_all(at)}
        tables.append(
            {source: {name: own[name] for name in BY_SOURCE} for source, own in (columns | further).items()}
        )
    return [
        {source: differences(tables[0][source], own) for source, own in other.items()} for other in tables[1:]
    ]


def disagreements(frame: pd.DataFrame, points: Sequence[OperatingPoint]) -> pd.DataFrame:
    """Cells that not all versions call the same, those that they see most differently first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of :func:`shared`.
    points : sequence of OperatingPoint
        Of each version.

    Returns
    -------
    pandas.DataFrame
        The rows with the further columns ``called_0``, ... (Normal, Indeterminate or ALL).
    """
    probability = frame[list(range(len(points)))].to_numpy(float)
    called = np.column_stack([point.call(probability[:, number]) for number, point in enumerate(points)])
    differ = (called != called[:, :1]).any(axis=1)
    rows = frame[differ].copy()
    for number in range(len(points)):
        rows[f"called_{number}"] = called[differ, number]
    apart = np.ptp(probability[differ], axis=1)
    return rows.iloc[np.argsort(-apart, kind="stable")].reset_index(drop=True)
