"""The model card, and the page as a report for a staff meeting."""

import re

import streamlit as st

from leukemia.registry.versions import Version
from pages.sections.performance import report
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", version.name)
    with st.container(horizontal=True):
        st.download_button(
            "Download the report (HTML)",
            lambda: report.render(version, picked),
            file_name=f"performance-{name}.html",
            mime="text/html",
            icon=":material/summarize:",
            on_click="ignore",
        )
        st.download_button(
            "Download the model card",
            version.bundle.card,
            file_name=f"model-card-{name}.md",
            mime="text/markdown",
            icon=":material/description:",
            on_click="ignore",
        )
    st.caption(
        "The report is one file with the sections of this page at the threshold picked above. It opens "
        "without a network; printed to a file, it is a PDF."
    )
    with st.container(border=True):
        st.markdown(version.bundle.card)
