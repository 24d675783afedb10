"""Choose threshold and limits: the model's own, for a sensitivity, for a specificity, or by hand."""

from dataclasses import dataclass

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import curves, metrics
from leukemia.evaluation.breakdown import source_words
from leukemia.markdown import plain
from leukemia.operating_point import OperatingPoint
from leukemia.reports import wording
from pages.components import figures_by_source, limits_slider

OWN, SENSITIVITY, SPECIFICITY, HAND = "Model's own", "For a sensitivity", "For a specificity", "By hand"
KEY = "performance-how"
HONEST = (
    "chosen on the same held-out patients as the results below, so expect slightly worse results on new "
    "patients."
)


@dataclass(frozen=True)
class Picked:
    """An operating point and how it was chosen.

    Attributes
    ----------
    point : OperatingPoint
    how : str
        In words, for the record.
    target : float or None
        The sensitivity asked for, 0 to 1.
    """

    point: OperatingPoint
    how: str
    target: float | None = None

    @property
    def value(self) -> float:
        """The threshold of sensitivity and specificity."""
        return self.point.threshold


def operating_point(bundle: Bundle) -> Picked:
    """Lay out the choice; return what is chosen."""
    how = st.segmented_control(
        "Choose threshold and limits",
        (OWN, SENSITIVITY, SPECIFICITY, HAND),
        default=OWN,
        required=True,
        key=KEY,
    )
    picked = _picked(bundle, how)
    own = picked.point == bundle.operating_point
    about = f"the model's own, chosen on {plain(wording.chosen_on(bundle))}." if own else HONEST
    st.caption(
        f"Decisions: {picked.point} Sensitivity and specificity count every cell as if it had to be called, "
        f"at the threshold **{picked.value:.4f}**: {about}"
    )
    return picked


def _picked(bundle: Bundle, how: str) -> Picked:
    own = bundle.operating_point
    if how == SENSITIVITY:
        cells = figures_by_source.predictions(bundle)
        each = f" {source_words.EACH_SOURCE}" * ("source" in cells)
        share = _share(f"Sensitivity (recall): share of ALL cells to find{each}", 95, "sensitivity")
        value = metrics.choose_threshold(cells, share)
        return Picked(own.around(value), f"for a sensitivity of {share:.0%}", share)
    if how == SPECIFICITY:
        share = _share("Specificity: share of normal cells to call Normal-like", 80, "specificity")
        value = curves.threshold_for_specificity(bundle.predictions, share)
        return Picked(own.around(value), f"for a specificity of {share:.0%}")
    if how == HAND:
        key = f"performance-hand-{bundle.folder.name}-{own.limits}"
        return Picked(limits_slider.show(own, key), "by hand")
    return Picked(own, "the model's own")


def _share(label: str, usual: int, word: str) -> float:
    return st.slider(label, 50, 100, usual, format="%d%%", key=f"performance-{word}") / 100
