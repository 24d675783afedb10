"""When to stay silent: an indeterminate band with a guarantee, by split-conformal prediction.

For each class apart, a bound is found that all but a share of that class's cells keep, on patients
that the model did not see. A cell that keeps the bounds of both classes, or of neither, is called
indeterminate. A cell of a new ALL patient is then called Normal-like outright with a probability of at
most ``missed``, one of a new healthy patient ALL-like with at most ``alarmed`` [1]_. Cells of one
patient resemble each other, so patients and not cells are what is exchangeable: each patient weighs
the same, spread over its cells, as in the pooling of distributions of [2]_.

That guarantee is one over patients of all sources together: it may hold because one source errs less
than promised and another more [3]_. So the bounds are widened until the shares hold in each source, too,
on its own patients. A guarantee for a further patient *of a source* (group-conditional, "Mondrian", [1]_)
needs 1 / alpha - 1 patients of the class there: 19 for 5 %, 4 for 20 %. :func:`promises` says where the band
gives it, where the share is only kept, and where there are too few patients to tell.

References
----------
.. [1] Vovk V, Gammerman A, Shafer G. Algorithmic Learning in a Random World. Springer, 2005; label-
       conditional prediction, section 4.5. Angelopoulos AN, Bates S. Conformal prediction: a gentle
       introduction. Found Trends Mach Learn 2023;16:494-591.
.. [2] Dunn R, Wasserman L, Ramdas A. Distribution-free prediction sets for two-layer hierarchical
       models. J Am Stat Assoc 2023;118:2491-2502.
.. [3] Foygel Barber R, Candes EJ, Ramdas A, Tibshirani RJ. The limits of distribution-free conditional
       predictive inference. Inf Inference 2021;10:455-482. Gibbs I, Cherian JJ, Candes EJ. Conformal
       prediction with conditional guarantees. J R Stat Soc B 2025;87:1100-1126.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.evaluation import metrics
from leukemia.evaluation.calibration import to_logit
from leukemia.operating_point import OperatingPoint

# What a bound on a share is worth in a source: also for its next patient, on its patients alone, or neither.
GUARANTEED, KEPT, BROKEN, TOO_FEW = "guaranteed", "kept", "not kept", "too few patients"


@dataclass(frozen=True)
class Band:
    """Probabilities of ALL between which a cell is indeterminate.

    Attributes
    ----------
    low, high : float
        Below ``low`` a cell is Normal-like, from ``high`` on ALL-like, between them indeterminate.
        Both are the same where nothing is indeterminate.
    missed, alarmed : float
        Bounds on the share of ALL cells called Normal-like, and of normal cells called ALL-like.
    """

    low: float
    high: float
    missed: float
    alarmed: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(
                f"A band must lie between 0 and 1, with its low end first: {self.low}, {self.high}."
            )

    def call(self, probability: np.ndarray) -> np.ndarray:
        """ALL, Normal or Indeterminate for probabilities; object, shape (n,)."""
        return OperatingPoint(self.low, self.high, self.low).call(probability)

    def record(self) -> dict[str, float]:
        """The band as plain values for JSON."""
        return asdict(self)


def band(predictions: pd.DataFrame, *, missed: float = 0.05, alarmed: float = 0.20) -> Band:
    """Find the indeterminate band from held-out predictions.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, and source where it is known; of models that did not
        see the patients.
    missed, alarmed : float, optional
        Bounds on the share of ALL cells called Normal-like and of normal cells called ALL-like, 0 to 1:
        for a further patient, and on the patients of each source that has enough of them
        (:func:`metrics.promised_on`).

    Returns
    -------
    Band
        An end lies at 0 or 1 where a class has too few patients for its bound.

    Raises
    ------
    DatasetError
        Where a class has no cell.
    """
    # ALL cells reach the first bound but for a share; normal cells stay at or below the second.
    reached = _bounds(predictions, ALL, 1.0, missed)
    stayed = np.nextafter(-_bounds(predictions, NORMAL, -1.0, alarmed), 2)
    reached, stayed = (float(np.clip(end, 0, 1)) for end in (reached, stayed))
    # Classes that part well leave cells that neither class would hold: those are indeterminate too.
    return Band(min(reached, stayed), max(reached, stayed), missed, alarmed)


def promises(predictions: pd.DataFrame, band: Band) -> dict[str, dict[str, str]]:
    """Say by source what the bounds of a band are worth there.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Those that the band was found from; column source.
    band : Band

    Returns
    -------
    dict of str to dict of str to str
        For each source ``missed`` and ``alarmed``: :data:`GUARANTEED`, :data:`KEPT`, :data:`BROKEN`, or
        :data:`TOO_FEW` where its patients of the class had no say.
    """
    highest = np.nextafter(-band.high, 2)  # score of the highest probability below the band's end
    return {
        str(source): {
            "missed": _worth(own[own["label"] == ALL], 1.0, band.missed, band.low),
            "alarmed": _worth(own[own["label"] == NORMAL], -1.0, band.alarmed, highest),
        }
        for source, own in predictions.groupby("source")
        if source
    }


def patients_needed(alpha: float) -> int:
    """How many patients a guarantee for a share alpha of a further patient's cells needs."""
    return int(np.ceil(1 / alpha - 1e-9)) - 1


def sureness(probability: np.ndarray, threshold: float) -> np.ndarray:
    """How far probabilities lie from a threshold, by logit: float, shape (n,)."""
    return np.abs(to_logit(probability) - to_logit(threshold))


def coverage_curve(predictions: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Accuracy against the share of cells that are answered, the least sure ones left out first.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns label and probability.
    threshold : float
        Probability from which a cell is called ALL-like; cells nearest to it (by logit) go first.

    Returns
    -------
    pandas.DataFrame
        Columns coverage (falling from 1), accuracy, sensitivity; a row for each cell.
    """
    probability = predictions["probability"].to_numpy(float)
    truth = is_all(predictions["label"])
    order = np.argsort(-sureness(probability, threshold), kind="stable")
    right = ((probability >= threshold) == truth)[order]
    hits = (right & truth[order]).cumsum()
    answered = np.arange(1, len(order) + 1)
    with np.errstate(invalid="ignore"):
        sensitivity = hits / truth[order].cumsum()
    curve = pd.DataFrame(
        {"coverage": answered / len(order), "accuracy": right.cumsum() / answered, "sensitivity": sensitivity}
    )
    return curve.iloc[::-1].reset_index(drop=True)


def _bounds(predictions: pd.DataFrame, label: str, sign: float, alpha: float) -> float:
    """The greatest score that all but a share alpha reach, for a further patient and in each source."""
    parts = metrics.promised_on(predictions, label)
    return min(_bound(own, sign, alpha, further=not name) for name, own in parts.items())


def _worth(own: pd.DataFrame, sign: float, alpha: float, bound: float) -> str:
    """What the lowest score that is not called wrong outright is worth to a class of a source."""
    if own["patient_group"].nunique() < metrics.FEWEST_PATIENTS:
        return TOO_FEW
    if bound <= _bound(own, sign, alpha, further=True):
        return GUARANTEED
    return KEPT if bound <= _bound(own, sign, alpha, further=False) else BROKEN


def _bound(own: pd.DataFrame, sign: float, alpha: float, *, further: bool) -> float:
    """The greatest score that all but a share alpha of the cells reach, each patient weighing the same.

    ``further``: in expectation, those of a further patient.
    """
    score = sign * own["probability"].to_numpy(float)
    patients = own["patient_group"].nunique() + further
    weight = metrics.patient_weights(own) / patients
    order = np.argsort(score, kind="stable")
    # The further patient may lie anywhere: its whole weight counts as below every score.
    below = np.cumsum(weight[order]) - weight[order] + further / patients
    allowed = np.flatnonzero(below <= alpha + 1e-12)
    return float(score[order][allowed[-1]]) if len(allowed) else -np.inf
