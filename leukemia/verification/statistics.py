"""Does a model keep a claim on a laboratory's own patients? As a qualitative method is verified.

A laboratory states beforehand the least sensitivity and specificity that it accepts; the claim is met
where the lower confidence bound of what is measured reaches it [1]_. The unit is the patient: of each
the share of cells called right is taken, and these shares are averaged, each patient weighing the same.

How sure their mean is follows from the shares alone, with no assumption about how alike the cells of a
patient or the patients are: one further patient, whose cells are all called wrong, is added, and the
weights of the patients are random (Dirichlet) [2]_ [3]_. Where each share is 0 or 1 this is
Clopper and Pearson's exact bound [4]_. A bootstrap would call a handful of patients without an error
certain; this bound does not: to show 90 % with a confidence of 95 % takes at least 29 patients.

References
----------
.. [1] CLSI EP12, Evaluation of Qualitative, Binary Output Examination Performance, 3rd ed., 2023
       (EP12-A2, 2008: at least 50 positive and 50 negative samples).
.. [2] Gaffke N. Three test statistics for a nonparametric one-sided hypothesis on the mean of a
       nonnegative variable. Math Methods Stat 2005;14:451-467.
.. [3] Learned-Miller E, Thomas PS. A new confidence interval for the mean of a bounded random variable.
       arXiv:1905.06208, 2019.
.. [4] Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the
       binomial. Biometrika 1934;26:404-413.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.errors import DatasetError
from leukemia.evaluation.breakdown import patients
from leukemia.evaluation.estimate import Estimate

# Patients of each class without whom nothing is computed: with fewer, even no error at all could not
# tell a sensitivity of 50 % with a confidence of 95 %.
LEAST_PATIENTS = 5
CONFIDENCES = (0.90, 0.95, 0.99)
USUAL_CONFIDENCE = 0.95
# More patients than any laboratory will bring: beyond, it is said that the claim is too near.
MOST_PATIENTS = 5_000
CLASS_OF = {"sensitivity": ALL, "specificity": NORMAL}


class Verdict(StrEnum):
    """What the cells say of a claim."""

    MET = "met"
    NOT_SHOWN = "not shown"
    NOT_MET = "not met"


@dataclass(frozen=True)
class Criterion:
    """What a laboratory accepts, stated before the cells are classified.

    Attributes
    ----------
    sensitivity, specificity : float
        The least that is accepted, each patient weighing the same; above 0, below 1.
    confidence : float
        Of the lower bounds that must reach them, one-sided; one of :data:`CONFIDENCES`.

    Raises
    ------
    DatasetError
        Where one of them is out of bounds.
    """

    sensitivity: float
    specificity: float
    confidence: float = USUAL_CONFIDENCE

    def __post_init__(self) -> None:
        for name, share in (("sensitivity", self.sensitivity), ("specificity", self.specificity)):
            if not 0 < share < 1:
                raise DatasetError(f"The minimum {name} must be above 0 and below 1, not {share:g}.")
        if self.confidence not in CONFIDENCES:
            offered = ", ".join(f"{one:g}" for one in CONFIDENCES)
            raise DatasetError(f"The confidence must be one of {offered}, not {self.confidence:g}.")

    def least(self, name: str) -> float:
        """The least sensitivity or specificity."""
        return self.sensitivity if name == "sensitivity" else self.specificity


@dataclass(frozen=True)
class Rate:
    """Sensitivity or specificity on a laboratory's patients, held against its claim.

    Attributes
    ----------
    value, low, high : float
        Mean over patients of the share of cells called right, and its two-sided 95 % interval.
    bound : float
        Lower bound, one-sided, at the criterion's confidence.
    claim : float
        What the bound must reach.
    verdict : Verdict
        Met; not met (not even the upper bound reaches it); or not shown either way.
    patients, cells : int
        Of the class, with an answer.
    design_effect : float
        How many cells of these patients tell as much as one independent cell; NaN where every cell is
        called alike.
    needed : int or None
        Further patients like these until the bound would reach the claim; 0 where it does, None where
        no number would, or more than :data:`MOST_PATIENTS`.
    """

    value: float
    low: float
    high: float
    bound: float
    claim: float
    verdict: Verdict
    patients: int
    cells: int
    design_effect: float
    needed: int | None

    @property
    def estimate(self) -> Estimate:
        """The value with its 95 % interval."""
        return Estimate(self.value, self.low, self.high)


def check_patients(cells: pd.DataFrame) -> None:
    """Raise DatasetError where there are too few patients; columns label and patient_group, a row a cell."""
    people = {label: cells.loc[cells["label"] == label, "patient_group"].nunique() for label in LABELS}
    if min(people.values()) < LEAST_PATIENTS:
        raise DatasetError(
            f"Too few patients: {people[ALL]} with ALL cells and {people[NORMAL]} with normal cells. At "
            f"least {LEAST_PATIENTS} of each are needed. CLSI EP12 recommends 50 of each."
        )


def rates(table: pd.DataFrame, criterion: Criterion) -> dict[str, Rate]:
    """Sensitivity and specificity, held against a criterion.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a patient and class, with columns label, cells and accuracy (share of cells called right,
        0 to 1): of :func:`leukemia.evaluation.breakdown.patients.table` or :func:`.own_threshold.left_out`.
    criterion : Criterion
    """
    out = {}
    for name, label in CLASS_OF.items():
        own = table[table["label"] == label]
        shares, cells = own["accuracy"].to_numpy(float), own["cells"].to_numpy(float)
        out[name] = rate(shares, cells, criterion.least(name), criterion.confidence)
    return out


def at_threshold(predictions: pd.DataFrame, threshold: float, criterion: Criterion) -> dict[str, Rate]:
    """The same of cells at a threshold; columns patient_group, label, probability."""
    return rates(patients.table(predictions, threshold), criterion)


def rate(shares: np.ndarray, cells: np.ndarray, claim: float, confidence: float) -> Rate:
    """Hold the patients' shares, float, shape (n,), against a claim; ``cells`` is how many each has."""
    interval = mean_interval(shares)
    bound, upper = lower_bound(shares, confidence), upper_bound(shares, confidence)
    verdict = Verdict.NOT_SHOWN
    if bound >= claim:
        verdict = Verdict.MET
    elif upper < claim:
        verdict = Verdict.NOT_MET
    needed = 0
    if verdict != Verdict.MET:
        total = patients_needed(shares, claim, confidence)
        needed = None if total is None else max(1, total - len(shares))
    return Rate(
        interval.value,
        interval.low,
        interval.high,
        bound,
        claim,
        verdict,
        len(shares),
        int(cells.sum()),
        design_effect(shares, cells),
        needed,
    )


def mean_interval(shares: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Mean of patients' shares with its two-sided interval; NaN for no patient."""
    if not len(shares):
        return Estimate(math.nan, math.nan, math.nan)
    tail = (1 + confidence) / 2
    return Estimate(float(np.mean(shares)), lower_bound(shares, tail), upper_bound(shares, tail))


def lower_bound(shares: np.ndarray, confidence: float) -> float:
    """Lower confidence bound, one-sided, of the mean share of patients like these.

    Parameters
    ----------
    shares : numpy.ndarray
        float, shape (n,), n at least 1: of each patient the share of cells called right, 0 to 1.
    confidence : float
        Above .5, below 1.

    Returns
    -------
    float
        The (1 - confidence) quantile of a Dirichlet-weighted mean of the shares and one further 0.
    """
    points = np.append(np.asarray(shares, float), 0.0)
    top = float(points.max())
    if top == 0:
        return 0.0
    alpha = 1 - confidence

    def excess(t: float) -> float:
        return _share_below(points - t) - alpha

    # Below the least value nothing lies, above the greatest all does.
    edge = 1e-9 * top
    return float(brentq(excess, edge, top - edge, xtol=1e-9))


def upper_bound(shares: np.ndarray, confidence: float) -> float:
    """Upper confidence bound; see :func:`lower_bound`. The further patient's share is 1."""
    return 1 - lower_bound(1 - np.asarray(shares, float), confidence)


def fewest_patients(claim: float, confidence: float) -> int:
    """Patients of a class without whom not even a result without any error would show a claim.

    Hanley JA, Lippman-Hand A. If nothing goes wrong, is everything all right? JAMA 1983;249:1743-1745.
    """
    return math.ceil(math.log(1 - confidence) / math.log(claim) - 1e-9)


def design_effect(shares: np.ndarray, cells: np.ndarray) -> float:
    """Variance of the mean over patients, relative to as many independent cells.

    Kish L. Survey Sampling. Wiley, 1965; ch. 8.
    """
    mean = shares.mean() if len(shares) else math.nan
    if len(shares) < 2 or not 0 < mean < 1:
        return math.nan
    return float(shares.var(ddof=1) / len(shares) / (mean * (1 - mean) / cells.sum()))


def patients_needed(shares: np.ndarray, claim: float, confidence: float) -> int | None:
    """How many patients, if further ones are like these, would bring the lower bound to a claim.

    The normal approximation of :func:`lower_bound`: with n patients of mean m and variance v between
    them, the weighted mean of their shares and a further 0 has the mean n m / (n + 1) and the variance
    (n (v + m²) / (n + 1) - (n m / (n + 1))²) / (n + 2); and never fewer than :func:`fewest_patients`.

    Returns
    -------
    int or None
        None where their mean does not exceed the claim, or it would take more than
        :data:`MOST_PATIENTS`.
    """
    mean, variance = shares.mean(), shares.var()
    if mean <= claim:
        return None
    n = np.arange(fewest_patients(claim, confidence), MOST_PATIENTS + 1)
    centre = n * mean / (n + 1)
    spread = np.sqrt((n * (variance + mean**2) / (n + 1) - centre**2) / (n + 2))
    enough = centre - norm.ppf(confidence) * spread >= claim
    if mean == 1:
        enough[:] = True  # exactly the number without any error
    return int(n[np.argmax(enough)]) if enough.any() else None


def _share_below(offsets: np.ndarray) -> float:
    """Chance that a Dirichlet(1, ..., 1)-weighted sum of the offsets is below 0.

    Weights of that kind are exponential variables over their sum, so that the sum's sign is that of a
    combination of exponential variables, whose distribution is found from its characteristic function.

    Imhof JP. Computing the distribution of quadratic forms in normal variables. Biometrika
    1961;48:419-426.
    """
    values, counts = np.unique(offsets, return_counts=True)
    values = values / np.sqrt((counts * values**2).sum())

    def integrand(u: float) -> float:
        phase = (counts * np.arctan(u * values)).sum()
        size = np.exp(-0.5 * (counts * np.log1p((u * values) ** 2)).sum())
        return math.sin(phase) * size / u

    # The integrand falls like u to the power of minus the number of patients.
    near, far = (quad(integrand, *ends, limit=400)[0] for ends in ((0, 10), (10, np.inf)))
    return 0.5 - (near + far) / math.pi
