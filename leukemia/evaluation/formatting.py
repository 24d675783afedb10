"""Metrics in the words of a clinic."""

import math

from leukemia.evaluation.estimate import Estimate


def of_100(share: float) -> tuple[str, str]:
    """How many of 100 are, and are not: whole numbers, never "all" or "none" where that is not so."""
    if math.isnan(share):
        return "an unknown number", "an unknown number"
    if 0.995 <= share < 1:
        return "more than 99", "fewer than 1"
    if 0 < share < 0.005:
        return "fewer than 1", "more than 99"
    whole = round(100 * share)
    return str(whole), str(100 - whole)


def matrix(sensitivity: float, specificity: float) -> str:
    """The confusion matrix as a sentence."""
    detected, missed = of_100(sensitivity)
    cleared, alarms = of_100(specificity)
    return (
        f"Of 100 ALL cells, {detected} are found and {missed} missed. Of 100 normal cells, {cleared} are "
        f"called Normal-like and {alarms} ALL-like by mistake."
    )


def interval(estimate: Estimate, percent: bool = False) -> str:
    """A metric with its 95% interval, as a number to 1 or in per cent."""
    if math.isnan(estimate.value) or math.isnan(estimate.low):
        return number(estimate.value, percent)
    return f"{number(estimate.value, percent)} ({ends(estimate, percent).removesuffix('%')})"


def ends(estimate: Estimate, percent: bool = False) -> str:
    """The 95% interval of a metric by itself."""
    if math.isnan(estimate.low):
        return "not defined"
    return f"{number(estimate.low, percent).removesuffix('%')} to {number(estimate.high, percent)}"


def number(value: float, percent: bool = False) -> str:
    """A number to 1 with three digits, or in per cent with one; words where there is none."""
    if value is None or math.isnan(value):
        return "not defined"
    shown = f"{100 * value:z.1f}%" if percent else f"{value:z.3f}"
    return shown.replace("-", "−")
