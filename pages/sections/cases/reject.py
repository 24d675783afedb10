"""All cells of fields that are unlike the training cells, rejected at once with a reason."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.attribution import MAX_WHY
from leukemia.cases import verdicts
from leukemia.cases.case import UNREAD, Case
from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import REJECTED
from leukemia.counting import counted
from leukemia.errors import LeukemiaError
from leukemia.inference.decisions import NOT_COMPARABLE
from pages.components import flash, identity
from pages.components import offer as may

FLASH = "reject"
REASON = "Not comparable: unlike the cells the model was trained on"
ABOUT = (
    "Each that has no verdict yet gets your verdict **Rejected** with this reason, on record. One **Undo** "
    "under Review takes all of them back. Read those first in which you see a blast."
)
NONE_LEFT = "Each of these cells has a verdict by now. None was rejected."


def offer(data: Path, case: Case, found: Sequence[Cell], place: str) -> None:
    """Offer to reject all cells that are not comparable and have no verdict; nothing where there is none.

    Parameters
    ----------
    data : Path
        The data folder.
    case : Case
    found : sequence of Cell
        As the reader may see them: a cell whose answer is hidden from her is left out.
    place : str
        Keeps these widgets apart from others.
    """
    flash.show(FLASH)
    numbers = [one.number for one in found if one.called == NOT_COMPARABLE and one.status == UNREAD]
    if case.is_signed or not numbers or not may.may(Action.GIVE_VERDICTS):
        return
    # Without their number: verdicts are given below, and this is not laid out anew with each.
    with (
        st.popover("Reject all not comparable", icon=":material/playlist_remove:"),
        st.form(f"reject-{place}", border=False),
    ):
        st.caption(ABOUT)
        st.text_input("Reason", REASON, key=f"reject-reason-{place}", max_chars=MAX_WHY)
        st.form_submit_button(
            "Reject them",
            icon=":material/block:",
            on_click=_reject,
            args=(data, case.id, numbers, place),
        )


def _reject(data: Path, case_id: int, numbers: list[int], place: str) -> None:
    reason = st.session_state[f"reject-reason-{place}"]
    try:
        reader = identity.name()
        done = verdicts.give(data, case_id, numbers, REJECTED, reader=reader, reason=reason, only_unread=True)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))
        return
    flash.put(FLASH, flash.SUCCESS, f"{counted(len(done), 'cell')} rejected." if done else NONE_LEFT)
