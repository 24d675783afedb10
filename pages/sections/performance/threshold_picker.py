"""Choose the threshold: the model's own, for a sensitivity, for a specificity, or by hand."""

from dataclasses import dataclass

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import curves, metrics
from leukemia.markdown import plain
from leukemia.reports import wording
from pages.components import figures_by_source, threshold_slider

OWN, SENSITIVITY, SPECIFICITY, HAND = "Model's own", "For a sensitivity", "For a specificity", "By hand"
KEY = "performance-how"
HONEST = (
    "Chosen on the same held-out patients as the results below: expect slightly worse results on new "
    "patients."
)


@dataclass(frozen=True)
class Picked:
    """A threshold and how it was chosen.

    Attributes
    ----------
    value : float
        Probability from which a cell is called ALL-like.
    how : str
        In words, for the record.
    target : float or None
        The sensitivity asked for, 0 to 1.
    """

    value: float
    how: str
    target: float | None = None


def threshold(bundle: Bundle) -> Picked:
    """Lay out the choice; return what is chosen."""
    how = st.segmented_control(
        "Choose the threshold", (OWN, SENSITIVITY, SPECIFICITY, HAND), default=OWN, required=True, key=KEY
    )
    picked = _picked(bundle, how)
    own = picked.value == bundle.threshold
    about = f" (the model's own). Chosen on {plain(wording.chosen_on(bundle))}." if own else f". {HONEST}"
    st.caption(f"A cell is called ALL-like at a probability of **{picked.value:.4f}** or above{about}")
    return picked


def _picked(bundle: Bundle, how: str) -> Picked:
    if how == SENSITIVITY:
        cells = figures_by_source.predictions(bundle)
        each = " in each source" * ("source" in cells)
        share = _share(f"Sensitivity (recall): share of ALL cells to find{each}", 95, "sensitivity")
        value = metrics.choose_threshold(cells, share)
        return Picked(value, f"for a sensitivity of {share:.0%}", share)
    if how == SPECIFICITY:
        share = _share("Specificity: share of normal cells to call Normal-like", 80, "specificity")
        value = curves.threshold_for_specificity(bundle.predictions, share)
        return Picked(value, f"for a specificity of {share:.0%}")
    if how == HAND:
        key = f"performance-hand-{bundle.folder.name}-{bundle.threshold}"
        return Picked(threshold_slider.show(bundle.threshold, key), "by hand")
    return Picked(bundle.threshold, "the model's own")


def _share(label: str, usual: int, word: str) -> float:
    return st.slider(label, 50, 100, usual, format="%d%%", key=f"performance-{word}") / 100
