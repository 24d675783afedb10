"""All labels that reviewers corrected or doubted: as they count now, and the whole log."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.dataset import label_log
from leukemia.dataset.catalog.filters import Filters
from leukemia.dataset.label_log import DOUBTED, Correction
from pages.sections.dataset import address, cell_detail, grid, label_form, resources

NONE = "No label was corrected or doubted yet. Open a cell in the gallery or among the label suspects."
PAGE = 24


def show(data: Path) -> None:
    """Lay out all that reviewers changed: the cells as they count now, and the whole log."""
    catalog = resources.catalog(data)
    log = label_log.history(data)
    if not log:
        st.info(NONE, icon=":material/edit_note:")
        return
    changed = label_log.current(data)
    doubted = sum(row.new == DOUBTED for row in changed.values())
    st.markdown(
        f"**{len(changed) - doubted:,} corrected, {doubted:,} doubted** labels count now; "
        f"{len(log):,} {'change was' if len(log) == 1 else 'changes were'} made in all."
    )
    if changed:
        last = sorted(changed, key=lambda image_id: -changed[image_id].number)[:PAGE]
        # Identical images are one cell here.
        found = {row.image_id: row for row in catalog.page(Filters(images=tuple(last)), size=4 * PAGE)}
        records = [found[image_id] for image_id in last if image_id in found]
        spoken = "Cells whose label was changed"
        grid.show(data, records, key="labels-grid", spoken=spoken, on_open=cell_detail.open_it)
        if len(changed) > PAGE:
            st.caption(f"The last {PAGE} of {len(changed):,}; the gallery shows all, by its filter Review.")
    table = _table(log)
    st.subheader("The log")
    st.dataframe(table, hide_index=True)
    st.download_button(
        "Download the log",
        table.to_csv(index=False),
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
            "Who": [_inert(row.who) for row in log],
            "From": [row.old for row in log],
            "To": [row.new for row in log],
            "Came as": [row.original for row in log],
            "Reason": [_inert(row.reason) for row in log],
            "Undoes": [f"No. {row.undoes}" if row.undoes else "" for row in log],
            "Image": [row.image_id for row in log],
        }
    )


def _inert(text: str) -> str:
    # Text that begins like a formula would run in a spreadsheet.
    return "'" + text if text[:1] in "=+-@\t\r" and text else text
