"""All cells: filters that combine, sorting, pages, and one cell opened large."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.catalog import BRIGHTNESS_SORTS, OF_MODEL, Catalog
from leukemia.dataset.catalog.filters import Filters
from leukemia.dataset.catalog.records import Tally
from leukemia.markdown import plain
from pages.sections.dataset import address, cell_detail, controls, grid, resources

NO_MODEL = "Filters by subset, answer and probability need a model in service."
NO_ANSWERS = (
    "The model in service has no held-out answer for any cell here: it was trained on another set. "
    "Filters by subset, answer and probability need a model trained on this set."
)
LOST = "The selection on the map was made in another session. Please select the cells there again."


def show(data: Path) -> None:
    """Lay out the section for the prepared folder."""
    catalog = resources.catalog(data)
    answered = _answered(catalog)
    chosen = address.filters() if answered else address.filters().without_model()
    controls.show(catalog, chosen, answered=answered)
    chosen = _with_map(chosen)
    sort = address.sort()
    if sort in OF_MODEL and not answered:
        sort = "imported"
    if sort in BRIGHTNESS_SORTS:
        resources.measure_brightness(data)
    tally = catalog.tally(chosen)
    st.markdown(summary(tally, catalog.total))
    if not tally.images:
        st.info("No image matches. Remove a filter.", icon=":material/filter_alt:")
        return
    number, pages = grid.place(tally.images)
    records = catalog.page(chosen, sort, number, grid.PAGE_SIZE)
    spoken = f"Cells, page {number} of {pages}"
    grid.show(data, records, key="gallery-grid", spoken=spoken, on_open=cell_detail.open_it)
    grid.turn_pages(number, pages, key="gallery-page", of=(chosen, sort))
    if address.cell():
        cell_detail.show(data, [record.image_id for record in records])


def summary(tally: Tally, total: int) -> str:
    """What matches of ``total`` images, in a line of Markdown."""
    noun = "image matches" if tally.images == 1 else "images match"
    people = f"{tally.patients:,} patient{'s' * (tally.patients != 1)} in {tally.groups:,} patient group"
    return (
        f"**{tally.images:,} {noun}** of {total:,}: {tally.all:,} ALL, {tally.normal:,} Normal, "
        f"{tally.unlabelled:,} unlabelled; {people}{'s' * (tally.groups != 1)}."
    )


def _answered(catalog: Catalog) -> bool:
    """Whether there are answers to filter by; say why where there are none."""
    bundle, why = resources.model()
    if bundle is None:
        st.caption(f"{plain(why)} {NO_MODEL}")
        return False
    known = catalog.count(Filters(probability=(0, 1)))
    if not known:
        st.caption(NO_ANSWERS)
    return bool(known)


def _with_map(chosen: Filters) -> Filters:
    """Narrow to what was selected on the map; cells named one by one have a chip that says so."""
    if chosen.images is not None:
        named = replace(address.filters(), images=None)
        _chip(len(chosen.images), "from the link", lambda: address.put_filters(named))
    if st.query_params.get(address.SELECTION) != address.MAP:
        return chosen
    selected = st.session_state.get(address.SELECTED_ON_MAP)
    if selected is None:
        st.warning(LOST, icon=":material/map:")
        return chosen
    _chip(len(selected), "selected on the map", _forget_map)
    both = selected if chosen.images is None else set(chosen.images) & set(selected)
    return replace(chosen, images=tuple(both))


def _chip(count: int, how: str, forget: Callable[[], None]) -> None:
    st.button(
        f"{count:,} {'cell' if count == 1 else 'cells'} {how}",
        icon=":material/close:",
        help="Show the other cells too",
        on_click=forget,
    )


def _forget_map() -> None:
    st.session_state.pop(address.SELECTED_ON_MAP, None)
    address.put(address.SELECTION, "")
    address.put(address.PAGE, "")
