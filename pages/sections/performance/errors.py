"""Cells that are called wrong: missed ALL cells and false alarms, the most confident first."""

from functools import partial

import streamlit as st

from leukemia.evaluation import held_out
from leukemia.evaluation.held_out import ALARM, MISSED
from leukemia.registry.versions import Version
from leukemia.reports import wording
from pages.components import cell_cards, cell_grid, cell_opener, cell_view
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked

KEY = "performance-errors"
PAGE = 24


def show(version: Version, picked: Picked) -> None:
    """Lay out the wrong calls of a kind as cards."""
    cells = resources.cells_with_facts(version.bundle)
    wrong = {kind: held_out.misclassified(cells, picked.value, kind) for kind in (MISSED, ALARM)}
    kind = st.segmented_control("Show", (MISSED, ALARM), default=MISSED, required=True, key=KEY)
    rows = wrong[kind]
    st.caption(wording.errors(wrong, len(cells), picked.value))
    if rows.empty:
        st.info(f"No {wording.ERRORS[kind]} at this threshold.", icon=":material/check_circle:")
        return
    if rows["path"].isna().all():
        st.info(wording.NO_IMAGES, icon=":material/hide_image:")
    st.html(cell_grid.STYLE)
    pages = -(-len(rows) // PAGE)
    key = f"{KEY}-page-{kind}"
    number = min(st.session_state.get(key, 1), pages)
    part = rows.iloc[(number - 1) * PAGE : number * PAGE]
    st.html(cell_cards.grid(part, picked.point, f"{kind}, most confident first"))
    if pages > 1:
        st.pagination(pages, key=key)
    cell_opener.listen(f"{KEY}-opener", partial(cell_view.open_it, KEY))
    cells = cell_cards.opened(rows, version.bundle)
    cell_view.window(cells, version.bundle, picked.point, place=KEY, version=resources.name(version))
