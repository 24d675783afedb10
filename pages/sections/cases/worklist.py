"""All cases: searched, narrowed by state, ordered by uncertainty; each opens at a press."""

from functools import partial
from pathlib import Path

import streamlit as st

from leukemia.cases import worklist
from leukemia.cases.names import LONGEST
from leukemia.cases.worklist import ORDERS, STATES, Overview
from leukemia.inference import decisions
from leukemia.markdown import plain
from leukemia.reports import case_tables, case_wording
from pages.components import address_field, flash, identity
from pages.sections.cases import address, answered_by, monitoring, new_case, sample_case, unsaved, words

FLASH = "worklist"
LEFT_OUT = "Every cell of every case. Cases that hide answers or verdicts are left out until they are signed."
PAGE_SIZE = 25
TITLES, WIDTHS = ("Case", "State", "The model's answers", "Last changed"), (3, 3, 4, 3)
NONE_YET = "There are no cases yet. Press **New case** to begin one, then drop a patient's cells into it."
NO_MATCH = "No case matches. Change the search or the state."


def show(data: Path) -> None:
    """Lay out the list that the address asks for."""
    flash.show(FLASH)
    unsaved.show()
    monitoring.warn(data)
    # What has no height takes no gap either.
    with st.container(gap=None):
        new_case.show(data)
        identity.of_tab()
    _controls()
    found = worklist.worklist(
        data,
        search=address.search(),
        states=address.states(),
        order=address.order(),
        reader=identity.name(),
    )
    if not found:
        narrowed = address.search() or address.states()
        st.info(NO_MATCH if narrowed else NONE_YET, icon=":material/folder_open:")
        if not narrowed:
            sample_case.offer(data, FLASH)
        return
    pages = -(-len(found) // PAGE_SIZE)
    page = min(address.page(), pages)
    st.markdown(f"**{len(found):,} {'case' if len(found) == 1 else 'cases'}**")
    for title, column in zip(TITLES, _columns(), strict=True):
        column.caption(title)
    for one in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]:
        _row(one)
    _pages(page, pages)
    _downloads(data)


def _controls() -> None:
    def field(name: str, value: object) -> dict[str, object]:
        def write(chosen: object) -> None:
            now = {"search": address.search(), "states": address.states(), "order": address.order()}
            address.put_list(**now | {name: chosen})

        return address_field.follow(f"cases-{name}", value, write)

    left, middle, right = st.columns([3, 3, 2])
    left.text_input("Search by identifier", max_chars=LONGEST, **field("search", address.search()))
    middle.multiselect("State", STATES, placeholder="All states", **field("states", address.states()))
    right.selectbox("Order", ORDERS, **field("order", address.order()))


def _row(one: Overview) -> None:
    case = one.case
    name, state, answers, changed = _columns()
    name.button(
        plain(case.identifier),
        key=f"open-case-{case.id}",
        icon=":material/folder_open:",
        on_click=address.open_case,
        args=(case.id,),
        width="stretch",
    )
    state.markdown(f"{words.STATE_MARKS[one.state]} **{one.state}**  \n{words.left_to_do(one)}")
    answers.markdown(_answers(one))
    changed.markdown(f"{case_wording.when(case.changed_at)}  \nbegun by {plain(case.created_by)}")


def _answers(one: Overview) -> str:
    if not one.cells:
        return "no cells"
    if one.kept_back:
        return f"{one.cells:,} cells  \n:material/visibility_off: hidden until read"
    return decisions.counted(one.decisions)


def _downloads(data: Path) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for kind, make, mime in (
            ("CSV", case_tables.to_csv, "text/csv"),
            ("Parquet", case_tables.to_parquet, "application/vnd.apache.parquet"),
        ):
            st.download_button(
                f"All cases as {kind}",
                lambda make=make: make(case_tables.of_all_cases(data, partial(answered_by.of, data))),
                file_name=f"cases.{kind.lower()}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )
        st.caption(LEFT_OUT)


def _columns() -> list:
    return st.columns(WIDTHS, vertical_alignment="top")


def _pages(page: int, pages: int) -> None:
    if pages == 1:
        return
    st.pagination(pages, **address_field.follow(f"cases-page-{pages}", page, address.put_page))
