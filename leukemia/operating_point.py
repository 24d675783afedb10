"""How a probability of ALL becomes a call: the one place where it does.

A pair of limits: below the first a cell is Normal-like, at or above the second ALL-like, and between them
the model abstains (Indeterminate). Where both are the same, it always answers.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from leukemia.classes import ALL, NORMAL
from leukemia.errors import BundleError

if TYPE_CHECKING:
    import numpy as np

# What a cell between the limits is called, where it is written down.
INDETERMINATE = "Indeterminate"
CALLS = (ALL, INDETERMINATE, NORMAL)
# The same in the words of a clinic.
WORDS = {ALL: "ALL-like", INDETERMINATE: INDETERMINATE, NORMAL: "Normal-like"}
ALL_LIKE, NORMAL_LIKE = WORDS[ALL], WORDS[NORMAL]
# Decimals of a probability, and the most that are shown to tell it from a limit.
DIGITS, MOST_DIGITS = 3, 9
# What an image is that got no probability.
UNCLASSIFIED = "Not classified"


@dataclass(frozen=True)
class OperatingPoint:
    """The limits, and the threshold that splits all cells in two.

    Attributes
    ----------
    low, high : float
        Probabilities of ALL, 0 to 1: it abstains from ``low`` to below ``high``.
    threshold : float
        From ``low`` to ``high``. Sensitivity and specificity at a threshold count every cell as if the model
        had to call it ALL-like (at or above) or Normal-like; no cell is called by it.

    Raises
    ------
    BundleError
        Where these are no probabilities in that order.
    """

    low: float
    high: float
    threshold: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.threshold <= self.high <= 1:
            raise BundleError(
                "A threshold is a probability from 0 to 1 and lies between the limits, the lower one first: "
                f"not {self.threshold} with {self.low} and {self.high}."
            )

    @classmethod
    def of(cls, threshold: float, band: tuple[float, float] | None = None) -> Self:
        """The limits of a model with a threshold and, where it has one, an indeterminate band.

        A cell is called outright where band and threshold agree: a threshold outside the band widens it, so
        that what the band promises holds all the more. Without a band both limits are the threshold.
        """
        low, high = band or (threshold, threshold)
        return cls(min(low, threshold), max(high, threshold), threshold)

    @property
    def abstains(self) -> bool:
        """Whether there are probabilities that it calls Indeterminate."""
        return self.low < self.high

    @property
    def limits(self) -> tuple[float, float]:
        """Both limits, the lower one first."""
        return self.low, self.high

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self, digits: int = DIGITS) -> str:
        """From which probabilities cells are called; ``digits`` are those of :meth:`digits` beside a cell."""
        low, high = (f"{limit:.{digits}f}" for limit in self.limits)
        if not self.abstains:
            return f"Normal-like below {low}, ALL-like at {low} or above."
        return f"Normal-like below {low}, ALL-like at {high} or above, Indeterminate between them."

    def digits(self, probability: float) -> int:
        """Decimals with which a probability and a limit look different where they are."""
        wanted = range(DIGITS, MOST_DIGITS)
        limits = [limit for limit in self.limits if limit != probability]
        return next(
            (n for n in wanted if all(f"{probability:.{n}f}" != f"{limit:.{n}f}" for limit in limits)),
            MOST_DIGITS,
        )

    def shown(self, probability: float) -> str:
        """A probability as it stands beside its decision: never that of a limit it lies below or above."""
        return f"{probability:.{self.digits(probability)}f}"

    def moved(self, low: float, high: float) -> Self:
        """Other limits; the threshold stays where it is, or goes with the limit that passes it."""
        return replace(self, low=low, high=high, threshold=min(max(self.threshold, low), high))

    def around(self, threshold: float) -> Self:
        """Another threshold; limits that abstain are widened to hold it, others go with it."""
        return self.of(threshold, self.limits if self.abstains else None)

    def call(self, probability: "np.ndarray") -> "np.ndarray":
        """Call cells ALL, :data:`INDETERMINATE` or Normal.

        Parameters
        ----------
        probability : array_like of float
            Probabilities of ALL, 0 to 1, shape (n,).

        Returns
        -------
        numpy.ndarray
            str as objects, shape (n,).
        """
        import numpy as np  # here, since this module is imported where numpy is not needed

        probability = np.asarray(probability, float)
        out = np.full(probability.shape, INDETERMINATE, object)
        out[probability < self.low] = NORMAL
        out[probability >= self.high] = ALL
        return out

    def distance(self, probability: float) -> float:
        """How far a probability lies above (or, below 0, under) the limit that is nearest to it."""
        return min((probability - limit for limit in self.limits), key=abs)
