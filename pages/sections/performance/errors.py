"""Cells that are called wrong: missed ALL cells and false alarms, the most confident first."""

import streamlit as st

from leukemia.evaluation import held_out
from leukemia.evaluation.held_out import ALARM, MISSED
from leukemia.registry.versions import Version
from pages.components import cell_grid
from pages.sections.performance import cell_cards, resources
from pages.sections.performance.threshold_picker import Picked

KEY = "performance-errors"
PAGE = 24
NO_IMAGES = (
    "The images of these cells are not in this data folder: they are listed without pictures. Prepare the "
    "set that the version was judged on to see them."
)


def show(version: Version, picked: Picked) -> None:
    known = resources.known(version.bundle)
    found = {kind: held_out.misclassified(known, picked.value, kind) for kind in (MISSED, ALARM)}
    kind = st.segmented_control("Show", (MISSED, ALARM), default=MISSED, required=True, key=KEY)
    rows = found[kind]
    st.caption(
        f"{len(found[MISSED]):,} missed ALL cells and {len(found[ALARM]):,} false alarms among "
        f"{len(known):,} held-out cells. First come those that the model was most sure of (farthest from "
        "the threshold, by logit): look there for wrong labels and for looks that it never learned."
    )
    if rows.empty:
        st.info(f"None at this threshold: {kind.lower()}.", icon=":material/check_circle:")
        return
    if rows["path"].isna().all():
        st.info(NO_IMAGES, icon=":material/hide_image:")
    st.html(cell_grid.STYLE)
    pages = -(-len(rows) // PAGE)
    key = f"{KEY}-page-{kind}"
    number = min(st.session_state.get(key, 1), pages)
    part = rows.iloc[(number - 1) * PAGE : number * PAGE]
    st.html(cell_cards.grid(part, picked.value, f"{kind}, the most confident first"))
    if pages > 1:
        st.pagination(pages, key=key)
