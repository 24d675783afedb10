"""One cell opened large: its picture, its record, the model's answer, the patient's other cells."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import Filters
from leukemia.markdown import plain
from pages.sections.dataset import address, cell_record, grid, label_form, resources, send_to_classify

OTHERS = 12


def open_it(image_id: str) -> None:
    """Name a cell in the address, so that :func:`show` opens it."""
    address.put(address.CELL, image_id)


def show(data: Path, neighbours: Sequence[str]) -> None:
    """Open the cell that the address names, above the page.

    ``neighbours`` are the image_ids among which the arrows step.
    """

    @st.dialog("One cell", width="large", on_dismiss=lambda: address.put(address.CELL, ""))
    def window() -> None:
        # Only this function runs again when something in the window is pressed; where that took the
        # cell out of the address, the whole page must run to close the window.
        if not address.cell():
            st.rerun()
        _lay_out(data, resources.catalog(data), neighbours)

    window()


def _lay_out(data: Path, catalog: Catalog, neighbours: Sequence[str]) -> None:
    copies = catalog.copies(address.cell())
    if not copies:
        st.warning("No image of this set has this identifier: was another set imported meanwhile?")
        return
    found = copies[0]
    _arrows(found.image_id, neighbours)
    st.html(cell_record.STYLE)
    bundle, why = resources.model()
    left, right = st.columns([5, 4], gap="medium")
    with left:
        st.html(cell_record.picture(data, found))
    with right:
        st.html(cell_record.answer(found, bundle, why))
        st.html(cell_record.facts(copies))
        st.button(
            "Send to Classify",
            key="cell-send",
            icon=":material/biotech:",
            on_click=send_to_classify.put,
            args=(data, [found]),
            disabled=bundle is None,
            help=plain(why) if bundle is None else "Have the model answer it",
        )
    label_form.show(data, found)
    for one in dict.fromkeys(row.patient for row in copies if row.patient):
        _others(data, catalog, one, found.image_id)
    if send_to_classify.asked():
        send_to_classify.go()


def _arrows(image_id: str, neighbours: Sequence[str]) -> None:
    if image_id not in neighbours:
        return
    at = neighbours.index(image_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        for step, label, icon in ((-1, "Previous", "arrow_back"), (1, "Next", "arrow_forward")):
            there = at + step
            inside = 0 <= there < len(neighbours)
            st.button(
                label,
                key=f"cell-{label.lower()}",
                icon=f":material/{icon}:",
                on_click=open_it,
                args=(neighbours[there] if inside else image_id,),
                disabled=not inside,
            )
        st.caption(f"{at + 1} of {len(neighbours)} on this page")


def _others(data: Path, catalog: Catalog, patient: str, image_id: str) -> None:
    count = catalog.count(Filters(patients=(patient,)))
    if count == 1:
        st.markdown(f"**Patient {plain(patient)}** has no other cell in this set.")
        return
    others = [row for row in catalog.of_patient(patient, OTHERS + 1) if row.image_id != image_id][:OTHERS]
    shown = f"{len(others)} of {count - 1:,} other cells" if count - 1 > len(others) else "all other cells"
    st.markdown(f"**Patient {plain(patient)}**: {shown}")
    grid.show(
        data,
        others,
        key=f"others-{patient}",
        spoken=f"Other cells of patient {patient}",
        on_open=open_it,
    )
    words = f"All {count:,} cells of patient {plain(patient)} in the gallery"
    st.button(words, key=f"all-of-{patient}", on_click=_to_gallery, args=(patient,))


def _to_gallery(patient: str) -> None:
    address.put_filters(Filters(patients=(patient,)))
    for word in (address.CELL, address.SELECTION):
        address.put(word, "")
    address.put(address.SECTION, "gallery")
