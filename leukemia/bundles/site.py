"""What a record says of the laboratory that a version was accepted for."""

from leukemia.bundles.fields import Estimates, Fields, Number


class SiteCriterion(Fields):
    """What a laboratory accepted, stated before its cells were classified; see verification/statistics."""

    sensitivity: Number
    specificity: Number
    confidence: Number
    stated_by: str
    stated_at: str


class Site(Fields):
    """For which laboratory a version was accepted, on which evidence, by whom and why.

    Shares and AUROC weigh each patient the same; ``lower_bounds`` are one-sided, at the criterion's
    confidence. Where ``threshold_new`` differs from ``threshold_old``, it was chosen from the
    laboratory's patients, and the figures are of patients left out in turn. ``earlier`` counts the
    verifications in which some of these cells had been classified before the criterion was stated.
    """

    name: str
    verification: str
    at: str
    who: str
    reason: str
    criterion: SiteCriterion
    threshold_old: Number
    threshold_new: Number
    estimates: Estimates
    lower_bounds: dict[str, Number]
    patient_groups: dict[str, int]
    cells: dict[str, int]
    unanswered: dict[str, int]
    earlier: int = 0
