"""What a record says of the laboratory that a version was accepted for."""

from typing import Literal

from leukemia.bundles.fields import ByClass, Count, Estimates, Fields, Name, Share, Text, Time


class SiteCriterion(Fields):
    """What a laboratory accepted, stated before its cells were classified; see verification/statistics."""

    sensitivity: Share
    specificity: Share
    confidence: Share
    stated_by: Name
    stated_at: Time


class Site(Fields):
    """For which laboratory a version was accepted, on which evidence, by whom and why.

    Shares and AUROC weigh each patient the same; ``lower_bounds`` are one-sided, at the criterion's
    confidence. Where ``threshold_new`` differs from ``threshold_old``, it was chosen from the
    laboratory's patients, and the figures are of patients left out in turn. ``earlier`` counts the
    verifications in which some of these cells had been classified before the criterion was stated.
    """

    name: Name
    verification: Name
    at: Time
    who: Name
    reason: Text
    criterion: SiteCriterion
    threshold_old: Share
    threshold_new: Share
    estimates: Estimates
    lower_bounds: dict[Literal["sensitivity", "specificity"], Share]
    patient_groups: ByClass
    cells: ByClass
    unanswered: dict[Text, Count]
    earlier: Count = 0
