"""The interval of a share of patients, who are independent of each other as cells are not."""

from leukemia.evaluation.estimate import Estimate


def wilson(hits: int, trials: int) -> Estimate:
    """A share with its 95 % Wilson score interval; NaN for no trial.

    Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc
    1927;22:209-212.
    """
    from scipy.stats import binomtest

    if not trials:
        return Estimate(float("nan"), float("nan"), float("nan"))
    interval = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return Estimate(hits / trials, float(interval.low), float(interval.high))
