"""Whether a probability means what it says."""

import pandas as pd
import streamlit as st

from leukemia.evaluation import calibration, conformal, metrics, wording
from leukemia.registry.versions import Version
from pages.sections.performance import more_charts, resources
from pages.sections.performance.operating_point import chart, within
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    bundle = version.bundle
    ranking = resources.lines(bundle).ranking
    with st.container(horizontal=True):
        for name, title in (("ece", "Calibration error (ECE)"), ("brier", "Brier score")):
            with st.container(width=260):
                st.metric(title, wording.number(ranking[name].value), help=metrics.MEANING[name])
                st.caption(f"95 %: {ranking[name].low:.3f} to {ranking[name].high:.3f}")
    points = calibration.reliability(bundle.predictions, metrics.ECE_BINS)
    left, right = st.columns(2, gap="medium")
    with left:
        around = resources.lines(bundle).reliability_band
        chart(more_charts.reliability(points, around), about_bins(points))
    with right:
        curve = conformal.coverage_curve(bundle.predictions, picked.value)
        chart(more_charts.coverage(curve), about_coverage(curve))
        if bundle.band:
            st.caption(within(bundle.predictions, bundle.band))


def about_bins(points: pd.DataFrame) -> str:
    """Where probability and truth part most, weighted by cells."""
    gap = points["share"] - points["probability"]
    row = points.loc[(gap.abs() * points["cells"]).idxmax()]
    side = "more" if row["share"] > row["probability"] else "less"
    return (
        f"On the dotted line a probability is what it says. Farthest off, counting cells: where the model "
        f"says {row['probability']:.0%} on average, {row['share']:.0%} of {row['cells']:,.0f} cells are ALL, "
        f"{side} than it says."
    )


def about_coverage(curve: pd.DataFrame) -> str:
    """What answering only the surest four fifths of the cells would gain."""
    all_cells, some = curve.iloc[0], curve[curve["coverage"] >= 0.8].iloc[-1]
    return (
        f"Answering all cells {all_cells['accuracy']:.1%} are right; answering only the 80% farthest from "
        f"the threshold (by logit), {some['accuracy']:.1%}."
    )
