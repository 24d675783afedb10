"""The real cells that come with the program: there before any set is imported, to send to Classify."""

from collections.abc import Collection
from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.records import Record
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.imaging.thumbnails import Thumbnails
from pages.sections.dataset import address, cell_detail, cell_record, grid, resources

WHAT = (
    "These real cells come with the program, for demonstration. Their labels were never published, and no "
    "model was trained on them."
)


def show(data: Path, present: Collection[str] = ()) -> None:
    """Lay them out, but for those that the imported set holds itself.

    Parameters
    ----------
    data : Path
        The data folder, prepared or not: pictures are cached there.
    present : collection of str, optional
        Which of their image_ids the imported set has.
    """
    data = Path(data).resolve()
    records = [record for record in demonstration.records() if record.image_id not in present]
    if not records:
        return
    st.subheader(f"{len(records)} real cells", anchor=False)
    st.caption(WHAT)
    bundle, _ = resources.model()
    st.button(
        "Send them to Classify",
        key="real-cells-send",
        icon=":material/biotech:",
        type="primary",
        on_click=cell_detail.send_to_classify,
        args=(demonstration.FOLDER, records),
        disabled=bundle is None,
    )
    grid.show(
        data,
        records,
        key="real-cells-grid",
        spoken="Real cells that come with the program",
        on_open=cell_detail.open_it,
        pictures=Thumbnails(data).get(
            (record.image_id, str(demonstration.FOLDER / record.path)) for record in records
        ),
    )
    st.caption(demonstration.CREDIT)


def opened() -> bool:
    """Whether the address names one of them; then it is shown."""
    record = next((one for one in demonstration.records() if one.image_id == address.cell()), None)
    if record:
        _open(record)
    return record is not None


def _open(record: Record) -> None:
    @st.dialog("Cell details", width="large", on_dismiss=lambda: address.put(address.CELL, ""))
    def window() -> None:
        if not address.cell():
            st.rerun()
        bundle, why = resources.model()
        st.html(cell_record.STYLE)
        left, right = st.columns([5, 4], gap="medium")
        with left:
            st.html(cell_record.picture(demonstration.FOLDER, record))
        with right:
            st.html(cell_record.answer(record, bundle, why))
            st.html(cell_record.facts([record]))
            st.button(
                "Send to Classify",
                key="cell-send",
                icon=":material/biotech:",
                on_click=cell_detail.send_to_classify,
                args=(demonstration.FOLDER, [record]),
                disabled=bundle is None,
            )
        cell_detail.follow_to_classify()

    window()
