"""What an answer is worth at the prevalence of one's own clinic."""

import streamlit as st

from leukemia.evaluation import prevalence, wording
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.estimates import Estimate
from leukemia.registry.versions import Version
from pages.sections.performance import charts, resources
from pages.sections.performance.operating_point import chart
from pages.sections.performance.threshold_picker import Picked

KEY = "performance-prevalence"
USUAL = 1.0  # per cent


def show(version: Version, picked: Picked) -> None:
    cells = resources.cells(version.bundle)
    own = float(cells.truth.mean())
    left, right = st.columns([2, 5], gap="medium")
    with left:
        percent = st.number_input(
            "Prevalence: % of cells that are ALL", 0.1, 99.9, USUAL, step=0.5, format="%.1f", key=KEY
        )
    found = prevalence.at(cells, picked.value, percent / 100)
    with right:
        st.markdown(f"**{sentence(found, percent / 100)}**")
        st.caption(
            f"With 95 % intervals over patients: PPV {wording.interval(found['ppv'], True)}, NPV "
            f"{wording.interval(found['npv'], True)}."
        )
    curve = prevalence.curve(cells, picked.value)
    chart(charts.prevalence(curve, percent / 100, found, own), notice(cells))


def sentence(found: dict[str, Estimate], share: float) -> str:
    ill, _ = wording.of_100(found["ppv"].value)
    clear, missed = wording.of_100(found["npv"].value)
    return (
        f"Where {100 * share:g}% of the cells are ALL: of 100 cells called ALL-like, {ill} are ALL; of 100 "
        f"called Normal-like, {clear} are normal and {missed} are missed ALL cells."
    )


def notice(cells: PatientBootstrap) -> str:
    return (
        "The rarer ALL is, the more of the ALL-like calls are false alarms. The dashed line is the "
        f"prevalence set above, the dotted one that of the held-out cells ({cells.truth.mean():.0%}). Recall "
        "and specificity are taken to stay the same."
    )
