"""Versions side by side on the same cells: paired differences, and the cells on which they disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL
from leukemia.errors import DatasetError
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.estimates import estimate
from leukemia.evaluation.metrics import ERRORS

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
    "missed": "missed outright",
    "alarmed": "alarmed outright",
}
BETTER, WORSE, SAME = "better", "worse", "the same"
UNSURE = "too few patients to be sure"
KEPT = ("image_id", "patient_group", "label")


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
        Held-out predictions: columns image_id, patient_group, label, probability.

    Returns
    -------
    pandas.DataFrame
        Columns image_id, patient_group (as the first version tells it), label, and the versions'
        probabilities as columns 0, 1, ...

    Raises
    ------
    DatasetError
        Where there is no such cell.
    """
    first, *rest = (frame.drop_duplicates("image_id") for frame in versions)
    out = first[[*KEPT, "probability"]].rename(columns={"probability": 0})
    for number, frame in enumerate(rest, 1):
        own = frame[["image_id", "label", "probability"]].rename(columns={"probability": number})
        out = out.merge(own, on=["image_id", "label"])
    if out.empty:
        raise DatasetError(
            "These versions were evaluated on different cells: no cell was held out by all of them."
        )
    return out


def cells(frame: pd.DataFrame, count: int) -> list[PatientBootstrap]:
    """The versions' cells of :func:`shared`, resampled alike; raises DatasetError without both classes."""
    return [PatientBootstrap(frame[list(KEPT)].assign(probability=frame[number])) for number in range(count)]


def differences(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> list[Difference]:
    """Paired differences of all columns of :func:`estimates.all_columns`, with intervals over patients."""
    return [
        Difference(name, estimate(first[name]), estimate(second[name]), estimate(second[name] - first[name]))
        for name in first
    ]


def disagreements(frame: pd.DataFrame, thresholds: Sequence[float]) -> pd.DataFrame:
    """Cells that not all versions call the same, those that they see most differently first.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of :func:`shared`.
    thresholds : sequence of float
        Of each version.

    Returns
    -------
    pandas.DataFrame
        The rows with the further columns ``called_0``, ... (Normal or ALL).
    """
    probability = frame[list(range(len(thresholds)))].to_numpy(float)
    called = probability >= np.array(thresholds)
    differ = called.any(axis=1) & ~called.all(axis=1)
    rows = frame[differ].copy()
    for number in range(len(thresholds)):
        rows[f"called_{number}"] = np.where(called[differ, number], ALL, NORMAL)
    apart = np.ptp(probability[differ], axis=1)
    return rows.iloc[np.argsort(-apart, kind="stable")].reset_index(drop=True)
