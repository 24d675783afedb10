"""What becomes of the cells at the limits, and what a threshold costs: two matrices and the curves."""

import streamlit as st

from leukemia.evaluation import estimates, formatting, metrics, three_way
from leukemia.plots import confusion_matrix, curves
from leukemia.registry.versions import Version
from leukemia.reports import wording
from pages.components import charts
from pages.sections.performance import resources, save_threshold
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    """Lay out matrices and curves, and the form that saves the operating point."""
    bundle = version.bundle
    held_out = resources.held_out_curves(bundle)
    at = estimates.at_threshold(held_out.cells, picked.value)
    st.html(confusion_matrix.STYLE)
    left, right = st.columns([7, 5], gap="medium")
    with left:
        st.markdown(f"**Decisions.** {wording.SHARES}")
        predictions = bundle.predictions
        shares = three_way.evaluate(predictions, picked.point)
        st.html(confusion_matrix.three_way(three_way.counts(predictions, picked.point), shares))
        st.caption(f"{picked.point} {wording.cohort(predictions)}")
    with right:
        st.markdown(f"**{wording.forced(picked.point)}**")
        st.html(confusion_matrix.html(metrics.confusion(predictions, picked.value), at))
        st.markdown(formatting.matrix(at["sensitivity"].value, at["specificity"].value))
        with st.expander("All metrics at this threshold"):
            st.dataframe(wording.estimates(at | held_out.ranking), hide_index=True)
    charts.show(curves.against_threshold(held_out, picked.point, at))
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show(curves.precision_recall(held_out, at))
    with right:
        charts.show(curves.roc(held_out, at))
    save_threshold.show(version, picked, at["sensitivity"].value)
