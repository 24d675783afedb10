"""The answers of a batch: fields with their cells outlined, files without an answer, cells as cards."""

from functools import partial

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.imaging import reader
from leukemia.inference import decisions, views
from leukemia.inference.batch import Batch, Result
from leukemia.inference.learned import Learned
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE, UNCLASSIFIED, OperatingPoint
from leukemia.segmentation import kept
from leukemia.segmentation.change import BAR, Change
from pages.components import (
    cell_grid,
    cell_opener,
    cell_view,
    field_view,
    model_in_service,
    scale_bar,
    stain_choice,
)
from pages.components import session_batch as session
from pages.components.cell_view import Opened
from pages.components.field_view import ByHand, FieldCell

PLACE = "classify"  # of the window that opens a cell
PAGE = 60

# What a view says that has no cell to show.
NONE = {
    views.EVERYTHING: "None of these images could be classified.",
    ALL_LIKE: "No cell is called ALL-like.",
    NORMAL_LIKE: "No cell is called Normal-like.",
    decisions.INDETERMINATE: "No cell is indeterminate.",
    views.NEAR: "No cell is close to a limit.",
}


def show(batch: Batch, view: str, point: OperatingPoint, known: Learned, bundle: Bundle) -> None:
    """Lay out what a view shows of a batch.

    Parameters
    ----------
    batch : Batch
    view : str
        One of :data:`leukemia.inference.views.VIEWS`.
    point : OperatingPoint
        By which cells are called.
    known : Learned
        What the model learned from.
    bundle : Bundle
        The model that answered.
    """
    results = batch.results
    without = views.unreadable(results)
    apart = [one for one in without if one.field]
    st.html(cell_grid.STYLE)
    if view == views.EVERYTHING:
        _fields(batch, point, bundle)
    if view in (views.EVERYTHING, UNCLASSIFIED):
        _refusals([one for one in without if not one.field])
    else:
        apart = []
    _grid(views.readable(results, point, view) + apart, point, view, known, bundle)


def _fields(batch: Batch, point: OperatingPoint, bundle: Bundle) -> None:
    fields = batch.fields
    if not fields:
        return
    cells: dict[str, list[FieldCell]] = {key: [] for key in fields}
    for result in batch.results:
        if result.field:
            cells[result.field].append(field_view.cell(result.key, result.answer, point))
    names = {key: field.name for key, field in fields.items()}
    chosen = field_view.choose("classify-field", names, cells)
    can_draw = fields[chosen].file is not None
    by_hand = ByHand(partial(_correct, chosen), session.corrections().can_undo(chosen), can_draw, can_draw)
    field_view.show(
        f"field-{chosen}",
        fields[chosen],
        cells[chosen],
        partial(cell_view.open_it, PLACE),
        by_hand,
    )
    if not can_draw:
        st.caption(kept.GONE)
    else:
        scale_bar.show(batch, chosen)
    stain_choice.show(batch, chosen, bundle)


def _correct(key: str, change: Change) -> tuple[str, str]:
    """Change a field by hand, and have the cell answered; or take over the line that was drawn on it."""
    if change.kind == BAR:
        return "", scale_bar.mark(key, change)
    batch, classifier = session.of_session(), model_in_service.classifier()
    cell = session.corrections().apply(batch, classifier, key, change)
    answer = next((one.answer for one in batch.shown(key) if cell and one.key == cell), None)
    if answer is None:
        return "", field_view.DONE[change.kind]
    called = decisions.state(answer, classifier.bundle.operating_point)
    return cell, f"Cell {answer.place.number}: {called}."


def _refusals(refused: list[Result]) -> None:
    if refused:
        st.markdown(f"**Not classified ({len(refused):,})**, each with its reason:")
        st.html(cell_grid.refusals(refused))


def _grid(shown: list[Result], point: OperatingPoint, view: str, known: Learned, bundle: Bundle) -> None:
    if not shown:
        if view in NONE:
            st.caption(NONE[view])
        return
    pages = -(-len(shown) // PAGE)
    key = f"page-{view}"
    page = min(st.session_state.get(key, 1), pages)
    st.html(cell_grid.grid(shown[(page - 1) * PAGE : page * PAGE], point, known))
    cell_opener.listen("classify-opener", partial(cell_view.open_it, PLACE))
    if pages > 1:
        st.pagination(pages, key=key)
    cell_view.window([_opened(result) for result in shown], bundle, point, place=PLACE)


def _opened(result: Result) -> Opened:
    answer = result.answer
    return Opened(
        result.key,
        answer.name,
        answer.image_id,
        lambda: reader.decode(answer.picture) if answer.picture else None,
        answer.probability,
        answer.error,
        answer.area,
        answer.note,
        answer.lossy,
        drawn=result.drawn,
        stain=answer.stain,
    )
