"""Cells of a case worked through by keyboard: each verdict is saved as it is given."""

import base64
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import REASONS
from leukemia.errors import RecordsError
from leukemia.markdown import plain
from pages.components import identity, offer, sample_cells
from pages.sections.cases import answered_by, live, opened_cell, reject, saving

FOLDER = Path(__file__).parent
# Pictures that are sent to the browser at once: when cells are added, only the last of these is sent again.
BLOCK = 50


def _read(*names: str) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


_pictures = st.components.v2.component(
    "leukemia.review_pictures", html="<span></span>", js=_read("review_pictures.js")
)
_grid = st.components.v2.component(
    "leukemia.review",
    html=_read("review_grid.html"),
    css=_read("review_grid.css"),
    js=_read("review_card.js", "review_choices.js", "review_panels.js", "review_grid.js"),
)


def show(data: Path, case: Case) -> None:
    """Lay out the cells with the reader's verdicts, the model's answers and, where allowed, the others'."""
    found = cells.cells(data, case.id, reader=identity.name())
    asked_for = opened_cell.asked_for(case.id)
    reject.offer(data, case, found, "review")
    if said := answered_by.learned_from(answered_by.of(data, found), found):
        st.warning(said, icon=":material/school:")
    # What has no height takes no gap either.
    with st.container(gap=None):
        _send_pictures(data, case.id, [cell.number for cell in found if cell.image_id])
        st.fragment(_review)(data, case)
        live.watch(data, case, identity.name())
    _credit(found)
    opened_cell.show(data, case, found, asked_for)


def _credit(found: Sequence[Cell]) -> None:
    if said := sample_cells.credit([cell.image_id for cell in found]):
        st.caption(said)


def _send_pictures(data: Path, case_id: int, numbers: list[int]) -> None:
    small = cells.thumbnails(data, case_id, numbers)
    for start in range(0, len(numbers), BLOCK):
        block = {
            number: base64.b64encode(small[number]).decode("ascii")
            for number in numbers[start : start + BLOCK]
            if number in small
        }
        _pictures(key=f"pictures-{case_id}-{start}", data={"case": case_id, "pictures": block})


def _review(data: Path, case: Case) -> None:
    key, reader = f"review-{case.id}", identity.name()
    try:
        state = live.give(data, case.id, reader)
    except RecordsError as error:
        # What was shown stays: verdicts that wait there are sent again.
        st.error(plain(str(error)), icon=":material/error:")
        state = live.shown(case.id)
    given = {
        "case": case.id,
        "reader": reader,
        "locked": case.is_signed or not offer.may(Action.GIVE_VERDICTS),
        "shown": state.key,
        "cells": list(state.given.by_number.values()),
        "progress": state.given.progress,
        "reasons": REASONS,
        "spoken": f"Cells of the case {case.identifier}",
        **saving.outcome(case.id),
    }

    def opened() -> None:
        if number := st.session_state[key].get("opened"):
            opened_cell.open_it(case.id, number)

    _grid(
        key=key,
        data=given,
        on_queue_change=lambda: saving.take(data, case.id, st.session_state[key].get("queue")),
        on_opened_change=opened,
    )
    opened_cell.follow(case.id)
