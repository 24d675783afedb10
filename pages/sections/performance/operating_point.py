"""What a threshold costs: the confusion matrix and the curves."""

import streamlit as st

from leukemia.evaluation import estimates, formatting, metrics
from leukemia.plots import confusion_matrix, curves
from leukemia.registry.versions import Version
from leukemia.reports import wording
from pages.components import charts
from pages.sections.performance import resources, save_threshold
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    """Lay out matrix and curves at the threshold, and the form that saves it."""
    bundle = version.bundle
    held_out = resources.held_out_curves(bundle)
    at = estimates.at_threshold(held_out.cells, picked.value)
    st.html(confusion_matrix.STYLE)
    left, right = st.columns([6, 5], gap="medium")
    with left:
        st.markdown("**Confusion matrix**: cells and shares, with 95% intervals over patients")
        st.html(confusion_matrix.html(metrics.confusion(bundle.predictions, picked.value), at))
    with right:
        st.markdown(f"**{formatting.matrix(at['sensitivity'].value, at['specificity'].value)}**")
        st.caption(wording.cohort(bundle.predictions))
        if bundle.band:
            abstains = wording.indeterminate(bundle.predictions, bundle.band)
            st.caption(f"{abstains} The matrix counts them anyway, by the threshold.")
        with st.expander("All metrics at this threshold"):
            st.dataframe(wording.estimates(at | held_out.ranking), hide_index=True)
    charts.show(curves.against_threshold(held_out, picked.value, at))
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show(curves.precision_recall(held_out, at))
    with right:
        charts.show(curves.roc(held_out, at))
    save_threshold.show(version, picked, at["sensitivity"].value)
