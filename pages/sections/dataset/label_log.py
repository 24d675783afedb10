"""All labels that reviewers corrected or doubted: as they stand now, and the whole log."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.dataset import label_log
from leukemia.dataset.catalog.filters import Filters
from leukemia.dataset.label_log import DOUBTED, Correction
from leukemia.storage import spreadsheet
from pages.sections.dataset import address, cell_detail, grid, label_form, resources

NONE = "No label has been corrected or doubted yet. To change one, open its cell in the gallery."
PAGE = 24


def show(data: Path) -> None:
    """Lay out the section for the prepared folder."""
    catalog = resources.catalog(data)
    log = label_log.history(data)
    if not log:
        st.info(NONE, icon=":material/edit_note:")
        return
    changed = label_log.current(data)
    doubted = sum(row.new == DOUBTED for row in changed.values())
    st.markdown(
        f"At present **{len(changed) - doubted:,} labels are corrected and {doubted:,} doubted**, after "
        f"{len(log):,} {'change' if len(log) == 1 else 'changes'} in all."
    )
    if changed:
        latest = sorted(changed, key=lambda image_id: -changed[image_id].number)[:PAGE]
        # Identical images are one cell here.
        by_id = {row.image_id: row for row in catalog.page(Filters(images=tuple(latest)), size=4 * PAGE)}
        records = [by_id[image_id] for image_id in latest if image_id in by_id]
        spoken = "Cells with a changed label"
        grid.show(data, records, key="labels-grid", spoken=spoken, on_open=cell_detail.open_it)
        if len(changed) > PAGE:
            st.caption(f"The latest {PAGE} of {len(changed):,}. To see all, use the gallery's filter Review.")
    table = _table(log)
    st.subheader("The log")
    st.dataframe(spreadsheet.inert_texts(table), hide_index=True)
    st.download_button(
        "Download the log",
        spreadsheet.to_csv(table),
        file_name="corrections.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    if address.cell():
        cell_detail.show(data, [])


def _table(log: list[Correction]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "No.": [row.number for row in log],
            "When": [label_form.when(row.at) for row in log],
            "Who": [row.who for row in log],
            "From": [row.old for row in log],
            "To": [row.new for row in log],
            "Original": [row.original for row in log],
            "Reason": [row.reason for row in log],
            "Undoes": [f"No. {row.undoes}" if row.undoes else "" for row in log],
            "Image": [row.image_id for row in log],
        }
    )
