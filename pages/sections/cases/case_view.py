"""One case, opened: what it is, who reads it, and its sections."""

import contextlib
from pathlib import Path

import streamlit as st

from leukemia.attribution import MAX_WHO
from leukemia.cases import fields as case_fields
from leukemia.cases import worklist
from leukemia.cases.worklist import Overview
from leukemia.errors import RecordsError
from leukemia.markdown import plain
from leukemia.reports import case_wording
from pages.components import flash, identity, section_picker
from pages.sections.cases import (
    address,
    fields,
    history,
    intake,
    live,
    readers,
    report,
    review,
    slides,
    summary,
    words,
)

# A section's word in the address, and what lays it out, given the data folder and the case.
SECTIONS = {
    "review": review.show,
    "fields": fields.show,
    "summary": summary.show,
    "readers": readers.show,
    "report": report.show,
    "history": history.show,
}
# What there is to see of a case whose fields hold no white cell.
WITHOUT_CELLS = ("fields", "history")
TITLES = {"report": "Sign and report"}


def show(data: Path, case_id: int) -> None:
    """Lay out the section of the case that the address names."""
    one = worklist.overview(data, case_id, reader=identity.name())
    _head(data, one)
    if one.case.is_signed and (left := intake.give_up(case_id)):
        flash.put(address.CASE_FLASH, flash.WARNING, words.not_added(left))
    flash.show(address.CASE_FLASH)
    _reader_and_intake(data, one)
    there = case_fields.fields(data, case_id)
    if one.cells or there:
        sections = [word for word in SECTIONS if word in WITHOUT_CELLS or one.cells]
        sections = [word for word in sections if word != "fields" or there]
        chosen = section_picker.pick(
            "case", sections, lambda word: TITLES.get(word, word.capitalize()), keep=(address.CASE,)
        )
        if chosen != "review":
            live.offer(data, one.case)
        SECTIONS[chosen](data, one.case)
    if not one.case.is_signed:
        intake.work(data, one.case)


def _head(data: Path, one: Overview) -> None:
    case = one.case
    st.subheader(plain(case.identifier))
    st.fragment(_state, run_every=None if case.is_signed else live.EVERY)(data, one)
    if case.is_signed:
        st.info(
            f"**{plain(case_wording.signature(case))}** The case is read-only. To change it, "
            "reopen it under **Sign and report**.",
            icon=":material/lock:",
        )
    elif rules := words.rules(case):
        st.caption(rules)


def _state(data: Path, one: Overview) -> None:
    """Say how far the case is; it moves with each verdict."""
    with contextlib.suppress(RecordsError):
        one = worklist.overview(data, one.case.id, reader=identity.name())
    todo = words.left_to_do(one)
    st.markdown(
        f"{words.STATE_MARKS[one.state]} **{one.state}**{f': {todo}' if todo else ''}. "
        f"Begun {case_wording.when(one.case.created_at)} by {plain(one.case.created_by)}."
    )


def _reader_and_intake(data: Path, one: Overview) -> None:
    """Lay out who reads and where cells are dropped, side by side where both are asked for."""
    if one.case.is_signed:
        _reader()
        return
    place = st.container()
    if not identity.signed_in():
        aligned = "top" if intake.is_open(one.case, is_empty=not one.cells) else "bottom"
        left, place = st.columns([1, 2], vertical_alignment=aligned)
        with left.container(gap=None):
            _reader()
    with place:
        intake.show(data, one.case, is_empty=not one.cells)
        slides.show(data, one.case)


def _reader() -> None:
    """Ask who reads, unless that is known from signing in."""
    if identity.signed_in():
        return
    identity.of_tab()
    st.session_state[identity.FIELD] = identity.name()
    st.text_input(
        "Your name",
        key=identity.FIELD,
        max_chars=MAX_WHO,
        placeholder="as it should appear beside your verdicts",
        on_change=lambda: identity.remember(st.session_state[identity.FIELD]),
        width=360,
    )
