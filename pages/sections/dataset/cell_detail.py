"""One cell opened large: its picture, its record, the model's answer, the patient's other cells.

Cells of the data folder also go from here into the Classify page's batch.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.dataset.catalog.catalog import Catalog
from leukemia.dataset.catalog.filters import Filters
from leukemia.dataset.catalog.records import Record
from leukemia.errors import ImageError
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.imaging.scale import NATIVE
from leukemia.inference.answer import Source
from leukemia.inference.batch import Item
from leukemia.markdown import plain
from pages.components import cell_view, cell_view_html, pending, session_batch
from pages.components.cell_view import Opened
from pages.sections.dataset import address, cell_record, grid, label_form, resources

OTHERS = 12


def open_it(image_id: str) -> None:
    """Name a cell in the address by its image_id, so that :func:`show` opens it."""
    address.put(address.CELL, image_id)


def show(data: Path, neighbours: Sequence[str]) -> None:
    """Open the cell that the address names, above the page.

    Parameters
    ----------
    data : Path
        The prepared folder.
    neighbours : sequence of str
        The image_ids among which the arrows step.
    """

    @st.dialog("Cell details", width="large", on_dismiss=lambda: address.put(address.CELL, ""))
    def window() -> None:
        # Only this function runs again when something in the window is pressed; where that took the
        # cell out of the address, the whole page must run to close the window.
        if not address.cell():
            st.rerun()
        _lay_out(data, resources.catalog(data), neighbours)

    window()


def send_to_classify(data: Path, records: Sequence[Record]) -> None:
    """Put cells into the Classify page's batch, each read when its turn comes.

    A callback: :func:`follow_to_classify` then leads there.

    Parameters
    ----------
    data : Path
        The prepared folder.
    records : sequence of Record
    """
    data = Path(data).resolve()
    session_batch.of_session().add(
        Item(
            f"data {record.image_id}",
            # A prepared set is answered at the scale at which it is trained on.
            Source.file(data / record.path, Path(record.path).name, NATIVE),
            drawn=record.synthetic,
        )
        for record in records
    )
    st.session_state[pending.SENT] = True


def follow_to_classify() -> None:
    """Open the Classify page if cells were just sent there."""
    if st.session_state.pop(pending.SENT, False):
        st.switch_page("pages/classify.py")


def _lay_out(data: Path, catalog: Catalog, neighbours: Sequence[str]) -> None:
    copies = catalog.copies(address.cell())
    if not copies:
        st.warning(
            "No image in this set has this identifier. Was another set imported in the meantime?",
            icon=":material/search_off:",
        )
        return
    record = copies[0]
    if record.image_id in neighbours:
        cell_view.arrows(neighbours, record.image_id, "cell", open_it)
    st.html(cell_record.STYLE)
    st.html(cell_view_html.STYLE)
    bundle, why = resources.model()
    left, right = st.columns([5, 4], gap="medium")
    with left:
        st.html(cell_record.picture(data, record))
    with right:
        st.html(cell_record.answer(record, bundle, why))
        st.html(cell_record.facts(copies))
        st.button(
            "Send to Classify",
            key="cell-send",
            icon=":material/biotech:",
            on_click=send_to_classify,
            args=(data, [record]),
            disabled=bundle is None,
            help=plain(why) if bundle is None else "Classify this cell with the model in service",
        )
    label_form.show(data, record)
    if bundle is not None:
        _further(data, record, bundle)
    for patient in dict.fromkeys(row.patient for row in copies if row.patient):
        _others(data, catalog, patient, record.image_id)
    follow_to_classify()


def _further(data: Path, record: Record, bundle: Bundle) -> None:
    try:
        crop = crop_cell(read_cell(data / record.path), bundle.input_size)
    except ImageError:
        return  # the picture's place says so
    cell = Opened(
        record.image_id,
        record.path,
        record.image_id,
        lambda: crop,
        record.probability,
        area=record.cell_area,
        # Of a leaky split, no network held the patient out.
        held_out=record.probability is not None and not bundle.leaky,
        drawn=record.synthetic,
    )
    cell_view.further(cell, crop, bundle, place="dataset-cell")


def _others(data: Path, catalog: Catalog, patient: str, image_id: str) -> None:
    count = catalog.count(Filters(patients=(patient,)))
    if count == 1:
        st.markdown(f"**Patient {plain(patient)}** has no other cells in this set.")
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
