"""How the model fares in each source, and in the worst."""

import pandas as pd
import streamlit as st

from leukemia.evaluation.breakdown import source_words, stress
from leukemia.markdown import plain
from leukemia.plots import sources
from leukemia.registry.versions import Version
from pages.components import charts, figures_by_source
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    """Lay out the chart, the table and what a band promises in each source."""
    figures = figures_by_source.at(version.bundle, picked.point)
    if figures is None:
        st.info(source_words.UNKNOWN, icon=":material/help:")
        return
    charts.show(sources.by_source(figures))
    table = pd.DataFrame(source_words.table(figures), columns=list(source_words.HEADER))
    st.dataframe(table, hide_index=True, column_config={"source": st.column_config.Column(pinned=True)})
    st.caption("  \n".join(map(plain, source_words.notes(figures))))
    band = version.bundle.record.promised(picked.point)
    if band and (said := source_words.guarantees(figures, band)):
        st.markdown("**What the indeterminate range promises in each source**")
        st.markdown("\n".join(f"- {plain(words)}" for words in said))
    if unseen := figures_by_source.unseen_at(version.bundle, picked.point):
        st.subheader("Sources that the model had not seen")
        st.markdown(plain(source_words.UNSEEN_ABOUT))
        table = pd.DataFrame(source_words.table(unseen), columns=list(source_words.HEADER))
        st.dataframe(table, hide_index=True, column_config={"source": st.column_config.Column(pinned=True)})
    if changed := version.bundle.record.stress:
        st.subheader(stress.TITLE)
        st.dataframe(pd.DataFrame(stress.table(changed), columns=list(stress.HEADER)), hide_index=True)
        st.caption(stress.ABOUT)
