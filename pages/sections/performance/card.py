"""The model card, and the page as a report for a staff meeting."""

import re

import streamlit as st

from leukemia import settings
from leukemia.registry.versions import Version
from leukemia.reports import performance as report
from pages.components import card_text
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked


def show(version: Version, picked: Picked) -> None:
    """Lay out the downloads and the card."""
    bundle, name = version.bundle, re.sub(r"[^A-Za-z0-9._-]+", "-", version.name)

    def made() -> str:
        held_out, cells = resources.held_out_curves(bundle), resources.cells_with_facts(bundle)
        data = settings.load().data.resolve()
        return report.render(version, picked.point, picked.how, held_out, cells, data)

    with st.container(horizontal=True):
        st.download_button(
            "Download the report (HTML)",
            made,
            file_name=f"performance-{name}.html",
            mime="text/html",
            icon=":material/summarize:",
            on_click="ignore",
        )
        st.download_button(
            "Download the model card",
            bundle.card,
            file_name=f"model-card-{name}.md",
            mime="text/markdown",
            icon=":material/description:",
            on_click="ignore",
        )
    st.caption(
        "The report is one file: a first page with the conclusion, the limits and the worst errors, then the "
        "sections of this page, all at the threshold and limits chosen above. It opens without an internet "
        "connection and can be printed to PDF."
    )
    with st.container(border=True):
        card_text.show(bundle)
