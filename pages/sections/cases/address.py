"""Which case is open, and how the list is narrowed, in the address: a link, Back and Reload show the same."""

import streamlit as st

from leukemia.cases.worklist import LATEST, ORDERS, STATES
from pages.components.section_picker import WORD as SECTION

CASE, SEARCH, STATE, ORDER, PAGE = "case", "search", "state", "order", "page"
CASE_FLASH = "case"  # the place of messages above an opened case
# The largest number that a database holds.
MOST = 2**31 - 1


def case_id() -> int | None:
    """The number of the case to open, None for the list; 0, which no case has, where it is no number."""
    asked = st.query_params.get(CASE)
    return None if asked is None else _whole(asked, 0)


def open_case(number: int, section: str = "") -> None:
    """Open a case: a callback, or before the page runs again."""
    st.query_params.from_dict({CASE: str(number)} | ({SECTION: section} if section else {}))


def close_case() -> None:
    """Go back to the list."""
    st.query_params.clear()


def search() -> str:
    """What is searched for in identifiers."""
    return st.query_params.get(SEARCH, "")


def states() -> list[str]:
    """States to which the list is narrowed; none for all."""
    return [state for state in STATES if state in st.query_params.get_all(STATE)]


def order() -> str:
    """The order of the list."""
    asked = st.query_params.get(ORDER, LATEST)
    return asked if asked in ORDERS else LATEST


def page() -> int:
    """The page of the list, at least 1."""
    return max(1, _whole(st.query_params.get(PAGE, ""), 1))


def put_list(*, search: str, states: list[str], order: str) -> None:
    """Write how the list is narrowed and ordered; its first page is shown.

    Where a case was opened meanwhile, nothing is written: Streamlit may report fields of a page as changed
    when they went with it.
    """
    if CASE in st.query_params:
        return
    words = {SEARCH: search.strip(), STATE: states, ORDER: order if order != LATEST else ""}
    st.query_params.from_dict({word: value for word, value in words.items() if value})


def put_page(number: int) -> None:
    """Write the page of the list; see :func:`put_list`."""
    if CASE in st.query_params:
        return
    if number > 1:
        st.query_params[PAGE] = str(number)
    else:
        st.query_params.pop(PAGE, None)


def _whole(text: str, otherwise: int) -> int:
    whole = text.isascii() and text.isdigit() and len(text) < 11
    return int(text) if whole and int(text) <= MOST else otherwise
