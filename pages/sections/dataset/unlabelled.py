"""The cells without a label, for demonstration: select some and have the model classify them."""

from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import UNLABELLED, Filters
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.errors import DatasetError
from leukemia.markdown import plain
from leukemia.settings import MAX_FILES
from pages.sections.dataset import address, cell_detail, grid, real_cells, resources

ALL_OF_THEM = Filters(labels=(UNLABELLED,))
SELECTED = "unlabelled-selected"
WHAT = (
    "These cells came without a label. Select some and send them to the Classify page to see what the model "
    "says about cells it has never seen."
)


def show(data: Path) -> None:
    """Lay out the section for the prepared folder."""
    try:
        catalog = resources.catalog(data)
    except DatasetError:
        real_cells.show(data)
        _open(data, [])
        raise
    _of_the_set(data, catalog)
    shipped = tuple(record.image_id for record in demonstration.records())
    present = {record.image_id for record in catalog.page(Filters(images=shipped), size=len(shipped))}
    real_cells.show(data, present)


def _of_the_set(data: Path, catalog: Catalog) -> None:
    count = catalog.count(ALL_OF_THEM)
    if not count:
        st.info("This set has no unlabelled images.", icon=":material/label_off:")
        _open(data, [])
        return
    st.caption(WHAT)
    selected = st.session_state.setdefault(SELECTED, {})
    _tools(data, catalog, count, selected)
    number, pages = grid.place(count)
    records = catalog.page(ALL_OF_THEM, number=number, size=grid.PAGE_SIZE)
    grid.show(
        data,
        records,
        key="unlabelled-grid",
        spoken=f"Unlabelled cells, page {number} of {pages}",
        on_open=cell_detail.open_it,
        on_pick=_select,
        picked=selected,
    )
    grid.turn_pages(number, pages, key="unlabelled-page")
    _open(data, [record.image_id for record in records])


def _open(data: Path, neighbours: list[str]) -> None:
    if address.cell() and not real_cells.opened():
        cell_detail.show(data, neighbours)


def _tools(data: Path, catalog: Catalog, count: int, selected: dict[str, bool]) -> None:
    bundle, why = resources.model()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count:,} unlabelled**, {len(selected):,} selected", width="content")
        few = min(count, MAX_FILES)
        st.button(
            f"Select {'all' if few == count else 'the first'} {few:,}",
            icon=":material/select_all:",
            on_click=_select_first,
            args=(catalog, few),
            disabled=len(selected) >= few,
        )
        st.button(
            "Clear selection",
            icon=":material/deselect:",
            on_click=selected.clear,
            disabled=not selected,
        )
        st.button(
            f"Send {len(selected):,} to Classify" if selected else "Send to Classify",
            key="unlabelled-send",
            icon=":material/biotech:",
            type="primary",
            on_click=_send,
            args=(data, catalog),
            disabled=not selected or bundle is None,
        )
    if bundle is None:
        st.caption(f"{plain(why)} Cells cannot be classified without a model.")


def _select(image_id: str, ticked: bool) -> None:
    selected = st.session_state[SELECTED]
    if ticked:
        selected[image_id] = True
    else:
        selected.pop(image_id, None)


def _select_first(catalog: Catalog, count: int) -> None:
    st.session_state[SELECTED].update(
        (record.image_id, True) for record in catalog.page(ALL_OF_THEM, size=count)
    )


def _send(data: Path, catalog: Catalog) -> None:
    selected = tuple(st.session_state[SELECTED])
    if not selected:  # cleared at the same moment
        return
    records = catalog.page(Filters(labels=(UNLABELLED,), images=selected), size=len(selected))
    cell_detail.send_to_classify(data, records)
    st.session_state[SELECTED].clear()
