"""Where a model is weak: by cell size, brightness and source."""

import streamlit as st

from leukemia.evaluation.breakdown import subgroups
from leukemia.plots.subgroups import rates
from leukemia.registry.versions import Version
from leukemia.reports import performance as report
from leukemia.reports import wording
from pages.components import charts
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    """Lay out each grouping with its chart and its table."""
    cells = resources.cells_with_facts(version.bundle)
    for by in report.GROUPED_BY:
        group = subgroups.split(cells, by)
        st.subheader(by)
        if not group.notna().any():
            st.info(wording.subgroup_unknown(by), icon=":material/help:")
            continue
        table = subgroups.table(cells, group, picked.value)
        charts.show(rates(table, by))
        st.dataframe(wording.subgroup_table(table), hide_index=True)
        if (left_out := int(group.isna().sum())) > 0:
            st.caption(f"{left_out:,} cells are left out: not measured, or not in this data folder.")
