"""Where readers disagree: both verdicts, a place to settle it, and how far the readers agree on the whole."""

import base64
from functools import partial
from html import escape
from pathlib import Path

import streamlit as st

from leukemia import attribution
from leukemia.access.permissions import Action
from leukemia.cases import agreement, cells, disagreements
from leukemia.cases.case import DISPUTED, Case
from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import VERDICTS
from leukemia.errors import LeukemiaError, RecordsError
from leukemia.markdown import plain
from leukemia.reports import case_wording
from pages.components import flash, identity, offer

FLASH = "settle"
SHOW_ALL = "I am settling this case: show me the disagreements on cells that I have not read"
NONE = "The readers do not disagree on any cell."
ALL_SETTLED = "No disagreement is left to settle."
AMONG_READ = {NONE: " that you have read.", ALL_SETTLED: " on the cells that you have read."}
ONE_READER = "Agreement is shown once two readers have given verdicts on the same cells."
KEPT_BACK = (
    "Disagreements on cells that you have not read are not shown: readers of this case do not see each "
    "other's verdicts before their own."
)


def show(data: Path, case: Case) -> None:
    """Lay out the disputed cells, those that were settled, and the agreement, as far as she may know them."""
    flash.show(FLASH)
    found = cells.cells(data, case.id, reader=identity.name())
    all_shown = True
    if any(cell.others_hidden for cell in found):
        st.info(KEPT_BACK, icon=":material/visibility_off:")
        all_shown = st.checkbox(SHOW_ALL, key=f"show-disputes-{case.id}")
        if all_shown:
            found = cells.cells(data, case.id)
    disputed = [cell for cell in found if cell.status == DISPUTED]
    small = cells.thumbnails(data, case.id, [cell.number for cell in disputed])
    if disputed:
        st.markdown(f"**The readers disagree on {len(disputed):,} {_cells(len(disputed))}**")
    else:
        said = ALL_SETTLED if any(cell.decided for cell in found) else NONE
        st.caption(said if all_shown else f"{said.removesuffix('.')}{AMONG_READ[said]}")
    for cell in disputed:
        _settle(data, case, cell, small.get(cell.number))
    for cell in found:
        if settled := cell.decided:
            st.markdown(
                f"Cell {cell.number}: settled as **{settled.verdict}** by "
                f"{plain(settled.who)}, {case_wording.when(settled.at)}.  \n"
                f"Reason: {plain(settled.reason)}  \n"
                f"The readers' own verdicts: {plain(_verdicts(cell))}"
            )
    st.markdown("**Agreement**")
    shown = agreement.of_cells(found)
    for one in shown:
        st.markdown(plain(case_wording.agreement(one)))
    if not shown:
        st.caption(ONE_READER)


def _settle(data: Path, case: Case, cell: Cell, small: bytes | None) -> None:
    key = f"settle-{case.id}-{cell.number}"
    with st.container(border=True):
        left, right = st.columns([1, 4])
        if small:
            picture = base64.b64encode(small).decode("ascii")
            left.html(
                f'<img alt="Cell {cell.number} of {escape(case.identifier)}" '
                f'style="width:100%;max-width:11rem" src="data:image/jpeg;base64,{picture}">'
            )
        with right:
            st.markdown(f"**Cell {cell.number}**: {plain(_verdicts(cell))}")
            if case.is_signed or not offer.may(Action.SETTLE):
                return
            with st.form(key, border=False):
                st.radio("Settle it as", VERDICTS, key=f"{key}-verdict", horizontal=True, index=None)
                st.text_input("Reason", key=f"{key}-reason", max_chars=attribution.MAX_WHY)
                st.form_submit_button(
                    f"Settle cell {cell.number}",
                    icon=":material/handshake:",
                    on_click=partial(_save, data, case.id, cell.number, key),
                )


def _save(data: Path, case_id: int, number: int, key: str) -> None:
    state = st.session_state
    verdict, reason = state[f"{key}-verdict"], state[f"{key}-reason"]
    try:
        if not verdict:
            raise RecordsError("Choose a verdict first.")
        disagreements.settle(data, case_id, number, verdict, who=identity.name(), reason=reason)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))
        return
    flash.put(FLASH, flash.SUCCESS, f"Cell {number} is settled as {verdict}.")


def _verdicts(cell: Cell) -> str:
    return ", ".join(
        f"{one.reader}: {one.verdict}{f' ({one.reason})' if one.reason else ''}" for one in cell.readings
    )


def _cells(count: int) -> str:
    return "cell" if count == 1 else "cells"
