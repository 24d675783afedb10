"""What an answer is worth at the prevalence of one's own clinic."""

import streamlit as st

from leukemia.evaluation import formatting, prevalence
from leukemia.plots.prevalence import predictive_values
from leukemia.registry.versions import Version
from leukemia.reports import wording
from pages.components import charts
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked

KEY = "performance-prevalence"
USUAL = 1.0  # per cent


def show(version: Version, picked: Picked) -> None:
    """Lay out the prevalence and what the threshold's calls are worth at it."""
    held_out = resources.held_out_curves(version.bundle)
    left, right = st.columns([2, 5], gap="medium")
    with left:
        percent = st.number_input(
            "Prevalence: % of cells that are ALL", 0.1, 99.9, USUAL, step=0.5, format="%.1f", key=KEY
        )
    share = percent / 100
    at = prevalence.at(held_out.cells, picked.value, share)
    with right:
        st.markdown(f"**{wording.predictive_values(at, share)}**")
        st.caption(
            f"With 95% intervals over patients: PPV {formatting.interval(at['ppv'], True)}, NPV "
            f"{formatting.interval(at['npv'], True)}."
        )
    curve = prevalence.curve(held_out.cells, picked.value)
    charts.show(predictive_values(curve, share, at, held_out.share_of_all))
