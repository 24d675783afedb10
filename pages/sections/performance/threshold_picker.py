"""Pick the threshold: the version's own, for a recall, for a specificity, or by hand."""

from dataclasses import dataclass

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import curves, metrics
from leukemia.markdown import plain
from pages.components import threshold_slider

OWN, RECALL, SPECIFICITY, HAND = "Version's own", "For a recall", "For a specificity", "By hand"
KEY = "performance-how"
HONEST = (
    "Picked on the same held-out patients that the figures below are of: on new patients expect a "
    "little less."
)


@dataclass(frozen=True)
class Picked:
    """A threshold and how it was picked, in words for the record; ``target`` is the recall asked for."""

    value: float
    how: str
    target: float | None = None
    own: bool = False


def threshold(bundle: Bundle) -> Picked:
    """Lay out the choice; return what is picked."""
    how = st.segmented_control(
        "Pick the threshold", (OWN, RECALL, SPECIFICITY, HAND), default=OWN, required=True, key=KEY
    )
    picked = _picked(bundle, how)
    own = " (the version's own)" if picked.value == bundle.threshold else ""
    chosen = bundle.record.threshold.chosen_on
    honest = f"Chosen on {plain(chosen.rstrip(','))}." if own else HONEST
    st.caption(f"A cell is called ALL-like from a probability of **{picked.value:.4f}** on{own}. {honest}")
    return picked


def _picked(bundle: Bundle, how: str) -> Picked:
    if how == RECALL:
        share = _share("Share of ALL cells to find", 95, "recall")
        value = metrics.choose_threshold(bundle.predictions, share)
        return Picked(value, f"for a recall of {share:.0%}", share)
    if how == SPECIFICITY:
        share = _share("Share of normal cells to call Normal-like", 80, "specificity")
        value = curves.threshold_for_specificity(bundle.predictions, share)
        return Picked(value, f"for a specificity of {share:.0%}")
    if how == HAND:
        return Picked(threshold_slider.show(bundle.threshold, _slider_key(bundle)), "by hand")
    return Picked(bundle.threshold, "the version's own", own=True)


def _share(label: str, usual: int, word: str) -> float:
    return st.slider(label, 50, 100, usual, format="%d %%", key=f"performance-{word}") / 100


def _slider_key(bundle: Bundle) -> str:
    return f"performance-hand-{bundle.folder.name}-{bundle.threshold}"
