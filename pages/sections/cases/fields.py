"""The fields of a case: each with its cells outlined, as far as their reader may know the answers."""

from functools import partial
from pathlib import Path

import streamlit as st

from leukemia.cases import cells
from leukemia.cases import fields as case_fields
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.inference.classifier import Answer
from leukemia.segmentation.place import FieldPicture
from pages.components import field_view, identity, stain_choice
from pages.components.field_view import FieldCell
from pages.sections.cases import opened_cell


def show(data: Path, case: Case) -> None:
    """Lay out the counts of all fields, and one of them; a click on an outline opens its cell."""
    found = cells.cells(data, case.id, reader=identity.name())
    fields = {str(one.number): one for one in case_fields.fields(data, case.id)}
    outlined: dict[str, list[FieldCell]] = {key: [] for key in fields}
    for cell in sorted((one for one in found if one.place), key=lambda one: one.place.number):
        outlined[str(cell.field)].append(_outlined(cell))
    if len(fields) > 1:
        all_cells = [one for some in outlined.values() for one in some]
        st.markdown(f"**{len(fields):,} fields** · {field_view.counts(all_cells)}")
    names = {key: one.name for key, one in fields.items()}
    chosen = field_view.choose(f"case-field-{case.id}", names, outlined)
    one = fields[chosen]
    picture = case_fields.picture(data, case.id, one.number)
    field_view.show(
        f"field-{case.id}-{chosen}",
        FieldPicture(one.name, one.width, one.height, one.image_id, picture, one.note),
        outlined[chosen],
        partial(_open, case.id),
    )
    _tell_stain([cell for cell in found if cell.field == one.number and not cell.hidden])
    opened_cell.show(data, case, found, opened_cell.asked_for(case.id))


def _tell_stain(found: list[Cell]) -> None:
    """Say what matching the stain did, where it was matched."""
    if limit := next((cell.stain.limit for cell in found if cell.stain), None):
        stain_choice.tell([_answer(cell) for cell in found], limit)


def _open(case_id: int, key: str) -> None:
    opened_cell.open_it(case_id, int(key))


def _outlined(cell: Cell) -> FieldCell:
    key = str(cell.number)
    if cell.hidden:
        return FieldCell(key, cell.place, field_view.HIDDEN, "")
    return field_view.cell(key, _answer(cell), cell.point)


def _answer(cell: Cell) -> Answer:
    return Answer(
        "", cell.probability, cell.error, distance=cell.distance, place=cell.place, stain=cell.stain
    )
