"""Whether a probability means what it says."""

import streamlit as st

from leukemia.evaluation import formatting, metrics
from leukemia.plots import calibration
from leukemia.registry.versions import Version
from pages.components import charts
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked

SHOWN = {"ece": "Calibration error (ECE)", "brier": "Brier score"}


def show(version: Version, picked: Picked) -> None:
    """Lay out calibration, and accuracy where the least sure cells are left out."""
    bundle = version.bundle
    held_out = resources.held_out_curves(bundle)
    with st.container(horizontal=True):
        for name, title in SHOWN.items():
            estimate = held_out.ranking[name]
            with st.container(width=260):
                st.metric(title, formatting.number(estimate.value), help=metrics.MEANING[name])
                st.caption(f"95%: {formatting.ends(estimate)}")
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show(calibration.reliability(bundle.predictions, held_out.curves.reliability_band))
    with right:
        charts.show(calibration.coverage(bundle.predictions, picked.value))
