"""What a case's cells come to: counts, the share of ALL-like cells, where it lies in the model's record."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.cases import cells, summary
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.markdown import plain
from leukemia.plots import case_placement
from leukemia.reports import case_wording
from pages.components import charts, identity
from pages.sections.cases import answered_by

KEPT_BACK = (
    "The model's answers, or other readers' verdicts, on cells that you have not read yet are kept back and "
    "not counted here."
)


def show(data: Path, case: Case) -> None:
    """Lay out counts and share, as far as this reader may know them."""
    found = cells.cells(data, case.id, reader=identity.name())
    if any(cell.hidden or cell.others_hidden for cell in found):
        st.info(KEPT_BACK, icon=":material/visibility_off:")
    counts = summary.summarise(found)
    _counts(counts)
    hidden = any(cell.hidden for cell in found)
    for line in case_wording.shares(counts, hidden=hidden):
        st.markdown(plain(line))
    if said := case_wording.about_shares(counts):
        st.caption(said)
    if not hidden:
        _place(data, found)
    _elsewhere(data, case)


def _counts(counts: summary.Summary) -> None:
    table = pd.DataFrame(case_wording.count_rows(counts), columns=case_wording.COUNT_HEADER)
    st.dataframe(table, hide_index=True, width="content")


def _place(data: Path, found: list[Cell]) -> None:
    answered = summary.models([cell for cell in found if cell.probability is not None])
    if not answered:
        return
    st.markdown(f"Answered by {plain('; '.join(map(case_wording.model, answered)))}.")
    bundle = answered_by.of(data, found)
    if said := answered_by.untold(bundle, found):
        st.caption(said)
    if said := answered_by.learned_from(bundle, found):
        st.warning(said, icon=":material/school:")
        return
    placed = summary.placement(found, bundle)
    if placed:
        charts.show(case_placement.strips(placed), key="case-placement")
    else:
        st.caption(case_wording.place(None, len(answered)))


def _elsewhere(data: Path, case: Case) -> None:
    others = cells.elsewhere(data, case.id)
    if others:
        named = sorted({name for names in others.values() for name in names})
        st.warning(
            f"Cells of this case that are also in other cases: {len(others):,} "
            f"({plain(', '.join(named[:8]))}). "
            "Check which patient they belong to.",
            icon=":material/content_copy:",
        )
