"""The fields of a case: each with its cells outlined, as far as their reader may know the answers."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.cases import cells, corrections, stains
from leukemia.cases import fields as case_fields
from leukemia.cases.case import Case
from leukemia.cases.cells import PICTURE, Cell
from leukemia.cases.corrections import Removed
from leukemia.cases.fields import CaseField
from leukemia.errors import RecordsError
from leukemia.inference import stain_match
from leukemia.inference.answer import Answer
from leukemia.inference.batch import THUMBNAIL, Result
from leukemia.inference.corrections import BY_HAND
from leukemia.markdown import plain
from leukemia.reports import case_wording
from leukemia.segmentation import kept
from leukemia.segmentation.change import DRAW, REMOVE, UNDO, Change
from leukemia.segmentation.place import FieldPicture
from pages.components import field_view, identity, model_in_service, offer, stain_choice
from pages.components.field_view import ByHand, FieldCell
from pages.sections.cases import opened_cell

KEPT = "All pixels of these fields take {:.1f} MB on this computer, beside the pictures shown here."
NO_CELL = "This cell is not here any more."


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
    shown = FieldPicture(
        one.name,
        one.width,
        one.height,
        one.image_id,
        case_fields.picture(data, case.id, one.number),
        one.note,
        one.scale,
        one.lossy,
        one.file,
    )
    field_view.show(
        f"field-{case.id}-{chosen}",
        shown,
        outlined[chosen],
        partial(_open, case.id),
        _by_hand(data, case, one, shown),
    )
    _beside(data, case, one, list(fields.values()))
    _tell_stain([cell for cell in found if cell.field == one.number and not cell.hidden])
    opened_cell.show(data, case, found, opened_cell.asked_for(case.id))


def _by_hand(data: Path, case: Case, one: CaseField, shown: FieldPicture) -> ByHand | None:
    """How the field is corrected; None in a signed case, and for who may not."""
    if case.is_signed or not offer.may(Action.CORRECT_FIELDS):
        return None
    can_undo = corrections.can_undo(data, case.id, one.number, identity.name())
    return ByHand(partial(_correct, data, case, one, shown), can_undo, can_draw=one.file is not None)


def _beside(data: Path, case: Case, one: CaseField, fields: list[CaseField]) -> None:
    """Say what was removed of a field, and what its pixels take."""
    gone = [cell for cell in corrections.removed(data, case.id) if cell.field == one.number]
    if gone:
        st.caption(plain(f"Removed or changed by hand: {'; '.join(map(_told, gone))}. They count nowhere."))
    if one.file is None:
        st.caption(kept.GONE)
    if size := case_fields.size(fields):
        st.caption(KEPT.format(size / 1e6))


def _told(cell: Removed) -> str:
    return f"cell {cell.number} ({cell.by}, {case_wording.when(cell.at)})"


def _correct(data: Path, case: Case, one: CaseField, shown: FieldPicture, change: Change) -> tuple[str, str]:
    """Change a field by hand, on record, and have the cell answered."""
    who = identity.name()
    if change.kind == UNDO:
        corrections.undo(data, case.id, one.number, who=who)
        return "", field_view.DONE[UNDO]
    number = int(change.cell) if change.cell.isascii() and change.cell.isdigit() else None
    if number is None and change.kind != DRAW:
        raise RecordsError(NO_CELL)
    if change.kind == REMOVE:
        corrections.remove(data, case.id, number, who=who)
        return "", field_view.DONE[REMOVE]
    return _answered(data, case, one, shown, change, number)


def _answered(
    data: Path, case: Case, one: CaseField, shown: FieldPicture, change: Change, number: int | None
) -> tuple[str, str]:
    # Only who corrects a field waits for what outlines cells to be loaded.
    from leukemia.inference import by_hand

    position = corrections.next_position(data, case.id, one.number)
    beside = {cell.number: cell for cell in cells.cells(data, case.id) if cell.field == one.number}
    if number is not None:
        if number not in beside:
            raise RecordsError(NO_CELL)
        position = beside[number].place.number
    classifier, serving = model_in_service.classifier(), model_in_service.in_service()
    bundle = classifier.bundle
    plain_note = stain_match.unnoted(shown.note.partition(BY_HAND)[0])
    shown = replace(shown, note=plain_note)
    answer = by_hand.answer(classifier, shown, change, position, thumbnail=THUMBNAIL, picture=PICTURE)
    if own := stains.of_field(data, case.id, one.number):
        answer = stain_match.match_one(classifier, answer, own)
    made = corrections.put(
        data,
        case.id,
        one.number,
        Result(f"by hand {position}", answer, field=str(one.number)),
        bundle,
        bundle.operating_point,
        who=identity.name(),
        version=serving.version if serving.bundle.digest == bundle.digest else None,
        replaces=number,
    )
    return str(made), f"Cell {position} is cut out and answered. It needs its own verdict."


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
