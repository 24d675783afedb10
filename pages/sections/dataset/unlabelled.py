"""The cells without a label, for demonstration: look, pick some, have the model answer them."""

from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import UNLABELLED, Filters
from leukemia.markdown import plain
from leukemia.settings import MAX_FILES
from pages.sections.dataset import address, cell_detail, grid, paging, resources, send_to_classify

ALL_OF_THEM = Filters(labels=(UNLABELLED,))
PICKED = "unlabelled-picked"
WHAT = (
    "These cells came without a label: nobody has told the program what they are. Pick some and send "
    "them to the Classify page to see what the model says of cells that it has never met."
)


def show(data: Path) -> None:
    """Lay the section out."""
    catalog = resources.catalog(data)
    count = catalog.count(ALL_OF_THEM)
    if not count:
        st.info("This set has no unlabelled image.", icon=":material/label_off:")
        return
    st.caption(WHAT)
    picked = st.session_state.setdefault(PICKED, {})
    _tools(data, catalog, count, picked)
    number, pages = paging.place(count)
    records = catalog.page(ALL_OF_THEM, number=number, size=paging.SIZE)
    grid.show(
        data,
        records,
        key="unlabelled-grid",
        spoken=f"Unlabelled cells, page {number} of {pages}",
        on_open=cell_detail.open_it,
        on_pick=_pick,
        picked=picked,
    )
    paging.turn(number, pages, key="unlabelled-page")
    if address.cell():
        cell_detail.show(data, [record.image_id for record in records])
    if send_to_classify.asked():
        send_to_classify.go()


def _tools(data: Path, catalog: Catalog, count: int, picked: dict[str, bool]) -> None:
    bundle, why = resources.model()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count:,} unlabelled**, {len(picked):,} picked", width="content")
        few = min(count, MAX_FILES)
        st.button(
            f"Pick {'all' if few == count else 'the first'} {few:,}",
            icon=":material/select_all:",
            on_click=_pick_first,
            args=(catalog, few),
            disabled=len(picked) >= few,
        )
        st.button("Pick none", icon=":material/deselect:", on_click=picked.clear, disabled=not picked)
        st.button(
            f"Send {len(picked):,} to Classify" if picked else "Send to Classify",
            icon=":material/biotech:",
            type="primary",
            on_click=_send,
            args=(data, catalog),
            disabled=not picked or bundle is None,
        )
    if bundle is None:
        st.caption(f"{plain(why)} Without a model nothing can be classified.")


def _pick(image_id: str, ticked: bool) -> None:
    picked = st.session_state[PICKED]
    if ticked:
        picked[image_id] = True
    else:
        picked.pop(image_id, None)


def _pick_first(catalog: Catalog, count: int) -> None:
    st.session_state[PICKED].update(
        (record.image_id, True) for record in catalog.page(ALL_OF_THEM, size=count)
    )


def _send(data: Path, catalog: Catalog) -> None:
    picked = tuple(st.session_state[PICKED])
    found = catalog.page(Filters(labels=(UNLABELLED,), images=picked), size=len(picked))
    send_to_classify.put(data, found)
    st.session_state[PICKED].clear()
