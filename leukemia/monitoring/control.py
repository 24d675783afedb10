"""Control charts over cases, with limits from the patients of the model's record.

A case's value is the mean over its n cells. Its variance is that between patients plus that between the cells
of a patient over n, as in Laney's charts for groups of unequal size whose members are alike [1]_. Two charts
are read together: each case by itself (Shewhart), and a mean of all cases in which each counts less than the
one after it (EWMA) [2]_, which finds a slow drift. One wild case does not move the EWMA beyond its limits: it
counts with no more than its own limit.

No laboratory has just the mix of patients that a model was evaluated on. Limits therefore do not begin at one
mean. Those to *watch* begin at the lowest and the highest mean of a source of the record: outside them, cases
are like those of no source. Those to *stop* begin at the lowest and the highest mean of the patients with
ALL, or of the healthy ones, of a source: outside them, no mix of healthy and ill patients of any source
explains what is seen. That the means rest on so many patients and not more widens all limits by their
standard error [3]_.

How often "Stop" comes up in any measure within 100 cases although nothing has changed: never in 100
simulations each, with cases drawn from the patients of the built-in model's record, of all sources or of one.
("Watch" does in 1 % for all sources, and in 3 to 46 % for one alone.) Where the limits are learned from
patients drawn anew as well, a bootstrap of the record: never for all sources, fold_0 and fold_2, 2 % for
fold_1, 21 % for the preliminary phase, whose 13 patients lie at the end of several measures. What is found:
cells 25 % darker or 50 % larger in all simulations within 30 cases; 15 % darker, "Watch" in all and "Stop" in
68 % within 30, in all within 100; 20 % larger, "Watch" in 50 % and "Stop" in 26 % within 30, in 99 % and 90 %
within 100. ``tests/monitoring/test_control.py`` holds both rates on drawn patients.

References
----------
.. [1] Laney DB. Improved control charts for attributes. Qual Eng 2002;14:531-537.
.. [2] Roberts SW. Control chart tests based on geometric moving averages. Technometrics 1959;1:239-250; for
       the constants: Borror CM, Montgomery DC, Runger GC. Robustness of the EWMA control chart to
       non-normality. J Qual Technol 1999;31:309-316.
.. [3] Jensen WA, Jones-Farmer LA, Champ CW, Woodall WH. Effects of parameter estimation on control chart
       properties: a literature review. J Qual Technol 2006;38:349-364.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

WEIGHT = 0.1  # of the latest case in the EWMA
WATCH_FACTOR, STOP_FACTOR = 3.0, 4.0  # standard deviations; the second also for a case by itself
LEAST_CASES = 10  # before anything is said
LEAST_PATIENTS = 5  # of a stratum that has a mean of its own
LATEST, SEVERAL = 5, 2  # so many of the latest cases outside their own limits are a reason to watch


class State(StrEnum):
    """What a measure, or all of them, come to."""

    OK = "OK"
    WATCH = "Watch"
    STOP = "Stop and check"
    TOO_FEW = "Too few cases"
    UNKNOWN = "No reference"


@dataclass(frozen=True)
class Band:
    """Between which means patients' strata lie, and how far patients lie about these.

    Attributes
    ----------
    low, high : float
        Lowest and highest mean of a stratum, patients weighted equally.
    error : float
        Standard error of the mean of all patients.
    between : float
        Variance between the patients of a stratum, beyond that of their cells.
    within : float
        Variance between the cells of a patient.
    """

    low: float
    high: float
    error: float
    between: float
    within: float

    def variance(self, cells: np.ndarray) -> np.ndarray:
        """Variance of cases with so many cells."""
        return self.between + self.within / np.maximum(cells, 1)

    def limits(self, variance: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits for values of these variances."""
        reach = factor * np.sqrt(variance + self.error**2)
        return self.low - reach, self.high + reach


@dataclass(frozen=True)
class Baseline:
    """What the model's record says of one measure.

    Attributes
    ----------
    mean : float
        Patients weighted equally.
    patients : int
        With the measure.
    by_source : dict of str to float
        Mean of each source with at least :data:`LEAST_PATIENTS`, patients weighted equally.
    sources, classes : Band
        Of the sources; and of the patients with ALL and the healthy ones of each.
    """

    mean: float
    patients: int
    by_source: dict[str, float]
    sources: Band
    classes: Band


@dataclass(frozen=True)
class Track:
    """One measure over the cases of one model, in their order; float, shape (n,) each.

    Attributes
    ----------
    value : numpy.ndarray
        Of each case by itself; NaN where it lacks the measure.
    ewma : numpy.ndarray
        After each case.
    watch, stop : tuple of numpy.ndarray
        Lower and upper limits of the EWMA.
    alone : tuple of numpy.ndarray
        Lower and upper limits of each case by itself.
    """

    value: np.ndarray
    ewma: np.ndarray
    watch: tuple[np.ndarray, np.ndarray]
    stop: tuple[np.ndarray, np.ndarray]
    alone: tuple[np.ndarray, np.ndarray]

    @property
    def measured(self) -> np.ndarray:
        """Which cases have the measure: bool, shape (n,)."""
        return ~np.isnan(self.value)

    @property
    def odd(self) -> np.ndarray:
        """Which cases lie outside their own limits: bool, shape (n,)."""
        return _outside(self.value, self.alone) != 0

    @property
    def state(self) -> State:
        """What it comes to after the last case."""
        measured = np.flatnonzero(self.measured)
        if len(measured) < LEAST_CASES:
            return State.TOO_FEW
        if self.direction(self.stop):
            return State.STOP
        several = self.odd[measured[-LATEST:]].sum() >= SEVERAL
        return State.WATCH if several or self.direction(self.watch) else State.OK

    def direction(self, limits: tuple[np.ndarray, np.ndarray]) -> int:
        """Whether the EWMA lies below limits (-1) or above them (1) after the last case, or neither (0)."""
        return int(_outside(self.ewma, limits)[-1]) if len(self.ewma) else 0


def baseline(patients: pd.DataFrame) -> Baseline | None:
    """Learn a measure's means and spreads from the patients of a record.

    Parameters
    ----------
    patients : pandas.DataFrame
        A row a patient, source and class, indexed by these three under the names patient_group, source and
        label; columns cells, mean, variance of :func:`leukemia.monitoring.measures.of_patients`.

    Returns
    -------
    Baseline or None
        None where fewer than :data:`LEAST_PATIENTS` have the measure.
    """
    known = patients.dropna(subset="mean")
    if len(known) < LEAST_PATIENTS:
        return None
    means = known["mean"].groupby("source").agg(["mean", "size"])
    # A patient with cells of two sources counts in each, and once in all.
    own = known["mean"].groupby("patient_group").mean()
    by_source = means.loc[means["size"] >= LEAST_PATIENTS, "mean"]
    return Baseline(
        float(own.mean()),
        len(own),
        {str(name): float(value) for name, value in by_source.items()},
        _band(known, ["source"]),
        _band(known, ["source", "label"]),
    )


def track(value: np.ndarray, cells: np.ndarray, expected: Baseline) -> Track:
    """Follow a measure over cases.

    Parameters
    ----------
    value, cells : numpy.ndarray
        Of each case in turn: the mean over its cells (NaN where none has the measure), and how many have it.
    expected : Baseline
    """
    sources, classes = expected.sources.variance(cells), expected.classes.variance(cells)
    alone = expected.classes.limits(classes, STOP_FACTOR)
    clipped = np.clip(value, *alone)
    ewma, kept, spreads = np.empty(len(value)), expected.mean, np.zeros((len(value), 2))
    spread = np.zeros(2)
    for place, one in enumerate(clipped):
        if not np.isnan(one):
            kept = WEIGHT * one + (1 - WEIGHT) * kept
            own = np.array([sources[place], classes[place]])
            spread = WEIGHT**2 * own + (1 - WEIGHT) ** 2 * spread
        ewma[place], spreads[place] = kept, spread
    watch = expected.sources.limits(spreads[:, 0], WATCH_FACTOR)
    low, high = expected.classes.limits(spreads[:, 1], STOP_FACTOR)
    stop = np.minimum(low, watch[0]), np.maximum(high, watch[1])
    return Track(value, ewma, watch, stop, alone)


def worst(states: Sequence[State]) -> State:
    """What several measures come to together."""
    for state in (State.STOP, State.WATCH, State.OK, State.TOO_FEW):
        if state in states:
            return state
    return State.UNKNOWN


def _band(patients: pd.DataFrame, by: list[str]) -> Band:
    grouped = patients["mean"].groupby(by)
    sizes, sums = grouped.size(), grouped.apply(lambda own: ((own - own.mean()) ** 2).sum())
    freedom = int((sizes - 1).sum())
    # Where each stratum has one patient only, they are taken together.
    spread = float(sums.sum() / freedom) if freedom else float(patients["mean"].var())
    within = float(patients["variance"].fillna(0).mean())
    noise = float((patients["variance"].fillna(0) / patients["cells"]).mean())
    means = grouped.mean()[sizes >= LEAST_PATIENTS]
    if not spread and not within:
        # A share that no patient of the record had: about one in so many may have it.
        rare = 1 / (len(patients) + 2)
        spread, within = rare**2, rare * (1 - rare)
    if means.empty:
        means = pd.Series([patients["mean"].mean()])
    return Band(
        float(means.min()),
        float(means.max()),
        float(np.sqrt(spread / len(patients))),
        max(spread - noise, 0.0),
        within,
    )


def _outside(values: np.ndarray, limits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    low, high = limits
    return np.where(values < low, -1, np.where(values > high, 1, 0))
